"""A LibreOffice for a test; where there is none the test is skipped, loudly."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mlsim.files import FileError
from mlsim_addin.libreoffice.install import find_office, find_python
from mlsim_workbooks.recalc.libreoffice import LibreOffice

__all__ = ["running"]


@contextmanager
def running() -> Iterator[LibreOffice]:
    """Start LibreOffice as an engine; what is wrong with an installed one fails the test."""
    try:
        find_python(find_office())
    except FileError as error:
        warnings.warn(f"{error} It was NOT tried as an engine.", stacklevel=2)
        pytest.skip(f"{error} It was NOT tried as an engine.")
    with LibreOffice() as office:
        yield office
