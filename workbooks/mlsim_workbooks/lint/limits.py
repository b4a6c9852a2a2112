"""More than can be: a utilisation above 1, a PUE below 1, a rate above the chip's peak, memory above its capacity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard
from mlsim_workbooks.lint.estimate import Estimate
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.reader import WIDE
from mlsim_workbooks.lint.registry import Names, values
from mlsim_workbooks.lint.shapes import summands
from mlsim_workbooks.lint.typed import typed_slip

__all__ = ["limit_findings"]

_SHARES = ("share", "share of the day")
_BOUNDED = re.compile(
    r"\bm[fb]u\b|\bhfu\b|utili|\butil\b|auslastu?n?g|wirkungsgrad|ausnutzung|occupan|availab|verfügbar|effici|effiz|\bduty|hit[ -]?rate|acceptance"
    r"|rendement|\bbusy\b|load factor|goodput (?:ratio|share)|(?:reach|achiev|attain)\w*|erreicht|atteint|taux d|usable|nutzbar"
    r"|success rate|how much of|\bof (?:it|that|them)\b|\bfill\b|füll|remplissage|\bsla\b|uptime|share|fraction|anteil|\bpart\b|\beff\b|of (?:the )?(?:dense )?peak",
    re.I,
)  # fmt: skip
_LOADED = re.compile(
    r"\b(?:average|mean|avg|mittlere|durchschnittliche|moyenne)\b.*\b(?:load|draw|power|last|leistung)\b|\bcharge moyenne|puissance moyenne"
    r"|% of (?:tdp|nameplate|rated|max\w*|paid|registered|peak)\b|% (?:du|de la|der|des|vom) (?:tdp|pointe|maxim\w*|nennleistung)|covered by",
    re.I,
)
_AT_A_LOAD = re.compile(r"\b(?:at|bei|à) \d+ ?% \w+", re.I)  # "Scenes per second at 25 % utilisation"
_COUNTING = re.compile(
    r"(?:#|number of |anzahl |nombre de )?(?:gpus|cards|karten|cartes|servers?|serveurs|nodes|knoten|replicas|instances)\b",
    re.I,
)
_OPEN = re.compile(
    r"overhead|(?:peak|busy hour|max\w*)[- ](?:to|over)|oversub|growth|memory|hbm|vram|speicher|mémoire|speed-?up|scaling|bubble|(?<!load )factor|vs\b|relative|increase|change|cost|price|of one|margin|\bmal\b|\bfois\b|\btimes\b",
    re.I,
)
_REACHED = re.compile(
    r"achiev|measured|observed|sustained|effective|reached|real\b|actual|gemessen|erreicht|mesuré|logged|stream", re.I
)
_USED = re.compile(
    r"\bused\b|in use|allocated|peak memory|reserved|belegt|utilisée?|occupied|max(?:imum)? memory|memory (?:peak|observed)|allocator|high[- ]?water|observed|footprint",
    re.I,
)
_MEASURED = re.compile(f"{_REACHED.pattern}|{_USED.pattern}", re.I)


def limit_findings(inference: Inference, names: Names) -> Iterator[tuple[Cellwise, Said]]:
    """Yield (cell, what is said) for numbers beyond what can be."""
    estimate = Estimate(inference)
    relevant: dict[int, bool] = {}
    for cell in inference.cells.values():
        said = (
            _odd_one_out(inference, cell)
            or _percent_sum(inference, cell, estimate)
            or _growth_sum(inference, cell)
            or _ratio_sum(inference, cell)
            or _weights(inference, cell, estimate)
            or _of_peak(cell, estimate)
            or _of_memory(inference, cell, estimate)
            or _over_full(inference, cell, estimate)
            or _other_mix(inference, cell)
            or typed_slip(inference, cell)
        )
        if said is None and _limited(cell, relevant):
            said = (
                _fraction(cell, estimate)
                or _inverted(cell)
                or _chip(cell, names)
                or _beyond_what_is_stated(inference, cell, estimate)
            )
        if said is not None:
            yield cell, said


def _odd_one_out(inference: Inference, cell: Cellwise) -> Said | None:
    """A number typed as 20 in a column of cells formatted as %."""
    number = cell.item.value
    if cell.item.form >= 0 or not isinstance(number, float) or cell.context.percent or not 0 < number <= 100:
        return None
    if number <= 1:
        return _fraction_among(inference, cell, number)
    if cell.context.value is not None and (cell.context.value.dims or cell.context.value.text):
        return None  # it states a unit of its own
    beside = [inference.near(cell, step) for step in (-1, 1)]
    column = bool(cell.context.label) and all(b is not None and b.context.texts == cell.context.texts for b in beside)
    if (
        not column
        and not _BOUNDED.search(cell.words)
        and cell.context.concept not in ("ratio", "MFU", "growth", *_SHARES)
    ):
        return None  # a line of a list, about something else
    if all(
        b is not None and b.context.percent and isinstance(b.item.value, float) and b.item.value <= 1 for b in beside
    ):
        return (
            "percent",
            f"'{cell.label}' is {number:g} among percentages that are stored as fractions.",
            f"Type {number:g}%.",
        )
    return None


def _fraction_among(inference: Inference, cell: Cellwise, number: float) -> Said | None:
    """A number typed as 0.9 in a row or column of percentages such as 90."""
    value = cell.context.value
    if value is None or value.text != "%" or abs(value.factor - 0.01) > 1e-9 or number == 0:
        return None
    for down, across in ((1, 0), (0, 1)):
        steps = (-2, -1, 1, 2)
        near = [inference.near(cell, s * down, s * across) for s in steps]
        typed = [c.item.value for c in near if c is not None and c.item.form < 0 and c.context.value == value]
        if len(typed) >= 2 and all(isinstance(n, float) and n >= 20 for n in typed):
            return "percent", f"'{cell.label}' is {number:g} among percentages such as {typed[0]:g}.", ""
    return None


def _limited(cell: Cellwise, relevant: dict[int, bool]) -> bool:
    """Tell whether a cell's labels say that it has a limit; cells of one context share the answer."""
    found = relevant.get(id(cell.context))
    if found is None:
        texts, value = " ".join(cell.context.texts).replace("_", " "), cell.context.value
        bare = value is not None and not value.dims
        found = bare or bool(_SEEN.search(texts)) or cell.context.percent or bool(_BY_TITLE.search(texts))
        relevant[id(cell.context)] = found
    return found or bool(cell.entity and _SEEN.search(cell.entity))


