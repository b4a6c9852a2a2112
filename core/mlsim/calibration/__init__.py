"""The efficiency model against measurements: cases, predictions with intervals, fits, accuracy."""
