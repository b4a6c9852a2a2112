"""Runs one tool in its own environment: reads what is asked as JSON, prints what it answers, and how fast, as JSON.

Usage: ``python ask.py MODULE CACHE_FOLDER < question.json > answer.json``, started by ``../asking.py``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).absolute().parents[1]))

from measuring import rate
from way import Case, NotOffered


def answers(ask: Callable[[Case], float], cases: list[Case]) -> list[float | str]:
    """Return a value for each case, or why there is none."""
    found: list[float | str] = []
    for case in cases:
        try:
            value = ask(case)
            found.append(value if value > 0 else f"it says {value:g}")
        except NotOffered as reason:
            found.append(str(reason))
        except Exception as error:  # whatever a peer raises is its answer for the case
            found.append(f"{type(error).__name__}: {' '.join(str(error).split())[:120]}")
    return found


def main(module: str, cache: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool says to the cases of each family, the rates that are asked for, and its other answers."""
    peer = importlib.import_module(module)
    ways = []
    for way in islice(peer.ways(cache), question.get("ways")):
        told: dict[str, Any] = {"name": way.name, "settings": way.settings}
        for family in ("decode", "train"):
            ask = getattr(way, family)
            if ask and family in question:
                told[family] = answers(ask, question[family])
            if ask and (timed := question.get(f"{family}_rate")):
                told[f"{family}_rate"] = rate(lambda n, ask=ask, timed=timed: ask(varied(timed[n % len(timed)], n)))
        ways.append(told)
    more = {name: getattr(peer, name)(question[name]) for name in ("mistakes", "search") if name in question}
    return {"ways": ways, **more}


def varied(case: Case, n: int) -> Case:
    """Return a case a little different each time, so that no tool can answer from a cache of answers."""
    return case | ({"prompt": case["prompt"] + n, "context": case["context"] + n} if "prompt" in case else {})


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        answer = main(sys.argv[1], Path(sys.argv[2]), json.load(sys.stdin))
    print(json.dumps(answer))
