"""Units that cannot be those of the quantity that a label names: a power in kWh, a clock in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint.algebra import BUILT, COUNTABLE, Dims, Value, compare, hard, has_money
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.naming import rule_of, thing
from mlsim_workbooks.lint.unit_texts import plain_unit, read_unit

__all__ = ["label_unit_rules"]


def label_unit_rules(cell: Cellwise) -> Iterator[Said]:
    """A unit, or a quantity typed as text, that is not of the kind that the label names."""
    yield from _label_rules(cell)
    yield from _quantity_rules(cell)
    yield from _money_in_kilograms(cell)
    yield from _clock_in_seconds(cell)
    yield from _hour_by_the_year(cell)
    yield from _hours_in_days(cell)
    yield from _bytes_in_bits(cell)
    yield from _named_otherwise(cell)
    yield from _price_of_nothing(cell)
    yield from _of_another_quantity(cell)
    yield from _float_in_tops(cell)
    yield from _rate_of_a_number(cell)
    yield from _of_all_in_that_of_one(cell)


# concept -> (hard dimension its unit has, rule when a unit of the other dimension stands there)
_TIME = ("time", -1.0)


_DUE: dict[str, tuple[tuple[str, float], ...]] = {
    "bandwidth": (("information", 1.0), _TIME),
    "energy": (("energy", 1.0),),
    "power": (("energy", 1.0), _TIME),
    "memory": (("information", 1.0),),
    "kv cache": (("information", 1.0),),
    "peak": (("operation", 1.0), _TIME),
    "achieved compute": (("operation", 1.0), _TIME),
    "work": (("operation", 1.0),),
    "latency": (("time", 1.0),),
    "round trip": (("time", 1.0),),
    "integer peak": (("integer_operation", 1.0), _TIME),
    "carbon intensity": (("energy", -1.0), ("mass_of_co2e", 1.0)),
    "MACs": (("operation", 1.0),),
}


_PAIRS: dict[tuple[str, frozenset[tuple[str, float]]], str] = {
    ("energy", frozenset({("energy", 1.0), _TIME})): "power-energy",
    ("power", frozenset({("energy", 1.0)})): "power-energy",
    ("peak", frozenset({("operation", 1.0)})): "flop-rate",
    ("achieved compute", frozenset({("operation", 1.0)})): "flop-rate",
    ("work", frozenset({("operation", 1.0), _TIME})): "flop-rate",
    ("integer peak", frozenset({("operation", 1.0), _TIME})): "integer-ops",
    ("integer peak", frozenset({("integer_operation", 1.0)})): "flop-rate",
    ("work", frozenset({("integer_operation", 1.0), _TIME})): "flop-rate",
    ("parameters", frozenset({("information", 1.0)})): "params-bytes",
    ("active parameters", frozenset({("information", 1.0)})): "params-bytes",
    ("carbon intensity", frozenset({("mass_of_co2e", 1.0)})): "carbon-scale",
}  # fmt: skip


_ENERGY = re.compile(r"[kMGT]?Wh\b|energy|energie|énergie", re.I)


def _label_rules(cell: Cellwise) -> Iterator[Said]:
    """A unit that cannot be the unit of the quantity its label names."""
    context = cell.context
    value = context.value
    if not context.explicit or value is None or value.dims is None:
        return
    labels = [read_label(t) for t in context.texts]
    label = next((x for x in labels if x.unit is not None and x.unit.text == value.text), None)
    if label is not None and not hard(label.unit.dims or () if label.unit else ()):
        label = None
    if label is None:  # the unit stands in a column of its own, or in the number format
        label = next((x for x in labels if x.concept and x.concept == context.concept), None)
        label = label or next((x for x in labels if dict(x.kinds).get("precision", "").startswith("int")), None)
        if label is None or any(x.unit is not None and hard(x.unit.dims or ()) for x in labels):
            return
    alone = label.unit is not None and label.text == label.unit.text  # a line of units below the names
    concept = label.concept or (
        context.concept if alone and context.concept in ("peak", "achieved compute", "integer peak") else ""
    )
    unit = label.unit if label.unit is not None and hard(label.unit.dims or ()) else value
    own = frozenset(hard(unit.dims or ()))
    rule = _PAIRS.get((concept, own), "")
    words = label.text
    precise = dict(label.kinds if not alone else context.kinds).get("precision", "")
    if (
        concept in ("peak", "achieved compute", "integer peak", "power", "")
        and own == frozenset({("integer_operation", 1.0), _TIME})
        and precise.startswith(("fp", "bf", "tf"))
    ):
        rule = "integer-ops"
    if ("operation", 1.0) in own and len(own) == 2 and precise.startswith("int") and concept != "work":
        rule = "integer-ops"
    if "=" in words:
        return  # "Ridge point = peak / bandwidth"
    if concept in ("energy", "power") and (unit.kind("period") or re.search(r"/ ?\w+[-·* ]h\b", unit.text)):
        rule = ""  # kWh/GPU·h
    if concept == "energy" and re.match(r"electricity (?:for|of)\b|strom\b(?!verbrauch)", words, re.I):
        rule = ""  # "electricity for the air path", in kW
    if concept == "MACs" and re.search(r"FLOP|\bOPs?\b", words):
        rule = ""  # "GFLOPs per frame (MAC = 2)"
    if concept == "parameters" and re.search(r"adam|optimi[sz]er|gradient|\bstates?\b|\d ?B\)", words, re.I):
        rule = ""  # "Params + Adam (fp32, 12 B)"
    if concept == "carbon intensity" and re.match(r"[ée]missions?\b|co2", words, re.I):
        rule = ""  # "Émissions à 52 gCO2/kWh (t/an)"
    if concept == "power" and re.search(r"batter|bridge|autonomy|\bups\b|\busv\b", words, re.I):
        rule = ""  # "battery bridge at max draw, 5 min"
    if re.search(r"\w (?:times|mal|fois|[×*]) \w", words, re.I):
        rule = ""  # "mean power times life"
    if concept == "power" and _ENERGY.search(words):
        rule = ""  # "kWh per night (TDP)"
    if own == frozenset({("operation", 1.0)}) or own == frozenset({("integer_operation", 1.0)}):
        rule = "flop-rate" if _EACH_SECOND.search(words) else rule
    if rule == "flop-rate" and _TIME in own and (re.search(r"\b[kMGTPE]?FLOPS\b", words) or _NEEDED.match(words)):
        rule = ""
    if rule == "flop-rate" and re.search(r"FLOPS?(?:/s)?[-· ](?:d|days?|h|hours?)\b", words):
        rule = ""  # "PFLOP/s-days at peak"
    counted = own == frozenset() and not unit.kind("period") and any(n == "token" for n, _ in unit.dims or ())
    if (
        concept == "throughput"
        and counted
        and re.search(r"tok.*(?:throughput|per second|/s\b)|throughput.*tok", words, re.I)
    ):
        rule = "token-rate"
    rate = re.search(
        r"\b(?:rate|speed|(?-i:[A-ZÄ][a-zäöü]+(?<!Gene)(?<!Ope))rate)\b(?! limit)|durchsatz|débit", words, re.I
    ) and not re.search("accept|hit|error", words, re.I)
    of_one = {n: e for n, e in unit.dims or () if n not in BUILT}
    if rate and of_one == {"token": 1.0} and not unit.kind("period"):
        rule, concept = "token-rate", "throughput"
    said = re.search(r"(?:per|je|par|/) ?MACs?\b|accumulate is 2", words, re.I)  # "GFLOPs (2 per MAC)"
    if concept == "MACs" and own == frozenset({("operation", 1.0)}) and "FLOP" in unit.text and not said:
        rule = "mac-flop"
    if concept == "parameters" and re.search(r"größe|\bsize\b|taille", words, re.I):
        rule = ""  # of a model, in KiB
    if concept in ("parameters", "active parameters") and any(n == "parameter" for n, _ in unit.dims or ()):
        rule = ""  # "bytes per parameter"
    if concept == "memory" and not re.search(r"memory|hbm|vram|capacity|speicher(?!.*rate)|mémoire", words, re.I):
        rule = ""
    if rule in ("token-rate", "integer-ops") or (
        rule
        and not re.search(
            rf"utili|(?<!server )(?<!host )(?<!node )share|price|cost|{'' if rule == 'flop-rate' else 'per token|'}(?:per|/|pro|par|je) ?(?:gpu[- ]?)?(?:h\b|hour|stunde|heure)|\brate\b|speed|traffic|\breads?\b|writes?|moved|transfer",
            words,
            re.I,
        )
    ):
        yield rule, f"'{words}' names {_article(concept or 'integer peak')}, but its unit is {unit.text}.", ""


_HOW_OFTEN = re.compile(r"\bevery\b|interval|\bhow often|\balle\b|\btou(?:te)?s les\b", re.I)


def _quantity_rules(cell: Cellwise) -> Iterator[Said]:
    """A quantity typed as text that is not of the kind its label names: "3.35 TFLOP/s" for a memory bandwidth."""
    value, concept = cell.context.value, cell.context.concept
    if cell.item.form >= 0 or not isinstance(cell.item.value, str) or value is None or concept not in _DUE:
        return
    if hard(value.dims or ()) == (("time", 1.0),) and _HOW_OFTEN.search(" ".join(cell.context.texts[1:])):
        return  # "every", beside the size of a copy
    due = Value(dims=tuple(sorted(_DUE[concept])), text=_article(concept))
    found = Value(hard(value.dims or ()), value.factor, text=value.text)
    if found.dims and found.dims != due.dims:
        mismatch = compare(found, due)
        rule = rule_of(mismatch, found, due) if mismatch is not None else ""
        yield rule or "dimension", f"{cell.item.value} stands for {_article(concept)} ({cell.label}).", ""
    elif "bit" in value.text and re.search(r"memory|hbm|vram|speicher|mémoire", cell.words, re.I):
        yield "bits-bytes", f"{cell.item.value} counts bits; memory is in bytes ({cell.label}).", ""


def _article(concept: str) -> str:
    return {
        "work": "a count of operations",
        "peak": "a rate of operations",
        "achieved compute": "a rate of operations",
    }.get(concept, ("an " if concept[0] in "aeiou" else "a ") + concept)


_EACH_SECOND = re.compile(r"\b(?:operations|ops|flops?) (?:per second|pro sekunde|par seconde)\b", re.I)
_NEEDED = re.compile(
    r"(?:[kMGTPE]?FLOPs|[Cc]ompute) (?:needed|required|at peak)\b|Rechenbedarf"
)  # that many in a second
_ELECTRICITY = re.compile(
    r"(?:electricity|power|energy) (?:price|tariff)|price of (?:electricity|power)|strompreis|arbeitspreis|prix de l.(?:électricité|énergie)",
    re.I,
)


def _price_of_nothing(cell: Cellwise) -> Iterator[Said]:
    """A price of electricity in euros: it is for a kilowatt-hour, or for a megawatt-hour."""
    value, number = cell.context.value, cell.item.value
    if value is None or cell.item.form >= 0 or not isinstance(number, float) or not cell.context.explicit:
        return
    plain = (
        bool(value.dims) and all(n.startswith("money_in_") for n, _ in value.dims or ()) and not value.kind("period")
    )
    if plain and _ELECTRICITY.search(cell.label) and not re.search(r"wh\b", cell.words, re.I):
        yield (
            "money-rate",
            f"'{cell.label}' is a price in {value.text}, and does not say of how much.",
            "Per kWh, or per MWh?",
        )


def _rate_of_a_number(cell: Cellwise) -> Iterator[Said]:
    """A mean rate of tokens in tokens: per second is left out."""
    value = cell.context.value
    if value is None or not cell.context.explicit or value.kind("period"):
        return
    if cell.item.form < 0 and value.factor != 1.0:
        return  # billions of tokens, in a year
    tokens = [(n, e) for n, e in value.dims or () if n not in COUNTABLE or e > 0] == [("token", 1.0)]
    if (
        tokens
        and not cell.context.headed
        and "tok" in value.text.lower()
        and _RATE.match(" ".join(cell.context.texts[:1]))
    ):
        yield "token-rate", f"'{cell.label}' is a rate, but its unit, {value.text}, is that of a number.", "Per second?"


_RATE = re.compile(r"(?:(?!\b(?:at|bei|à)\b).)*\b(?:rate|throughput|durchsatz|débit)\b(?! (?:limit|card))", re.I)


def _of_all_in_that_of_one(cell: Cellwise) -> Iterator[Said]:
    """A rate of a whole cluster in tokens/s/GPU."""
    value = cell.context.value
    if (
        value is None
        or not cell.context.explicit
        or cell.context.headed
        or not _WHOLE.search("".join(cell.context.texts[:1]))
    ):
        return
    one = next((n for n, e in value.dims or () if n in ("device", "node") and e < 0), "")
    if one and ("time", -1.0) in (value.dims or ()) and "/" in value.text and not has_money(value):
        yield "device-scope", f"'{cell.label}' is of all, but its unit, {value.text}, is of one {thing(one)}.", ""


_WHOLE = re.compile(r", (?:cluster|fleet|all (?:gpus|nodes|replicas)|total)$", re.I)


_FLOAT = frozenset(("bf16", "fp16", "fp8", "fp32", "tf32", "fp64", "fp4"))
_INT_RATE = (("integer_operation", 1.0), ("time", -1.0))


def _float_in_tops(cell: Cellwise) -> Iterator[Said]:
    """A peak in BF16 whose unit is that of integers: TOPS."""
    value, own = cell.context.value, dict(cell.context.kinds).get("precision", "")
    if value is None or not cell.context.explicit or hard(value.dims or ()) != _INT_RATE or own not in _FLOAT:
        return
    if not re.search(r"int\d|integer", cell.words, re.I) and re.search(own, "".join(cell.context.texts[:1]), re.I):
        yield "integer-ops", f"'{cell.label}' is in {own}, but its unit, {value.text}, is of integers.", "TFLOP/s."


def _of_another_quantity(cell: Cellwise) -> Iterator[Said]:
    """A power in GB, a bandwidth in GB, a number of GPUs in GB/s: what unit column or format says of a typed figure."""
    value = cell.context.value
    if value is None or not cell.context.explicit:
        return
    texts = [t for t in cell.context.texts if not plain_unit(t)]  # a line of units below the names
    if cell.context.headed:
        texts = texts[-1:] if len(texts) == len(cell.context.texts) else texts[1:]
    label = re.sub(rf",? [\[(]{re.escape(value.text)}[\])]$", "", "".join(texts[:1]).strip())
    own = hard(value.dims or ())
    countable = not cell.context.headed and not has_money(value) and cell.item.form < 0
    if own and len(value.text) > 1 and countable and _NUMBER_OF.fullmatch(label):
        yield "unit-contradiction", f"'{cell.label}' is a number of things, but its unit is {value.text}.", ""
        return
    if own and countable and _LENGTH.match(label):
        yield "unit-contradiction", f"'{cell.label}' is a number of tokens, but its unit is {value.text}.", ""
        return
    due = next((dims for pattern, dims in _SURELY if pattern.match(label)), own)
    computed = cell.computed
    typed = computed is None or (computed.dims == () and not computed.parts)  # 365/12, of numbers alone
    worked = due if computed is None or typed else hard(computed.dims or ())
    if own and own != due == worked and not has_money(value) and not (value.kind("period") and set(own) < set(due)):
        rule = _PAIRS.get(("power", frozenset(own)), "") if due == _POWER else ""
        yield rule or "unit-contradiction", f"'{cell.label}' is in {value.text}, which is no unit of it.", ""


_POWER: Dims = (("energy", 1.0), _TIME)
_ONE = r"(?:,? (?:per|of an?|je|par|/|in) ?[\w-]+(?: SXM\d?| PCIe)?(?: while \w+)?)?(?: \(.*\))?$"
_VOLT: Dims = (("current", -1.0), ("energy", 1.0), _TIME)
_SURELY: tuple[tuple[re.Pattern[str], Dims], ...] = (
    (re.compile(rf"(?:(?:gpu|card|chip|server|node|mean|average|measured|mittlere) )*(?:tdp|tbp|tgp|board power|power(?: (?:limit|draw|cap)(?: \(tdp\))?)?|draw|leistungsaufn(?:ahme|\.)|puissance){_ONE}", re.I), _POWER),
    (
        re.compile(rf"(?:memory bandwidth|hbm bandwidth|speicherbandbreite|bande passante mémoire){_ONE}", re.I),
        (("information", 1.0), _TIME),
    ),
    (re.compile(r"(?:battery |mean |nominal )?(?:voltage|spannung|tension)$", re.I), _VOLT),
    (
        re.compile(r"(?:days|hours|minutes|seconds|tage|stunden|jours|heures) (?:per|in (?:a|one)|je|pro|par|im) (?:day|week|month|year|tag|woche|monat|jahr|jour|semaine|mois|an)$", re.I),
        (("time", 1.0),),
    ),
    (
        re.compile(r"(?:ttft|tpot|itl|latency|latenz|latence|wall[- ](?:clock )?time|step time|time per (?:output )?(?:step|token)|round[- ]trip(?: time)?|rtt|response time|antwortzeit|run time|laufzeit|duration|dauer|durée)(?: p\d\d|,? (?:per|of an?|je|par) [\w ]+|,? (?:mean|measured|p\d\d|mittel|moyenne))*$", re.I),
        (("time", 1.0),),
    ),
    (
        re.compile(r"(?:memory|memory capacity|hbm capacity|vram|speicher|mémoire|capacity|capacité|kapazität)(?:,? (?:per|of an?|je|par) (?:gpu|card|drive|server|node|karte|carte|disque))$", re.I),
        (("information", 1.0),),
    ),
)  # fmt: skip
_LENGTH = re.compile(
    r"(?:context|sequence|kontext)(?: ?(?:length|länge))?$|longueur de (?:contexte|séquence)$|contexte$", re.I
)
_NUMBER_OF = re.compile(
    r"(?:#|number of |no\. of |anzahl |nombre de )?(?:gpus?|cards|karten|cartes|nodes|knoten|nœuds|servers?|serveurs|racks|replicas|layers|schichten|couches|kv heads|heads|users|nutzer|utilisateurs)"
    r"(?: (?:per|in an?|je|par|im|pro) (?:node|server|rack|replica|instance|knoten|nœud|serveur|réplique|replik))?",
    re.I,
)

_NOUNS = {
    "money": r"fees?|prices?|costs?|rent|salary|\w*preise?|\w*kosten|\w*gebühr(?:en)?|miete|prix|coûts?|loyer",
    "time": r"latency|response time|lead time|ttft|tpot|service life|lifetime|nutzungsdauer|lieferzeit|antwortzeit|latenz|durée|délai|latence",
    "water": r"water|wasser\w*|eau",
    "mass_of_co2e": r"emissions?|co2e?|carbon|émissions?|emissionen",
}
_NAMED = {base: re.compile(rf"\b(?:{words})\b", re.I) for base, words in _NOUNS.items()}


def _named_otherwise(cell: Cellwise) -> Iterator[Said]:
    """A latency in dollars, water in kWh: a figure whose label names one quantity and its unit another."""
    value, worked = cell.context.value, _bases(cell.computed)
    if value is None or not cell.context.explicit or not hard(value.dims or ()):
        return
    for text in cell.context.texts:
        unit = read_label(text).unit
        if unit is None or unit.text != value.text or not hard(unit.dims or ()):
            continue
        found = [(match.start(), base) for base, pattern in _NAMED.items() if (match := pattern.search(text))]
        right = cell.item.form < 0 or (len(found) == 1 and found[0][1] in worked)
        if right and len(found) == 1 and found[0][0] < 12 and found[0][1] not in _bases(unit):
            yield "unit-contradiction", f"'{cell.label}' names another quantity than its unit, {value.text}, is of.", ""
            return


def _bases(value: Value | None) -> set[str]:
    """Return the quantities that a value is a multiple of."""
    dims = hard(value.dims or ()) if value is not None else ()
    return {"money" if n.startswith("money_in_") else n for n, e in dims if e > 0}


def _bytes_in_bits(cell: Cellwise) -> Iterator[Said]:
    """So many bytes, by the label, whose unit says bits."""
    value = cell.context.value
    if value is None or not cell.context.explicit or hard(value.dims or ()) != (("information", 1.0),):
        return
    few = isinstance(cell.item.value, float) and 0 < cell.item.value < 16  # 16 and 32 are bits
    if (
        few
        and re.match(r"bits?$", value.text, re.I)
        and re.match(r"(?:bytes?|octets?)\b(?!.*\bbits?\b)", cell.label, re.I)
    ):
        yield "unit-contradiction", f"'{cell.label}' counts bytes, but its unit is {value.text}.", ""


_CLOCK = re.compile(
    r"(?!wall|clock time)(?:\w+ )?(?:clock|frequency|takt(?:rate|frequenz)?|fréquence)\b(?! (?:time|period|cycles|hours|offset|drift|skew|jitter|error|sync))",
    re.I,
)


def _clock_in_seconds(cell: Cellwise) -> Iterator[Said]:
    """A clock rate whose unit is a time."""
    value = cell.context.value
    timed = (
        value is not None and cell.context.explicit and bool(value.text) and hard(value.dims or ()) == (("time", 1.0),)
    )
    if timed and value is not None and _CLOCK.match(cell.entity or " ".join(cell.context.texts[:1])):
        yield "unit-contradiction", f"'{cell.label}' names a frequency, but its unit is {value.text}.", ""


def _hour_by_the_year(cell: Cellwise) -> Iterator[Said]:
    """The cost of a GPU-hour, in euros per year."""
    value = cell.context.value
    if value is None or not cell.context.explicit or not has_money(value) or not value.kind("period"):
        return
    unit = read_unit(value.text)
    hourly = {("device", -1.0), ("time", -1.0)} <= set(value.dims or ())
    if hourly and unit is not None and unit.kind("period") and "time" not in dict(unit.dims or ()):
        yield "money-rate", f"'{cell.label}' is the price of an hour of a GPU, but its unit is {value.text}.", ""


_OF_A_PERIOD = re.compile(
    r"(?:\w+ )?(seconds|minutes|hours|days|weeks|sekunden|minuten|stunden|tage|wochen|secondes|heures|jours|semaines) "
    r"(?:per|in an?|in the|je|pro|par|im) (?:day|week|month|year|tag|woche|monat|jahr|jour|semaine|mois|an)",
    re.I,
)


def _hours_in_days(cell: Cellwise) -> Iterator[Said]:
    """Hours per month, whose unit is days."""
    value = cell.context.value
    if value is None or not cell.context.explicit or value.dims != (("time", 1.0),) or not value.text:
        return
    match = _OF_A_PERIOD.fullmatch("".join(cell.context.texts[:1]).strip())
    counted = (read_unit(match[1]) or read_unit(match[1].lower())) if match is not None else None
    if match is not None and counted is not None and value.factor != counted.factor:
        yield "unit-contradiction", f"'{cell.label}' counts {match[1].lower()}, but its unit is {value.text}.", ""


_COSTS = re.compile(r"\b(?:\w*kosten|costs?|coûts?|bill|invoice|rechnung|facture|fees?|budget)\b", re.I)


def _money_in_kilograms(cell: Cellwise) -> Iterator[Said]:
    """Costs whose unit column says t CO2e or kWh, worked out from money."""
    value, computed = cell.context.value, cell.computed
    if value is None or computed is None or not cell.context.explicit or cell.context.headed or has_money(value):
        return
    physical = {"energy", "mass_of_co2e", "information", "operation", "water"} & {n for n, _ in hard(value.dims or ())}
    money = has_money(computed) and not any(e < 0 for _, e in hard(computed.dims or ()))
    if cell.context.concept == "money" and physical and money and _COSTS.search(cell.label):
        yield "unit-contradiction", f"'{cell.label}' names money, but its unit is {value.text}.", ""
