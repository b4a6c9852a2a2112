"""The function reference, generated from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from mlsim.functions.catalogue import CATALOGUE, Function

__all__ = ["markdown", "summary_table", "table"]


def table(catalogue: Mapping[str, Function] = CATALOGUE) -> list[tuple[str, str, str, str]]:
    """Return (category, signature, summary, example) of every function."""
    return [(f.category, f.signature, f.doc.splitlines()[0], f.example) for f in catalogue.values()]


def summary_table(catalogue: Mapping[str, Function] = CATALOGUE) -> str:
    """Return the functions as a Markdown table of signature and summary."""
    rows = [f"| `{signature}` | {summary} |" for _, signature, summary, _ in table(catalogue)]
    return "\n".join(["| function | what it gives |", "|---|---|", *rows]) + "\n"


def markdown(catalogue: Mapping[str, Function] = CATALOGUE) -> str:
    """Return the reference as Markdown: a table of functions, then each one's arguments."""
    lines = ["# Function reference", "", "Generated from the catalogue by `mlsim functions`; do not edit.", ""]
    lines += summary_table(catalogue).splitlines()
    for function in catalogue.values():
        lines += [
            "",
            f"## {function.name}",
            "",
            f"`{function.signature}`",
            "",
            function.doc,
            "",
            f"Example: `{function.example}`",
            "",
        ]
        lines += [f"- `{arg.name}`: {arg.doc}" for arg in function.args]
    return "\n".join(lines) + "\n"
