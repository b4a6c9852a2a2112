"""The command ``mlsim sweep``. It imports nothing heavy, since every command of ``mlsim`` reads its options."""

from __future__ import annotations

import argparse

__all__ = ["add_options", "run"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``mlsim sweep`` takes."""
    parser.add_argument("source", nargs="?", metavar="BOOK.xlsx|SPEC.yaml", help="a workbook, or a specification")
    parser.add_argument("--grid", metavar="FUNCTION,...", help="sweep functions instead, such as MLSIM_DECODE_LATENCY")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUES",
        help="an argument or an input cell, and its values: 1,2,4 or 1:1024 or 512:8192:512 or 1:1024:x2; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--get", action="append", default=[], metavar="CELLS", help="result cells of the workbook; may be repeated"
    )
    parser.add_argument("-o", "--output-file", required=True, metavar="OUT.parquet|csv|xlsx")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="compute on a Dask cluster instead")
    parser.add_argument(
        "--partitioned", action="store_true",
        help="write a folder with a file per part, which a later run completes; always so with --scheduler",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Run ``mlsim sweep``; return the exit code: 1 when points are in error."""
    from mlsim_workbooks.sweep import running

    return running.run(args)