_BY_TITLE = re.compile(r"\bgemm\b|matmul|\bcopy\b|hbm|stream", re.I)  # measured, as the title over them says
_FRACTIONS = ("MFU", "ratio", *_SHARES, "growth", "money", "PUE", "achieved compute", "bandwidth", "peak", "")


def _fraction(cell: Cellwise, estimate: Estimate) -> Said | None:
    context, typed = cell.context, cell.item.form < 0
    value = context.value
    written = value is not None and value.text == "fraction" and context.explicit
    if context.concept not in _FRACTIONS and not context.percent and not written:
        return None
    if value is None or (value.dims and (value.text != "fraction" or hard(value.dims))):
        return None
    if value.text == "x":
        return None  # so many times another
    words = _AT_A_LOAD.sub(" ", cell.words.replace("_", " "))
    plain = re.sub(r"memory|hbm|vram|speicher|mémoire", "", words, flags=re.I)
    if value.factor != value.factor:  # "(%)" beside a number of at most 1
        sure = context.concept in ("MFU", "ratio") and _BOUNDED.search(words) and not _OPEN.search(plain)
        if not sure:
            return None
        message = f"'{cell.label}' is {cell.item.value} under a label in %: {cell.item.value} % is meant?"
        return "percent", message, "Type it in %, or format the cell as %."
    number = cell.item.value if typed else None
    if context.concept == "PUE":
        if isinstance(number, float) and 0 < number < 0.995:
            return (
                "above-limit",
                f"A PUE of {number:g}: a facility cannot use less than its IT load.",
                "PUE is 1 or more.",
            )
        return None
    if isinstance(number, float):
        said = _percent(cell, number, words)
        if said is not None and not _in_hundredths(estimate.inference, cell.key):
            return said
    if _COUNTING.match(cell.label) and not context.percent:
        return None  # "GPUs at full load"
    if value.text == "fraction" and not typed and context.explicit:
        number = estimate.of(cell.key)
        if number is not None and 1.0005 < number < 200:
            return "above-limit", f"'{cell.label}' is {number:.2f} as a fraction: more than all of it.", ""
    bounded = _BOUNDED.search(words) or (typed and _LOADED.search(words))
    if not bounded or _OPEN.search(plain if typed else words):
        return None
    if not typed and (context.concept == "MFU" or _RATE.search(words)):
        number = estimate.of(cell.key)
    if not isinstance(number, float) or (not value.text and context.concept not in ("MFU", "ratio", *_SHARES)):
        return None
    share = number * value.factor
    if value.text == "ratio":
        return None
    if typed and value.factor == 1.0 and not context.percent and number >= 2 and number == int(number):
        return None  # a count under the title of a table of shares
    if 1.0005 < share < 200:  # beyond that it is no share
        return "above-limit", f"'{cell.label}' is {share:.0%}: more than all of it.", ""
    return None


