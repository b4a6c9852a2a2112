"""Hold typed figures against the registry: a chip's memory, bandwidth, peaks, power and links; a model's dimensions.

A figure belongs to the chip or model that its row label, its column header, the text above it or the sheet's only
chip names. A bare family name ("A100") may mean any variant: the one that most of the sheet's figures fit counts.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from operator import itemgetter

from mlsim.errors import CellError
from mlsim.registry import load
from mlsim.registry.load import aliases
from mlsim.registry.names import normalise
from mlsim.registry.records import Chip, Model
from mlsim.registry.tables import rows
from mlsim.units import parse_unit
from mlsim_workbooks.lint.algebra import Value, hard
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.naming import unit_text
from mlsim_workbooks.lint.unit_texts import read_quantity

__all__ = ["Names", "names_dense_model", "registry_findings", "values"]


# --- names ---------------------------------------------------------------------------------------------------------


_NUMBER = re.compile(r"[\d.]+\w?")
_NO_CHIP = re.compile(r"(?:.*[/ ])?m3|GB \d+")  # cubic metres, and a size


@lru_cache(maxsize=65536)
def _found(text: str) -> tuple[str, str]:
    """Return (chip as written, model as written) named in a text, "" where none is."""
    if not re.search(r"\d", text) or re.search(r"[eéä]quivalen", text, re.I) or (";" in text and len(text) > 25):
        return "", ""  # a note of several things names none
    parts = re.split(r"[,;] | vs\.? | und | and ", text)
    if len(parts) > 1 and sum(bool(_found(part)[0]) for part in parts) > 1:
        return "", ""  # a title that lists them
    text = re.sub(r"(?<=\d) ?Go\b", "GB", text)
    text = re.sub(r"\bgpu[-_](?=[a-z]{1,3}\d)", "", text)
    words = re.findall(r"[A-Za-z0-9.+]+(?:[-_/][A-Za-z0-9.+]+)*", text)[:14]
    numbered = [any(c.isdigit() for c in word) for word in words]
    chip = model = ""
    for length in range(min(5, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            if not any(numbered[start : start + length]):
                continue
            phrase = " ".join(words[start : start + length])
            if len(phrase) < 2 or _NUMBER.fullmatch(phrase) or _NO_CHIP.fullmatch(phrase):
                continue
            kind = load.kind_of(phrase)
            if kind == "hardware":
                chip = chip or phrase
            elif kind == "model" and len(phrase) > 4:
                model = model or phrase
    return chip, model


def names_dense_model(text: str) -> bool:
    """Tell whether a text names a model of the registry that is no mixture of experts: all its parameters are active."""
    name = _found(text)[1]
    model = load.model(name) if name else None
    return model is not None and model.kind == "llm" and not model.experts


_COUNTS = frozenset(("hidden size", "ffn size", "compute_units", "experts", "experts per token"))  # bare numbers


# --- what a cell's figure is -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Figure:
    """A typed figure: what it is of whom."""

    cell: Cellwise
    chip: str
    model: str
    attribute: str
    si: float
    weak: bool = False  # the chip is only the one that the sheet names somewhere
    only: bool = False  # and so is the model


_NOT_SPEC = re.compile(
    r"achiev|effective|measured|peak[ _]mem|mem[ _]peak|busbw|bus bw|nccl|\bcopy\b|sustained|real|required|need(?:ed|s)?\b|used|free|usable|available|reserve|total|node|server|rack|cluster|fleet"
    r"|switch|host|cpu|system|disk|ssd|nvme|storage|checkpoint|weights|activation|\bkv\b|cache|l2|sram|per user|share|budget|plan|(?<!data )(?<!spec )sheet|margin|headroom"
    r"|observed|stream|logged|actual|average|\bavg|mean|idle|running|busy|typical|load|mesur|gemessen|utilis|benötigt|gesamt|nutzbar|serveur|knoten"
    r"|predicted|model\b|gemm\b|matmul|bench|message|dataset|free|limit|cap\b|metered|drawn|per month|reached|framework|runtime|overhead|flash|on[- ]board|wind|site|campus|zone|scratch|stack|\bdie\b|\bpin\b|\bmode\b",
    re.I,
)
_OTHER_COUNT = re.compile(
    r"\S ?/ ?\S.*/|\b(?:moe|dense|sparse|expert|linear|mtp) (?:layers|blocks)", re.I
)  # "Layers / KV heads / head dim"
_NOT_DATASHEET = re.compile(r"measur|gemessen|mesuré|bench|observed|profil|test run", re.I)
_NUMBERED = re.compile(r"\b\d+ ?(?:x )?(?:nodes?|servers?|racks?)\b", re.I)  # the scenario of 32 nodes
_OF_ONE = re.compile(
    r"\b(?:per|je|pro|par|of an?|of one|of each|each|d'une?) (?:gpu|card|chip|accelerator|karte|carte)\b", re.I
)
_AROUND = re.compile(r"\b(?:(?:node|server|rack|cluster|serveur)s?|knoten)\b", re.I)
_LINK = re.compile(r"nvlink|gpu[- ]to[- ]gpu|xgmi|infinity fabric|scale-?up|link|\blien\b|verbindung", re.I)
_NETWORK = re.compile(
    r"pcie|ethernet|infiniband|\bnic\b|network|fabric(?<!infinity fabric)|scale-?out|uplink|switch|rail|netz|réseau",
    re.I,
)


_FFN = re.compile(
    r"\bffn (?:size|dim|width)|\bintermediate[ _]size|\bd_ff\b|feed[- ]?forward (?:size|dim|width)|^ffn$", re.I
)


_SMS = re.compile(
    r"^(?:#|number of|no\. of)? ?(?:cores ?/ ?)?(?:SMs|streaming multiprocessors|compute units)\b(?! per|/)", re.I
)
_EXPERTS = re.compile(
    r"(?:#|number of|routed|total)? ?experts?(?: \(total\)|, total)?(,? (?:per token|active|chosen|used)| \((?:per token|active|top-k)\))?",
    re.I,
)
_ON_CHIP = re.compile(
    r"(?:on[- ]chip |internal |total )?(s?ram|flash)(?: memory| size| capacity| total| of(?: the)?)*\s*(?:[(\[][kM]i?B[)\]])?",
    re.I,
)


@lru_cache(maxsize=65536)
def _counted(text: str) -> str:
    """Return the attribute whose number a label names that says nothing else: "SMs", "Experts"."""
    if _SMS.search(text):
        return "compute_units"
    experts = _EXPERTS.fullmatch(text.strip())
    return "" if experts is None else "experts per token" if experts[1] else "experts"


def _attribute(cell: Cellwise) -> str:
    """Return the registry's attribute that a labelled figure is, "" when it is none for certain."""
    context = cell.context
    value = context.value
    if any(_FFN.search(t) and not re.search("expert|moe", t, re.I) for t in context.texts[:2]) and (
        value is None or not value.dims
    ):
        return "ffn size"
    if any(re.match(r"vocab(?:ulary|ulaire|ular)?(?: size)?\b|wortschatz", t, re.I) for t in context.texts[:1]):
        return "vocabulary"
    counted = next(filter(None, map(_counted, context.texts[:1])), "")
    if counted and (value is None or not hard(value.dims or ())):
        return counted
    if context.concept == "hidden size" and not re.search(r"expert|moe|adapter|lora|draft", cell.words, re.I):
        return "hidden size"
    if value is None or value.dims is None:
        return ""
    words = cell.words.replace("_", " ")
    dims = hard(value.dims)
    soft = dict(value.dims)
    if soft.get("node") or soft.get("rack") or soft.get("device", 0) > 0:
        return ""
    concept = context.concept
    if concept == "parameters" and ("parameters", "active") in context.kinds:
        concept = "active parameters"
    if not dims and any(_OTHER_COUNT.search(t) for t in context.texts[:1]):
        return ""
    if not dims:
        return (
            concept if concept in ("layers", "heads", "kv heads", "head dim", "parameters", "active parameters") else ""
        )
    own = _NUMBERED.sub(" ", " ".join(_unnamed(t.replace("_", " ")) for t in context.texts))
    own = re.sub(r"\b(?:in|within|inside) (?:the |a |one )?(?:node|server|rack)\b", " ", own, flags=re.I)
    if _OF_ONE.search(own):
        own = _AROUND.sub(" ", own)  # "HBM per GPU" below "H200 node"
    if dims == (("information", 1.0),) and (memory := _ON_CHIP.fullmatch(own.strip())):
        return "flash" if memory[1].lower() == "flash" else "sram"
    if _NOT_SPEC.search(own):
        return ""
    names = dict(dims)
    if names == {"information": 1.0, "time": -1.0}:
        if _LINK.search(words) and not _NETWORK.search(own):
            return "scaleup_bandwidth"
        plain = re.sub(r"[(\[].*?[)\]]", " ", own)
        bare = re.fullmatch(
            r"(?:\W|peak|max|gpu|per|value|wert|valeur|[a-z]*b[/ _]?s|bandwidth|bandbreite|bande passante|bw|data ?sheets?|specs?|datenblatt)*",
            plain,
            re.I,
        )
        if dict(context.kinds).get("direction") or _NETWORK.search(own):
            return ""
        return (
            "memory_bandwidth"
            if bare or re.search(r"hbm|memory|\bmem\b|dram|ddr\d|speicher|mémoire", own, re.I)
            else ""
        )
    if names == {"information": 1.0}:
        return "memory_capacity" if re.search(r"hbm|memory|vram|speicher|mémoire|\bmem\b", own, re.I) else ""
    if (
        names == {"operation": 1.0, "time": -1.0}
        and concept in ("peak", "", "power")
        and not re.search(r"NPU|DSP|core", own)
    ):
        return "peak_compute"
    if names == {"integer_operation": 1.0, "time": -1.0}:
        return "peak_compute int8" if dict(context.kinds).get("precision", "int8") == "int8" else ""
    if names == {"energy": 1.0, "time": -1.0} and re.search(r"\btdp\b|power|watts|leistung|puissance", own, re.I):
        return "board_power"
    return ""


