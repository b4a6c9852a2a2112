"""Rules about ways: one direction of a link or both, one way or there and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Dims, Value, hard, has_number
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import KIND_RULE
from mlsim_workbooks.lint.shapes import (
    copies_twice,
    doubles,
    has_factor_two,
    has_ring_factor,
    links,
    summands,
    unscaled,
    written,
)

__all__ = ["way_rules"]

_BANDWIDTH: Dims = (("information", 1.0), ("time", -1.0))
_TIME: Dims = (("time", 1.0),)


def way_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Compare the ways that the figures of a formula are of with those that its cell states."""
    computed = cell.computed
    assert computed is not None
    stated = dict(cell.context.kinds)
    dims = hard(cell.context.value.dims or ()) if cell.context.value is not None else ()
    yield from _direction(inference, cell, computed, tree, stated.get("direction", ""), dims)
    yield from _per_direction_twice(cell, computed, tree, stated.get("direction", ""), dims)
    yield from _wrong_way(cell, computed, stated)
    yield from _trip(cell, computed, tree, stated.get("trip", ""))
    yield from _factor_for_nothing(cell, computed, tree, stated)
    trip = stated.get("trip", "")
    if not trip and _THERE_AND_BACK.search(cell.words):
        yield from _half_of_a_round_trip(inference, cell, tree)
    if not trip and _ANSWERED.search(cell.words):
        yield from _way_back_missing(inference, cell, tree)
    yield from _round_trip_twice(inference, cell, tree)
    yield from _steps_there_and_back(inference, cell, tree)
    yield from _way_of_an_unused_round_trip(inference, cell, tree)
    if trip == "one way":
        yield from _one_way_twice(inference, cell, tree)
    elif trip == "round trip":
        yield from _one_way_only(inference, cell, tree)


