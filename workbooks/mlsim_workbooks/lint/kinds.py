"""Rules about kinds: dense and sparse, number formats, directions, trips, IT and facility, mean and percentile, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, counts_something, hard, is_conversion, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.vocabulary import KINDS
from mlsim_workbooks.package import position

__all__ = [
    "KIND_RULE",
    "copied",
    "has_number",
    "is_copied",
    "is_product",
    "kind_rules",
    "mean_rules",
    "missing_pue",
    "trip_rules",
]

KIND_RULE = {
    "density": "sparse-peak", "direction": "link-direction", "trip": "round-trip", "boundary": "facility-energy",
    "parameters": "active-params", "token": "token-direction", "precision": "peak-precision", "statistic": "statistic-mix",
}  # fmt: skip


def _halved(value: Value) -> bool:
    """Tell whether a 2 in a formula may turn sparse into dense or both directions into one: not the one of 2 × parameters."""
    twos = sum(abs(n - 2) < 1e-9 or abs(n - 0.5) < 1e-9 for n in value.numbers)
    return twos > bool(value.parts & {"parameters", "active parameters", "MACs"})


def has_number(value: Value, *wanted: float) -> bool:
    """Tell whether one of some numbers, or its inverse, stands in a product."""
    return any(abs(n / w - 1) < 1e-9 or abs(n * w - 1) < 1e-9 for n in value.numbers if n for w in wanted)


_A_MACHINE = re.compile(r"\b(?:to|from|on) the (?:decode|prefill)\b", re.I)  # that the machines of one kind take over


def kind_rules(cell: Cellwise, tree: sx.Node, mixture: bool, precision: str) -> Iterator[Said]:
    """Compare the kinds of what a formula uses with the kinds that its cell states.

    ``mixture`` tells that it is about a mixture of experts, with active parameters of its own.
    """
    computed, context = cell.computed, cell.context
    assert computed is not None
    words = cell.words
    stated = {k: v for k, v in context.kinds if k != "token" or not _A_MACHINE.search(words)}
    dims = hard(context.value.dims or ()) if context.value is not None else ()
    label = cell.label
    if {"~operation", "~integer_operation"} & computed.parts or any(
        n.endswith("operation") for n, _ in computed.dims or ()
    ):
        yield from _density(cell, computed, stated, dims, words, precision)
    direction = computed.kind("direction")
    both = {k for c, k in computed.kinds if c == "direction"} == {"per direction", "both directions"}
    if both and dims == (("time", 1.0),) and "~information" in computed.parts and not has_number(computed, 2.0):
        yield "link-direction", f"'{label}' divides what goes one way by a bandwidth of both directions.", "Take half."
    ring = _RING.search(words) and computed.numbers.count(2.0) == 1  # the 2 of 2(n-1)/n
    if direction and (ring or not has_number(computed, 2.0)):
        due = stated.get("direction", "")
        if due and due != direction:
            yield "link-direction", f"'{label}' is {due}, but the formula uses a figure that is {direction}.", ""
        elif direction == "both directions" and _ONE_WAY.search(words):
            yield "link-direction", f"'{label}' is about one direction, but the formula uses a figure of both.", ""
        elif direction == "both directions" and dims == (("time", 1.0),):
            yield (
                "link-direction",
                f"A transfer goes one way, but '{label}' divides by a bandwidth of both directions.",
                "",
            )
    if (
        direction == "per direction"
        and _twice(tree)
        and dims == (("information", 1.0), ("time", -1.0))
        and stated.get("direction", "") != "both directions"
        and "devices" not in computed.parts
        and (cell.context.concept or _LINKS.search(words))
        and not _BOTH_WAYS.search(words)
    ):
        yield "link-direction", f"'{label}' doubles a figure per direction, and does not say that it is of both.", ""
    yield from _wrong_way(cell, computed, stated)
    yield from _one_way_twice(cell, computed, tree, dims)
    trip, due = {k for c, k in computed.kinds if c == "trip"}, stated.get("trip", "")
    twice = has_number(computed, 2.0) or sx.doubles(tree)
    if due and trip and due not in trip and not twice:
        yield "round-trip", f"'{label}' is {due}, but the formula uses a {trip.pop()} latency.", ""
    elif trip == {"one way"} and not due and not twice and _THERE_AND_BACK.search(words):
        yield "round-trip", f"'{label}' takes a way there and back, but the formula uses a one-way latency.", ""
    for category in ("trip", "direction"):
        if (
            stated.get(category)
            and computed.kind(category) == stated[category]
            and _copies_twice(tree)
            and not re.search(r"\b[2-9] ?(?:×|x|\*)? ?(?:rtt|round)|twice|double", words, re.I)
        ):
            yield (
                KIND_RULE[category],
                f"'{label}' is {stated[category]} like the figure it takes, but the formula has a factor of 2.",
                "",
            )
    yield from _boundary(computed, stated, label)
    if mixture:
        yield from _parameters(cell, computed, dims, words, isinstance(tree, sx.Ref))
    token, due = computed.kind("token"), stated.get("token", "")
    priced = any(n.startswith("money") for n, _ in dims) and ("token", -1.0) in (
        context.value.dims or () if context.value else ()
    )
    refs = isinstance(tree, sx.Binary) and isinstance(tree.left, sx.Ref) and isinstance(tree.right, sx.Ref)
    multiple = priced and refs and not computed.numbers  # so many times the price of input
    multiple |= _multiplied(tree)
    if token and due and token != due and not multiple and len({k for c, k in computed.kinds if c == "token"}) == 1:
        yield "token-direction", f"'{label}' is about {due} tokens, but the formula uses {token} tokens.", ""
    statistics, due = {k for c, k in computed.kinds if c == "statistic"}, stated.get("statistic", "")
    if re.search(r"\bp\d\d (?:over|to|/|vs\.?) ", words, re.I) and statistics <= _statistics(words):
        return  # "p99 over median"
    tails = sorted(k for k in statistics if k.startswith("p9"))
    headed = len(context.texts) > 1  # "reserve", below "mean": what a limit leaves
    if due in ("mean", "p50") and tails and not (headed and isinstance(tree, sx.Binary) and tree.operator == "-"):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes a {tails[0]}.", ""
    elif (
        due in _TAILS
        and statistics == {"mean"}
        and set(computed.numbers) <= {2.0}
        and isinstance(tree, sx.Binary)
        and tree.operator == "+"
        and all(map(_is_leg, sx.summands(tree)))
        and not _MEAN.search(words)
    ):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula adds up means.", ""
    elif due in _TAILS and "mean" in statistics and not dims and not _MEAN.search(words) and not _distributed(tree):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes a mean too.", ""
    elif not due and len(statistics) == 2 and len(said := _statistics(words)) == 2 and said != statistics:
        yield (
            "statistic-mix",
            f"'{label}' compares {' and '.join(sorted(said))}, the formula {' and '.join(sorted(statistics))}.",
            "",
        )
    elif (
        due == "mean"
        and not context.headed
        and not _OR_MEAN.search(words)
        and not (_HIGHEST.search(words) or (_of_its_column(cell, tree) and not _statistics(_row_label(cell))))
        and (taken := _taken(tree)) not in ("", "mean")
    ):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes the {taken} of a range.", ""
    elif (
        due
        and statistics
        and due not in statistics
        and not _distributed(tree)
        and (is_copied(tree) or _picks_one(tree))
    ):
        yield "statistic-mix", f"'{label}' is a {due}, but the formula takes a {statistics.pop()}.", ""


def _distributed(node: sx.Node | None) -> bool:
    """Tell whether a formula works a percentile out of a mean: -LN(0.05) times the mean of an exponential time."""
    match node:
        case sx.Call(name=name, args=args):
            return (
                name in ("LN", "LOG", "EXP", "SQRT") or name.endswith(("INV", "DIST")) or any(map(_distributed, args))
            )
        case sx.Binary(left=left, right=right):
            return _distributed(left) or _distributed(right)
        case sx.Unary(operand=operand):
            return _distributed(operand)
    return False


def _is_leg(node: sx.Node) -> bool:
    """Tell whether a term of a sum is a cell, or twice a cell."""
    match node:
        case sx.Ref() | sx.Name() | sx.Binary("*", sx.Number(2.0), sx.Ref() | sx.Name()):
            return True
    return False


_OR_MEAN = re.compile(r"(?:total|sum|summe|max) ?/ ?(?:avg|average|mean|mittel|moy)", re.I)
_HIGHEST = re.compile(
    r"\b(?:highest|greatest|busiest|largest|worst|höchste\w*|größte\w*|le plus|la plus)\b", re.I
)  # of means
_HALVES = {
    "direction": ("per direction", "both directions"),
    "trip": ("one way", "round trip"),
    "density": ("dense", "sparse"),
}


def _one_way_twice(
    cell: Cellwise, computed: Value, tree: sx.Node, dims: tuple[tuple[str, float], ...]
) -> Iterator[Said]:
    """A bandwidth per direction, from figures that are of one direction or do not say it, times 2."""
    said = dict(cell.context.kinds).get("direction") == "per direction"
    doubled = computed.numbers.count(2.0) == 1 and 2.0 in sx.written(tree)
    if not said or not doubled or dims != (("information", 1.0), ("time", -1.0)):
        return
    noted = _BOTH_WAYS.search(cell.words) or re.search(r"\b2\b", cell.words)
    if not noted and computed.kind("direction") in ("", "per direction"):
        yield "link-direction", f"'{cell.label}' is per direction, but the formula has a factor of 2.", ""


def _wrong_way(cell: Cellwise, computed: Value, stated: dict[str, str]) -> Iterator[Said]:
    """One direction worked out as twice both, a round trip as half of one way."""
    for category, (half, whole) in _HALVES.items():
        have, due = computed.kind(category), stated.get(category, "")
        wrong = 2.0 if (have, due) == (whole, half) else 0.5 if (have, due) == (half, whole) else 0.0
        if hard(computed.dims or ()) == (("time", 1.0),) and wrong and category == "direction":
            wrong = 1.0 / wrong  # bytes over that bandwidth
        if wrong and [n for n in computed.numbers if n in (2.0, 0.5)] == [wrong]:
            said = f"'{cell.label}' is {due}, but the formula {'doubles' if wrong == 2.0 else 'halves'} a figure that is {have}."
            yield KIND_RULE[category], said, ""


_DENSE = re.compile(r"\b(?:dense|dicht)\b", re.I)  # all of whose parameters are active
_FUNCTIONS = {"AVERAGE": "mean", "MEDIAN": "p50", "MAX": "maximum", "MIN": "minimum"}


def _taken(tree: sx.Node) -> str:
    """Return what a formula takes of a range, "" where it does anything else."""
    match tree:
        case sx.Call(name=name, args=(sx.Area(),)):
            return _FUNCTIONS.get(name, "")
    return ""


def _row_label(cell: Cellwise) -> str:
    """Return what stands left of a cell, not above it."""
    return cell.entity or (cell.context.texts[0] if len(cell.context.texts) > 1 else cell.words)


def _of_its_column(cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether the range that a formula takes stands above or below it: the busiest of the lines of a table."""
    match tree:
        case sx.Call(args=(sx.Area(kind="ref") as area,)):
            return position(cell.item.refs[area.first])[1] == cell.item.col
    return False