def _unnamed(text: str) -> str:
    """Return a text without the chip and the model it names."""
    for name in _found(text):
        if name:
            text = re.sub(r"[\W_]*".join(map(re.escape, name.split(" "))), " ", text)
    return text


def _figures(inference: Inference, names: Names) -> Iterator[_Figure]:
    attributes: dict[int, str] = {}
    for cell in inference.cells.values():
        if cell.item.form >= 0:
            continue
        attribute = attributes.get(id(cell.context)) if cell.context.texts else _counted(cell.entity)
        if attribute is None:
            attribute = attributes[id(cell.context)] = _attribute(cell)
        if not attribute or _NOT_DATASHEET.search(cell.entity):
            continue
        number = cell.item.value
        if isinstance(number, str):
            found = read_quantity(number)
            number = found[0] if found else None
        if not isinstance(number, float) or number <= 0:
            continue
        if attribute in ("hidden size", "ffn size", "vocabulary") and (number < 64 or number != int(number)):
            continue  # what is hidden behind compute
        value = cell.context.value
        if (value is None or value.factor != value.factor) and attribute not in _COUNTS:
            continue
        chip, model, weak = names.of(cell)
        only = not model and (attribute in ("heads", "kv heads", "head dim") or _are_layers(cell, attribute))
        model = model or (names.model if only else "")
        if _NOT_DATASHEET.search(inference.title(cell.sheet, cell.item.row)):
            continue
        if chip or model:
            factor = value.factor if value is not None and value.factor == value.factor else 1.0
            yield _Figure(cell, chip, model, attribute, number * factor, weak, only)


