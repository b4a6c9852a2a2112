"""Composes the laws of :mod:`mlsim.physics` over registry entries."""
