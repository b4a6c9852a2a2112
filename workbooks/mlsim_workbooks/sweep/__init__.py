"""Sweeps: functions over grids of their arguments, and workbooks over grids of their input cells.

``axes`` reads the values, ``grid`` and ``book`` compute the results of any stretch of points, ``files`` and
``workbook`` write them, ``parts`` writes a folder that can be resumed, ``command`` and ``running`` are the command line.
"""
