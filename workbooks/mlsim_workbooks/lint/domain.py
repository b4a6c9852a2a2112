"""Rules of the field itself: what a KV cache is a product of, and where PUE belongs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, hard, is_conversion, is_time, mantissa
from mlsim_workbooks.lint.facts import Facts
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.shapes import copied, divisors, multipliers, written

__all__ = [
    "batch_rules",
    "flop_rules",
    "gemm_rules",
    "kv_constants",
    "kv_rules",
    "mac_rules",
    "pue_rules",
    "site_rules",
    "time_of_work_rules",
]


_PER_TOKEN = re.compile(
    r"(?:flops?|\bwork)\b.*(?:per|/|je|par|pro) ?(?:param\w* and |trained )?(?:tok|jeton)|(?:flops?|\bwork) per param",
    re.I,
)


def flop_rules(cell: Cellwise) -> Iterator[Said]:
    """FLOP per token with half of what is due: 2 for each parameter forward, 6 with the way back."""
    yield from _training_work(cell)
    if not _PER_TOKEN.search(cell.words) and (cell.computed is not None or cell.value.dims != _FOR_EACH):
        return
    computed, number = cell.computed, cell.item.value
    plain = (
        hard(cell.value.dims or ()) in ((), (("operation", 1.0),))
        and "MAC" not in cell.label[:5]
        and cell.value.factor == 1.0
    )
    if computed is None and number in (1.0, 3.0) and plain:
        yield "mac-flop", f"'{cell.label}' is {number:g}: that many multiply-accumulates, twice as many FLOP.", ""
    elif computed is not None and len(computed.parts & {"parameters", "active parameters"}) == 1:
        factors = [n for n in computed.numbers if not is_conversion(n)]
        counted = hard(computed.dims or ()) == ()  # not added up from operations
        if "MAC" in cell.words:
            return
        if factors == [3.0] or (not factors and counted and hard(cell.value.dims or ()) == (("operation", 1.0),)):
            yield "mac-flop", f"'{cell.label}' counts multiply-accumulates; FLOP are twice as many.", ""


_FOR_EACH = (("operation", 1.0), ("parameter", -1.0), ("token", -1.0))


def time_of_work_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Parameters times tokens over a rate of operations, or that rate over parameters, with 1 of them for each, or 3, where 2 or 6 are due."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or stated is None or not cell.context.explicit:
        return
    have, due = dict(computed.dims or ()), hard(stated.dims or ())
    if due == (("time", -1.0),) and have.get("operation") == 1.0 and have.get("parameter") == have.get("time") == -1.0:
        if not [n for n in divisors(tree) if not is_conversion(n)] and dict(stated.dims or ()).get("token") == 1.0:
            yield "mac-flop", f"'{cell.label}' takes one operation for each parameter.", "Divide by 2 too."
        return
    if due != (("time", 1.0),):
        return
    if not (have.get("parameter") == have.get("token") == 1.0 and have.get("operation") == -1.0):
        return
    used = [{n for n, _ in c.value.dims or ()} for c in inference.uses(cell).values()]
    if any(not d or {"parameter", "token"} <= d for d in used):
        return  # of work that is worked out elsewhere
    factors = [n for n in multipliers(tree) if not is_conversion(n) and not is_time(n)]
    if factors in ([], [3.0]) and "MAC" not in cell.words:
        shown = "once" if not factors else "3 times"
        yield (
            "mac-flop",
            f"'{cell.label}' takes parameters times tokens {shown}: an operation is a multiplication or an addition.",
            f"Multiply by {6 if factors else 2}{' in all' if factors else ''}.",
        )


def _training_work(cell: Cellwise) -> Iterator[Said]:
    """The work of a training with 3 for each parameter and token, where 6 is due."""
    computed = cell.computed
    if computed is None or not cell.context.explicit or hard(cell.value.dims or ()) != (("operation", 1.0),):
        return
    worked = computed.parts & {"parameters", "active parameters"} and computed.parts & {"tokens", "~token"}
    if worked and [n for n in computed.numbers if not is_conversion(n)] == [3.0] and "MAC" not in cell.words:
        yield "mac-flop", f"'{cell.label}' counts multiply-accumulates: 3 for each parameter and token, FLOP are 6.", ""


_OF_ALL = re.compile(
    r"(?:whole|entire|full|of the|whole) batch|\bbatch\b.*\btotal|all (?:chats|sessions|sequences|requests|users|streams)|gesamter batch|lot complet",
    re.I,
)
_MANY = re.compile(
    r"batch|sequences|sessions|requests|users|chats|streams|concurren|at once|held\b|gleichzeitig|simultan|sequenzen|anfragen|nutzer|lot\b",
    re.I,
)


def batch_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """The KV cache of a batch from that of one sequence alone."""
    computed = cell.computed
    if computed is None or cell.context.concept != "kv cache" or not _OF_ALL.search(cell.words):
        return
    used = inference.uses(cell).values()
    counted = any(
        _MANY.search(c.words) and not hard(c.value.dims or ()) and "token" not in dict(c.value.dims or ()) for c in used
    )
    if used and not counted and not any(_OF_ALL.search(c.words) for c in used):
        yield "user-total", f"'{cell.label}' is of all, but the formula has no number of them.", ""


def kv_rules(inference: Inference, facts: Facts, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A KV cache without the factor for keys and values, or with all attention heads."""
    computed = cell.computed
    assert computed is not None
    parts = computed.parts
    words = cell.words
    all_heads = "heads" in parts and bool(parts & {"layers", "hidden size"}) and not parts & {"kv heads", "1/heads"}
    if (
        all_heads
        and _OF_CACHE.search(words)
        and not re.search(r"\bMHA\b|multi-head", words)
        and facts.concepts.get("kv heads")
    ):
        yield "kv-heads", f"'{cell.label}' multiplies by all attention heads; a KV cache has the KV heads only.", ""
        return
    if not {"layers", "head dim"} <= parts or not parts & {"kv heads", "heads"}:
        return
    if "kv pair" in parts or "+" in _operators(tree):
        return
    small = [n for n in computed.numbers if n in (2.0, 4.0, 8.0)]
    if parts & {"bytes each", "bits each", "~information"} or dict(computed.dims or ()).get("information"):
        missing = not small
    else:
        product = 1.0
        for n in small:
            product *= n
        narrow = re.search(r"fp8|int8|8[- ]bit|int4|fp4", words, re.I) or facts.precision in (
            "fp8",
            "int8",
            "fp4",
            "int4",
        )
        unknown = any(not c.value.known for c in inference.uses(cell).values())  # the bytes of each, perhaps
        missing = product < (2.0 if narrow or unknown else 4.0)
        holds = cell.context.value is not None and any(n == "information" for n, _ in cell.context.value.dims or ())
        missing = missing and (holds or not computed.known) and not any(p for p in parts if p in ("memory",))
    if missing:
        yield (
            "kv-factor",
            f"'{cell.label}' multiplies layers, heads and head dimension once; keys and values need it twice.",
            "",
        )