def _in_hundredths(inference: Inference, key: Key) -> bool:
    """Tell whether the formulas that use a percentage divide it by 100."""
    users = inference.users.get(key, [])
    return any(c.computed is not None and {0.01, 100.0} & set(c.computed.numbers) for c in users)


_RATE = re.compile(r"utili|auslastung|effici|effiz|\bm[fb]u\b|of (?:the )?(?:dense )?peak|reach|achiev|rendement", re.I)
_FRACTION = re.compile(
    r"vat|tax|growth|discount|margin|overhead|load|charge|steuer|rabatt|wachstum|taxe|croissance|memory|memoire|speicher",
    re.I,
)


def _percent(cell: Cellwise, number: float, words: str) -> Said | None:
    """A percentage typed as 45 where its format or its label makes it a fraction, and the other way round."""
    context, value = cell.context, cell.context.value
    assert value is not None
    label = cell.label
    if context.percent and (2 <= number <= 100 or (number > 1 and _BELOW_ONE.search(" ".join(context.texts[:1])))):
        return (
            "percent",
            f"'{label}' is {number:g} in a cell formatted as %, which shows {number:.0%}.",
            f"Type {number:g}%.",
        )
    bounded = bool(_BOUNDED.search(words))
    said_so = bool(re.search(r"\bas a fraction\b|\(fraction of\b", words, re.I))
    said_so |= value.text.casefold() in ("fraction", "0-1", "0–1", "0..1") and context.explicit
    if (len(label) > 45 and not said_so) or value.text == "ratio":
        return None  # a title over a table, not a label
    fraction = said_so or (
        value.factor == 1.0
        and context.concept in ("MFU", "ratio", "growth", *_SHARES)
        and value.text in ("", "fraction", "ratio")
    )
    if (
        fraction
        and not context.percent
        and 5 <= number <= 100
        and (said_so or bounded or _FRACTION.search(words))
        and not re.search("(?<!load )factor|speed", words, re.I)
    ):
        return (
            "percent",
            f"'{label}' is {number:g}, which as a fraction is {number:.0%}.",
            "Write it as a fraction, or label it %.",
        )
    return None


_BELOW_ONE = re.compile(
    r"\b(?:fees?|tax|vat|discount|rebate|commission|rabatt|skonto|gebühr(?:en)?|mwst|steuer|frais|remise|tva)\b", re.I
)
_COMPARED = re.compile(
    r"speed-?up|ratio|vs\b|versus|relative|faster|gain|\bover\b|oversub|times|than|need|required|devices|gpus", re.I
)


def _of_peak(cell: Cellwise, estimate: Estimate) -> Said | None:
    """A rate over the peak it is a part of, above 1."""
    computed = cell.computed
    if computed is None or computed.dims is None or hard(computed.dims) or computed.factor != computed.factor:
        return None
    over = {"1/peak", "1/bandwidth", "1/integer peak"} & computed.parts
    words = cell.words
    if (
        not over
        or cell.context.concept == "PUE"
        or _COMPARED.search(words)
        or any(p.startswith("1/") for p in computed.parts - over - {"1/ratio", "1/share", "1/latency", "1/hours"})
    ):
        return None
    value = cell.context.value
    number = estimate.of(cell.key)
    if number is None or value is None or value.dims or value.factor != value.factor:
        return None
    share = number * value.factor
    numerator = {"peak", "bandwidth", "integer peak"} & computed.parts
    if 1.0005 < share < 50 and (
        not numerator or _REACHED.search(words) or re.search(r"share|\bof\b|utili|anteil|\bused\b", words, re.I)
    ):
        return "above-limit", f"'{cell.label}' is {share:.0%} of a peak.", ""
    return None


_SEEN_MEMORY = re.compile(
    r"measured|observed|logged|reported|\bseen\b|in production|allocated|peak mem|max mem|high[- ]?water|nvidia-smi|gemessen|mesuré",
    re.I,
)


