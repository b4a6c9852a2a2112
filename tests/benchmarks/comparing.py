"""What of a peer is comparable with a row of ours, measured in the peer's own environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from asking import ask, command
from cases import asked, gpt_fast, korthikanti
from environments import TOOLS, Environment, Missing, last_words, run
from measuring import Spread, per_second, process, say, seconds, spread
from table import Value

DECODERS = tuple(key for key in TOOLS if key != "calculon")  # it models no serving
TRAINERS = ("mlsysim", "calculon", "llm-analysis")
SAMPLE = 1_000  # executions of Calculon's search, five times


@dataclass(frozen=True)
class Peers:
    """The tools that are here, and why the others are not."""

    cache: Path
    here: Mapping[str, Environment]
    missing: Mapping[str, str]

    def asked(self, keys: Sequence[str]) -> list[str]:
        """Return the tools among some that this run was asked for, here or not."""
        return [key for key in keys if key in self.here or key in self.missing]

    def cells(self, keys: Sequence[str], measure: Callable[[str, Environment], Value | None]) -> dict[str, Value]:
        """Measure each of some tools; one that fails gets its last words instead."""
        found: dict[str, Value] = {}
        for key in self.asked(keys):
            value = self.missing.get(key) or self._measured(key, measure)
            if value is not None:
                found[TOOLS[key].name] = value
        return found

    def _measured(self, key: str, measure: Callable[[str, Environment], Value | None]) -> Value | None:
        say(f"{TOOLS[key].name} ...")
        try:
            return measure(key, self.here[key])
        except CalledProcessError as error:
            return f"did not run: {last_words((error.stderr or b'').decode(errors='replace'))}"
        except (Missing, OSError, ValueError) as error:
            return f"did not run: {error}"

    def ask(self, key: str, question: dict[str, Any]) -> dict[str, Any]:
        """Ask one of the tools that are here."""
        return ask(key, self.here[key], self.cache, question)


def imports(peers: Peers) -> dict[str, Value]:
    """Time a process that only imports the tool."""
    return peers.cells(
        tuple(TOOLS), lambda key, at: process(at.python, "-c", f"import {TOOLS[key].module}", env=at.variables)
    )


def helps(peers: Peers) -> dict[str, Value]:
    """Time the tool's command line, where it has one, until it has said what it can do."""

    def measure(key: str, at: Environment) -> Spread | None:
        line = at.command(TOOLS[key], "--help")
        return process(*line, env=at.variables) if line else None

    return peers.cells(tuple(TOOLS), measure)


def firsts(peers: Peers) -> dict[str, Value]:
    """Time a process that imports the tool and predicts one decode step."""
    question = json.dumps({"decode": asked(gpt_fast())[:1], "ways": 1})

    def measure(key: str, at: Environment) -> Spread:
        line = command(key, at, peers.cache)
        return seconds(lambda: run(line, 300, question, env=at.variables))

    return peers.cells(DECODERS, measure)


def rates(peers: Peers, keys: Sequence[str], family: str, cases: list[dict[str, Any]]) -> dict[str, Value]:
    """Return evaluations per second, one by one and warm, of each tool's fastest way."""

    def measure(key: str, _: Environment) -> Spread:
        ways = peers.ask(key, {f"{family}_rate": cases})["ways"]
        return max(Spread(*way[f"{family}_rate"]) for way in ways if f"{family}_rate" in way)

    return peers.cells(keys, measure)


def decodes(peers: Peers) -> dict[str, Value]:
    """Return decode evaluations per second: Llama-2-7B on an A100, another prompt each time."""
    return rates(peers, DECODERS, "decode", asked(gpt_fast())[:1])


def trains(peers: Peers) -> dict[str, Value]:
    """Return training evaluations per second: the eight runs of Korthikanti et al. in turn."""
    return rates(peers, TRAINERS, "train", asked(korthikanti()))


def searches(peers: Peers) -> dict[str, Value]:
    """Return the time of Calculon's own search, from random samples of its executions: the whole takes too long."""

    def measure(key: str, _: Environment) -> Spread:
        told = peers.ask(key, {"search": SAMPLE})["search"]
        say(f"its search has {told['executions']:,} executions")
        return spread(taken / SAMPLE * told["executions"] for taken in told["seconds"])

    return peers.cells(("calculon",), measure)


HOW = {
    "import": "import: a process that imports the package and ends",
    "help": "`--help`: a process of its command line, where it has one",
    "first": "first decode prediction: a process that imports the tool and predicts a decode step of Llama-2-7B on an A100",
    "decode": "decode evaluations: that step with another prompt each time, warm, by the fastest of its ways (`peers/`); none "
    "takes arrays",
    "train": "training evaluations: the eight runs of Korthikanti et al. in turn, warm",
    "search": f"Calculon's search: from five random samples of {SAMPLE:,} of its executions, those that do not fit among "
    "them, its log off; the whole takes too long to be run five times",
}
"""What is asked of a peer, in words."""


def in_unit(value: Value, measured: str, unit: str) -> Value:
    """Return a rate as the time of one piece of work where a row shows times."""
    return value if isinstance(value, str) or measured == unit else per_second(value, 1.0)


BESIDE: dict[str, tuple[str, Callable[[Peers], dict[str, Value]]]] = {
    "import": ("s", imports), "help": ("s", helps), "first": ("s", firsts), "decode": ("/s", decodes),
    "train": ("/s", trains), "search": ("s", searches),
}  # fmt: skip
"""Counterparts of our rows, by ``Row.beside``: the unit they are measured in, and how."""
