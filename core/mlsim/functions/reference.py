"""The function reference, generated from the catalogue."""

from __future__ import annotations

from mlsim.functions.catalogue import CATALOGUE

__all__ = ["markdown", "table"]


def table() -> list[tuple[str, str, str, str]]:
    """Return (category, signature, summary, example) of every function."""
    return [(f.category, f.signature, f.doc.splitlines()[0], f.example) for f in CATALOGUE.values()]


def markdown() -> str:
    """Return the reference as Markdown: a table of functions, then each one's arguments."""
    lines = ["# Function reference", "", "Generated from the catalogue by `mlsim functions`; do not edit.", ""]
    lines += ["| function | what it gives |", "|---|---|"]
    lines += [f"| `{signature}` | {summary} |" for _, signature, summary, _ in table()]
    for function in CATALOGUE.values():
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