def _are_layers(cell: Cellwise, attribute: str) -> bool:
    """Tell whether a label says layers, and nothing else."""
    return attribute == "layers" and bool(_LAYERS.fullmatch("".join(cell.context.texts[:1]).strip()))


_LAYERS = re.compile(r"(?:number of |transformer )?layers|schichten|couches", re.I)
_TITLE = 2  # rows above a sheet that say what it is about


@dataclass
class Names:
    """Which chip and model a cell belongs to."""

    inference: Inference
    above: dict[tuple[int, int], list[tuple[int, str, str]]] = field(default_factory=dict)
    beside: dict[tuple[int, int], set[tuple[str, str]]] = field(default_factory=dict)
    only: dict[int, str] = field(default_factory=dict)
    models: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # the rows of a sheet that name one
    model: str = ""  # the only one of the workbook

    def __post_init__(self) -> None:
        named: dict[str, str] = {}  # the chips of all sheets
        models: dict[str, str] = {}
        for index, grid in enumerate(self.inference.book.grids):
            chips: dict[str, str] = {}
            for items in grid.rows.values():
                for item in items:
                    longest = 140 if item.row <= _TITLE else 80
                    if not isinstance(item.value, str) or item.form >= 0 or len(item.value) > longest:
                        continue
                    chip, model = _found(item.value)
                    if model:
                        models.setdefault(load.model(model).name, model)
                        self.models.setdefault(index, []).append((item.row, load.model(model).name))
                    if chip:
                        chips.setdefault(load.chip(chip).name, chip)
                    if chip or model:
                        self.beside.setdefault((index, item.row), set()).add((chip, model))
                        self.above.setdefault((index, item.col), []).append((item.row, chip, model))
            self.only[index] = next(iter(chips.values())) if len(chips) == 1 else ""
            self.models.get(index, []).sort()  # a file may hold its rows in any order
            named |= chips
        self.model = next(iter(models.values())) if len(models) == 1 else ""
        if len(named) == 1:  # the only chip of the workbook
            self.only = dict.fromkeys(self.only, next(iter(named.values())))

    def of(self, cell: Cellwise) -> tuple[str, str, bool]:
        """Return the chip and the model of a cell's row, column or sheet, and whether the chip is only the sheet's."""
        chip = model = ""
        for text in (cell.entity, *cell.context.texts):
            a, b = _found(text)
            chip, model = chip or a, model or b
        row = self.beside.get((cell.sheet, cell.item.row), set())
        chips, models = {a for a, _ in row if a}, {b for _, b in row if b}
        chip = chip or (chips.pop() if len(chips) == 1 else "")
        model = model or (models.pop() if len(models) == 1 else "")
        a, b = _found(self.inference.title(cell.sheet, cell.item.row))
        chip, model = chip or a, model or b
        for at, a, b in reversed(self.above.get((cell.sheet, cell.item.col), [])):
            if at < cell.item.row and not (chip and model):
                chip = chip or a
                model = model or ("" if self.between(cell.sheet, at, cell.item.row, b) else b)
        only = "" if self.in_another_column(cell) else self.only[cell.sheet]
        return chip or only, model, not chip

    def between(self, sheet: int, top: int, row: int, model: str) -> bool:
        """Tell whether a row between two names another model than the upper one: "Batch labelling with Mixtral"."""
        named = self.models.get(sheet, []) if model else []
        first, last = bisect_right(named, top, key=itemgetter(0)), bisect_left(named, row, key=itemgetter(0))
        return any(name != load.model(model).name for _, name in named[first:last])

    def in_another_column(self, cell: Cellwise) -> bool:
        """Tell whether the only chip of a sheet heads other columns than that of a cell, which has a header of its own."""
        grid = self.inference.book.grids[cell.sheet]
        places = [
            (row, col) for (at, col), found in self.above.items() if at == cell.sheet for row, chip, _ in found if chip
        ]
        beside = [
            grid.at(row, cell.item.col) for row, col in places if 1 < col != cell.item.col and row < cell.item.row
        ]
        return len(beside) == len(places) > 0 and all(b is not None and isinstance(b.value, str) for b in beside)


