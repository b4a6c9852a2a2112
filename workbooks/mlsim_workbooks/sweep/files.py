"""The files of a sweep, written as the results come: Parquet and CSV. A file is there whole, or as it was."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from mlsim import __version__
from mlsim.errors import UnitError
from mlsim.files import replacing
from mlsim_workbooks.sweep.block import Column, Values, plain
from mlsim_workbooks.sweep.sweep import Sweep, columns_of, summary

__all__ = ["Write", "csv_file", "parquet_file"]

Write = Callable[[Sequence[Values]], None]


@contextmanager
def csv_file(path: str | os.PathLike[str], sweep: Sweep) -> Iterator[Write]:
    """Write a table as text: a header, then a line per point."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.heading for column in columns_of(sweep)])
        yield lambda values: writer.writerows(zip(*map(_texts, values), strict=True))


def _texts(values: Values) -> Sequence[Any]:
    """Return a stretch as a spreadsheet types it: truth values in capitals, nothing where there is nothing."""
    found = plain(values)
    return [None if v is None else str(v).upper() for v in found] if values.data.dtype == bool else found


# --- Parquet ---------------------------------------------------------------------------------------------------------


@contextmanager
def parquet_file(path: str | os.PathLike[str], sweep: Sweep, extra: dict[str, str] | None = None) -> Iterator[Write]:
    """Write a Parquet file, a row group per stretch; each column's unit, label and role are in its metadata."""
    _, parquet = arrow()
    schema = _schema(sweep, extra or {})
    coded = [column.name for column in columns_of(sweep) if column.role != "result" or column.kind == "text"]
    with (
        replacing(path) as temporary,
        parquet.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=coded) as writer,
    ):
        yield lambda values: writer.write_table(_table(schema, values))


def arrow() -> tuple[Any, Any]:
    """Return the modules that write Parquet, or say what to install."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UnitError('A .parquet file needs pyarrow: pip install "mlsim[sweep]", or write a .csv file.') from None


def _schema(sweep: Sweep, extra: dict[str, str]) -> Any:
    pa, _ = arrow()
    types = {
        "whole": pa.int64(), "number": pa.float64(), "truth": pa.bool_(), "text": pa.dictionary(pa.int32(), pa.string()),
    }  # fmt: skip

    def field(column: Column) -> Any:
        about = {"role": column.role, "unit": column.unit, "label": column.label}
        return pa.field(column.name, types[column.kind], metadata={k: v for k, v in about.items() if v})

    about = {"mlsim.version": __version__, "mlsim.sweep": summary(sweep)}
    return pa.schema([field(column) for column in columns_of(sweep)], metadata=about | extra)


def _table(schema: Any, columns: Sequence[Values]) -> Any:
    pa, _ = arrow()

    def array(values: Values) -> Any:
        if values.texts is None:
            return pa.array(values.data, mask=values.missing)
        codes = pa.array(values.data, mask=values.data < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(list(values.texts), pa.string()))

    return pa.Table.from_arrays([array(values) for values in columns], schema=schema)
