"""Asks a tool in its own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from environments import PEERS, Environment, run

LIMIT = 1500  # seconds


def ask(key: str, where: Environment, cache: Path, question: dict[str, Any], limit: float = LIMIT) -> dict[str, Any]:
    """Return a tool's answers; raise ``Missing`` when it fails."""
    printed = run(command(key, where, cache), limit, json.dumps(question), env=where.variables)
    answer: dict[str, Any] = json.loads(printed.strip().rpartition("\n")[2])  # a tool may print before it
    return answer


def command(key: str, where: Environment, cache: Path) -> list[str]:
    """Return the process that reads a question on its standard input."""
    module = key.replace("-", "_") + "_peer"
    return [where.python, str(PEERS / "ask.py"), module, str(cache)]