# --- comparing -------------------------------------------------------------------------------------------------------

_TOLERANCE = {
    "memory_capacity": 0.075, "memory_bandwidth": 0.05, "board_power": 0.12, "scaleup_bandwidth": 0.04,
    "compute_units": 0.0, "sram": 0.03, "flash": 0.06,
}  # fmt: skip


@lru_cache(maxsize=4096)
def values(chip: str, attribute: str) -> tuple[float, ...]:
    """Return all SI values that the registry's sources give an attribute of a chip, the best first."""
    record: Chip = load.chip(chip)
    found: list[float] = []
    keys = ("memory_capacity_label", attribute) if attribute == "memory_capacity" else (attribute,)
    for key in keys:
        figures = (*((record.figures[key],) if key in record.figures else ()), *record.others.get(key, ()))
        for figure in figures:
            if figure.meaning.startswith("sparse"):
                continue  # the peaks are dense ones
            try:
                found.append(float(figure.value) * parse_unit(figure.unit).factor)
            except (ValueError, CellError):
                continue
    return tuple(found)


def _near(value: float, known: tuple[float, ...], tolerance: float) -> bool:
    return any(abs(value / k - 1) <= tolerance for k in known if k)


@cache
def _family(name: str) -> tuple[str, ...]:
    """Return the variants that a bare name such as "A100" may mean; a name with more to it means one."""
    canonical = load.chip(name).name
    base = normalise(name)
    if not re.fullmatch(r"[a-z]+\d+[a-z]?(?:sxm\d?|pcie)?", base):
        return (canonical,)
    others = [n for n in load.chip_names() if re.match(rf"{base}(?!\d)|{base}\d+gb", normalise(n))]
    return (canonical, *(n for n in others if n != canonical))