def _over_full(inference: Inference, cell: Cellwise, estimate: Estimate) -> Said | None:
    """More memory planned than there is, in a workbook that does not ask what fits."""
    computed, value = cell.computed, cell.context.value
    if cell.item.form < 0 or computed is None or computed.dims is None or value is None:
        return None
    share = computed.dims == () and (
        value.text in ("%", "fraction") or cell.context.percent or bool(_SHARE_OF.match(cell.context.label))
    )
    share = share and "~information" in computed.parts and "~time" not in computed.parts
    left = hard(value.dims or ()) == (("information", 1.0),) and bool(_LEFT_OVER.search(cell.words))
    if not (share or left) or not _OF_MEMORY.search(cell.words):
        return None
    number = estimate.of(cell.key)
    if number is None or not (1.0005 < number * value.factor < 50 if share else number < 0):
        return None
    if any(x * value.factor > 1.0005 if share else x < 0 for x in _beside(inference, cell, estimate)):
        return None  # several cases, of which some fit
    if any(map(_WHAT_FITS.search, inference.book.texts)):
        return None
    shown = f"{number * value.factor:.0%}: more than there is" if share else f"{number:g}: less than nothing"
    return "above-limit", f"'{cell.label}' is {shown}.", "Take fewer, or say that it does not fit."


_OF_MEMORY = re.compile(r"memory|\bhbm|vram|speicher|m[ée]moire|\bs?ram\b|\bflash\b|\bkv\b|weights", re.I)
_LEFT_OVER = re.compile(r"\b(?:free|left|remaining|room|frei|libre|reste|restante?|übrig)\b", re.I)
_WHAT_FITS = re.compile(
    r"\boom\b|out[- ]of[- ]memory|n[o'’]t fit|crash|passt nicht|ne (?:tient|rentre) pas|too (?:big|large)|zu groß|trop gr",
    re.I,
)


def _of_memory(inference: Inference, cell: Cellwise, estimate: Estimate) -> Said | None:
    """More memory or bandwidth measured than there is: what was seen over what the chip or the link has."""
    tree = inference.tree(cell.item.form) if cell.item.form >= 0 else None
    if isinstance(tree, sx.Binary) and tree.operator == "*" and tree.right == sx.Number(100.0):
        tree = tree.left
    if not isinstance(tree, sx.Binary) or tree.operator != "/":
        return None
    if _typed_use(inference, cell, tree) and 1.0005 < (_share(cell, estimate)) < 50:
        return "above-limit", f"'{cell.label}' is {_share(cell, estimate):.0%}: more than there is.", ""
    if cell.context.value is None:
        return None
    seen, held = inference.cell_of(cell, tree.left), inference.cell_of(cell, tree.right)
    if seen is None or held is None:
        return None
    dims = {hard(c.value.dims or ()) for c in (seen, held)}
    memory = dims == {(("information", 1.0),)}
    rate = dims == {(("information", 1.0), ("time", -1.0))} and not _COMPARED.search(cell.words)
    if not memory and not rate:
        return None
    said = f"{seen.words} {inference.book.grids[cell.sheet].name}".replace("_", " ")
    if not _SEEN_MEMORY.search(said) or _MEASURED.search(held.words):
        return None
    number = estimate.of(cell.key)
    share = number * cell.context.value.factor if number is not None else 0.0
    if 1.0005 < share < 50:
        return (
            "above-limit",
            f"'{cell.label}' is {share:.0%}: more {'memory' if memory else 'bandwidth'} than there is.",
            "",
        )
    return None


def _share(cell: Cellwise, estimate: Estimate) -> float:
    """Return a share as a fraction, 0 where nobody knows it."""
    number = estimate.of(cell.key) or 0.0
    factor = cell.context.value.factor if cell.context.value is not None else 1.0
    return number * factor if factor == factor else 0.0


_IN_USE = re.compile(r"\bused\b|\bin use\b|utili[sz]|occup|belegt|\bfill|remplissage|auslastung", re.I)
_PLANNED = re.compile(r"need|required|demand|plan|forecast|would|target|budget|bedarf|nötig|besoin|if\b", re.I)


