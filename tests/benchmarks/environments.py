"""The peers' environments: each tool alone in a virtual environment of its own, installed when it is first asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from measuring import say

PEERS = Path(__file__).absolute().parent / "peers"


@dataclass(frozen=True)
class Tool:
    """What a tool needs, what is imported, and what its command line is (relative to its environment)."""

    name: str  # as the tables say it
    module: str
    requirements: tuple[str, ...] = ()
    command: tuple[str, ...] = ()  # its command line, in the folder of its programs
    repository: str = ""  # a Git repository, where no package index has it
    commit: str = ""


TOOLS = {
    "mlsysim": Tool("mlsysim 0.3.0", "mlsysim", ("mlsysim==0.3.0",), ("mlsysim",)),
    "calculon": Tool(
        "Calculon", "calculon", ("numpy", "psutil", "pandas"), ("python", "bin/calculon"),
        "https://github.com/calculon-ai/calculon", "caa4b11f8fe1fee3ba57adaacb7590d7deabd053",
    ),
    "aiconfigurator": Tool(
        "aiconfigurator 0.12.0", "aiconfigurator.sdk.inference_session", ("aiconfigurator==0.12.0",),
        ("aiconfigurator",),
    ),
    "llm-analysis": Tool("llm-analysis 0.2.2", "llm_analysis.analysis", ("llm-analysis==0.2.2",)),
    "genz": Tool("GenZ 0.0.16", "GenZ", ("genz-llm==0.0.16",)),
}  # fmt: skip


class Missing(Exception):
    """A tool that is not here: the sentence says why."""


@dataclass(frozen=True)
class Environment:
    """A tool that is installed."""

    programs: Path
    checkout: Path | None  # of its repository

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.programs / ("python.exe" if os.name == "nt" else "python"))

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables without this checkout on the import path."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return kept | {"PYTHONWARNINGS": "ignore"} | ({"PYTHONPATH": str(self.checkout)} if self.checkout else {})

    def command(self, tool: Tool, *arguments: str) -> list[str] | None:
        """Return its command line, or None when it has none."""
        if not tool.command:
            return None
        first, *rest = tool.command
        inside = [str((self.checkout or self.programs) / part) for part in rest]
        return [str(self.programs / first), *inside, *arguments]


def last_words(text: str) -> str:
    """Return what a process complained of: its last line, or the line that says ERROR."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "no message")


def run(command: list[str], limit: float, told: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Return what a process prints; raise :class:`Missing` with its last complaint when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, input=told, env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        late = f"no answer within {limit:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
        raise Missing(late) from None
    if done.returncode:
        raise Missing(last_words(done.stderr))
    return done.stdout


def installed(key: str, cache: Path, given: Path | None = None) -> Environment:
    """Return the environment of a tool, made when it is not there yet; ``given`` is a checkout to use instead of one."""
    tool = TOOLS[key]
    if given and not given.is_dir():
        raise Missing(f"{given} is not a folder")
    home = cache / (f"{key}-{tool.commit[:7]}" if tool.repository else tool.requirements[0])
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    checkout = given or home / "checkout" if tool.repository else None
    done = home / "installed"
    if not done.exists():
        say(f"installing {tool.name} into {home} ...")
        venv.create(home, with_pip=True, clear=not tool.repository)
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, *tool.requirements], 900, env=Environment(programs, None).variables)
        done.touch()
    if checkout and not checkout.exists():
        say(f"fetching {tool.name} from {tool.repository} ...")
        fetch(tool, checkout)
    return Environment(programs, checkout)


def fetch(tool: Tool, folder: Path) -> None:
    """Clone a tool's repository at its commit; nothing is left behind when that fails."""
    if not shutil.which("git"):
        raise Missing(f"{tool.name} is on no package index and fetching it needs git")
    partly = folder.with_name("checkout.partly")
    shutil.rmtree(partly, ignore_errors=True)
    try:
        run(["git", "clone", "--quiet", tool.repository, str(partly)], 300)
        run(["git", "-C", str(partly), "checkout", "--quiet", tool.commit], 60)
        partly.rename(folder)
    finally:
        shutil.rmtree(partly, ignore_errors=True)


def ours() -> Environment:
    """Return this environment."""
    return Environment(Path(sys.executable).parent, None)


def unverified(key: str, at: Environment) -> str:
    """Return a sentence when a checkout is not known to be what it should be; else an empty text."""
    tool = TOOLS[key]
    if not at.checkout:
        return ""
    try:
        head = run(["git", "-C", str(at.checkout), "rev-parse", "--show-toplevel", "HEAD"], 30).split()
    except Missing:
        head = ["", ""]
    if Path(head[0]) == at.checkout.resolve() and head[1] == tool.commit:
        return ""
    return f"{tool.name} comes from a folder given by hand, which is not a clone at commit {tool.commit[:7]}."


def every(keys: list[str], cache: Path, given: Path | None) -> tuple[dict[str, Environment], dict[str, str]]:
    """Return the environments of the tools that install, and why the others do not."""
    found, missing = {}, {}
    for key in keys:
        try:
            found[key] = installed(key, cache, given if TOOLS[key].repository else None)
        except (Missing, OSError, subprocess.CalledProcessError) as error:
            missing[key] = f"not here: {error}"
            say(f"{TOOLS[key].name} is not here: {error}")
    return found, missing