_ONE_WAY = re.compile(
    r"\b(?:sen[dt](?! and)|sending|(?<!and )receiv\w*|upload\w*|download\w*|tx|rx|egress|ingress|host to (?:gpu|device)|(?:gpu|device) to host)\b",
    re.I,
)
_TAILS = ("p90", "p95", "p99")
_MEAN = re.compile(r"mean|average|avg|mittel|moyen", re.I)


def _picks_one(tree: sx.Node) -> bool:
    """Tell whether a formula picks one of a series: the greatest, the least, or the one it looks up."""
    if isinstance(tree, sx.Binary) and tree.operator in "*/" and isinstance(tree.right, sx.Number):
        tree = tree.left  # in another unit
    return isinstance(tree, sx.Call) and tree.name in ("MAX", "MIN", "INDEX", "VLOOKUP", "XLOOKUP")


def _statistics(words: str) -> set[str]:
    """Return every statistic that a label names."""
    named = {kind for kind, pattern in KINDS.likely(words) if kind[0] == "statistic" and pattern.search(words)}
    return {kind for _, kind in named}


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


def trip_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A round trip that adds up legs of one direction only, or takes half of a round trip."""
    if "trip" not in dict(cell.context.kinds) and _THERE_AND_BACK.search(cell.words):
        for term in sx.summands(tree):
            match term:
                case sx.Binary("/", whole, sx.Number(2.0)) | sx.Binary("*", whole, sx.Number(0.5)):
                    leg = inference.cell_of(cell, whole)
                case _:
                    leg = None
            if leg is not None and leg.value.kind("trip") == "round trip":
                yield "round-trip", f"'{cell.label}' is a way there and back, but the formula halves '{leg.label}'.", ""
    if "trip" not in dict(cell.context.kinds) and _ANSWERED.search(cell.words):
        terms = list(sx.summands(tree))
        parts = [x for x in (inference.cell_of(cell, n) for n in terms) if x is not None]
        ways = [x for x in parts if dict(x.context.kinds).get("trip") == "one way" and not _TWICE.search(x.words)]
        if len(terms) > 1 and len(ways) == 1 and not any(_BACK.search(x.words) for x in parts):
            yield (
                "round-trip",
                f"'{cell.label}' takes '{ways[0].label}' once: the way back is missing.",
                "Take it twice.",
            )
    added = _unscaled(tree)
    for term in sx.summands(added) if isinstance(added, sx.Binary) and added.operator == "+" else ():
        match _unscaled(term):
            case sx.Binary("*", sx.Number(2.0), whole) | sx.Binary("*", whole, sx.Number(2.0)):
                leg = inference.cell_of(cell, whole)
                if (
                    leg is not None
                    and dict(leg.context.kinds).get("trip") == "round trip"
                    and not _TRIPS.search(cell.words)
                ):
                    yield "round-trip", f"'{cell.label}' takes '{leg.label}' twice: it is there and back already.", ""
    twice = isinstance(tree, sx.Binary) and tree.operator == "*" and tree.left == sx.Number(2.0)
    if dict(cell.context.kinds).get("trip") == "one way" and twice and isinstance(tree, sx.Binary):
        legs = [inference.cell_of(cell, n) for n in sx.summands(tree.right)]
        if all(
            x is not None and (x.value.kind("trip") == "one way" or x.context.concept == "round trip") for x in legs
        ):
            yield "round-trip", f"'{cell.label}' is one way, but the formula takes the ways twice.", ""
    if dict(cell.context.kinds).get("trip") != "round trip" or not isinstance(tree, sx.Binary) or tree.operator != "+":
        return
    legs = [inference.cell_of(cell, n) for n in sx.summands(tree)]
    known = [x for x in legs if x is not None and x.value.kind("trip") == "one way" and not _BACK.search(x.words)]
    ends = {m.groups() for x in known for m in _FROM_TO.finditer(x.words.lower())}
    if len(known) == len(legs) and not any((b, a) in ends for a, b in ends):
        yield "round-trip", f"'{cell.label}' adds up one way only: the way back is missing.", "Take the ways twice."


def _unscaled(node: sx.Node) -> sx.Node:
    """Return what a formula divides by 1,000, or the node itself."""
    while isinstance(node, sx.Binary) and isinstance(node.right, sx.Number) and node.operator in "*/":
        if not is_conversion(node.right.value):
            break
        node = node.left
    return node


def mean_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A mean power worked out from a peak power and a count, without a load."""
    context, computed = cell.context, cell.computed
    if dict(context.kinds).get("statistic") != "mean" or context.value is None or computed is None:
        return
    if hard(context.value.dims or ()) != (("energy", 1.0), ("time", -1.0)) or not only_conversions(computed):
        return
    used = list(inference.uses(cell).values())
    powers = [c for c in used if c.value.dims is not None and hard(c.value.dims)]
    counts = [c for c in used if c not in powers]
    if (
        len(powers) != 1
        or any(not counts_something(c.value) for c in counts)
        or _is_quotient(inference.tree(cell.item.form))
    ):
        return  # something that may be the load; the mean of several
    if _PEAK_LOAD.search(powers[0].words) and not _MEAN.search(powers[0].words):
        yield "statistic-mix", f"'{cell.label}' is a mean, but the formula takes a peak ('{powers[0].label}').", ""


