"""Rules about a figure that is only passed on, under a label that means another number of things."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import BUILT, hard, has_money, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import thing
from mlsim_workbooks.lint.scope import NODE, OF_EACH
from mlsim_workbooks.lint.shapes import copied
from mlsim_workbooks.lint.users import ONE_USER

__all__ = ["copy_rules"]


_EVERYTHING = re.compile(r"(?:all|total|alle|gesamt|tous|toutes|whole|entire)\b", re.I)


_MANY_GPUS = re.compile(
    r"replica|node|server|instance|cluster|fleet|installed|rack|\btotal|\ball\b|knoten|instanz|serveur|gesamt", re.I
)


_OF_ALL = re.compile(
    r"\b(?:all|alle[nr]?|tou(?:te)?s)(?: (?:the|les|der))? (user|camera|server|node|customer|device|store|site|nutzer|kameras?|kunden|utilisateur|cam[eé]ra|serveur|client)s?\b",
    re.I,
)


_FLEET = re.compile(r"\b(?:du parc|of the fleet|whole fleet|der (?:ganzen )?flotte)\b", re.I)
_OF_ONE_THING = re.compile(
    r"\b(?:per|par|je|pro|of (?:a|one|each)) (?:device|appareil|box|boîtier|gerät|unit|vehicle|camera|caméra|kamera|robot|site|store|station)\b",
    re.I,
)


def _of_one_for_fleet(inference: Inference, cell: Cellwise) -> Said | None:
    """The figure of one device, at most converted, under a label of the whole fleet."""
    used = sorted(inference.uses(cell).values(), key=lambda c: _OF_ONE_THING.search(c.words) is None)
    if cell.computed is None or not 1 <= len(used) <= 2 or not _FLEET.search(cell.words):
        return None
    if any(_FLEET.search(c.words) or (c is not used[0] and not c.context.explicit) for c in used):
        return None
    if any(not hard(c.value.dims or ()) and "token" not in dict(c.value.dims or ()) for c in used[1:]):
        return None
    if not _OF_ONE_THING.search(used[0].words) or not only_conversions(cell.computed, 365.0, 24.0, 12.0):
        return None
    return (
        "device-scope",
        f"'{cell.label}' takes '{used[0].label}', which is of one.",
        "Multiply by how many there are.",
    )


def _of_one_for_all(inference: Inference, cell: Cellwise) -> Said | None:
    """The figure of one camera, at most converted, under a label of all cameras."""
    if (said := _of_one_for_fleet(inference, cell)) is not None:
        return said
    match, computed = _OF_ALL.search(cell.words), cell.computed
    used = list(inference.uses(cell).values())
    if (
        match is None
        or computed is None
        or len(used) != 1
        or computed.dims == ()
        or not only_conversions(computed, 0.125)  # bits to bytes
    ):
        return None
    one, source = match[1].lower().rstrip("s"), used[0]
    stated = cell.context.value
    if stated is None or not hard(stated.dims or ()) or hard(stated.dims or ()) != hard(computed.dims or ()):
        return None
    if (
        not re.search(rf"\b{one}\b", source.words, re.I)
        or _ALL_OF.search(source.words)
        or hard(stated.dims or ()) == (("time", 1.0),)
    ):
        return None
    rule = "user-total" if one in ("user", "customer", "nutzer", "kunden", "utilisateur", "client") else "device-scope"
    return rule, f"'{cell.label}' takes '{source.label}', which is of one.", "Multiply by how many there are."


def _unlike_its_kin(inference: Inference, cell: Cellwise) -> Said | None:
    """A figure "..., fleet" that leaves out the number of devices by which the others of the fleet are multiplied."""
    match = _OF_A_KIND.search("".join(cell.context.texts[:1]))
    near = (inference.near(cell, step) for step in range(-_KIN, _KIN + 1) if step) if match else ()
    kin = [c for c in near if c is not None and c.item.form >= 0 and _of_kind(c, match)]
    if len(kin) < 2 or not hard(cell.value.dims or ()):
        return None
    shared = set.intersection(*(set(inference.uses(c)) for c in kin))
    used = inference.uses(cell)
    counts = [inference.cells[key] for key in shared]
    counts = [
        c for c in counts if not hard(c.value.dims or ()) and isinstance(c.item.value, float) and c.item.value > 1
    ]
    if len(counts) != 1 or not used or counts[0].key in used or any(_of_kind(c, match) for c in used.values()):
        return None
    return "device-scope", f"'{cell.label}' leaves out '{counts[0].label}', unlike the lines beside it.", ""


def _of_kind(cell: Cellwise, match: re.Match[str] | None) -> bool:
    """Tell whether a label ends in the same words as another: "..., fleet"."""
    return match is not None and "".join(cell.context.texts[:1]).strip().casefold().endswith(
        match[0].strip().casefold()
    )


_KIN = 6  # rows
_OF_A_KIND = re.compile(r",? (?:of the )?(?:fleet|cluster|flotte|parc|farm)$|, (?:all|alle|tou(?:te)?s) [\w ]+$", re.I)


_PER_AND = re.compile(r"\b(per|par|je|pro) (\w+) (?:and|et|und) (?:(?:per|par|je|pro) )?(?=\w)", re.I)


def _of_each_and_day(cell: Cellwise, source: Cellwise) -> Said | None:
    """ "Requests per day" that are the "requests per employee and day"."""
    mine, theirs = (" ".join(c.context.texts[:1]).casefold().strip() for c in (cell, source))
    match = _PER_AND.search(theirs)
    if match is None or mine != _PER_AND.sub(r"\1 ", theirs):
        return None
    rule = "device-scope" if match[2] in _MACHINES else "user-total"
    return (
        rule,
        f"'{cell.label}' takes '{source.label}', which is of one {match[2]}.",
        "Multiply by how many there are.",
    )


_MACHINES = frozenset(
    ("gpu", "card", "node", "server", "replica", "rack", "site", "device", "karte", "knoten", "serveur")
)


def copy_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A figure passed on under a label that means another number of GPUs or nodes."""
    if (said := _of_one_for_all(inference, cell) or _unlike_its_kin(inference, cell)) is not None:
        yield said
        return
    place = copied(tree)
    source = inference.cell_of(cell, place) if place is not None else None
    if source is None:
        return
    of_all = _EVERYTHING.match(cell.words) and not ONE_USER.search(cell.words)
    if of_all and dict(source.value.dims or ()).get("user", 0.0) < 0:
        yield "user-total", f"'{cell.label}' is of all, but the formula takes '{source.label}'.", ""
        return
    if cell.computed is None or not only_conversions(cell.computed, 100.0, 0.01):
        return
    if (said := _of_each_and_day(cell, source)) is not None:
        yield said
    elif cell.context.value is not None and cell.context.value.dims is not None and source.value.dims is not None:
        passed = _Passed(cell, source, tree, dict(cell.context.value.dims), dict(source.value.dims))
        yield from itertools.islice(filter(None, (law(passed) for law in _LAWS)), 1)


