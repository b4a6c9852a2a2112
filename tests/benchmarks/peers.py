"""Prints MLSIM beside other estimators on nine published decode measurements. Figures, not assertions.

Each peer gets a virtual environment of its own under ``--cache`` and runs as a process that prints JSON. A peer that
does not install, or has no value for a case, is shown as such; nothing else in the project depends on one. How each is
asked is in ``peers/mlsim_peers.py``. Calculon is left out: it is about training.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import venv
from datetime import date
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).absolute().parent / "peers"))

import mlsim_peers
from mlsim_peers import CASES, OUTPUT, PROMPT, TOOLS


def ask(python: str, *args: str, limit: float = 300) -> str:
    """Return what a Python process prints; raise RuntimeError with its last complaint when it fails."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run([python, *args], capture_output=True, text=True, env=env, timeout=limit)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(str(error)) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
        raise RuntimeError(next((line for line in lines if line.startswith("ERROR")), lines[-1]).strip())
    return done.stdout


def environment(tool: str, cache: Path) -> str:
    """Return the Python that has a tool, installing it when it is not there yet."""
    requirement = TOOLS[tool][0]
    if not requirement:
        return sys.executable
    home = cache / requirement
    python = str(home / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    if not (home / "installed").exists():
        print(f"installing {requirement} ...", file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        ask(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement, limit=900)
        (home / "installed").touch()
    return python


def start_up(python: str, module: str) -> float:
    """Median seconds of a whole process that only imports a tool."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        ask(python, "-c", f"import {module}")
        times.append(time.perf_counter() - start)
    return median(times)


def line(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def show(way: dict, import_time: float) -> list[str]:
    """Print a row, and return why values are missing."""
    cells, errors, why = [], [], []
    for case, value in zip(CASES, way["values"], strict=True):
        if isinstance(value, str):
            cells.append("-")
            why.append(f"{way['name']}, {case.model} {case.weights} TP{case.tp}: no value: {value[:96]} ...")
        else:
            errors.append((case, value / case.measured - 1.0))
            cells.append(f"{value:.1f} ({errors[-1][1]:+.0%})")
    size = [abs(error) for _, error in errors]
    unseen = [abs(error) for case, error in errors if not case.fitted]
    few = "" if len(errors) == len(CASES) else f" of {len(errors)}"
    cells += [f"{median(size):.1%}{few}", f"{mean(size):.1%}{few}", f"{max(size):.0%}{few}"] if size else ["-"] * 3
    cells += [f"{mean(unseen):.1%}" if unseen else "-", f"{import_time:.2f} s", f"{way['rate']:,.0f}"]
    line(way["name"], *cells, f"{way['many']:,.0f}" if way["many"] else "-")
    return why


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mlsim-peers", help="environments")
    options = parser.parse_args()
    cache = options.cache.expanduser().absolute()
    cache.mkdir(parents=True, exist_ok=True)
    print(f"tokens/s of Llama-2 on A100-SXM4-80GB at 330 W, batch 1, {PROMPT} + {OUTPUT} tokens")
    print(f"{date.today()}, Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
    named = [f"{case.model} {case.weights} TP{case.tp}{' †' if case.fitted else ''}" for case in CASES]
    tail = ["median abs", "mean abs", "max abs", "mean, not †", "import", "evals/s, one by one", "evals/s, one call"]
    line("tool", *named, *tail)
    line(*["---"] * (1 + len(named) + len(tail)))
    line("measured", *[f"{case.measured:g}" for case in CASES], *["" for _ in tail])
    notes = []
    for tool, (requirement, module, _) in TOOLS.items():
        stage = "not installed"
        try:
            python = environment(tool, cache)
            stage = "did not run"
            ways = json.loads(ask(python, mlsim_peers.__file__, tool, str(cache)))
            imported = start_up(python, module)
        except (RuntimeError, OSError, subprocess.CalledProcessError, ValueError) as error:
            line(f"**{tool}**", f"**{stage}: {error}**", *[""] * (len(named) + len(tail) - 1))
            continue
        for way in ways:
            missing = show(way, imported)
            notes += [f"{way['name']} ({requirement or 'this checkout'}): {way['settings']}.", *missing]
    print("\n† among the measurements that MLSIM's gpt-fast profile is fitted to. Errors are predicted / measured - 1.")
    print("\n".join(f"- {note.replace(str(cache), '<cache>')}" for note in notes))


if __name__ == "__main__":
    main()