def _is_quotient(tree: sx.Node | None) -> bool:
    return isinstance(tree, sx.Binary) and tree.operator == "/"


_PEAK_LOAD = re.compile(r"\bpeak|\bmax|spitze|cr[êe]te|nameplate|\btdp\b", re.I)


def copied(tree: sx.Node) -> sx.Ref | sx.Name | None:
    """Return the cell that a formula only passes on: a reference, or a reference scaled by numbers."""
    match tree:
        case sx.Ref() | sx.Name():
            return tree
        case sx.Binary(operator="*" | "/", left=inner, right=number) if sx.constant_of(number) is not None:
            return copied(inner)
        case sx.Binary(operator="*", left=number, right=inner) if sx.constant_of(number) is not None:
            return copied(inner)
        case sx.Call(name="ROUND" | "ROUNDUP" | "IFERROR", args=(inner, *_)) if inner is not None:
            return copied(inner)
    return None


def is_copied(tree: sx.Node) -> bool:
    """Tell whether a formula only passes a figure on."""
    return copied(tree) is not None


_LINKS = re.compile(r"\bnic|link|rate|speed|bytes|direction|fabric|port|netz|réseau|lien", re.I)
_BOTH_WAYS = re.compile(
    r"both|bi-?dir|duplex|aggregate|total|sum\b|combined|in and out|send and rec|tx ?\+|beide|summe|deux|somme|two|pair|dual|rails?\b|ports?\b",
    re.I,
)


