"""Build, check and recalculate workbooks."""
