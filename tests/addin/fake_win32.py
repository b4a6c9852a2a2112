"""Run xlwings' classic Windows code on any system: the real decorators, conversion and COM server, on stub pywin32.

Only pywin32 and Excel are imitated. ``xlwings.udfs``, ``xlwings._xlwindows`` and ``xlwings.com_server`` are the real
modules, so that arguments and results are converted as in Excel. What this cannot show: COM itself, VBA, Excel.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import xlwings

import mlsim_addin.excel
import mlsim_addin.excel.cells

MISSING = -2147352572  # DISP_E_PARAMNOTFOUND: an optional argument that was left out
ERRORS = {"#NULL!": 2000, "#DIV/0!": 2007, "#VALUE!": 2015, "#REF!": 2023, "#NAME?": 2029, "#NUM!": 2036, "#N/A": 2042}
_STUBS = (
    "pythoncom", "pywintypes", "win32api", "win32con", "win32event", "win32gui", "win32process", "win32timezone",
    "win32com", "win32com.client", "win32com.server", "win32com.server.dispatcher", "win32com.server.policy",
    "win32com.server.util",
)  # fmt: skip
_REAL = ("_win32patch", "_xlwindows", "udfs", "com_server")


def error(code: str) -> int:
    """Return what COM hands over for an error cell."""
    return ERRORS[code] - 2146828288


def value(cells: Any) -> Any:
    """Return what ``Range.Value`` is for a nested list: a scalar for one cell, else a tuple of tuples."""
    if not isinstance(cells, list):
        return cells
    return cells[0][0] if len(cells) == len(cells[0]) == 1 else tuple(map(tuple, cells))


@dataclass
class FakeExcel:
    """Calls worksheet functions as their VBA wrappers do."""

    module: ModuleType
    udfs: ModuleType
    server: Any

    def call(self, name: str, *args: Any) -> Any:
        """Call a function of the catalogue; a nested list stands for a range, anything else for itself."""
        given = [value(arg) for arg in args]
        info = getattr(self.module, name).__xlfunc__["args"]
        if not any(arg["vararg"] for arg in info):
            given += [MISSING] * (len(info) - len(given))
        return self.ask("mlsim_addin.excel.udfs", name, *given)

    def ask(self, module: str, name: str, *args: Any) -> Any:
        """Call a function of a module through the COM server, as VBA does."""
        return self.server.CallUDF(module, name, [value(arg) for arg in args], None, None)

    def vba(self) -> str:
        """Return the wrapper that xlwings itself writes for the module."""
        text = io.StringIO()
        workbook = SimpleNamespace(Name="Book.xlsm")
        self.udfs.generate_vba_wrapper("mlsim_addin.excel.udfs", self.module, text, workbook)
        return text.getvalue()


def _stub_modules() -> dict[str, ModuleType]:
    stubs: dict[str, Any] = {name: MagicMock(name=name) for name in _STUBS}
    for name, stub in stubs.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(stubs[parent], child, stub)
    stubs["pywintypes"].com_error = type("com_error", (Exception,), {})
    stubs["pywintypes"].error = type("error", (Exception,), {})
    stubs["pywintypes"].TimeType = type("TimeType", (), {})
    stubs["pywintypes"].IID = str
    stubs["pythoncom"].__file__ = ""
    stubs["pythoncom"].ole_error = stubs["pywintypes"].com_error
    for name in ("CDispatch", "CoClassBaseClass", "DispatchBaseClass"):
        setattr(stubs["win32com.client"], name, type(name, (), {}))

    def unwrap(_: Any) -> Any:
        raise stubs["pywintypes"].com_error  # an argument is no Python object

    stubs["win32com.server.util"].unwrap = unwrap
    return stubs


@contextmanager
def excel() -> Iterator[FakeExcel]:
    """Import xlwings' Windows part and our Excel module on stubs; put everything back afterwards."""
    ours = "mlsim_addin.excel.udfs"
    stubs = _stub_modules()
    decorators = {name: getattr(xlwings, name) for name in ("func", "arg", "ret")}
    library = {name: MagicMock(name=name) for name in ("windll", "oledll", "PyDLL")}
    before = sys.modules.pop(ours, None)
    sys.modules.update(stubs)
    try:
        with patch.multiple(ctypes, create=True, **library):
            windows = importlib.import_module("xlwings._xlwindows")
        atexit.unregister(windows.cleanup)  # it would look for Excel's processes
        udfs, server = importlib.import_module("xlwings.udfs"), importlib.import_module("xlwings.com_server")
        xlwings.func, xlwings.arg, xlwings.ret = udfs.xlfunc, udfs.xlarg, udfs.xlret
        xlwings.engines.engines_by_name["excel"] = xlwings.Engine(impl=windows.engine)
        yield FakeExcel(importlib.import_module(ours), udfs, server.XLPython())
        server.loop.close()
        udfs.com_executor.shutdown()
    finally:
        for name, original in decorators.items():
            setattr(xlwings, name, original)
        xlwings.engines.engines_by_name.pop("excel", None)
        for name in (*stubs, *(f"xlwings.{name}" for name in _REAL), ours):
            sys.modules.pop(name, None)
        for name in _REAL:
            vars(xlwings).pop(name, None)
        vars(mlsim_addin.excel).pop("udfs", None)
        if before is not None:
            sys.modules[ours] = before
            mlsim_addin.excel.udfs = before