def registry_findings(inference: Inference, names: Names) -> Iterator[tuple[Cellwise, Said]]:
    """Yield (cell, what is said) for typed figures that disagree with the registry."""
    figures = list(_figures(inference, names))
    chosen: dict[str, str] = {}
    for name in {f.chip for f in figures if f.chip}:
        mine = [f for f in figures if f.chip == name]
        scores = {variant: sum(_fits(f, variant) for f in mine) for variant in _family(name)}
        first = next(iter(scores))
        best = max(scores, key=lambda v: scores[v])
        chosen[name] = best if scores[best] >= scores[first] + 2 else first
    measured = _measured(figures, chosen)
    sure = _confirmed(figures, chosen)
    shapes = [_of_model(f) is None for f in figures if f.only and f.model]
    fits_model = shapes.count(False) == 1 and shapes.count(True) >= 1  # the sheet is about it
    for figure in figures:
        said = None
        if figure.attribute in _MODEL:
            said = _of_model(figure) if figure.model and not (figure.only and not fits_model) else None
        elif figure.chip:
            said = _of_chip(figure, chosen[figure.chip])
        if said is None or _said_beside(inference, figure, said):
            continue
        apart = figure.chip not in sure or figure.attribute in ("board_power", "scaleup_bandwidth")
        unsure = figure.weak and apart and not _is_rated(inference, names, figure)
        doubtful = unsure or (figure.cell.sheet, figure.attribute) in measured
        if not (doubtful and figure.attribute not in _MODEL and said[0] in ("registry", "bits-bytes")):
            yield figure.cell, said
    yield from _interconnects(inference)
    yield from _sparse_of_any(inference, {f.cell.key for f in figures if f.chip and not f.weak})


def _is_rated(inference: Inference, names: Names, figure: _Figure) -> bool:
    """Tell whether a figure is said to be that of the data sheet, or is that of one GPU where all are alike."""
    cell, attribute = figure.cell, figure.attribute
    if any(map(_FROM_A_DATASHEET.search, inference.texts_of(cell.sheet, cell.item.row))):
        return True
    if attribute == "board_power":
        return bool(_TDP.search(cell.words))
    alike = len(set(names.only.values())) == 1 and _OF_ONE.search(cell.words)
    told = attribute == "memory_capacity" or (
        attribute == "scaleup_bandwidth" and "direction" in dict(cell.context.kinds)
    )
    return bool(alike) and told


def _said_beside(inference: Inference, figure: _Figure, said: Said) -> bool:
    """Tell whether the row of a figure notes the registry's one: "8.03 billion less the embedding table"."""
    due = re.search(r"\bhas ([\d.,]+)", said[1])
    notes = inference.texts_of(figure.cell.sheet, figure.cell.item.row)
    if any(re.search(r"\bGCD\b", note) for note in notes):
        return True  # half of a card
    less = r"\w* ?(?:less|minus|without|excluding|ohne|abzüglich|sans|moins)\b"
    return due is not None and any(re.search(rf"(?<![\d.,]){re.escape(due[1])} {less}", note) for note in notes)


@cache
def _peaks_of_all(precision: str) -> tuple[float, ...]:
    """Return the dense peaks of all chips in a format."""
    formats = ("bf16", "fp16") if precision in ("bf16", "fp16") else (precision,)
    return tuple(v for chip in load.chip_names() for p in formats for v in values(chip, f"peak_compute {p}"))


def _sparse_of_any(inference: Inference, named: set[Key]) -> Iterator[tuple[Cellwise, Said]]:
    """A peak that is said to be dense, and is the sparse one of some chip and the dense one of none."""
    for key, cell in inference.cells.items():
        value, number = cell.context.value, cell.item.value
        if cell.item.form >= 0 or value is None or not isinstance(number, float) or key in named:
            continue
        if ("density", "dense") not in cell.context.kinds:
            continue
        precision = dict(cell.context.kinds).get("precision", "")
        if not precision or hard(value.dims or ()) != (("operation", 1.0), ("time", -1.0)):
            continue
        peaks, si = _peaks_of_all(precision), number * value.factor
        if _near(si / 2, peaks, 0.001) and not _near(si, peaks, 0.03):
            message = (
                f"{number:g} is the {precision} peak of a chip with 2:4 sparsity; the dense one is {number / 2:g}."
            )
            yield cell, ("sparse-peak", message, "")


