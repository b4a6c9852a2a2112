"""Finding a registry entry by the name a person types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from mlsim.errors import CellError, NameNotFoundError, UnitError, shorten

__all__ = ["alias_index", "find", "normalise"]

_VENDORS = re.compile(r"^(?:nvidia|amd|intel|google|aws|apple|huawei|amazon)(?=[a-z0-9])")
_MAX_NAME = 200


def normalise(name: str) -> str:
    """Return the form names are compared in: no case, spaces, hyphens or underscores, no owner or vendor.

    ``"NVIDIA H100 SXM"``, ``"h100-sxm"`` and ``"H100 SXM"`` are the same; so are ``"meta-llama/Llama-3-70B"`` and
    ``"llama 3 70b"``.
    """
    # A dot between digits counts ("1.6" is not "16").
    text = re.sub(r"[\s_\-()]+|(?<!\d)\.|\.(?!\d)", "", name.rsplit("/", 1)[-1].casefold())
    return _VENDORS.sub("", text)


def alias_index(entries: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Return normalised name or alias -> canonical name; raise when two entries claim one alias."""
    index: dict[str, str] = {}
    for name, aliases in entries:
        for alias in (name, *aliases):
            if alias and index.setdefault(normalise(alias), name) != name:
                raise ValueError(f"alias {alias!r} names both {index[normalise(alias)]!r} and {name!r}")
    return index


def find(name: object, index: Mapping[str, str], what: str) -> str:
    """Return the canonical name; raise :class:`NameNotFoundError` with suggestions when there is none.

    Parameters
    ----------
    name : object
        What came from the cell.
    index : mapping
        From :func:`alias_index`.
    what : str
        ``"hardware"``, ``"model"`` ...: for the message.
    """
    if not isinstance(name, str):
        raise UnitError(f"Expected the name of a {what}, got {shorten(name)}.")
    if len(name) > _MAX_NAME:
        raise UnitError(f"The name of a {what} is a few characters long; this text has {len(name):,}: {shorten(name)}.")
    if not name.strip():
        raise UnitError(
            f"The {what} is empty: give a name, such as {next(iter(index.values()), 'one of the registry')!r}."
        )
    found = index.get(normalise(name))
    if found is None:
        raise unknown(name, index, what)
    return found


def unknown(name: str, index: Mapping[str, str], what: str) -> CellError:
    """Return the error for an unknown name, with the closest known ones."""
    names = list(dict.fromkeys(index[k] for k in _closest(normalise(name), tuple(index))))[:3]
    hint = f" Did you mean {' or '.join(names)}?" if names else f' MLSIM_LIST("{what}") shows all.'
    return NameNotFoundError(f"{shorten(name)} is not in the {what}{' ' if what else ''}registry.{hint}")


@lru_cache(maxsize=1024)  # a sheet has the same wrong name in thousands of cells, and the search takes milliseconds
def _closest(key: str, known: tuple[str, ...]) -> list[str]:
    return get_close_matches(key, known, n=4, cutoff=0.6) or [k for k in known if key and key in k][:4]
