"""The modules that run inside LibreOffice, importable here: they lie in the extension's own folder."""

from __future__ import annotations

import sys
from pathlib import Path

import mlsim_addin.libreoffice

sys.path.append(str(Path(mlsim_addin.libreoffice.__file__).parent / "extension" / "pythonpath"))

from mlsim_libreoffice import bridge, calculator, check_units, names, sheet_calls

__all__ = ["bridge", "calculator", "check_units", "names", "sheet_calls"]