@dataclass(frozen=True, slots=True)
class _Passed:
    """A figure and the cell that passes it on, with the dimensions of both as they say them."""

    cell: Cellwise
    source: Cellwise
    tree: sx.Node
    due: dict[str, float]
    have: dict[str, float]

    @property
    def explicit(self) -> bool:
        """Tell whether both say their units."""
        return self.cell.context.explicit and self.source.context.explicit

    @property
    def alike(self) -> bool:
        """Tell whether the figure is a count, or a time: all wait as long as one."""
        assert self.cell.context.value is not None
        return hard(self.cell.context.value.dims or ()) in ((), (("time", 1.0),))

    def takes(self, what: str) -> str:
        return f"'{self.cell.label}' takes {what}."


def _other_count(p: _Passed) -> Said | None:
    """A number of nodes as a number of GPUs."""
    mine, theirs = p.cell.context.concept, p.source.context.concept
    if not {mine, theirs} <= {"devices", "nodes", "racks", "replicas"} or mine in (theirs, "replicas"):
        return None
    if re.search(r"\bports?\b", p.cell.words, re.I):
        return None
    return "device-scope", p.takes(f"a number of {theirs}"), f"Multiply by the {mine} of each."


def _price_of_one(p: _Passed) -> Said | None:
    """A price per request as a price."""
    assert p.cell.context.value is not None
    one = next((n for n in ("request", "token", "sample") if p.have.get(n, 0) < 0 and not p.due.get(n)), "")
    if not one or not p.explicit or not isinstance(p.tree, (sx.Ref, sx.Name)):
        return None
    if not has_money(p.cell.context.value) or not has_money(p.source.value):
        return None
    if re.search(r"\bper\b|/|pro |par |je |each|one |unit", p.cell.words, re.I):
        return None
    return "money-rate", p.takes(f"a price per {one}"), ""


def _tokens_of_all(p: _Passed) -> Said | None:
    """The tokens of all GPUs as those of each."""
    if (
        not p.explicit
        or p.due.get("device", 0) >= 0
        or p.have.get("device")
        or not {"token"} <= p.have.keys() & p.due.keys()
    ):
        return None
    said = f"'{p.cell.label}' is per GPU, but the formula takes '{p.source.label}'."
    return "device-scope", said, "Divide by the number of GPUs."


def _of_one_gpu(p: _Passed) -> Said | None:
    """The figure of a GPU as that of a node."""
    if p.have.get("device", 0) >= 0 or p.due.get("device") or p.alike or not _MANY_GPUS.search(p.cell.words):
        return None
    return "device-scope", p.takes("a figure per GPU"), "Multiply by the number of GPUs."


