"""One law, one pure function. SI floats or NumPy arrays in and out; no units, no look-ups, no I/O."""
