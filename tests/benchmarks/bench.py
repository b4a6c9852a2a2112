"""Prints MLSIM beside other tools: how long work takes, and how far predictions are off. Figures, not assertions.

Each peer gets a virtual environment of its own under ``--cache``, made when it is first asked for. A peer that does not
install is shown as such, and nothing else in the project depends on one. All figures of a run come from one machine; what
takes less than a second is the median of five goes, with the least and the most. ``peers/`` says how each is asked.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

from accuracy import Column, case_table, column, summary_table
from asking import ask
from cases import Question, asked, gpt_fast, korthikanti, table_questions
from comparing import BESIDE, DECODERS, HOW, TRAINERS, Peers, in_unit
from environments import TOOLS, Missing, every, ours, unverified
from measuring import say
from mistakes import HOW_CAUGHT, MISTAKES, RIGHT, handled, sheet_answers
from speed import PARTS, not_here
from table import Row, Value, markdown, speed_table, written

from mlsim.files import FileError, replace_section

COMPARED = ("units", "accuracy")  # parts that have tables of their own
MANY = (
    "They were measured with many frameworks, which the peers do not tell apart, and MLSIM, which does, is fitted to them: "
    "what it says of rows that no fit has seen stands in the accuracy table of the README"
)
ALONE = {"recalc", "hosts", "books", "lint", "sweep"}  # parts that no peer has


def speed_rows(parts: Sequence[str], peers: Peers) -> Iterator[Row]:
    """Yield the rows of some parts, each with its counterparts; say each on standard error as it comes."""
    known: dict[str, dict[str, Value]] = {}
    for part in parts:
        say(f"part {part} ...")
        for row in _part_rows(part):
            say(f"{row.work}: {written(row.ours, row.unit)}")
            if not row.beside:
                yield row
                continue
            measured, measure = BESIDE[row.beside]
            if row.beside not in known:
                known[row.beside] = measure(peers)
            cells = {tool: in_unit(value, measured, row.unit) for tool, value in known[row.beside].items()}
            yield replace(row, peers=cells)


def _part_rows(part: str) -> Iterator[Row]:
    """Yield a part's rows; one that breaks off says so in a row, and the other parts go on."""
    try:
        yield from PARTS[part]()
    except CalledProcessError as error:
        yield Row(f"part {part} broke off", not_here(error))


def unit_table(peers: Peers) -> str:
    """Return how many unit mistakes are caught, and which are not."""
    say("unit mistakes ...")
    with TemporaryDirectory() as folder:
        mistaken, right = (sheet_answers(expressions, Path(folder)) for expressions in (MISTAKES, RIGHT))
    lines = [["unit mistakes", "caught", "right expressions accepted", "not caught"], _caught("MLSIM", mistaken, right)]
    for key in peers.asked(["mlsysim"]):
        try:
            if key in peers.missing:
                raise Missing(peers.missing[key])
            told = peers.ask(key, {"mistakes": [e.peer for e in (*MISTAKES, *RIGHT)]})["mistakes"]
            lines.append(_caught(TOOLS[key].name, told[: len(MISTAKES)], told[len(MISTAKES) :]))
        except (Missing, ValueError) as reason:
            lines.append([TOOLS[key].name, str(reason), "", ""])
    return markdown(lines) + f"\n- {HOW_CAUGHT}.\n"


def _caught(name: str, mistaken: list[str], right: list[str]) -> list[str]:
    found = handled(MISTAKES, mistaken)
    missed = "; ".join(m.what for m, good in zip(MISTAKES, found, strict=True) if not good)
    return [name, f"{sum(found)} of {len(MISTAKES)}", f"{sum(map(bool, right))} of {len(RIGHT)}", missed]


def accuracy_tables(peers: Peers) -> Iterator[str]:
    """Yield the tables of errors, one after another, with how each tool was asked."""
    for family, keys, few, few_title, value in (
        (
            "decode",
            DECODERS,
            gpt_fast(),
            "gpt-fast on A100 at 330 W, batch 1, 5 + 200 tokens [token/s]; † in MLSIM's fit",
            1e3,
        ),
        (
            "train",
            TRAINERS,
            korthikanti(),
            "Table 5 of Korthikanti et al. (2022), A100-80GB [s per step]; all in MLSIM's fit, all behind Calculon's system file",
            0.0,
        ),
    ):
        many = table_questions("decode" if family == "decode" else "training")
        columns, absent = _columns(family, keys, [*few, *many], peers)
        first = [_part(c, slice(0, len(few))) for c in columns]
        whole = [_part(c, slice(len(few), None)) for c in columns]
        yield f"{few_title}:\n\n" + case_table(first, few, value)
        title = "decode rows" if family == "decode" else "training runs that state their layout"
        goal = "target for rows that no fit has seen: median 10 %, p90 30 %"
        yield (
            f"All {len(many)} {title} of `tests/validation`, each tool on the chips that it knows; {goal}. "
            f"{MANY}:\n\n" + summary_table(whole, whole[0], len(many))
        )
        yield "".join(f"- {c.name}: {c.settings}.\n" for c in columns) + "".join(f"- {text}\n" for text in absent)


