"""The table: a row for each piece of work, a column for each tool, values with their spread and how they compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from measuring import Spread

Value = Spread | str  # a string is said as it is: "not here: ..."


@dataclass(frozen=True)
class Row:
    """One piece of work. ``unit`` is "s" (less is better) or "/s" (more is better)."""

    work: str
    ours: Value
    target: str = ""
    unit: str = "s"
    beside: str = ""  # what of a peer is comparable, by its name in comparing.py
    peers: Mapping[str, Value] = field(default_factory=dict)


SCALES = {  # least, factor and name: what people read times and rates in
    "s": ((5400, 1 / 3600, "h"), (0.1, 1, "s"), (1e-3, 1e3, "ms"), (0, 1e6, "µs")),
    "/s": ((1e6, 1e-6, "million/s"), (0, 1, "/s")),
}


def digits(value: float) -> str:
    """Write a number with two or three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def written(value: Value, unit: str) -> str:
    """Write a value, with its spread where it was measured more than once."""
    if isinstance(value, str):
        return value
    factor, name = next((f, name) for least, f, name in SCALES[unit] if value.median >= least)
    middle, low, high = (digits(v * factor) for v in value)
    space = "" if name == "/s" else " "
    return f"{middle}{space}{name}" + ("" if value.low == value.high else f" ({low} to {high})")


def compared(ours: Value, peer: Value, unit: str) -> str:
    """Say how much faster or slower ours is: the ratio of the medians."""
    if isinstance(ours, str) or isinstance(peer, str):
        return ""
    ratio = ours.median / peer.median if unit == "/s" else peer.median / ours.median
    return f"ours {digits(ratio)}× faster" if ratio >= 1 else f"ours {digits(1 / ratio)}× slower"


def speed_table(rows: Sequence[Row], tools: Sequence[str]) -> str:
    """Return the rows as a Markdown table with a column for each tool that has anything to say."""
    shown = [tool for tool in tools if any(tool in row.peers for row in rows)]
    lines = [["work", "MLSIM", "target", *shown]]
    for row in rows:
        cells = [
            "<br>".join(filter(None, (written(row.peers[t], row.unit), compared(row.ours, row.peers[t], row.unit))))
            if t in row.peers
            else "–"
            for t in shown
        ]
        lines.append([row.work, written(row.ours, row.unit), row.target, *cells])
    return markdown(lines)


def markdown(lines: Iterable[Sequence[str]]) -> str:
    """Return cells as a Markdown table; the first line is its head."""
    head, *body = [["–" if cell == "" else cell.replace("|", "/") for cell in line] for line in lines]
    rows = [head, ["---"] * len(head), *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
