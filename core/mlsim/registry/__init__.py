"""Sourced constants: chips, models, precisions, runtimes, interconnects, grids and prices."""