def _typed_use(inference: Inference, cell: Cellwise, tree: sx.Binary) -> bool:
    """Tell whether a share in use is of typed figures over a typed whole, all of one unit."""
    if (
        not _IN_USE.search(cell.words.replace("_", " "))
        or _PLANNED.search(cell.words)
        or cell.context.concept == "money"
    ):
        return False
    held = inference.cell_of(cell, tree.right)
    parts = [inference.cell_of(cell, n) for n in summands(tree.left)]
    if held is None or any(p is None for p in parts):
        return False
    cells = [held, *(p for p in parts if p is not None)]
    units = {hard(c.value.dims or ()) for c in cells}
    return all(c.item.form < 0 for c in cells) and len(units) == 1 and () not in units


def _inverted(cell: Cellwise) -> Said | None:
    """A utilisation that divides the peak by what is reached."""
    if (
        cell.computed is None
        or cell.context.concept not in ("MFU", "ratio", *_SHARES)
        or hard(cell.computed.dims or (("x", 1.0),))
    ):
        return None
    if "peak" in cell.computed.parts and "1/achieved compute" in cell.computed.parts:
        return "above-limit", f"'{cell.label}' divides the peak by what is reached: the ratio is upside down.", ""
    return None


def _chip(cell: Cellwise, names: Names) -> Said | None:
    """A typed rate or size above what the chip named beside it has."""
    context, number, value = cell.context, cell.item.value, cell.context.value
    if (
        cell.item.form >= 0
        or not isinstance(number, float)
        or value is None
        or not value.dims
        or value.factor != value.factor
    ):
        return None
    soft = dict(value.dims)
    if any(soft.get(n, 0) > 0 for n in ("device", "node", "rack")) or soft.get("node") or soft.get("rack"):
        return None
    words = f"{cell.words} {names.inference.title(cell.sheet, cell.item.row)}"
    dims = dict(hard(value.dims))
    if dims == {"operation": 1.0, "time": -1.0} and _REACHED.search(words):
        attribute, name = "peak_compute", "dense peak"
    elif (
        dims == {"information": 1.0, "time": -1.0}
        and _REACHED.search(words)
        and (value.text == "TB/s" or re.search(r"hbm|memory|\bbw\b|bandwidth|read", words, re.I))
    ):
        attribute, name = "memory_bandwidth", "bandwidth"
    elif (
        dims == {"information": 1.0}
        and _USED.search(words)
        and re.search(r"hbm|vram|gpu|memory|speicher|mémoire", words, re.I)
    ):
        attribute, name = "memory_capacity", "memory"
    else:
        return None
    if re.search(r"network|nvlink|pcie|link|total|node|cluster|fleet|all gpus|host|cpu|disk", words, re.I):
        return None
    chip, _, weak = names.of(cell)
    if not chip or (weak and attribute == "memory_capacity" and not re.search("gpu", words, re.I)):
        return None
    limit = _limit(chip, attribute, dict(context.kinds).get("precision", ""))
    if limit and number * value.factor > limit * 1.02:
        return "above-limit", f"'{cell.label}' is {number * value.factor / limit:.2f} times the {name} of {chip}.", ""
    return None


_STATED = re.compile(
    r"\bspecs?\b|nominal|theoretical|line[- ]rate|\bmax(?:imum)?\b|limit|capacity|rated|data ?sheet|kapazität|capacité|datenblatt"
    r"|\bpeak bandwidth|possible",
    re.I,
)
_SEEN = re.compile(rf"{_MEASURED.pattern}|profil|\bncu\b|iperf|benchmark", re.I)
_NO_CONTENT = """the of a an per all and with from at in by for measured observed achieved sustained profiler used peak nominal
    theoretical real actual gemessen mesuré"""
_FILLER = frozenset(_NO_CONTENT.split())
_ANY_TOTAL = frozenset((("total", "total"),))
_REACH = 40  # rows up and down in which a list states its limits