def _way_of_an_unused_round_trip(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A sum of times with the way to the server, where the way there and back is worked out and nothing uses it."""
    terms = [inference.cell_of(cell, t) for t in summands(tree)]
    times = [c for c in terms if c is not None and hard(c.value.dims or ()) == _TIME]
    if len(terms) < 2 or len(times) < len(terms) or not _ANSWERED.search(cell.words):
        return
    for one in times:
        for twice in inference.passed_by(cell, one):
            form = inference.tree(twice.item.form)
            doubled = form is not None and doubles(form) and len(inference.uses(twice)) == 1
            if doubled and hard(twice.value.dims or ()) == _TIME:
                said = f"'{cell.label}' adds '{one.label}'; '{twice.label}', twice that, is used by no formula."
                yield "round-trip", said, f"Take '{twice.label}'."
                return


def _direction(
    inference: Inference, cell: Cellwise, computed: Value, tree: sx.Node, due: str, dims: Dims
) -> Iterator[Said]:
    """A figure of both directions where one is due, or the other way round."""
    label, words = cell.label, cell.words
    directions = {k for c, k in computed.kinds if c == "direction"}
    if not directions:
        return
    over_both = dims == _TIME and any(map(_is_both_ways, inference.uses(cell).values()))
    if over_both and len(directions) == 2 and "~information" in computed.parts and not has_number(computed, 2.0):
        yield "link-direction", f"'{label}' divides what goes one way by a bandwidth of both directions.", "Take half."
    direction = computed.kind("direction")
    ring = has_ring_factor(tree) or (_RING.search(words) and computed.numbers.count(2.0) == 1)  # the 2 of 2(n-1)/n
    if not direction or (has_number(computed, 2.0) and not ring):
        return
    if due and due != direction:
        yield "link-direction", f"'{label}' is {due}, but the formula uses a figure that is {direction}.", ""
    elif direction == "both directions" and _ONE_WAY.search(words):
        yield "link-direction", f"'{label}' is about one direction, but the formula uses a figure of both.", ""
    elif direction == "both directions" and over_both:
        said = f"A transfer goes one way, but '{label}' divides by a bandwidth of both directions."
        yield "link-direction", said, ""


def _is_both_ways(cell: Cellwise) -> bool:
    """Tell whether a figure is a bandwidth of both directions: of both are bytes, too, that a token sends and gets."""
    return set(_BANDWIDTH) <= set(cell.value.dims or ()) and cell.value.kind("direction") == "both directions"


def _per_direction_twice(cell: Cellwise, computed: Value, tree: sx.Node, due: str, dims: Dims) -> Iterator[Said]:
    """A bandwidth that is of one direction, or does not say that it is of both, as twice one of one direction."""
    if dims != _BANDWIDTH:
        return
    label, words, direction = cell.label, cell.words, computed.kind("direction")
    if (
        direction == "per direction"
        and has_factor_two(tree)
        and due != "both directions"
        and "devices" not in computed.parts
        and (cell.context.concept or _LINKS.search(words))
        and not _BOTH_WAYS.search(words)
    ):
        yield "link-direction", f"'{label}' doubles a figure per direction, and does not say that it is of both.", ""
    doubled = computed.numbers.count(2.0) == 1 and 2.0 in written(tree)
    noted = _BOTH_WAYS.search(words) or re.search(r"\b2\b", words)
    if due == "per direction" and doubled and not noted and direction in ("", "per direction"):
        yield "link-direction", f"'{label}' is per direction, but the formula has a factor of 2.", ""


_HALVES = {
    "direction": ("per direction", "both directions"),
    "trip": ("one way", "round trip"),
    "density": ("dense", "sparse"),
}


def _wrong_way(cell: Cellwise, computed: Value, stated: dict[str, str]) -> Iterator[Said]:
    """One direction worked out as twice both, a round trip as half of one way."""
    for category, (half, whole) in _HALVES.items():
        have, due = computed.kind(category), stated.get(category, "")
        wrong = 2.0 if (have, due) == (whole, half) else 0.5 if (have, due) == (half, whole) else 0.0
        if hard(computed.dims or ()) == _TIME and wrong and category == "direction":
            wrong = 1.0 / wrong  # bytes over that bandwidth
        if wrong and [n for n in computed.numbers if n in (2.0, 0.5)] == [wrong]:
            said = f"'{cell.label}' is {due}, but the formula {'doubles' if wrong == 2.0 else 'halves'} a figure that is {have}."
            yield KIND_RULE[category], said, ""


def _trip(cell: Cellwise, computed: Value, tree: sx.Node, due: str) -> Iterator[Said]:
    """A latency there and back from one of one way, or the other way round, without the factor 2."""
    trip = {k for c, k in computed.kinds if c == "trip"}
    if has_number(computed, 2.0) or doubles(tree):
        return
    if due and trip and due not in trip:
        yield "round-trip", f"'{cell.label}' is {due}, but the formula uses a {trip.pop()} latency.", ""
    elif trip == {"one way"} and not due and _THERE_AND_BACK.search(cell.words):
        said = f"'{cell.label}' takes a way there and back, but the formula uses a one-way latency."
        yield "round-trip", said, ""


def _factor_for_nothing(cell: Cellwise, computed: Value, tree: sx.Node, stated: dict[str, str]) -> Iterator[Said]:
    """A figure passed on with a factor of 2, though both are of the same ways."""
    for category in ("trip", "direction"):
        due = stated.get(category)
        if due and computed.kind(category) == due and copies_twice(tree) and not _MULTIPLE.search(cell.words):
            yield (
                KIND_RULE[category],
                f"'{cell.label}' is {due} like the figure it takes, but the formula has a factor of 2.",
                "",
            )


_MULTIPLE = re.compile(r"\b[2-9] ?(?:×|x|\*)? ?(?:rtt|round)|twice|double", re.I)


_ONE_WAY = re.compile(
    r"\b(?:sen[dt](?! and)|sending|(?<!and )receiv\w*|upload\w*|download\w*|tx|rx|egress|ingress|host to (?:gpu|device)|(?:gpu|device) to host)\b",
    re.I,
)
_THERE_AND_BACK = re.compile(
    r"\back\b|\bbdp\b|bandwidth[- ]delay|(?:bytes|data) in flight|handshake|connect\b|and back|to (?:the )?(?:result|answer|response)\b|response time"
    r"|antwortzeit|temps de réponse|(?:at|of|for|beim|chez|seen by) (?:the |l.)?(?:client|user|caller|nutzer|kunden|utilisateur)"
    r"|through the cloud|\bwait|(?:client|user|caller|customer) sees",
    re.I,
)
_TWICE = re.compile(r"\btwice\b|\b2 ?[x×]|[x×] ?2\b|both ways|zweimal|deux fois|aller et retour", re.I)
_BACK = re.compile(r"back|return|response|reply|answer|down|inbound|\bfrom\b|zurück|rück|retour", re.I)
_TRIPS = re.compile(r"handshake|tcp|tls|\btwo\b|\b2\b|connect|open", re.I)
_RING = re.compile(r"all[- ]?reduce|\bring\b", re.I)
_ANSWERED = re.compile(
    r"first token|\bttft\b|respon[sd]|acknowledge?d|answer|repl(?:y|ies)\b|end[- ]to[- ]end|antwort|réponse|premier (?:jeton|token)|erstes token"
    r"|\b(?:at|of|for|beim|chez|seen by) (?:the |l.)?(?:client|user|caller|nutzer|kunden|utilisateur)|\bwaits?\b|(?:client|user|caller|customer) sees|\bback\b",
    re.I,
)
_FROM_TO = re.compile(r"(\w+) (?:to|nach|zu|vers|à) (?:the )?(\w+)")
_LINKS = re.compile(r"\bnic|link|rate|speed|bytes|direction|fabric|port|netz|réseau|lien", re.I)
_BOTH_WAYS = re.compile(
    r"both|bi-?dir|duplex|aggregate|total|sum\b|combined|in and out|send and rec|tx ?\+|beide|summe|deux|somme|two|pair|dual|rails?\b|ports?\b",
    re.I,
)


def _half_of_a_round_trip(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A time there and back that takes half of a round trip."""
    for term in summands(tree):
        match term:
            case sx.Binary("/", whole, sx.Number(2.0)) | sx.Binary("*", whole, sx.Number(0.5)):
                leg = inference.cell_of(cell, whole)
            case _:
                continue
        if leg is not None and leg.value.kind("trip") == "round trip":
            yield "round-trip", f"'{cell.label}' is a way there and back, but the formula halves '{leg.label}'.", ""


def _way_back_missing(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A time until an answer is there that adds one way to what happens at its end."""
    terms = summands(tree)
    parts = [x for x in (inference.cell_of(cell, n) for n in terms) if x is not None]
    ways = [x for x in parts if _way(x) == "one way" and not _TWICE.search(x.words)]
    if len(terms) > 1 and len(ways) == 1 and not any(_BACK.search(x.words) for x in parts):
        said = f"'{cell.label}' takes '{ways[0].label}' once: the way back is missing."
        yield "round-trip", said, "Take it twice."


def _round_trip_twice(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A term of a sum that takes a round trip twice, where nothing says that it is made twice."""
    added = unscaled(tree)
    if not (isinstance(added, sx.Binary) and added.operator == "+") or _TRIPS.search(cell.words):
        return
    for term in summands(added):
        match unscaled(term):
            case sx.Binary("*", sx.Number(2.0), whole) | sx.Binary("*", whole, sx.Number(2.0)):
                leg = inference.cell_of(cell, whole)
            case _:
                continue
        if leg is not None and _way(leg) == "round trip":
            yield "round-trip", f"'{cell.label}' takes '{leg.label}' twice: it is there and back already.", ""


def _steps_there_and_back(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The 2 (n - 1) steps of a ring, with a round trip for each."""
    if not _RING.search(cell.words):
        return
    found = [n for side, n in links(tree, "*") if side > 0]
    ring = sx.Number(2.0) in found and any(isinstance(n, sx.Binary) and n.right == sx.Number(1.0) for n in found)
    legs = [leg for n in found if (leg := inference.cell_of(cell, n)) is not None and _way(leg) == "round trip"]
    if ring and legs:
        said = f"'{cell.label}' takes '{legs[0].label}' for each step, which goes one way."
        yield "round-trip", said, "Take half of it."


def _one_way_twice(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A time of one way that takes twice the ways it adds up."""
    match tree:
        case sx.Binary("*", sx.Number(2.0), ways):
            legs = [inference.cell_of(cell, n) for n in summands(ways)]
        case _:
            return
    if all(x is not None and (x.value.kind("trip") == "one way" or x.context.concept == "round trip") for x in legs):
        yield "round-trip", f"'{cell.label}' is one way, but the formula takes the ways twice.", ""


def _one_way_only(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A round trip that adds up legs of one direction only."""
    if not isinstance(tree, sx.Binary) or tree.operator != "+":
        return
    legs = [inference.cell_of(cell, n) for n in summands(tree)]
    known = [x for x in legs if x is not None and x.value.kind("trip") == "one way" and not _BACK.search(x.words)]
    ends = {m.groups() for x in known for m in _FROM_TO.finditer(x.words.lower())}
    if len(known) == len(legs) and not any((b, a) in ends for a, b in ends):
        yield "round-trip", f"'{cell.label}' adds up one way only: the way back is missing.", "Take the ways twice."


def _way(cell: Cellwise) -> str:
    """Return the ways that the words at a cell say it is of."""
    return dict(cell.context.kinds).get("trip", "")
