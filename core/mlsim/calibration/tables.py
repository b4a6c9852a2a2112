"""Reading and writing the tables of the commands: cases in, predictions out."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlsim.calibration.accuracy import Outcome, in_own_unit
from mlsim.errors import NameNotFoundError, UnitError
from mlsim.files import write_file

__all__ = ["PREDICTION_COLUMNS", "prediction_rows", "read_table", "write_table"]

PREDICTION_COLUMNS = ("case_id", "predicted", "unit", "low", "high", "bottleneck", "supported", "message")
_NEEDED = ("family", "metric", "model", "hardware")


def read_table(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file of cases.

    Raises
    ------
    UnitError, NameNotFoundError
        When the file is not such a table: missing, without a header, a column lacking, or not text.
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or [])]
            if missing:
                raise UnitError(f"{file}: the column {missing[0]!r} is missing; the first line must name the columns.")
            return [{key: value or "" for key, value in row.items() if key} for row in reader]
    except FileNotFoundError:
        raise NameNotFoundError(f"The file {file} does not exist.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnitError(f"{file} is not a CSV table in UTF-8: {error}.") from None


def prediction_rows(rows: Sequence[Mapping[str, str]], outcomes: Sequence[Outcome]) -> Iterable[tuple[str, ...]]:
    """Yield a row of :data:`PREDICTION_COLUMNS` for each row of cases, in the unit the row asks for."""
    for row, outcome in zip(rows, outcomes, strict=True):
        found = outcome.prediction
        if found is None:
            yield outcome.case_id, "", "", "", "", "", "no", outcome.message
            continue
        unit, factor = _unit(row.get("unit") or "", outcome.unit)
        numbers = (f"{x * factor:.6g}" for x in (found.value, found.low, found.high))
        value, low, high = numbers
        yield outcome.case_id, value, unit, low, high, found.bottleneck, "yes", outcome.message


def _unit(asked: str, own: str) -> tuple[str, float]:
    """Return the unit to print and the factor to it; the model's own when the row's is of another dimension."""
    try:
        return asked or own, 1.0 / in_own_unit(1.0, asked, own)
    except UnitError:
        return own, 1.0


def write_table(path: str | os.PathLike[str], header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Write a CSV file."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    write_file(path, buffer.getvalue().encode())
