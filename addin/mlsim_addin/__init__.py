"""Spreadsheet hosts, generated from the catalogue. Importing this package loads nothing else."""