def _of_one_thing(p: _Passed) -> Said | None:
    """The figure of a node as that of a rack."""
    context, words = p.cell.context, p.cell.words
    one = _left_out(p.have, p.due)
    if not one or p.alike or not context.explicit:
        return None
    if context.concept in ("memory", "bandwidth", "peak", "integer peak", "latency"):  # the chip's own figures
        return None
    mine = set(re.findall(r"\w+", " ".join(context.texts[:1]).lower()))
    if mine <= set(re.findall(r"\w+", p.source.label.lower())):  # "Power"
        return None
    if OF_EACH.search(words) or re.match(r"(?:in|as|same|the same|ditto|idem|en)\b", p.cell.label.strip(), re.I):
        return None  # "In GiB"
    if NODE.search(words) if one == "node" else re.search(one, words, re.I):
        return None
    return "device-scope", p.takes(f"a figure per {one}"), f"Multiply by the number of {one}s."


def _unsharded(p: _Passed) -> Said | None:
    """What all GPUs hold as what is sharded over them."""
    if not _SHARDED.search(p.cell.words) or not _WHOLE.search(p.source.words) or not isinstance(p.tree, sx.Ref):
        return None
    said = f"'{p.cell.label}' is sharded, but the formula takes the whole ('{p.source.label}')."
    return "device-scope", said, "Divide by the number of GPUs."


def _of_another(p: _Passed) -> Said | None:
    """A figure per user as one per request."""
    pair = _per_other(p.cell.words, p.source.words)
    if pair is None:
        return None
    rule = "user-total" if set(pair) & _PEOPLE else "device-scope"
    return rule, f"'{p.cell.label}' is per {pair[0]}, but the formula takes a figure per {pair[1]}.", ""


def _whole_for_each(p: _Passed) -> Said | None:
    """A figure as the same figure per GPU."""
    if p.due.get("device", 0) >= 0 or p.have.get("device") or not p.cell.context.texts or not p.source.context.texts:
        return None
    mine, theirs = p.cell.context.texts[0], p.source.context.texts[0].strip().casefold()
    if not _PER_GPU.sub("", mine).strip().casefold() == theirs != mine.casefold():
        return None
    said = f"'{p.cell.label}' is per GPU, but the formula takes the whole ({p.source.label})."
    return "device-scope", said, "Divide by the number of GPUs."


def _one_for_all(p: _Passed) -> Said | None:
    """The figure of one camera as that of all cameras."""
    one = _one_of_all(p.cell.words, p.source.words)
    if one is None:
        return None
    said = f"'{p.cell.label}' is of all, but the formula takes that of one {one} ('{p.source.label}')."
    return "device-scope", said, ""


_LAWS = (
    _other_count, _price_of_one, _tokens_of_all, _of_one_gpu, _of_one_thing, _unsharded, _of_another,
    _whole_for_each, _one_for_all,
)  # fmt: skip
_WHOLE = re.compile(r"\ball (?:gpus|devices|ranks|cards)|\btotal|whole", re.I)


def _left_out(have: dict[str, float], due: dict[str, float]) -> str:
    """Return what a figure is per that is passed on as one that is not, as a person says it."""
    return next((thing(n) for n in BUILT if have.get(n, 0) < 0 and not due.get(n)), "")


_SHARDED = re.compile(r"\bshard(?:ed)?\b|\bpartitioned\b|réparti|verteilt auf", re.I)


_PEOPLE = frozenset(("user", "request", "session", "stream", "seat"))


_PER_NOUN = re.compile(
    r"\b(?:per|pro|par|je|of (?:a|one|each|the)) (gpu|card|node|server|rack|replica|cluster|fleet|site|user|request|session|stream|seat|slot|drive)\b",
    re.I,
)


_SAME = {"card": "gpu", "server": "node", "fleet": "cluster", "site": "cluster"}


def _per_other(mine: str, theirs: str) -> tuple[str, str] | None:
    """Return what two labels are per, when each says one thing and they differ."""
    sides = [{_SAME.get(w.lower(), w.lower()) for w in _PER_NOUN.findall(words)} for words in (mine, theirs)]
    if any(len(side) != 1 for side in sides) or sides[0] == sides[1]:
        return None
    return sides[0].pop(), sides[1].pop()


_ALL_OF = re.compile(r"\b(?:all|every|alle[rn]?|toutes les|tous les) (\w+?)(?:s|en|n)?\b", re.I)


_ONE_OF = re.compile(r"\b(?:one|a|each|per|single|je|pro|par|une?|eine[rsm]?) (\w+)\b", re.I)


def _one_of_all(mine: str, theirs: str) -> str | None:
    """Return what a label says it is of all of, where the other label is of one of them: cameras."""
    whole = {w.lower() for w in _ALL_OF.findall(mine)} - _PEOPLE - {"active"}
    if not whole or _ALL_OF.search(theirs):
        return None
    return next((w for w in _ONE_OF.findall(theirs) if w.lower() in whole), None)


_PER_GPU = re.compile(r",? ?(?:per|/|pro|par|je) ?(?:gpu|device|accelerator|chip|card|karte|carte)\b", re.I)
