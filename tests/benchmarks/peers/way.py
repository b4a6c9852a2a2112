"""What a peer's module offers: ways to ask it. Only the standard library is imported here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Case = dict[str, Any]  # as ../cases.py makes them


@dataclass(frozen=True)
class Way:
    """One way to ask a tool: the settings a table mentions, and what it answers."""

    name: str
    settings: str
    decode: Callable[[Case], float] | None = None  # ms per output token
    train: Callable[[Case], float] | None = None  # s per optimiser step


class NotOffered(Exception):
    """A case that a tool does not claim to answer, such as one on a chip that it does not know."""


def known(names: dict[str, Any], name: str, what: str = "chip") -> Any:
    """Return what a tool has under our name for it; raise when it has nothing."""
    if name not in names:
        raise NotOffered(f"no {what} {name}")
    return names[name]


def dense(case: Case) -> Case:
    """Return the model of a case unless it is a mixture of experts, which these tools are not asked about."""
    model: Case = case["model"]
    if model["experts"]:
        raise NotOffered("mixture of experts")
    return model


def width(case: Case, names: dict[int, str]) -> str:
    """Return a tool's name for the bits of a weight: its nearest one, as formats with scales have none of their own."""
    for bits, name in names.items():
        if bits * 0.75 <= case["bits"] <= bits * 1.25:
            return name
    raise NotOffered(f"no format of {case['bits']:g} bits")