def _confirmed(figures: list[_Figure], chosen: dict[str, str]) -> set[str]:
    """Return the chips that other figures of the workbook fit, all but one: the sheet is about them."""
    fits: dict[str, list[bool]] = {}
    distinct = {(f.chip, f.attribute, f.si): f for f in figures if f.chip and f.attribute not in _MODEL}
    for (chip, attribute, si), figure in distinct.items():  # a row of the same figures says it once
        known = values(chosen[chip], attribute)
        if attribute in ("board_power", "scaleup_bandwidth") and known and not 0.3 < si / known[0] < 3.0:
            continue  # of something else that the sheet has
        fits.setdefault(chip, []).append(_fits(figure, chosen[chip]))
    return {chip for chip, each in fits.items() if each.count(False) == 1 and each.count(True) >= 1}


def _measured(figures: list[_Figure], chosen: dict[str, str]) -> set[tuple[int, str]]:
    """Return (sheet, attribute) of figures that fit none of three chips or more: they come from no data sheet."""
    fits: dict[tuple[int, str], dict[tuple[str, float], bool]] = {}
    for figure in figures:
        if figure.chip and figure.attribute not in _MODEL:
            each = fits.setdefault((figure.cell.sheet, figure.attribute), {})
            each[figure.chip, figure.si] = _fits(figure, chosen[figure.chip])
    return {key for key, each in fits.items() if len(each) > 2 and not any(each.values())}


def _fits(figure: _Figure, chip: str) -> bool:
    attribute = figure.attribute
    if attribute == "peak_compute":
        return any(
            _near(figure.si, values(chip, f"peak_compute {p}"), 0.03) for p in ("bf16", "fp16", "fp8", "fp32", "tf32")
        )
    known = values(chip, attribute)
    if attribute == "scaleup_bandwidth":
        known = (*known, *(2 * v for v in known))
    return _near(figure.si, known, _TOLERANCE.get(attribute, 0.03))


def _of_chip(figure: _Figure, chip: str) -> Said | None:
    attribute, kinds = figure.attribute, dict(figure.cell.context.kinds)
    if attribute.startswith("peak_compute"):
        return _peak(figure, chip, kinds)
    if attribute in ("sram", "flash") and load.chip(chip).kind != "mcu":
        return None
    known = values(chip, attribute)
    if not known:
        return None
    if attribute == "scaleup_bandwidth":
        bridge = re.search("nvlink", figure.cell.words, re.I) and "PCIe" in load.chip(chip).figures[attribute].meaning
        return None if bridge else _link(figure, chip, kinds, known)
    if _near(figure.si, known, _TOLERANCE[attribute]):
        return None
    if attribute == "memory_capacity" and any(_fits(figure, variant) for variant in _family(figure.chip)):
        return None  # "V100" comes with 16 GB and with 32
    if attribute == "memory_capacity" and re.search(rf"\b{figure.si / 1e9:g} ?G[Bo]\b", figure.cell.entity):
        return None  # "H100 SXM5 94GB" says so itself
    if attribute == "board_power" and re.search(
        r"rest\b|other|complete|\bbox\b|host|chassis|fans|cool|\bcpu|spare|loss|idle|mean|average|moyen|mittel|mittler|durchschnitt",
        figure.cell.words,
        re.I,
    ):
        return None
    if attribute == "board_power" and not _RATED.search(figure.cell.words):
        return None
    return _disagrees(figure, chip, known[0])


_RATED = re.compile(
    r"\btdp\b|board|rated|max|(?:per|pro|par|je|of (?:one|a|each)|d'une?) (?:gpu|card|karte|carte)\b|gpu[ _](?:power|watts)|^power"
    r"|nameplate",
    re.I,
)
_TDP = re.compile(r"\btdp\b|nameplate|power limit", re.I)
_FROM_A_DATASHEET = re.compile(r"data ?sheet|datenblatt|fiche|brochure", re.I)


def _disagrees(figure: _Figure, chip: str, known: float) -> Said | None:
    ratio = figure.si / known
    if not ratio:
        return None
    big = ratio if ratio > 1 else 1 / ratio
    if big > 3000.0:
        return None  # another thing: the line to the site
    if figure.attribute == "compute_units":
        return (
            "registry",
            f"{figure.chip} has {known:g} multiprocessors by the registry ({chip}), not {figure.si:g}.",
            "",
        )
    shown = _shown(figure, known)
    of_one = _OF_ONE.search(figure.cell.words)
    if figure.attribute == "memory_capacity" and ratio > 2.2 and not of_one and _no_unit_mistake(big):
        return None  # the memory of the machine around it
    if not 0.2 < ratio < 5 and _no_unit_mistake(big):
        return None
    rule = "registry"
    if figure.attribute in ("memory_bandwidth", "memory_capacity") and abs(big / 8 - 1) < 0.03:
        rule = "bits-bytes"
    elif figure.attribute == "memory_bandwidth" and any(abs(big / 1000**k - 1) < 0.06 for k in (1, 2)):
        rule = "prefix"
    return (
        rule,
        f"{figure.chip} has {shown} by the registry ({chip}), {abs(1 / ratio - 1):.0%} {'less' if ratio > 1 else 'more'} than typed here.",
        "",
    )