_OF_CACHE = re.compile(r"\bkv\b|cache|\b[kv]_proj\b|\bw_?[kv]\b", re.I)

_TWICE = re.compile(
    r"back|train|forward|both|twice|double|two|\band\b|&|\+|attention|score|\bkv\b|\b2\b|draft|recompute|pass|spars|direction|gated|retr|pair|half|doppelt|halb|deux|moitié",
    re.I,
)


def kv_constants(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A KV cache worked out from numbers alone, "80 layers, 8 KV heads", without the factor for keys and values."""
    computed = cell.computed
    if computed is None or cell.context.concept != "kv cache" or computed.parts or len(computed.numbers) < 3:
        return
    said = " ".join((cell.words, *inference.texts_of(cell.sheet, cell.item.row)))
    two_bytes = re.search(r"\b2 ?(?:bytes?|octets?|B\b)|bf16|fp16|16[- ]bit", said, re.I)
    due = 2 if two_bytes else 1  # the other 2 is that of keys and values
    numbers = multipliers(tree)
    if (
        numbers.count(2.0) + 2 * numbers.count(4.0) < due
        and max(numbers, default=0.0) >= 16.0
        and re.search(r"layer|schicht|couche|head|kopf|köpfe|tête", said, re.I)
    ):
        yield "kv-factor", f"'{cell.label}' has no factor 2: keys and values are both kept.", ""


_SIDES = frozenset(("m", "n", "k"))


def gemm_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The operations of a matrix product worked out as M x N x K: each is a multiplication and an addition."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or not _operations(stated) or _operators(tree).strip("*/^"):
        return
    sides = {
        t.strip().lower() for c in inference.uses(cell).values() for t in c.context.texts[-1:] + c.context.texts[:1]
    }
    if sides >= _SIDES and not {n for n in written(tree) if n % 2 == 0 and n < 10} and not _has_macs(cell):
        yield (
            "mac-flop",
            f"'{cell.label}' takes M x N x K: that many multiply-accumulates, of two operations each.",
            "Multiply by 2.",
        )


def _has_macs(cell: Cellwise) -> bool:
    """Tell whether a label counts multiply-accumulates."""
    return bool(re.search(r"\bmacs?\b|[kmgt]macs?\b|multiply", cell.words, re.I))


def mac_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A count of operations times 2: that is due for multiply-accumulates only."""
    computed = cell.computed
    if (
        computed is None
        or not _operations(computed)
        or computed.numbers.count(2.0) != 1
        or computed.parts & {"parameters", "active parameters"}
    ):
        return
    counts = [c for c in inference.uses(cell).values() if _operations(c.value)]
    tree = inference.tree(cell.item.form)
    if tree is None or 2.0 not in written(tree):
        return  # the 2 of another quantity
    if len(counts) != 1 or abs(mantissa(counts[0].value.factor) - 1) > 1e-6 or _TWICE.search(cell.words):
        return
    if not inference.mentions(_GUIDED):
        yield (
            "mac-flop",
            f"'{cell.label}' multiplies operations ({counts[0].label}) by 2: only multiply-accumulates count twice.",
            "",
        )


_GUIDED = re.compile(r"\bCFG\b|guidance")  # an image model runs twice for each step


def _operations(value: Value) -> bool:
    """Tell whether a value is a number of operations, not a rate of them."""
    have = dict(value.dims or ())
    return (have.get("operation", 0) or have.get("integer_operation", 0)) > 0 and not have.get("time")


def _operators(tree: sx.Node) -> str:
    if isinstance(tree, sx.Binary):
        return tree.operator + _operators(tree.left) + _operators(tree.right)
    if isinstance(tree, sx.Call):
        return "".join(_operators(a) for a in tree.args if a is not None)
    return _operators(tree.operand) if isinstance(tree, sx.Unary) else ""


def _has_pue(inference: Inference, facts: Facts) -> bool:
    """Tell whether a workbook has a PUE to apply: one worked out from meters is a result."""
    pues = (inference.cells[key] for key in facts.concepts.get("PUE", ()))
    return any(p.item.form < 0 or p.computed is None or "~energy" not in p.computed.parts for p in pues)


_COOLING = re.compile(r"cool|chill|kälte|kühl|verlust|loss|refroid|clim|perte", re.I)
_SITE = re.compile(
    r"\bsites?\b|facility|building|gebäude|standort|bâtiment|data cent(?:er|re)|rechenzentrum|centre de", re.I
)
_OF_IT = re.compile(
    r"(?-i:\bIT\b)|informatique|\bit\b (?:power|energy|load)|servers?\b|serveurs?\b|\bnodes?\b|\bknotens?\b", re.I
)


def site_rules(inference: Inference, facts: Facts, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The energy of a site, or of a facility, that is the energy of its computers alone."""
    dims = hard(cell.value.dims or ())
    if dict(dims).get("energy") != 1.0 or not _has_pue(inference, facts):
        return
    if (passed := _cooled_beside(inference, cell)) is not None:
        said = f"'{cell.label}' takes IT power; '{passed.label}', with PUE, is used by no formula."
        yield "facility-energy", said, f"Take '{passed.label}'."
        return
    if _lacks_cooling(inference, cell, tree) and len(dims) <= 2:
        yield (
            "facility-energy",
            f"'{cell.label}' is that of the facility, but the formula has no PUE.",
            "Multiply by PUE.",
        )
        return
    place = copied(tree)
    source = inference.cell_of(cell, place) if place is not None else None
    if source is None or not _SITE.search(cell.words) or _OF_IT.search(cell.words):
        return
    if not _OF_IT.search(source.words) or _SITE.search(source.words):
        return
    if "PUE" not in source.value.parts and source.value.kind("boundary") != "facility":
        yield "facility-energy", f"'{cell.label}' takes '{source.label}': PUE is missing.", "Multiply by PUE."


_CONSUMED = re.compile(
    r"(?:^|hall|site|room|facility|of the|im|pro|je|per).{0,12}\b(?:energy|energie|énergie|electricity|stromverbrauch)\b",
    re.I,
)
_STORED = re.compile(r"\bups\b|\busv\b|usable|batter|\bheat\b|wärme|chaleur", re.I)
_LOST = re.compile(r"cooling and|losses|kühlung und|verluste|refroidissement et|pertes", re.I)


def _cooled_beside(inference: Inference, cell: Cellwise) -> Cellwise | None:
    """Return what is worked out with PUE from a power or energy that a formula takes without, and that nothing uses."""
    if (
        _OF_IT.search(cell.words)
        or not _CONSUMED.search(cell.words)
        or _STORED.search(cell.words)
        or cell.computed is None
    ):
        return None
    if "PUE" in cell.computed.parts or cell.computed.kind("boundary") == "facility":
        return None
    for used in inference.uses(cell).values():
        dims = hard(used.value.dims or ())
        for other in inference.passed_by(cell, used) if dict(dims).get("energy") == 1.0 else ():
            cooled = other.computed is not None and "PUE" in other.computed.parts and not _LOST.search(other.words)
            above = other.sheet == cell.sheet and other.item.row < cell.item.row
            if cooled and above and len(inference.uses(other)) == 2 and hard(other.value.dims or ()) == dims:
                return other
    return None


def _lacks_cooling(inference: Inference, cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a figure of a whole facility is a product of figures of servers, without PUE."""
    computed = cell.computed
    due = ("boundary", "facility") in cell.context.kinds and cell.context.explicit
    if not due or computed is None or not isinstance(tree, sx.Binary) or tree.operator not in "*/":
        return False
    if "PUE" in computed.parts or computed.kind("boundary") or any(1.0 < n < 2.5 for n in computed.numbers):
        return False
    return any(_OF_IT.search(c.words) or _OF_GPUS.search(c.words) for c in inference.uses(cell).values())


_OF_GPUS = re.compile(r"\bgpus?\b|\baccelerators?\b", re.I)


def pue_rules(inference: Inference, facts: Facts, cell: Cellwise) -> Iterator[Said]:
    """Energy that is paid for, or makes emissions, without PUE in a workbook that has one."""
    words = cell.words
    if (
        cell.computed is None
        or not _has_pue(inference, facts)
        or re.search(
            "meter|zähler|compteur|charge|loss|batter|verlust|perte|waste heat|abwärme|chaleur fatale|certificate|certificat|zertifikat|diesel|électrogène|notstrom",
            words,
            re.I,
        )
    ):
        return
    computed, context = cell.computed, cell.context
    if not hard(computed.dims or ()):
        return  # a ratio of two intensities
    if "PUE" in computed.parts or "~energy" not in computed.parts or computed.kind("boundary") == "facility":
        return
    used = inference.uses(cell)
    if dict(context.kinds).get("boundary") == "IT" or not _prices_energy(computed, used.values()):
        return
    if cell.key in facts.pue_users:
        return
    if any(_AT_HOME.search(c.words) for c in (cell, *used.values())):
        return
    if any(not c.context.texts and "energy" in dict(c.value.dims or ()) for c in used.values()):
        return  # whose energy, nobody can tell
    summands = [s for c in used.values() for s in inference.uses(c).values()]
    if any(s.computed is not None and "PUE" in s.computed.parts for s in (*used.values(), *summands)):
        return  # a total of IT energy and of what PUE adds to it
    if any(_COOLING.search(s.words) for s in summands):
        return
    titles = inference.book.grids[cell.sheet].name, *inference.texts_of(cell.sheet, 1)[:12]
    if any(_AT_THE_EDGE.search(text) for text in titles):
        return
    if any(_METERED.search(text) for text in (*titles, *(c.words for c in used.values()))):
        return
    yield "facility-energy", f"'{cell.label}' prices IT energy; the sheet has a PUE, which is not applied here.", ""


_AT_HOME = re.compile(
    r"\bedge\b|gateway|passerelle|\bcameras?\b|kamera|caméra|\bphones?\b|laptop", re.I
)  # no PUE there
_AT_THE_EDGE = re.compile(r"\b(?:edge|box(?:es)?|vehicles?|robots?|drones?|kiosks?)\b", re.I)
_METERED = re.compile(
    r"meter|zähler|compteur|utility|invoice|facility|relevé|netzbezug|netzanschluss|grid connection", re.I
)


def _prices_energy(computed: Value, used: Iterable[Cellwise]) -> bool:
    """Tell whether a formula multiplies something per kWh with energy: money or emissions come out."""
    if computed.dims is None or dict(computed.dims).get("energy"):
        return False
    return any(
        d.get("energy") == -1.0
        and not d.get("time")
        and any(n.startswith("money_in_") or n == "mass_of_co2e" for n in d)
        for d in (dict(c.value.dims or ()) for c in used)
    )
