"""Excel on Windows, through classic xlwings."""