def _shown(figure: _Figure, si: float) -> str:
    """Return a value in the unit that the cell states."""
    value = figure.cell.context.value
    assert value is not None
    return f"{si / value.factor:.4g} {unit_text(Value(value.dims, value.factor, text=value.text))}"


def _no_unit_mistake(big: float) -> bool:
    """Tell whether a factor is none that a wrong unit makes: then the cell means something else than the data sheet."""
    return abs(big / 10.0 - 1) > 0.005 and not any(
        abs(big / (8.0 * 1000.0**k) - 1) < 0.06 or abs(big / 1000.0 ** (k + 1) - 1) < 0.06 for k in (0, 1, 2)
    )


def _peak(figure: _Figure, chip: str, kinds: dict[str, str]) -> Said | None:
    attribute = figure.attribute
    precision = "int8" if attribute.endswith("int8") else kinds.get("precision", "")
    sparse = kinds.get("density") == "sparse"
    wanted = [precision] if precision else ["bf16", "fp16", "fp8", "fp32", "tf32", "fp4", "fp64"]
    if precision in ("bf16", "fp16"):
        wanted = ["bf16", "fp16"]
    known = tuple(v for p in wanted for v in values(chip, f"peak_compute {p}"))
    doubled = tuple(2 * v for v in known)
    if not known or (
        load.chip(chip).kind == "soc" and not (kinds.get("density") == "dense" and _near(figure.si, doubled, 0.03))
    ):
        return None  # whose engines are counted one by one, or together
    if precision == "fp64" and _near(figure.si, tuple(v / 2 for v in known), 0.03):
        return None  # of the vector units, half the rate of the matrix units
    due = doubled if sparse else known
    if _near(figure.si, due, 0.03):
        return None
    shown = _shown(figure, due[0])
    if sparse and _near(figure.si, known, 0.03):
        return "sparse-peak", f"This is {figure.chip}'s dense peak; the sparse one is {shown}.", ""
    others = tuple(
        v for p in ("bf16", "fp8", "int8", "fp32", "tf32", "fp64", "fp4") for v in values(chip, f"peak_compute {p}")
    )
    other_format: Said | None = None
    if precision and _near(figure.si, others, 0.02):
        message = f"This is {figure.chip}'s peak in another number format; in {precision} it is {shown}."
        other_format = "peak-precision", message, ""
    if other_format and "density" not in kinds and not _near(figure.si, doubled, 0.02):
        return other_format
    if not sparse and _near(figure.si, doubled, 0.03):
        return "sparse-peak", f"This looks like {figure.chip}'s peak with 2:4 sparsity; the dense one is {shown}.", ""
    if other_format:
        return other_format
    if not precision:
        return None if _near(figure.si, tuple(2 * v for v in others), 0.03) else _disagrees(figure, chip, known[0])
    return _disagrees(figure, chip, due[0])


def _link(figure: _Figure, chip: str, kinds: dict[str, str], known: tuple[float, ...]) -> Said | None:
    direction = kinds.get("direction", "")
    one, both = _near(figure.si, known, 0.04), _near(figure.si, tuple(2 * v for v in known), 0.04)
    if (direction == "per direction" and both and not one) or (direction == "both directions" and one and not both):
        other = "both directions together" if both else "one direction"
        return "link-direction", f"This is {figure.chip}'s link in {other}; the label says {direction}.", ""
    if one or both:
        return None
    if direction == "both directions" and _near(figure.si, tuple(4 * v for v in known), 0.01):
        return "link-direction", f"This is twice {figure.chip}'s link in both directions.", ""
    return _disagrees(figure, chip, known[0] * (2 if direction == "both directions" else 1))


