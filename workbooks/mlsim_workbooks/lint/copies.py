"""Rules about a figure that is only passed on, under a label that means another number of things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import BUILT, hard, has_money, only_conversions, only_money
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import copied
from mlsim_workbooks.lint.naming import thing
from mlsim_workbooks.lint.scope import NODE, OF_EACH
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
    place, context = copied(tree), cell.context
    whole = inference.cell_of(cell, place) if place is not None and _EVERYTHING.match(cell.words) else None
    if whole is not None and dict(whole.value.dims or ()).get("user", 0.0) < 0 and not ONE_USER.search(cell.words):
        yield "user-total", f"'{cell.label}' is of all, but the formula takes '{whole.label}'.", ""
        return
    if place is None or cell.computed is None or not only_conversions(cell.computed, 100.0, 0.01):
        return
    source = inference.cell_of(cell, place)
    if source is not None and (said := _of_each_and_day(cell, source)) is not None:
        yield said
        return
    if source is None or context.value is None or context.value.dims is None or source.value.dims is None:
        return
    due, have = dict(context.value.dims), dict(source.value.dims)
    counts = {"devices", "nodes", "racks", "replicas"}
    words, label = cell.words, cell.label
    if (
        {context.concept, source.context.concept} <= counts
        and not re.search(r"\bports?\b", words, re.I)
        and context.concept != source.context.concept
        and context.concept != "replicas"
    ):
        yield (
            "device-scope",
            f"'{label}' takes a number of {source.context.concept}.",
            f"Multiply by the {context.concept} of each.",
        )
    elif (
        context.explicit
        and source.context.explicit
        and isinstance(tree, (sx.Ref, sx.Name))
        and has_money(context.value)
        and (priced := next((n for n in ("request", "token", "sample") if have.get(n, 0) < 0 and not due.get(n)), ""))
        and has_money(source.value)
        and not re.search(r"\bper\b|/|pro |par |je |each|one |unit", words, re.I)
    ):
        yield "money-rate", f"'{label}' takes a price per {priced}.", ""
    elif (
        context.explicit
        and source.context.explicit
        and only_money(context.value)
        and only_money(source.value)
        and context.value.kind("period") == "year"
        and not source.value.kind("period")
        and _WRITTEN_OFF.search(words)
        and not _WRITTEN_OFF.search(source.words)
    ):
        yield "money-rate", f"'{label}' takes the whole price ('{source.label}').", "Divide it by its lifetime."
    elif (
        due.get("device", 0) < 0
        and not have.get("device")
        and "token" in have
        and "token" in due
        and source.context.explicit
        and context.explicit
    ):
        yield (
            "device-scope",
            f"'{label}' is per GPU, but the formula takes '{source.label}'.",
            "Divide by the number of GPUs.",
        )
    elif (
        have.get("device", 0) < 0
        and not due.get("device")
        and hard(context.value.dims) not in ((), (("time", 1.0),))  # all wait as long as one
        and _MANY_GPUS.search(words)
    ):
        yield "device-scope", f"'{label}' takes a figure per GPU.", "Multiply by the number of GPUs."
    elif (
        (one := _left_out(have, due))
        and hard(context.value.dims) not in ((), (("time", 1.0),))
        and context.explicit
        and context.concept not in ("memory", "bandwidth", "peak", "integer peak", "latency")  # the chip's own figures
        and not set(re.findall(r"\w+", " ".join(context.texts[:1]).lower()))
        <= set(re.findall(r"\w+", source.label.lower()))  # "Power"
        and not OF_EACH.search(words)
        and not re.match(r"(?:in|as|same|the same|ditto|idem|en)\b", label.strip(), re.I)  # "In GiB"
        and not (NODE.search(words) if one == "node" else re.search(one, words, re.I))
    ):
        yield "device-scope", f"'{label}' takes a figure per {one}.", f"Multiply by the number of {one}s."
    elif (
        _SHARDED.search(words)
        and re.search(r"\ball (?:gpus|devices|ranks|cards)|\btotal|whole", source.words, re.I)
        and isinstance(tree, sx.Ref)
    ):
        yield (
            "device-scope",
            f"'{label}' is sharded, but the formula takes the whole ('{source.label}').",
            "Divide by the number of GPUs.",
        )
    elif (pair := _per_other(cell.words, source.words)) is not None:
        rule = "user-total" if set(pair) & _PEOPLE else "device-scope"
        yield rule, f"'{label}' is per {pair[0]}, but the formula takes a figure per {pair[1]}.", ""
    elif (
        due.get("device", 0) < 0
        and not have.get("device")
        and source.context.texts
        and context.texts
        and (
            _PER_GPU.sub("", context.texts[0]).strip().casefold()
            == source.context.texts[0].strip().casefold()
            != context.texts[0].casefold()
        )
    ):
        yield (
            "device-scope",
            f"'{label}' is per GPU, but the formula takes the whole ({source.label}).",
            "Divide by the number of GPUs.",
        )
    elif (single := _one_of_all(cell.words, source.words)) is not None:
        yield "device-scope", f"'{label}' is of all, but the formula takes that of one {single} ('{source.label}').", ""


def _left_out(have: dict[str, float], due: dict[str, float]) -> str:
    """Return what a figure is per that is passed on as one that is not, as a person says it."""
    return next((thing(n) for n in BUILT if have.get(n, 0) < 0 and not due.get(n)), "")


_WRITTEN_OFF = re.compile(r"depreciat|amorti[sz]|abschreib|\bafa\b|amortissement|write[- ]?(?:off|down)", re.I)
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