def _beyond_what_is_stated(inference: Inference, cell: Cellwise, estimate: Estimate) -> Said | None:
    """A figure said to be measured above the one that the sheet itself states for the same thing."""
    number, value = cell.item.value, cell.context.value
    if cell.item.form >= 0 or not isinstance(number, float) or value is None or not hard(value.dims or ()):
        return None
    own = f"{cell.entity} {cell.context.label}".replace("_", " ")
    if not _SEEN.search(own) or _STATED.search(own) or value.factor != value.factor:
        return None
    words = _content(own)
    row, col = cell.item.row, cell.item.col
    column = [(row + step, col) for step in range(-_REACH, _REACH + 1) if step]
    for place in [*column, (row, col - 1), (row, col + 1)]:
        other = inference.at(cell.sheet, *place)
        if other is None or other.context.value is None or other.context.value.dims != value.dims:
            continue
        said = f"{other.entity} {other.context.label}".replace("_", " ")
        content = _content(said)
        same = content <= words or (abs(place[0] - row) == 1 and bool(content & words) and bool(_STATED.search(said)))
        if _SEEN.search(said) or not content or not same or other.context.kinds - cell.context.kinds - _ANY_TOTAL:
            continue
        if not _STATED.search(said) and other.context.concept != "bandwidth":
            continue
        stated = estimate.of((cell.sheet, place[0] * WIDE + place[1]))
        if stated and number * value.factor > stated * other.context.value.factor * 1.02:
            return "above-limit", f"'{cell.label}' is {number:g}, more than '{other.label}' of {stated:g}.", ""
    return None