@cache
def _links() -> tuple[tuple[re.Pattern[str], str, float], ...]:
    """Return (pattern of its names, name, bytes per second in one direction) of every interconnect of one device."""
    found = []
    for row in rows("interconnects"):
        if row["scope"] == "per device" and row["direction"] == "per direction":
            names = "|".join(re.sub(r"\\?[ -]", r"[ -]?", re.escape(n)) for n in (row["name"], *aliases(row)))
            rate = float(row["bandwidth"]) * parse_unit(row["unit"]).factor
            found.append((re.compile(rf"\b(?:{names})\b", re.I), row["name"], rate))
    return tuple(found)


def _interconnects(inference: Inference) -> Iterator[tuple[Cellwise, Said]]:
    """Hold the direction that a label states against the figure typed for "NVLink 4" or "PCIe 5 x16"."""
    for cell in inference.cells.values():
        value, number = cell.context.value, cell.item.value
        if cell.item.form >= 0 or value is None or not isinstance(number, float) or not number:
            continue
        direction = dict(cell.context.kinds).get("direction", "")
        if not direction or hard(value.dims or ()) != (("information", 1.0), ("time", -1.0)):
            continue
        name, rate = next(((n, r) for p, n, r in _links() if p.search(cell.words)), ("", 0.0))
        if not rate:
            continue
        one, both = (_near(number * value.factor, (r,), 0.04) for r in (rate, 2 * rate))
        if (direction == "per direction" and both) or (direction == "both directions" and one):
            shown = "both directions together" if both else "one direction"
            yield cell, ("link-direction", f"This is {name} in {shown}; the label says {direction}.", "")


# --- models ----------------------------------------------------------------------------------------------------------

_MODEL = (
    "vocabulary",
    "layers",
    "heads",
    "kv heads",
    "head dim",
    "hidden size",
    "ffn size",
    "parameters",
    "active parameters",
    "experts",
    "experts per token",
)


def _of_model(figure: _Figure) -> Said | None:
    model: Model = load.model(figure.model)
    if not model.experts and re.search(r"\bmoe\b|experts?\b|mixture", figure.cell.words, re.I):
        return None  # of a variant
    if model.kind != "llm":
        return None
    si, attribute = figure.si, figure.attribute
    if attribute in ("parameters", "active parameters"):
        return _parameters(figure, model, si, attribute)
    known = {
        "layers": model.layers, "heads": model.heads, "kv heads": model.kv_heads, "head dim": model.head_dim,
        "experts": model.experts, "experts per token": model.experts_per_token,
        "vocabulary": model.vocab, "hidden size": model.hidden, "ffn size": 0.0 if model.experts else model.ffn,
    }[attribute]  # fmt: skip
    if not known or si == known or (attribute == "vocabulary" and abs(si / known - 1) < _PADDED):
        return None
    if model.attention != "GQA" and attribute in ("kv heads", "head dim"):
        return None
    if attribute == "kv heads" and si == model.heads:
        return "kv-heads", f"{figure.model} has {known:g} KV heads; {si:g} is its number of attention heads.", ""
    return "registry", f"{figure.model} has {known:g} {attribute} by the registry ({model.name}), not {si:g}.", ""


_PADDED = 0.03  # vocabularies are padded for the hardware, and grow by a few tokens of a chat


def _parameters(figure: _Figure, model: Model, si: float, attribute: str) -> Said | None:
    total, active = model.total_params, model.active_params
    value = figure.cell.context.value
    if value is None or not any(n == "parameter" for n, _ in value.dims or ()):
        return None
    due, other = (active, total) if attribute == "active parameters" else (total, active)
    rounded = figure.cell.item.value == int(figure.si / value.factor)
    tolerance = 0.08 if rounded else 0.05  # "7B" has 7.6 billion
    if not due or any(
        abs(si * scale / due - 1) < tolerance for scale in ((1.0, 1e6, 1e9) if value.factor == 1.0 else (1.0,))
    ):
        return None  # "Parameters" of 70.6: billions, unsaid
    if other and abs(si / other - 1) < 0.03 and abs(total / active - 1) > 0.1:
        kind = "total" if attribute == "active parameters" else "active"
        return "active-params", f"This is {figure.model}'s number of {kind} parameters.", ""
    if figure.cell.label and re.search(
        r"lora|adapter|draft|trainable|expert|embed|shared|layer|head", figure.cell.label, re.I
    ):
        return None
    return (
        "registry",
        f"{figure.model} has {due / 1e9:.3g} billion {attribute} by the registry ({model.name}), not {si / 1e9:.3g} billion.",
        "",
    )
