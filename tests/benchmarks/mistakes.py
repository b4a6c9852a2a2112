"""Twenty-nine expressions with a unit mistake, and six without: as formulas of a sheet, and in mlsysim's own terms.

Handled means that a mistake gives an error, or a sentence that says so; where only the reading can be wrong ("80 Gb"),
that it is read right. A tool that refuses everything would handle all 29: hence the six.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook, load_workbook


class Expression(NamedTuple):
    """One expression: what it mixes, a formula, and the same for mlsysim (``Q_`` makes a quantity)."""

    what: str
    formula: str
    peer: str
    right: str = ""  # part of an answer that is right


MISTAKES = [
    Expression("memory + compute peak", '=MLSIM_ADD("80 GB","989 TFLOP/s")', "Q_(80,'GB') + Q_(989,'TFLOP/s')"),
    Expression(
        "compute peak + bandwidth", '=MLSIM_ADD("989 TFLOP/s","3.35 TB/s")', "Q_(989,'TFLOP/s') + Q_(3.35,'TB/s')"
    ),
    Expression("operations + rate", '=MLSIM_ADD("1 TFLOP","1 TFLOP/s")', "Q_(1,'TFLOP') + Q_(1,'TFLOP/s')"),
    Expression("power + energy", '=MLSIM_ADD("10 kW","10 kWh")', "Q_(10,'kW') + Q_(10,'kWh')"),
    Expression("rent + power", '=MLSIM_ADD("2 $/h","700 W")', "Q_(2,'USD/hour') + Q_(700,'W')"),
    Expression("memory + parameters", '=MLSIM_ADD("14 GB","7e9 param")', "Q_(14,'GB') + Q_(7e9,'param')"),
    Expression("parameters as memory", '=MLSIM_CONVERT("7e9 param","GB")', "Q_(7e9,'param').to('GB')"),
    Expression("money + memory", '=MLSIM_ADD("25000 USD","1 GB")', "Q_(25000,'USD') + Q_(1,'GB')"),
    Expression("money + tokens", '=MLSIM_ADD("5 USD","3 token")', "Q_(5,'USD') + Q_(3,'token')"),
    Expression("tokens as money", '=MLSIM_CONVERT("1e6 token","USD")', "Q_(1e6,'token').to('USD')"),
    Expression("EUR as USD", '=MLSIM_CONVERT("100 EUR","USD")', "Q_(100,'EUR').to('USD')"),
    Expression("tokens/s + GB/s", '=MLSIM_ADD("100 token/s","1 GB/s")', "Q_(100,'token/s') + Q_(1,'GB/s')"),
    Expression("tokens/s + Hz", '=MLSIM_ADD("100 token/s","1 Hz")', "Q_(100,'token/s') + Q_(1,'Hz')"),
    Expression("1/s as data rate", '=MLSIM_CONVERT("100 1/s","Gbps")', "Q_(100,'1/s').to('Gbps')"),
    Expression("rent as data rate", '=MLSIM_CONVERT("2 USD/hour","GB/s")', "Q_(2,'USD/hour').to('GB/s')"),
    Expression("bare number + memory", '=MLSIM_ADD(5,"1 GB")', "5 + Q_(1,'GB')"),
    Expression("bare number + tokens", '=MLSIM_ADD(5,"1 token")', "5 + Q_(1,'token')"),
    Expression("a share + parameters", '=MLSIM_ADD(0.4,"1 param")', "0.4 + Q_(1,'param')"),
    Expression("percent + count", '=MLSIM_ADD("40 percent","1 count")', "Q_(40,'percent') + Q_(1,'count')"),
    Expression("8e9 as 1 GB", '=MLSIM_CHECK(8E9,"GB")', "Q_(1,'GB') == 8e9"),
    Expression("logarithm of memory", '=LN("1 GB")', "numpy.log(Q_(1,'GB'))"),
    Expression("memory to the power of memory", '="2 GB"^"1 byte"', "Q_(2,'GB') ** Q_(1,'byte')"),
    Expression("angle + memory", '=MLSIM_ADD("1 rad","1 GB")', "Q_(1,'radian') + Q_(1,'GB')"),
    Expression("int8 peak + fp16 peak", '=MLSIM_ADD("1979 TOPS","989 TFLOP/s")', "Q_(1979,'TOPS') + Q_(989,'TFLOP/s')"),
    Expression(
        "both directions + one",
        '=MLSIM_ADD("900 GB/s bidirectional","50 GB/s per direction")',
        "Q_(900,'GB/s') + Q_(50,'GB/s')",
    ),
    Expression('"7B" as a quantity', '=MLSIM_CHECK("7B","param")', "Q_('7B')"),
    Expression('"80 Gb"', '=MLSIM_CHECK("80 Gb","GB")', "Q_('80 Gb')", "bit"),
    Expression('"1 Tb"', '=MLSIM_CHECK("1 Tb","TB")', "Q_('1 Tb')", "bit"),
    Expression('"989 TFLOPs" as a rate', '=MLSIM_CHECK("989 TFLOPs","TFLOP/s")', "Q_(989,'TFLOPs')"),
]
HOW_CAUGHT = (
    "MLSIM: formulas of a workbook recalculated by `mlsim recalc`, whose cell is an error or says what is wrong; the logarithm "
    "and the power are refused by the sheet itself, to which a quantity is a text. mlsysim: its `Q_` raises"
)
RIGHT = [
    Expression("GB + GiB", '=MLSIM_ADD("80 GB","80 GiB")', "Q_(80,'GB') + Q_(80,'GiB')"),
    Expression("GB as GiB", '=MLSIM_CONVERT("80 GB","GiB")', "Q_(80,'GB').to('GiB')"),
    Expression("GB + Gbit", '=MLSIM_ADD("1 GB","1 Gbit")', "Q_(1,'GB') + Q_(1,'gigabit')"),
    Expression("Gbps + GB/s", '=MLSIM_ADD("400 Gbps","50 GB/s")', "Q_(400,'Gbps') + Q_(50,'GB/s')"),
    Expression("kWh + J", '=MLSIM_ADD("1 kWh","3.6e6 J")', "(Q_(1,'kWh') + Q_(3.6e6,'J')).to('kWh')"),
    Expression("ms + s", '=MLSIM_ADD("1 ms","1 s")', "Q_(1,'ms') + Q_(1,'s')"),
]


def sheet_answers(expressions: list[Expression], folder: Path) -> list[str]:
    """Return what each formula gives in a recalculated workbook; an empty text where the cell is an error."""
    from mlsim_workbooks.recalc import recalculate

    book = Workbook()
    for at, expression in enumerate(expressions, 1):
        book.worksheets[0].cell(at, 1).value = expression.formula
    path = folder / "mistakes.xlsx"
    book.save(path)
    with redirect_stderr(io.StringIO()):
        recalculate(str(path))
    values = [row[0] for row in load_workbook(path, data_only=True).worksheets[0].iter_rows(values_only=True)]
    return ["" if str(value).startswith(("#", "error:")) else str(value) for value in values]


def handled(expressions: list[Expression], answers: list[str]) -> list[bool]:
    """Tell which mistakes were refused or, where there is a right reading, read right."""
    pairs = zip(expressions, answers, strict=True)
    return [not answer or bool(expression.right and expression.right in answer) for expression, answer in pairs]