def _part(found: Column, where: slice) -> Column:
    return found._replace(errors=found.errors[where], reasons=found.reasons[where])


def _columns(
    family: str, keys: Sequence[str], questions: list[Question], peers: Peers
) -> tuple[list[Column], list[str]]:
    """Return what every way of every tool says, ours first, and a line for each tool that says nothing."""
    cases = {family: asked(questions)}
    say(f"MLSIM: {len(questions)} {family} cases ...")
    told = {"mlsim": ask("mlsim", ours(), peers.cache, cases)["ways"]}
    absent = []
    for key in peers.asked(keys):
        name = TOOLS[key].name
        if key in peers.missing:
            absent.append(f"{name}: {peers.missing[key]}.")
            continue
        say(f"{name}: {len(questions)} {family} cases ...")
        try:
            told[key] = peers.ask(key, cases)["ways"]
        except (Missing, ValueError) as error:
            absent.append(f"{name} did not run: {error}.")
    columns = [
        column(way, way[family], questions, key == "mlsim")
        for key, ways in told.items()
        for way in ways
        if family in way
    ]
    return columns, absent


def report(parts: Sequence[str], peers: Peers, show: Callable[[str], None]) -> None:
    """Show the tables of the parts asked for."""
    machine = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    show(f"Measured on {date.today()}: {machine}.\n")
    if rows := list(speed_rows([p for p in parts if p in PARTS], peers)):
        show(speed_table(rows, [tool.name for tool in TOOLS.values()]))
        compared = dict.fromkeys(row.beside for row in rows if row.peers)
        show("".join(f"- {HOW[name]}.\n" for name in compared))
    for key, at in peers.here.items():
        if doubt := unverified(key, at):
            show(f"- {doubt}\n")
    if "units" in parts:
        show(unit_table(peers))
    if "accuracy" in parts:
        for table in accuracy_tables(peers):
            show(table)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    known = (*PARTS, *COMPARED)
    parser.add_argument(
        "--only", metavar="PART,...", type=lambda text: text.split(","), default=list(known), help=", ".join(known)
    )
    parser.add_argument(
        "--peers", metavar="TOOL,...", type=lambda text: [t for t in text.split(",") if t], default=list(TOOLS),
        help=f"default: {','.join(TOOLS)}; '' asks none",
    )  # fmt: skip
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mlsim-peers", help="environments")
    parser.add_argument(
        "--calculon", type=Path, metavar="FOLDER", help="a checkout of Calculon, instead of fetching one"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE.md", help="rewrite the section 'benchmarks' of a file")
    found = parser.parse_args(arguments)
    for what, names, all_names in (("part", found.only, known), ("tool", found.peers, tuple(TOOLS))):
        if unknown := [name for name in names if name not in all_names]:
            parser.error(f"no {what} is called {unknown[0]!r}; there are {', '.join(all_names)}.")
    return found


def without_section(page: Path) -> str:
    """Say why the tables cannot be written into a file, before they are measured; empty when they can."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"{page} cannot be read: {error}."
    if "<!-- benchmarks: " in text and "<!-- /benchmarks -->" in text:
        return ""
    return f"{page} has no section between <!-- benchmarks: ... --> and <!-- /benchmarks -->: add these two lines."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them into a file when asked."""
    chosen = options(arguments)
    if chosen.markdown and (trouble := without_section(chosen.markdown)):
        print(f"bench: {trouble}", file=sys.stderr)
        return 2
    cache = chosen.cache.expanduser().absolute()
    wanted = chosen.peers if set(chosen.only) - ALONE else []
    checkout = chosen.calculon.expanduser().absolute() if chosen.calculon else None
    here, missing = every(wanted, cache, checkout)
    shown: list[str] = []

    def show(text: str) -> None:
        without = text.replace(str(cache), "CACHE").replace(str(checkout or cache), "CHECKOUT")
        print(without, flush=True)
        shown.append(without)

    report(chosen.only, Peers(cache, here, missing), show)
    if chosen.markdown:
        try:
            replace_section(chosen.markdown, "benchmarks", "\n".join(shown))
        except FileError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
