"""The user's own chips and models, for processes that have not read the files they come from."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlsim.functions import use_registry_file
from mlsim.functions.catalogue import forget_results
from mlsim.registry import load

__all__ = ["adopt", "content"]

_known: list[tuple[int, tuple[str, ...]]] = []  # the registry's generation, and the user's files of that time


def content() -> tuple[str, ...]:
    """Return the content of the user's own registry files."""
    if not _known or _known[0][0] != load.generation():
        _known[:] = [(load.generation(), tuple(Path(f).read_text(encoding="utf-8") for f in load.user_files()))]
    return _known[0][1]


def adopt(registry: tuple[str, ...]) -> None:
    """Make this process know exactly these chips and models besides the built-in ones."""
    if registry == content():
        return
    load.forget()
    forget_results()
    with tempfile.TemporaryDirectory(prefix="mlsim-") as folder:
        for i, text in enumerate(registry):
            file = Path(folder) / f"{i}.yaml"
            file.write_text(text, encoding="utf-8")
            use_registry_file(str(file))
    _known[:] = [(load.generation(), registry)]