def _content(text: str) -> frozenset[str]:
    """Return the words that say what a figure is of."""
    plain = _STATED.sub(" ", re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", text))
    return frozenset(re.findall(r"[^\W\d_]{2,}", plain.lower())) - _FILLER


def _limit(chip: str, attribute: str, precision: str) -> float:
    if attribute == "peak_compute":
        formats = (precision,) if precision else ("bf16", "fp8", "fp16", "fp4")
        return max((v for p in formats for v in values(chip, f"peak_compute {p}")), default=0.0)
    return max(values(chip, attribute), default=0.0)


_GROWTH = re.compile(r"\bgrowth\b|wachstum|croissance", re.I)
_ADDED = re.compile(
    r"overhead|loss|lost|downtime|tax|fee|surcharge|contingency|aufschlag|marge|margin|reserve|discount|steuer|verlust|check|kontrolle",
    re.I,
)


_WEIGHT = re.compile(r"weight|gewicht|poids|pondération", re.I)
_LOAD = re.compile(r"share of (?:the )?(?:interval|time|day|week|link|bandwidth|write)", re.I)  # of several jobs


def _summed(inference: Inference, cell: Cellwise) -> Mapping[Key, Cellwise]:
    """Return the cells that a formula adds up, if it does nothing but sum one range, or three cells and more."""
    tree = inference.tree(cell.item.form) if cell.item.form >= 0 else None
    match tree:
        case sx.Call(name="SUM", args=(sx.Area(),)):
            return inference.uses(cell)
        case sx.Binary(operator="+"):
            terms = summands(tree)
            return (
                inference.uses(cell) if len(terms) > 2 and all(isinstance(t, (sx.Ref, sx.Name)) for t in terms) else {}
            )
    return {}


def _growth_sum(inference: Inference, cell: Cellwise) -> Said | None:
    """The growth of two years, added up."""
    if cell.item.form < 0 or not _grows(cell):
        return None
    tree = inference.tree(cell.item.form)
    terms = [inference.cell_of(cell, n) for n in summands(tree)] if isinstance(tree, sx.Binary) else []
    if len(terms) < 2 or not all(c is not None and _grows(c) and _is_share(c) for c in terms):
        return None
    return "percent-sum", f"'{cell.label}' adds up growth rates.", "Growth compounds: (1 + a) (1 + b) - 1."


def _grows(cell: Cellwise) -> bool:
    """Tell whether a cell is a growth rate by its own label."""
    return not cell.entity and bool(_GROWTH.search("".join(cell.context.texts[:1])))


def _percent_sum(inference: Inference, cell: Cellwise, estimate: Estimate) -> Said | None:
    """A sum of percentages that are no parts of one whole: loads, hit rates, utilisations."""
    used = _summed(inference, cell)
    cells = list(used.values())
    if len(cells) < 2 or not all(_is_share(c) for c in cells):
        return None
    said = "percent-sum", f"'{cell.label}' sums percentages that are not parts of one whole.", ""
    if _one_whole(inference, cells) or all(_LOAD.search(c.words) for c in cells) or _WEIGHT.search(cell.words):
        return None
    if (off := _parts_of_a_whole(inference, cell, cells, estimate)) is not None:
        return off
    averaged = _AVERAGED.search(cell.words) and not re.search(r"\bsum\b|summe|\btotal|somme", cell.words, re.I)
    whole = estimate.of(cell.key)
    if averaged and whole is not None and abs(whole * cells[0].value.factor - 1) < 0.005:
        return None  # shares of one whole, in a line of means
    if averaged or _denominators_differ(inference, cells):
        return said
    words = f"{cells[0].words} {cell.words}"
    across = len({c.item.row for c in cells}) == 1 and len({(c.entity, *c.context.texts[:1]) for c in cells}) == 1
    both = re.search(r"\b(?:both|together|combined|effective|overall|zusammen|ensemble)\b", cell.words, re.I)
    discounts = all(re.search(r"discount|rabatt|remise", c.words, re.I) for c in cells)
    if both and discounts:
        return said  # 1 - (1 - a) (1 - b) is due
    if _ADDED.search(words) and not across:
        return None
    numbers = [estimate.of(k) for k in used]
    known = [n for n in numbers if n is not None]
    total = sum(known) * (cells[0].value.factor if cells[0].value.factor == cells[0].value.factor else 1.0)
    if len(known) == len(numbers) and total <= 1.0 and len(_wholes(inference, cells)) == 1:
        return None  # each of one and the same, and all no more than that
    if (
        len(known) == len(numbers)
        and total <= 1.0
        and re.search(r"\bload\b|auslastung|charge\b", cell.context.label, re.I)
    ):
        return None  # of one machine, by several users
    if len(known) == len(numbers):
        wrong = total > 1.02 or (not 0.995 < total < 1.005 and bool(_NO_PARTS.search(words)))
    else:
        wrong = cells[0].context.concept not in _SHARES and not re.search(
            r"share|anteil|\bpart|mix|split|\bfrac", words, re.I
        )
    if not wrong:
        return None
    return said


def _parts_of_a_whole(inference: Inference, cell: Cellwise, cells: list[Cellwise], estimate: Estimate) -> Said | None:
    """Typed shares that add up to 95 % below "Sum", or where the columns beside add up to 100 %."""
    total = estimate.of(cell.key)
    factor = cells[0].value.factor
    if total is None or factor != factor or len(cells) < 3 or any(c.item.form >= 0 for c in cells):
        return None
    whole, others = total * factor, _beside(inference, cell, estimate)
    if abs(whole - 1.0) < 0.005 or not 0.7 < whole < 1.4:
        return None
    others_whole = bool(others) and all(abs(x * factor - 1.0) < 0.005 for x in others)
    if not others_whole and whole < 1.0 and not _TOTAL.fullmatch(cell.context.label.strip()):
        return None
    return "percent-sum", f"'{cell.label}' adds shares up to {whole:.0%}.", "They are parts of one whole."


_TOTAL = re.compile(
    r"(?:sum|total|all|check|summe|gesamt|kontrolle|somme|tou(?:te)?s)(?: (?:of|der|des|du|de|shares|anteile|parts)\b.*)?",
    re.I,
)


def _other_mix(inference: Inference, cell: Cellwise) -> Said | None:
    """One of the shares of a mix that differs from the case beside it, where those add up to 100 % and these do not."""
    sheet, row, col = cell.sheet, cell.item.row, cell.item.col
    if cell.item.form >= 0 or not _SHARE_OF.match("".join(cell.context.texts[:1])):
        return None
    lines = [row]
    for step in (-1, 1):
        at = row + step
        while (one := inference.at(sheet, at, col)) is not None and _SHARE_OF.match("".join(one.context.texts[:1])):
            lines.append(at)
            at += step
    mine = [_typed(inference, sheet, at, col) for at in lines]
    for other in (col - 1, col + 1):
        theirs = [_typed(inference, sheet, at, other) for at in lines]
        if len(lines) < 3 or None in mine or None in theirs:
            continue
        total, due = sum(x or 0.0 for x in mine), sum(x or 0.0 for x in theirs)
        if abs(due - 1.0) < 0.005 < abs(total - 1.0) and mine[0] != theirs[0] and mine[1:] == theirs[1:]:
            return "percent-sum", f"'{cell.label}': these shares add up to {total:.0%}.", "They are parts of one whole."
    return None


def _typed(inference: Inference, sheet: int, row: int, col: int) -> float | None:
    """Return a typed number, None for anything else."""
    cell = inference.at(sheet, row, col)
    return cell.item.value if cell is not None and cell.item.form < 0 and isinstance(cell.item.value, float) else None


_SHARE_OF = re.compile(r"(?:share|anteil|part)\b", re.I)


def _beside(inference: Inference, cell: Cellwise, estimate: Estimate) -> list[float]:
    """Return what the same formula gives in the columns beside."""
    found: list[float] = []
    for step in (-2, -1, 1, 2):
        other = inference.cells.get((cell.sheet, cell.key[1] + step))
        number = (
            estimate.of((cell.sheet, cell.key[1] + step))
            if other is not None and other.item.form == cell.item.form
            else None
        )
        if number is not None:
            found.append(number)
    return found


def _weights(inference: Inference, cell: Cellwise, estimate: Estimate) -> Said | None:
    """Weights of a scoring, or shares of a mix, added up below them to something else than 1."""
    cells = list(_summed(inference, cell).values())
    if not cells:
        return None
    total = estimate.of(cell.key)
    typed = len(cells) > 2 and all(c.item.form < 0 and isinstance(c.item.value, float) for c in cells)
    if total is None or not typed or not all(any(map(_WEIGHTED.fullmatch, c.context.texts)) for c in cells):
        return None
    whole = 100.0 if total > 10.0 else 1.0
    if abs(total / whole - 1.0) < 0.0051 or not 0.7 < total / whole < 1.4:
        return None
    return "percent-sum", f"'{cell.label}' adds weights up to {total / whole:.0%}.", "They are parts of one whole."


_WEIGHTED = re.compile(
    r"(?:weight|weighting|gewicht|gewichtung|poids|pondération)(?: (?:of|for|der|des|du|de) .*)?(?: ?[(\[,]? ?%[)\]]?)?",
    re.I,
)


def _ratio_sum(inference: Inference, cell: Cellwise) -> Said | None:
    """A sum of quotients over different wholes: charges per user of five teams."""
    cells = list(_summed(inference, cell).values())
    dims = {c.value.dims for c in cells}
    each = [n for n, e in (next(iter(dims)) or ()) if e < 0 and not hard(((n, e),))] if len(dims) == 1 else []
    if len(cells) < 2 or not each or not _denominators_differ(inference, cells):
        return None
    rule = "user-total" if "user" in each else "mixed-sum"
    return rule, f"'{cell.label}' adds up figures per {each[0]} of different ones.", "Divide the totals."


def _is_share(cell: Cellwise) -> bool:
    """Tell whether a cell holds a percentage, or a fraction of something."""
    named = cell.context.concept in ("ratio", "MFU", *_SHARES) and not cell.context.explicit
    return (cell.value.dims == () and (cell.context.percent or cell.value.text == "%")) or (
        named and cell.value.dims in ((), None) and (cell.item.form < 0 or cell.context.value is not None)
    )


_AVERAGED = re.compile(r"\b(?:average|avg|mean|weighted|typical)\b|mittel|durchschnitt|\bmoyen", re.I)
_NO_PARTS = re.compile(
    r"\bwer\b|error|fehler|utili|effici|\bm[fb]u\b|rate\b|\bhits?\b|discount|\bsav(?:ed|ings?)\b|margin|occupan|busy|availab|uptime|achiev|reach"
    r"|compression|acceptance|headroom|of time|auslastung|effiz|verfügbar|rabatt|rendement|remise|taux|\bof peak\b",
    re.I,
)


def _wholes(inference: Inference, cells: list[Cellwise]) -> set[Key]:
    """Return what percentages are worked out over: C10 of B10/C10; nothing where one is not a quotient."""
    wholes = set()
    for cell in cells:
        tree = inference.tree(cell.item.form) if cell.item.form >= 0 else None
        if isinstance(tree, sx.Call) and tree.name in ("IFERROR", "ROUND") and tree.args:
            tree = tree.args[0]
        if not isinstance(tree, sx.Binary) or tree.operator != "/" or not isinstance(tree.right, sx.Ref):
            return set()
        place = inference.place_of(cell, tree.right)
        if place is not None:
            wholes.add(place)
    return wholes


def _denominators_differ(inference: Inference, cells: list[Cellwise]) -> bool:
    """Tell whether percentages are worked out over different wholes: C10/C14, D10/D14, ..."""
    return len(_wholes(inference, cells)) == len(cells) > 1


def _one_whole(inference: Inference, cells: list[Cellwise]) -> bool:
    """Tell whether percentages are parts of one whole that adds them up: C2/C$6, C3/C$6, ..."""
    wholes = _wholes(inference, cells)
    whole = inference.cells.get(next(iter(wholes))) if len(wholes) == 1 else None
    tree = inference.tree(whole.item.form) if whole is not None and whole.item.form >= 0 else None
    return isinstance(tree, sx.Call) and tree.name == "SUM"