def _twice(tree: sx.Node) -> bool:
    """Tell whether a product has the plain factor 2."""
    match tree:
        case sx.Binary(operator="*", left=left, right=right):
            return sx.Number(2.0) in (left, right) or _twice(left) or _twice(right)
        case sx.Binary(operator="/", left=left):
            return _twice(left)
    return False


def _multiplied(tree: sx.Node) -> bool:
    """Tell whether a formula takes so many times one figure: three tokens in for each one out."""
    match tree:
        case sx.Binary("*", sx.Number(number), figure) | sx.Binary("*", figure, sx.Number(number)):
            return is_copied(figure) and not is_conversion(number)
    return False


def _copies_twice(tree: sx.Node) -> bool:
    """Tell whether a formula passes a figure on with a factor of 2 of its own."""
    match tree:
        case (
            sx.Binary(operator="*" | "/", left=inner, right=sx.Number(number))
            | sx.Binary(operator="*", left=sx.Number(number), right=inner)
        ):
            return is_copied(inner) and (number in (2.0, 0.5) or _copies_twice(inner))
    return False


def _density(
    cell: Cellwise, computed: Value, stated: dict[str, str], dims: tuple[tuple[str, float], ...], words: str,
    precision: str,
) -> Iterator[Said]:  # fmt: skip
    label = cell.label
    ratio = (
        cell.context.concept in ("MFU", "ratio", "achieved compute", "latency", "throughput")
        or dims in ((("time", 1.0),), (("time", -1.0),))
        or (dims == () and cell.context.percent)
        or any(n.startswith("money_in_") for n, _ in dims)
    )
    if computed.kind("density") == "sparse" and not _halved(computed) and not re.search("spars", words, re.I):
        if stated.get("density") == "dense" or ratio:
            yield "sparse-peak", f"'{label}' uses a sparse peak, twice what dense matrices can reach.", ""
    elif stated.get("density") == "sparse" and computed.kind("density") == "dense" and not _halved(computed):
        yield "sparse-peak", f"'{label}' is sparse, but the formula takes a dense peak.", ""
    elif {("density", "dense"), ("density", "sparse")} <= computed.kinds and computed.parts & {"share", "ratio", "MFU"}:
        yield "sparse-peak", f"'{label}' multiplies a share of the dense peak by a sparse one.", ""
    formats = {k for c, k in computed.kinds if c == "precision"}
    due = stated.get("precision", "")
    if re.search(
        r"speed-?up|\bratio|vs\b|versus|faster|gain|\bover\b|int\d ?[:/] ?(?:bf|fp)\d|\d ?[:/] ?int\d", words, re.I
    ):
        return
    same = {"fp16": "bf16"}
    formats = {same.get(f, f) for f in formats}
    due = same.get(due, due)
    integers = {f for f in formats | {due} if f.startswith("int")}
    doubled = has_number(computed, 2.0)
    halved = doubled and due in _SIXTEEN  # the peak of 16 bits is half that of 8
    if (
        integers
        and formats
        and "~integer_operation" in computed.parts
        and formats != integers | {due} - {""}
        and not halved
    ):
        yield "integer-ops", f"'{label}' combines floating-point figures with a peak of integer operations.", ""
    elif (
        due
        and formats
        and formats != {due}
        and not (doubled and ("operation", 1.0) in dims and _half_or_twice(due, formats))
    ):
        yield (
            "peak-precision",
            f"'{label}' is {due}, but the formula takes a peak in {', '.join(sorted(formats - {due}))}.",
            "",
        )
    elif len(formats) > 1 and (ratio or "MFU" in computed.parts):
        yield "peak-precision", f"'{label}' combines figures in {' and '.join(sorted(formats))}.", ""
    elif (
        not due
        and precision
        and formats
        and (ratio or _picks_the_peak(cell) or "MFU" in computed.parts)
        and formats != {same.get(precision, precision)}
    ):
        yield "peak-precision", f"The sheet computes in {precision}, but '{label}' takes a peak in {formats.pop()}.", ""


