"""Workbooks as Excel and others write them, one for each feature, to see that recalculation changes values only."""
