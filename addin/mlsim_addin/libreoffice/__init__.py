"""LibreOffice Calc: an add-in, generated, and what it calls."""