_SIXTEEN = frozenset(("fp16", "bf16"))


def _half_or_twice(due: str, formats: set[str]) -> bool:
    """Tell whether a peak follows from that of another width: 8 bits have twice the peak of 16, and half that of 4."""
    return (
        (due == "fp8" and formats <= {*_SIXTEEN, "fp4"})
        or (due == "fp4" and formats <= {"fp8"})
        or (due in _SIXTEEN and formats <= {"int8", "fp8"})
    )


def _picks_the_peak(cell: Cellwise) -> bool:
    """Tell whether a cell picks the peak to compute with: "peak used", "peak of the format"."""
    return bool(
        re.search(
            r"used|of the format|chosen|selected|verwendet|gewählt|retenu|applied|effective",
            cell.words,
            re.I,
        )
    )


def missing_pue(cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Facility energy taken from IT energy without PUE."""
    due, computed = dict(cell.context.kinds).get("boundary", ""), cell.computed
    assert computed is not None
    found = computed.kind("boundary")
    if (
        due == "facility"
        and "PUE" not in computed.parts
        and found == "IT"
        and not (isinstance(tree, sx.Binary) and tree.operator == "+")  # the load, and the cooling beside it
        and not any(1 < n < 2.5 for n in computed.numbers)
        and not _raised(tree)
    ):
        yield "facility-energy", f"'{cell.label}' is facility energy, but the formula takes IT energy without PUE.", ""


def _raised(tree: sx.Node) -> bool:
    """Tell whether a product has a factor of 1 and some more: cooling as a share of what is cooled."""
    match tree:
        case sx.Binary("+", sx.Number(1.0), _) | sx.Binary("+", _, sx.Number(1.0)):
            return True
        case sx.Binary("*" | "/", left, right):
            return _raised(left) or _raised(right)
    return False


def _boundary(computed: Value, stated: dict[str, str], label: str) -> Iterator[Said]:
    """IT energy taken from facility energy."""
    due, found = stated.get("boundary", ""), computed.kind("boundary")
    if (
        due == "IT"
        and not re.search(r"\b(?:per|par|je|pro) (?:unit of )?IT\b", label)
        and dict(computed.dims or ()).get("energy", 1) > 0
        and (found == "facility" or "PUE" in computed.parts)
        and "1/PUE" not in computed.parts
    ):
        yield "facility-energy", f"'{label}' is IT energy, but the formula includes PUE.", ""


_READ_PER_TOKEN = re.compile(
    r"(?:read|moved|touched|streamed|gelesen|lus?)\b.*(?:per|je|par|pro) (?:token|jeton)", re.I
)


def _parameters(
    cell: Cellwise, computed: Value, dims: tuple[tuple[str, float], ...], words: str, copied: bool
) -> Iterator[Said]:
    kind = computed.kind("parameters")
    if not (computed.parts & {"parameters", "active parameters"}):
        return
    label = cell.label
    names = {n for n, _ in dims}
    if (
        ("operation" in names or (names == {"time"} and "~operation" in computed.parts))
        and "active parameters" not in computed.parts
        and "parameters" in computed.parts
    ):
        if not re.search(r"total param|all param|\bdense\b", words, re.I):
            yield (
                "active-params",
                f"'{label}' counts operations with all parameters; a mixture of experts computes with the active ones.",
                "",
            )
    elif "information" in names and "time" not in names and "active parameters" in computed.parts:
        if not re.search(r"activ|read|per token|stream|touch|traffic|moved|loaded|aktiv|\blus?\b", words, re.I):
            yield (
                "active-params",
                f"'{label}' is memory for the active parameters only; all experts have to be held.",
                "",
            )
    elif "information" in names and "active parameters" not in computed.parts and _READ_PER_TOKEN.search(words):
        yield "active-params", f"'{label}' is read for each token: the active parameters only.", ""
    elif (
        kind == "total"
        and dict(cell.context.kinds).get("parameters") == "active"
        and not _DENSE.search(words)
        and not copied  # of a dense model, all are active
    ):
        yield "active-params", f"'{label}' is about active parameters, but the formula takes all.", ""


def is_product(tree: sx.Node) -> bool:
    """Tell whether a formula multiplies and divides, and does nothing else."""
    if isinstance(tree, (sx.Ref, sx.Name)):
        return True
    if isinstance(tree, sx.Binary):
        return tree.operator in "*/"
    return isinstance(tree, sx.Call) and tree.name in ("ROUND", "ROUNDUP", "ROUNDDOWN", "IFERROR", "CEILING", "PRODUCT") and bool(
        tree.args) and is_product(tree.args[0] or sx.Other())  # fmt: skip
