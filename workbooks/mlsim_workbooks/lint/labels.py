"""Read what a sheet writes beside its numbers: units in headers, names of quantities, and kinds of them.

A label such as ``"Peak TFLOPS (bf16, dense)"`` or ``"Coût mensuel (k€)"`` gives a unit, a concept (the quantity it
names) and kinds (dense, per direction, p99, output tokens, per month). English, German and French words are known.
What is not recognised gives nothing, and nothing is reported about it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from mlsim.errors import CellError
from mlsim.units import parse, parse_unit
from mlsim.units.spelling import MAGNITUDES, spellings_by_case
from mlsim_workbooks.lint.algebra import PERIODS, Dims, Value, hard

__all__ = ["NOTHING", "Label", "read_label", "read_quantity", "read_unit", "unit_cell"]


@dataclass(frozen=True, slots=True)
class Label:
    """What a text says about the number it stands beside."""

    text: str = ""
    unit: Value | None = None  # the unit it states, with the kinds of the unit's own text
    concept: str = ""
    kinds: frozenset[tuple[str, str]] = frozenset()
    strong: bool = False  # the unit stands in brackets or behind a comma: it is meant as one
    dims: Dims = ()  # counted things: ("device", -1) for "per GPU"

    @property
    def says_something(self) -> bool:
        """Whether the label has a unit or a concept."""
        return self.unit is not None or bool(self.concept)


NOTHING = Label()

# --- units ---------------------------------------------------------------------------------------------------------

_FOREIGN = (
    (r"\bMio(?:\.|(?= [A-Z€$]))", "million"),
    (r"\bTokens?\b", "tokens"),
    (r"\b(?:per|pro|par|je) (\w+) (?:and|und|et) (\w+)\b", r"per \1 per \2"),
    (r"\b(?:Mitarbeiter|employees?|Nutzer|Benutzer|utilisateurs?|students?|seats?|Studierende[rn]?)\b", "user"),
    (r"\b([kKMGTPE]i?)o(?![A-Za-z])", r"\1B"),
    (r"\boctets?\b", "bytes"),
    (r"\b(?:Std|Stunden?|heures?)\b\.?", "h"),
    (r"\b(?:Sek|Sekunden?|secondes?)\b\.?", "s"),
    (r"\b(?:Monate?|mois)\b", "month"),
    (r"\b(?:Jahre?|ans?|années?)\b", "year"),
    (r"\b(?:Tage?|jours?)\b", "day"),
    (r"\b(?:Wochen?|semaines?)\b", "week"),
    (r"\b(?:pro|par|je)\b", "per"),
    (r"\b(k|M|m)?g\s*/\s*(kWh|MWh)\b", r"\1gCO2e/\2"),
    (r"\b(?:Tsd|Tausend|milliers?)\b\.?( de)?", "thousand"),
    (r"\b(?:Mio|Millionen?)\b\.?", "million"),
    (r"\b(?:Mrd|Milliarden?|milliards?)\b\.?", "billion"),
    (r"\bjetons?\b", "tokens"),
    (r"\b(?:Anfragen?|requêtes?)\b", "requests"),
    (r"\b(?:Knoten|nœuds?|noeuds?|Server|serveurs?|Instanz(?:en)?)\b", "nodes"),
    (r"\b(?:Bilder|Bild)\b", "images"),
    (r"\b(?:Karten?|cartes?)\b", "GPU"),
    (r"\bCO₂", "CO2"),
    (r"\bannum\b", "year"),
    (r"\bp\.?\s?a\.?(?=$|[\s)])", "per year"),
    (r"\b(?:monthly)\b", "per month"),
    (r"\b(?:yearly|annually)\b", "per year"),
    (r"\b(\w*)FLOPs?\s*(?=/\s*(?!s\b|sec)|per\s+(?!s\b|sec))", r"\1FLOP "),
    (r"\b([kMGTPE]?)FLOPs(?=\s+(?:dense|sparse|bf16|fp16|fp8))", r"\1FLOPS"),
    (r"\bop\b", "OP"),
    (r"\$?US\s?\$", "US$"),
    (r"\b([kKM])\s?(USD|EUR|GBP|CHF)\b", r"\1\2"),
    (r"(?<![A-Za-z])\$\s?([kKMB])(?![A-Za-z])", r"\1$"),
    (r"(?<![A-Za-z])€\s?([kKM])(?![A-Za-z])", r"\1€"),
    (r"\b(USD|EUR|GBP)\s(?:k|thousands?)\b", r"k\1"),
    (r"\b(USD|EUR|GBP)\s(?:m|M|millions?)\b", r"M\1"),
    (r"\bT€", "k€"),
    (r"\bTEUR\b", "kEUR"),
    (r"(?<=/)\s*1\s?[kK]\s+(?=tok)", "k"),
    (r"(?<=/)\s*1\s?M\s+(?=tok)", "M"),
    (r"\b1\s?[kK]\s+tok(?:en)?s?\b", "ktok"),
    (r"\b1\s?M\s+tok(?:en)?s?\b", "Mtok"),
    (r"\b1[ ,.]?000[ ,.]?000 tok(?:en)?s?\b", "Mtok"),
    (r"\b1[ ,.]?000 tok(?:en)?s?\b", "ktok"),
    (r"\bKtok(?:en)?s?\b|\bk tok(?:en)?s?\b", "ktok"),
    (r"\b(?:new|generated|produced|processed)\s+(?=tok)", ""),
    (r"\bGPU[ -]?[Hh](?:ou)?rs?\b", "GPU-h"),
    (r"\baccelerator[ -]?(?:hours?|hrs?|h)\b", "GPU-h"),
    (r"\bwall[ -]?clock\s*|\bwall[ -](?=h)", ""),
    (r"\b(?:each|ea\.?|nominal|usable|raw|approx\.?|ca\.?|net|gross|list|spec|max\.?|peak|avg\.?|sustained)\b", ""),
)  # fmt: skip
_FOREIGN_RE = tuple((re.compile(p), r) for p, r in _FOREIGN)
_LOWER = {
    "gb": "GB", "gib": "GiB", "tb": "TB", "tib": "TiB", "mb": "MB", "mib": "MiB", "kb": "kB", "kib": "KiB", "pb": "PB",
    "gbps": "Gbps", "mbps": "Mbps", "kwh": "kWh", "mwh": "MWh", "kw": "kW", "mw": "MW", "w": "W", "tflops": "TFLOPS",
    "pflops": "PFLOPS", "gflops": "GFLOPS", "tflop": "TFLOP", "gflop": "GFLOP", "tops": "TOPS", "usd": "USD",
    "eur": "EUR", "gbs": "GB/s", "tbs": "TB/s", "tok": "tok", "kg": "kg", "wh": "Wh", "gmac": "GMAC", "gmacs": "GMAC", "pct": "%",
}  # fmt: skip
_COUNTED = frozenset(("parameter", "token", "request", "user", "sample", "device", "step"))
_PERIOD_WORDS = {"day": "day", "week": "week", "month": "month", "year": "year"}
_PERIOD_UNIT = re.compile(
    r"(?:/|\bper\b)\s*(day|d|week|wk|month|mo|year|yr|y|days|weeks|months|years)\b\.?(?!\s*/)", re.I
)
_PERIOD_SHORT = {"d": "day", "wk": "week", "mo": "month", "yr": "year", "y": "year"}


@lru_cache(maxsize=65536)
def read_unit(text: str, concept: str = "") -> Value | None:
    """Read a unit as a label writes it; None when it is not certainly one.

    ``concept`` decides what a bare magnitude ("B", "M") counts, and whether "TFLOPs" is a rate.
    """
    body = text.strip().strip(".:;=→").strip()
    if not body or len(body) > 60 or not re.search(r"[A-Za-z%$€£¥µ°#×^⁰-⁹]", body):
        return None
    if re.match(r"(?:an?|the|one|all|each|our|my)\s", body, re.I):
        return None
    if re.search(r"\w\s+[(\[]", body):
        return None  # "Hours (h)": a label with its unit
    if re.search(r"\b(?:19|20)\d\d\b", body):
        return None  # a year
    if re.search(r"[A-Za-z]\d", re.sub(r"CO[2₂]|\^-?\d|per 1|1[eE]\d+", "", body)) or re.match(
        r"(?:per|/|pro|par|je)\b", _no_kinds(body)
    ):
        return None  # "L4", "S1": names; "per watt": a unit without what it counts
    if any(
        w.isupper() and len(w) > 1 and w not in _EXACT and w.lower() in _SHOUTED for w in re.findall(r"[A-Za-z]+", body)
    ):
        return None  # "US", "HR": words in capitals
    if body in ("x", "×", "X", "-", "ratio", "fraction", "Faktor", "factor", "0-1", "0–1", "0..1", "1/1"):
        return Value(dims=(), text=body)
    if body in ("#", "count", "ea", "pcs", "Stk", "Stück", "Anzahl", "qty", "unité", "unités", "no."):
        return Value(dims=(("count", 1.0),), text=body)
    value = _magnitude(body, concept) or _parsed(_translate(body, concept), text)
    if value is None or value.dims is None:
        return None
    return replace(value, text=" ".join(body.split()))


_SHOUTED = frozenset(
    ("us", "hr", "ms", "mo", "min", "sec", "it", "op", "ns", "day", "host", "step", "unit", "link", "port", "y", "d")
)
_EXACT = frozenset(("GPU", "TPU", "HPU", "NPU", "XPU", "MAC", "FLOP", "OP", "OPS", "TOPS", "USD", "EUR", "FLOPS"))


def _no_kinds(body: str) -> str:
    """Return a unit's text without words such as "dense" and "bf16" at its front."""
    return re.sub(r"^(?:(?:dense|sparse|bf16|fp16|fp8|fp4|int8|int4|tf32|fp32|fp64|peak)[\s,]*)+", "", body, flags=re.I)


def _translate(body: str, concept: str) -> str:
    for pattern, replacement in _FOREIGN_RE:
        body = pattern.sub(replacement, body)
    if concept in ("carbon", "carbon intensity"):
        body = re.sub(r"\b(k|M|m)?(g|t)\b(?!\s*CO)(?=$|\s|/|\))", r"\1\2CO2e", body)
        body = re.sub(r"\b(?:tonnes?|tons?|Tonnen)\b(?!\s*CO)", "tCO2e", body)
    if concept in ("peak", "achieved compute", "throughput", "bandwidth"):
        body = re.sub(r"\b([kMGTPE]?)(?:FLOPs|Flops|flops)\b(?!\s*/)", r"\1FLOPS", body)
    elif concept in ("work",):
        body = re.sub(r"\b([kMGTPE]?)(?:FLOPs|Flops|flops)\b(?!\s*/\s*s)", r"\1FLOP", body)
    if concept in ("peak", "achieved compute", "integer peak"):
        body = re.sub(r"\b([kMGTPE]?)OPs\b(?!\s*/)", r"\1OPS", body)
    return body.strip(" ,;")


_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _magnitude(body: str, concept: str) -> Value | None:
    """Read "B", "M", "bn", "millions": what they count is the label's concept."""
    counted = {
        "parameters": "parameter", "active parameters": "parameter", "tokens": "token", "requests": "request",
        "users": "user",
    }.get(concept)  # fmt: skip
    tens = re.fullmatch(r"[x×*·]?\s?(?:10\^?(\d{1,2})|1[eE]\+?(\d{1,2}))", body.translate(_SUPERSCRIPT))
    if tens and counted is not None and len(body) > 2:
        return Value(dims=((counted, 1.0),), factor=10.0 ** int(tens[1] or tens[2]))
    match = re.fullmatch(
        r"(?:in\s+)?(k|K|thousands?|M|mn|mio|Mio\.?|millions?|B|bn|billions?|Mrd\.?|milliards?|T|trillions?)", body
    )
    if not match or counted is None:
        return None
    first = match[1][0]
    scale = 1e3 if first in "k" or match[1] == "K" or match[1].startswith("thou") else 1e6
    if match[1] in ("B", "bn", "Mrd", "Mrd.") or match[1].startswith(("billion", "milliard")):
        scale = 1e9
    if match[1] == "T" or match[1].startswith("trillion"):
        scale = 1e12
    return Value(dims=((counted, 1.0),), factor=scale)


@cache
def _unit_words() -> frozenset[str]:
    """Return all words that can stand in a unit, in lower case: a quick look before the reader explains what is wrong."""
    kinds = (
        "per with without w o no sparsity sparse dense each both direction directions dir way ways one two uni bi directional"
        " unidirectional bidirectional unidir bidir duplex round trip p median mean average avg facility at the meter it active"
        " total output generated decode input prompt prefill fp bf tf int mxfp nvfp mxf e of million billion thousand co gco tco"
        " kgco mgco mtco kgcoe gcoe tcoe coe eq equivalent us"
    )
    return frozenset((*spellings_by_case(), *(m.casefold() for m in MAGNITUDES), *kinds.split()))


def _parsed(body: str, text: str) -> Value | None:
    """Parse with the unit reader; a figure per month is an amount with the period as a kind."""
    period = ""
    match = _PERIOD_UNIT.search(body)
    if match and not re.match(r"\s*(?:tokens?|h|hours?|GPU-h|days?|months?|years?|weeks?)\s*(?:/|per)", body):
        word = match[1].lower().rstrip("s")
        period = _PERIOD_SHORT.get(match[1].lower(), word)
        body = body[: match.start()] + " " + body[match.end() :]
    elif (match and re.match(r"\s*(tokens?)\s*(?:/|per)", body)) or match:
        period = _PERIOD_SHORT.get(match[1].lower(), match[1].lower().rstrip("s"))
        body = body[: match.start()] + " " + body[match.end() :]
    if not all(w.casefold() in _unit_words() for w in re.findall(r"[A-Za-z$€£₹]+", body)):
        return None
    try:
        unit = parse_unit(body)
    except CellError:
        return None
    if not unit.dimension and unit.factor == 1.0 and not re.search(r"[%/]", text):
        return None  # only kinds ("dense"), no unit
    kinds = set(unit.kinds.items())
    if period:
        kinds.add(("period", period))
    dims = tuple((n, e) for n, e in unit.dimension)
    return Value(dims=dims, factor=unit.factor, kinds=frozenset(kinds))


# --- concepts ------------------------------------------------------------------------------------------------------

# (concept, words). The first that matches counts, so a "bandwidth utilisation" is a ratio and an "energy price" a price.
_CONCEPTS: tuple[tuple[str, str], ...] = (
    ("PUE", r"^\W*(?:\w+ )?pue\b|power usage effectiveness"),
    ("WUE", r"\bwue\b"),
    ("MFU", r"\b[mh]fu\b|model flops? utili[sz]ation|hardware flops? utili[sz]ation"),
    ("growth", r"growth|wachstum|croissance|discount|rabatt|remise|\bwacc\b|interest|inflation|escalation"),
    ("share", r"\bshares?\b|anteil|\bpart\b|\bfraction\b|\bmix\b|\bsplit\b|\bportion\b|allocation|proportion|quote-part"),
    ("ratio", r"utili[sz]ation|utilisé|\butil\b|auslastung|efficien|effizienz|\bmbu\b"
              r"|\bratio\b|percentage|speed-?up|\bfactor\b|faktor|facteur|multiplier|multiple|overhead$|headroom$|margin$"
              r"|acceptance|duty|availab|verfügbarkeit|hit[ -]rate|load factor|reserve$|oversub|goodput ratio|occupancy"
              r"|error rate|failure rate|taux d|rendement|\bsaving"),
    ("exchange rate", r"exchange rate|fx rate|\bfx\b|wechselkurs|taux de change|(?:usd|eur|gbp)\s?(?:per|/|→|to)\s?(?:usd|eur|gbp)"),
    ("money", r"\bcosts?\b|\bprices?\b|\bpric|\bkosten|preis\b|\bco[uû]ts?\b|\bprix\b|\bcapex\b|\bopex\b|\bbudget\b.*[$€]|\btco\b"
              r"|depreciation|abschreibung|amorti|revenue|umsatz|chiffre|\bspend|\bfees?\b|tariff|tarif|savings?|\bbill\b|\bcharge\b"
              r"|electricity rate|rental|invest|\bprofit|salary|licen[cs]e|margin \("),
    ("carbon intensity", r"(?:carbon|co2|co₂|grid|emission)s? (?:emission )?(?:intensity|factor)|grid (?:mix|carbon)|intensité|strommix"
                         r"|emissionsfaktor|facteur d.émission|co2e?/kwh|co2e? (?:per|pro|par) (?:k|m)wh"),
    ("carbon", r"carbon|\bco2|co₂|emission|émission|\bscope [123]\b|footprint|treibhaus|\bghg\b|embodied"),
    ("water", r"\bwater\b|wasser|\beau\b"),
    ("round trip", r"\brtt\b|round[ -]?trip"),
    ("latency", r"\blatency|\blatenc|\blat\b|\bttft\b|\btpot\b|\bitl\b|time to first|time per (?:output )?token|latenz|\bdelay\b"
                r"|response time|antwortzeit|temps de r|\bp9[059]9?\b(?!.*(?:tok|req).*/s)|step time|time per step|\bduration\b|dauer"
                r"|durée|wait(?:ing)? time|runtime|queue(?:ing)? time|service time|(?<!at a )\btime\b(?! to)|\belapsed\b"),
    ("kv pair", r"^(?!.*cache).*(?:\bk ?(?:\+|&|and|und|et) ?v\b|keys? ?(?:and|&|\+) ?values?)|\bk/v (?:factor|tensors)"),
    ("kv cache", r"kv[ -]?cache|kv[ -]?(?:memory|size)|cache kv"),
    ("kv heads", r"\bkv[- ]?(?:köpfe|têtes)|têtes kv|(?:\bkv|key[- ]?value|n_kv|num_key_value)[ _-]?heads?|gqa groups"),
    ("heads", r"\b(?:attention|query|q|n|num)?[ _-]?heads?\b(?! ?dim)(?! size)|têtes|köpfe"),
    ("head dim", r"head[ _-]?(?:dim|size)|d_head|d_k\b|kopfdim|dimension de tête|dim(?:ension)? (?:par|per|pro) (?:tête|head)"),
    ("layers", r"\b(?:n_?)?layers?\b|num_hidden_layers|schichten|couches|\bblocks\b"),
    ("hidden size", r"hidden(?: size| dim)?|d_model|embedding dim|model dim"),
    ("bytes each", r"\b(?:bytes?|octets?|b) ?(?:per|/|pro|par) ?(?:param|weight|value|element|elem|entry|scalar|number|activation|kv"
                   r"|gewicht|wert|poids|valeur|élément|param[eè]tre)"),
    ("bits each", r"\b(?:weight|kv|activation|gradient|cache)s? bits\b|\bbits? ?(?:per|/|pro|par) ?(?:param|weight|value|element)"),
    ("bandwidth", r"bandwidth|\bnvlink\b|infinity fabric|\bpcie\b|infiniband|\bnic\b|\bbw\b|bandbreite|bande passante|\bthroughput.*\bgb/s|débit m[ée]moire|transfer rate|link speed|line rate"),
    ("memory", r"\bhbm\d?e?\b|\bvram\b|\bmemory\b|speicher\b|speicherbedarf|mémoire|\bcapacity\b.*\b(?:gb|gib|tb)|\bram\b|footprint"
               r"|\bweights?\b(?! ?\()|gewichte|checkpoint size|\bdataset size|\bstorage\b|\bdisk\b|activations?\b|optimi[sz]er states?|buffer"
               r"|message size|gradient size|speicherkap"),
    ("power", r"\bpower\b|\btdp\b|leistungsaufnahme|puissance|\bwatt|power draw|\bit load\b|anschlussleistung"),
    ("energy", r"\benergy\b|energie|énergie|electricity|strom(?:verbrauch)?|consommation"),
    ("MACs", r"\bmacs?\b|multiply[- ]acc"),
    ("integer peak", r"\btops\b|\bint[48]\b.*(?:peak|perf|compute)|(?:peak|perf).*\bint[48]\b"),
    ("parallel", r"\b(?:tensor|pipeline|data|context|expert|sequence)[ -]parallel|\((?:tp|pp|dp|cp|ep)\)|\b(?:tp|pp|dp|cp|ep)\b$"),
    ("work", r"\b[ktgpez]?flops? ?(?:per|/|pro|par) ?(?!s\b|sec)|total flops?\b|training (?:compute|flops?\b)|\bflop count|rechenaufwand"
             r"|model flops\b(?!.*/s)|flops? (?:required|needed|budget)|compute budget"),
    ("achieved compute", r"achieved|sustained|effective (?:tflop|flop|compute|rate)|measured (?:tflop|flop)|real compute"),
    ("peak", r"\bpeak\b|rechenleistung|\b[gtp]flops\b|\b[gtp]flop/s\b|crête|spitzenleistung|compute rate|tensor (?:core )?perf"),
    ("active parameters", r"(?:active|activated|aktive|actifs?)[ _-]+(?:expert )?(?:param|weights)|param\w*[ ,(_-]+(?:active|aktiv|actif)"
                          r"|n_active|\bactive \("),
    ("parameters", r"\bparam|\bmodel size \((?:b|m)\)|modellgr|\bn_params"),
    ("throughput", r"throughput|thr'put|durchsatz|\bdébit\b|(?:tok\w*|tokens|req\w*|images?|queries|samples) ?(?:/|per|pro|par) ?s(?:ec\w*)?\b"
                   r"|\btps\b|\bqps\b|\brps\b|generation speed|decode speed|\bgoodput\b|request rate|arrival rate"),
    ("device hours", r"gpu[ -]?(?:h|hours?|hrs?|std|stunden)\b|accelerator[ -]hours|heures[ -]gpu"),
    ("gpus per node", r"(?:gpus?|accelerators?|devices?|chips?|karten|cartes) ?(?:per|/|pro|par|je) ?(?:node|server|host|knoten|nœud|box|instance)"),
    ("tokens", r"\btokens?\b|\bprompt\b|\bcontext\b|\bsequence length|\bseq(?:uence)?[ _-]?len|kontext|contexte|\bvocab"),
    ("hours", r"\bhours?\b|\bhrs\b|stunden|heures"),
    ("devices", r"(?:^|[#\s])(?:gpus|gpu count|accelerators|devices|chips|karten|cartes|tpus|hpus)\b(?! ?(?:per|/|pro|par))|number of (?:gpu|acc|chip)"
                r"|\b(?:gpus|devices|accelerators|chips) per (?:replica|model|job|run|group|deployment)|\bgpu (?:count|quantity|qty)|anzahl (?:gpu|karten)|nombre de (?:gpu|cartes)|#\s?gpu|\bn_gpus?\b|num_gpus"),
    ("nodes", r"(?:^|[#\s])(?:nodes|servers|hosts|instances|knoten|nœuds|serveurs)\b(?! ?(?:per|/|pro|par))|number of (?:node|server)|node count"
              r"|server count|\bn_nodes\b|anzahl (?:der )?(?:server|knoten)|nombre de (?:nœuds|noeuds|serveurs)"),
    ("racks", r"(?:^|[#\s])racks\b|number of racks|rack count"),
    ("users", r"\busers\b|\bconcurrent|\bnutzer\b|mitarbeiter|employees|students|utilisateurs|\bstreams\b|\bseats\b|\bconcurrency\b"),
    ("requests", r"\brequests?\b|\bqueries\b|anfragen|requêtes|\bbatch\b|\bsequences\b"),
    ("replicas", r"\breplicas?\b|\bcopies\b|\bepochs?\b|\bsteps\b|\bhops\b|\bsockets\b|\blinks\b|\bexperts\b|\bstages\b|\bquantity\b|\bqty\b"
                 r"|\btp\b|\bpp\b|\bdp\b|tensor parallel|pipeline parallel|data parallel|top-?k|\bcount\b|micro-?batches|\bworkers\b"),
    ("images", r"\bimages?\b|\bsamples\b|\bframes\b|bilder"),
    ("count", r"^(?:#|number of |no\.? of )?[a-zäöüéè-]+s,? (?:per|/|pro|par|je|in an?|of an?) [a-zäöüéè -]+$|^number of \w+|^anzahl \w+"
              r"|^nombre d\S* \w+"),
)  # fmt: skip
_CONCEPT_RE = tuple((name, re.compile(pattern, re.I)) for name, pattern in _CONCEPTS)

# Concepts whose numbers are bare, and what they count.
_NUMBERS: dict[str, Dims] = {
    "PUE": (), "MFU": (), "growth": (), "ratio": (), "share": (), "kv heads": (), "heads": (), "head dim": (), "layers": (), "kv pair": (),
    "hidden size": (), "gpus per node": (("device", 1.0), ("node", -1.0)), "devices": (("device", 1.0),),
    "nodes": (("node", 1.0),), "racks": (("rack", 1.0),), "users": (("user", 1.0),), "requests": (("request", 1.0),),
    "replicas": (), "parallel": (), "count": (), "images": (("sample", 1.0),), "tokens": (("token", 1.0),),
    "bytes each": (("information", 1.0),), "bits each": (("information", 1.0),),
}  # fmt: skip

_USER = (
    r"(?:(?:per|/|pro|par|je|one|each|single|d.un|eine[ns]?) ?(?:user|stream|nutzer|benutzer|utilisateur|seat|session|employee|mitarbeiter"
    r"|student|customer|kunde))"
)
_KIND_WORDS: tuple[tuple[str, str, str], ...] = (
    ("density", "sparse", r"\bsparse\b|(?:with|w/|mit|avec) (?:2:4 )?sparsity|\bsparsity\b(?! factor)"),
    ("density", "dense", r"\bdense\b|(?:without|w/o|no) sparsity"),
    ("direction", "both directions", r"bi-?direction\w*|\bbidir\b|both (?:directions|ways)|total bidirectional|beide richtungen"
                                     r"|duplex|bidirectionnel"),
    ("direction", "per direction", r"(?:per|each|/|one|pro|par|je) ?(?:direction|dir\b|richtung|sens)|each way|uni-?direction\w*|\bunidir\b"),
    ("trip", "round trip", r"\brtt\b|round[ -]?trip|hin und zurück|aller-retour"),
    ("trip", "one way", r"one[ -]?way|\bowd\b|einfach\w* (?:weg|strecke)|aller simple"),
    ("statistic", "p99", r"\bp99\b|99th|p-99"),
    ("statistic", "p95", r"\bp95\b|95th"),
    ("statistic", "p90", r"\bp90\b|90th"),
    ("statistic", "p50", r"\bp50\b|\bmedian\b"),
    ("statistic", "mean", r"\bmean\b|\baverage\b|\bavg\b|mittel|\bmoyen"),
    ("boundary", "facility", r"facility|at the meter|site (?:energy|power|load)|\bincl\w*\.? pue|with pue|\(pue|\bmeter(?:ed)?\b|zähler|compteur|\btotal facility|gebäude"
                             r"|rechenzentrum gesamt|wall[ -]plug"),
    ("boundary", "IT", r"(?-i:\bIT\b)|excl\w*\.? pue|before pue|without pue"),
    ("parameters", "active", r"\bactive\b|\bactivated\b|\baktiv\w*|\bactifs?\b"),
    ("parameters", "total", r"\btotal (?:param|weights)|param\w*[ ,(]+total|gesamtparameter|paramètres totaux|\ball param"),
    ("token", "output", r"\boutput|^out\b|\banswers?\b|\bresponse tok|antwort|réponse|\bgenerated\b|completion|ausgabe|sortie|\bdecode\b(?! step)"),
    ("token", "input", r"\binput|^in (?=[$€u])|\bprompt|\bquestions?\b|eingabe|entrée|\bprefill\b"),
    ("per user", "user", _USER),
    ("total", "total", r"\btotal\b|\bfleet\b|\bcluster\b|\baggregate\b|\bsystem\b|\ball (?:gpus|nodes|users|tenants|teams|customers|sites)|gesamt|overall|\bsite\b"
                       r"|flotte|\bsumme?\b|whole"),
    ("precision", "bf16", r"\bbf16\b|bfloat16"),
    ("precision", "fp16", r"\bfp16\b|float16"),
    ("precision", "fp8", r"\bfp8\b"),
    ("precision", "fp4", r"\b(?:nv|mx)?fp4\b"),
    ("precision", "int8", r"\bint8\b"),
    ("precision", "int4", r"\bint4\b"),
    ("precision", "tf32", r"\btf32\b"),
    ("precision", "fp32", r"\bfp32\b"),
    ("precision", "fp64", r"\bfp64\b"),
)  # fmt: skip
_KIND_RE = tuple((c, k, re.compile(p, re.I)) for c, k, p in _KIND_WORDS)
_PER = (
    ("device", r"(?:per|/|pro|par|je) ?(?:gpu|device|accelerator|chip|card|karte|carte|tpu|hpu|xpu)s?\b(?![ -]?(?:h\b|hour|hr|std|stunde|year|month))"),
    ("node", r"(?:per|/|pro|par|je) ?(?:node|server|host|instance|knoten|nœud|serveur|box)\b(?![ -]?(?:h\b|hour|hr|std))"),
    ("rack", r"(?:per|/|pro|par|je) ?rack\b"),
    ("user", _USER + r"\b"),
)  # fmt: skip
_PER_RE = tuple((name, re.compile(pattern, re.I)) for name, pattern in _PER)
_PERIODS = (
    ("month", r"\b(?:per|/|pro|par|je|a) ?(?:month|monat|mois)\b|\bmonthly\b|monatlich|mensuel|/ ?mo\b"),
    ("year", r"\b(?:per|/|pro|par|je|a) ?(?:year|jahr|an|annum|yr)\b|\byearly\b|\bannual|jährlich|annuel|\bp\.a\."),
    ("day", r"\b(?:per|/|pro|par|je|a) ?(?:day|tag|jour)\b|\bdaily\b|täglich|quotidien"),
    ("week", r"\b(?:per|/|pro|par|je|a) ?(?:week|woche|semaine)\b|\bweekly\b"),
    (
        "hour",
        r"\bhourly\b|stündlich|(?:per|/|pro|par|je|d.une) ?(?:gpu[- ]?)?(?:hour|stunde|heure)\b|(?:par|d.une) heure|\bin (?:an|one|1) hour\b",
    ),
)
_PERIOD_RE = tuple((name, re.compile(pattern, re.I)) for name, pattern in _PERIODS)


def _concept(text: str) -> str:
    return next((name for name, pattern in _CONCEPT_RE if pattern.search(text)), "")


def _kinds(text: str) -> frozenset[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for category, kind, pattern in _KIND_RE:
        if pattern.search(text):
            found.setdefault(category, set()).add(kind)
    # "prompt + output tokens", "p50 / p99": two kinds at once say nothing.
    return frozenset((c, next(iter(k))) for c, k in found.items() if len(k) == 1)


def _per_second(match: re.Match[str]) -> str:
    """Read "tok s", "tb s" of a snake-case name as a rate."""
    word = _LOWER.get(match[1], match[1])
    return (
        f"{word}/s"
        if word in ("tok", "tokens", "req", "requests", "img", "images", "samples", "GB", "TB", "MB", "GiB", "flop")
        else match[0]
    )


_BRACKET = re.compile(r"[(\[{]([^()\[\]{}]{1,60})[)\]}]")


@lru_cache(maxsize=65536)
def read_label(text: str) -> Label:
    """Read a header or a row label."""
    shown = " ".join(text.split())
    if not shown or len(shown) > 160 or re.search(r"\S\|\S", shown):
        return NOTHING  # nothing, prose, or a key that a formula looks up
    snake = "_" in shown and " " not in shown
    words = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", shown.replace("_", " ")) if snake else shown
    concept = _concept(words)
    kinds = set(_kinds(words))
    if snake:
        words = re.sub(r"\b(\w+) (?:per )?(s|sec)\b(?=$| per)", _per_second, words)
    unit, rest, strong = _find_unit(words, concept, snake)
    dims: dict[str, float] = {}
    for name, pattern in _PER_RE:
        if pattern.search(words) and not (unit and unit.dims and any(n == name for n, _ in unit.dims)):
            dims[name] = -1.0
    if unit is not None and unit.dims and not any(n == "token" for n, _ in unit.dims):
        unit = _per_many(unit, rest)
    if unit is not None and not unit.kind("period"):
        for name, pattern in _PERIOD_RE:
            if pattern.search(rest):
                kinds.add(("period", name))
                break
    if unit is not None:
        named = {c for c, _ in unit.kinds}
        kinds = {k for k in kinds if k[0] not in named} | set(unit.kinds)
    else:
        kinds |= {("period", p) for p, pattern in _PERIOD_RE if pattern.search(words)}
    return Label(shown, unit, concept, frozenset(kinds), strong, tuple(sorted(dims.items())))


def _find_unit(words: str, concept: str, snake: bool) -> tuple[Value | None, str, bool]:
    """Return the unit a label states, the label without it, and whether it is set apart."""
    brackets = list(_BRACKET.finditer(words))
    for match in reversed(brackets):
        for piece in (match[1], *re.split(r"[,;|]", match[1])):
            unit = None if _COUNTING.match(piece) else read_unit(piece, concept)
            if unit is not None:
                return unit, words[: match.start()] + words[match.end() :], True
    plain = _BRACKET.sub(" ", words).strip() if brackets else words
    unit = _whole(plain, concept)
    if unit is not None:
        return unit, "", False
    for separator in (", ", " in ", " [", ": ", " – ", " - ", " | ", " / "):
        head, found, tail = plain.rpartition(separator)
        if found and head:
            unit = None if _COUNTING.match(tail) else read_unit(tail, concept)
            if (
                unit is not None
                and tail.casefold() not in _WORDS
                and (separator in (", ", " [") or _certain(unit, tail, concept))
            ):
                return unit, head, separator in (", ", " [", " in ")
    return (*_trailing(plain, concept, snake), False)


_MANY = re.compile(
    r"(?:per|/|pro|par|je) ?(?:1 ?)?(k|1[,. ]?000|thousand|M|1[,. ]?000[,. ]?000|1e6|million|Mio\.?|mn|billion|B)[ -]*"
    r"(?:[\w-]+[ -])?(tok(?:en)?s?|jetons|requests?|queries|images?)\b"
)
_MANY_SCALE = {"k": 1e3, "t": 1e3, "b": 1e9}


def _per_many(unit: Value, rest: str) -> Value:
    """Apply "per million tokens" written outside the brackets that hold the unit."""
    match = _MANY.search(rest)
    assert unit.dims is not None
    if not match:
        return unit
    digits = re.sub(r"\D", "", match[1])
    scale = float(digits) if len(digits) > 3 else _MANY_SCALE.get(match[1][0].lower(), 1e6)
    counted = {"r": "request", "q": "request", "i": "sample"}.get(match[2][0].lower(), "token")
    dims = tuple(sorted((*((n, e) for n, e in unit.dims if n != counted), (counted, -1.0))))
    return replace(unit, dims=dims, factor=unit.factor / scale)


_COUNTING = re.compile(r"\s*\d(?!(?:0\^|e)\d+\s*$)(?!\s?[kKM]? tok)")  # "(80 GB)" is a figure, "(10^9)" a unit
_COUNT_WORDS = re.compile(
    r"^(?:#|no\.?|number of|num|count of|total|avg\.?|average|mean|max\.?|peak|anzahl|nombre de)\s+", re.I
)


def _whole(text: str, concept: str) -> Value | None:
    """Read a label that is itself a unit: "GPU-hours", "Tokens per second per user", "$ per million tokens"."""
    body = _COUNT_WORDS.sub("", text)
    body = re.sub(r"\b(?:second|sec)s?$", "s", body, flags=re.I) if re.search(r"per sec", body, re.I) else body
    candidates = [body]
    if body[:1].isupper() and body[1:2].islower():
        candidates.append(body[0].lower() + body[1:])
    for candidate in candidates:
        unit = read_unit(candidate, concept)
        if unit is not None and unit.dims is not None and len(candidate) > 1:
            if candidate.casefold() in _WORDS and not (hard(unit.dims) and candidate.endswith("s")):
                # one word names a thing: a plural is a count of it; parameters may be counted in billions
                return replace(unit, factor=math.nan) if concept == "parameters" else (
                    unit if candidate.endswith("s") and candidate.casefold() not in ("weights", "units", "samples") else None)  # fmt: skip
            return unit
    return None


def _certain(unit: Value, text: str, concept: str) -> bool:
    """Tell whether trailing words are certainly a unit: a symbol of two letters or more, or one that fits the concept."""
    assert unit.dims is not None
    if text.casefold() in ("min", "mo", "ms") and concept not in ("latency", "hours"):
        return text == "ms"
    if concept in ("parameters", "active parameters") and re.fullmatch(r"[BM]|bn|mn|(?:b|m)illions?|10\^\d+", text):
        return True
    if len(text) == 1:
        return (
            text in "%$€£" or (text == "W" and concept == "power") or (text in "sh" and concept in ("latency", "hours"))
        )
    return bool(hard(unit.dims)) or text in ("%",) or "/" in text


def _trailing(text: str, concept: str, snake: bool) -> tuple[Value | None, str]:
    """Read a unit at the end ("TTFT ms", "hbm_gb", "Peak TFLOPS dense") or at the front ("GPU-hours used")."""
    pieces = text.split()
    for count in (4, 3, 2, 1):
        if len(pieces) <= count:
            continue
        tail = pieces[-count:]
        if snake:
            tail = [_LOWER.get(p, p) for p in tail]
            joined = re.sub(r"\bper (s|sec|second)\b", "/s", " ".join(tail))
        else:
            joined = " ".join(tail)
        if not snake and count == 1 and joined.casefold() in _WORDS:
            continue
        if len(pieces) > count and pieces[-count - 1] in ("per", "/", "pro", "par", "je", "a", "an", "of", "der", "des", "pour"):
            continue
        unit = read_unit(joined, concept)
        if unit is not None and _certain(unit, joined, concept) and not re.match(r"(?:per|/|pro|par)\b", joined):
            return unit, " ".join(pieces[:-count])
    for count in (5, 4, 3, 2, 1):
        if len(pieces) <= count:
            continue
        joined = " ".join(pieces[:count])
        if joined.casefold() in _WORDS:
            continue
        unit = read_unit(joined, concept)
        strong = re.search(r"[/$€£%-]|\bper\b", joined) or re.fullmatch(r"[kMGTPE]?(?:FLOPS?|TOPS|OPS|kWh|MWh)|[kMGTP]i?B|[kM]W|ms|µs", joined)
        if unit is not None and unit.dims and hard(unit.dims) and strong:
            return unit, " ".join(pieces[count:])
    return None, text


# Words that the unit reader would take for a unit, but that end or begin a label as words.
_WORDS = frozenset(
    ("to", "in", "per", "gpu", "gpus", "node", "nodes", "token", "tokens", "user", "users", "request", "requests", "image",
     "images", "link", "links", "port", "rack", "racks", "card", "device", "devices", "server", "servers", "host", "instance",
     "step", "steps", "unit", "units", "count", "parameters", "params", "weights", "batch", "stream", "frame", "min", "day",
     "days", "month", "year", "hour", "second", "week", "b", "m", "k", "t", "g", "h", "s", "d", "y", "l", "w", "j", "op", "mo",
     "months", "years", "weeks", "samples", "sample", "sequence", "sequences", "iterations", "chip", "chips", "inference",
     "query", "queries", "dollar", "dollars", "euro", "euros", "usd", "eur", "time", "accelerator", "accelerators", "lane", "bit", "byte", "bytes", "bits", "macs", "mac", "flop")
)  # fmt: skip


# --- cells that are a unit or a quantity ----------------------------------------------------------------------------


@lru_cache(maxsize=65536)
def unit_cell(text: str) -> Value | None:
    """Read a cell of a unit column: nothing but a unit."""
    body = text.strip()
    if body[:1] in "([" and body[-1:] in ")]":
        body = body[1:-1]
    if (
        len(body) > 30
        or re.match(r"[\d=]", body)
        or (body.casefold() in _WORDS and len(body) > 2 and not body.islower())
    ):
        return None
    return (
        read_unit(body, "")
        or read_unit(body, "peak")
        or (_magnitude(body, "parameters") if body in ("B", "bn") else None)
    )


@lru_cache(maxsize=65536)
def read_quantity(text: str) -> tuple[float, Value] | None:
    """Read a text such as "80 GiB" or "3,35 TB/s": (number in its unit, unit)."""
    if not re.match(r"\s*[-+]?[$€£]?\s?\d", text) or len(text) > 60:
        return None
    body = re.sub(r"(\d)\.(\d{3})(?=\D|$)(?!\s*\d)", r"\1\2", text) if re.search(r"\d\.\d{3},\d", text) else text
    body = re.sub(r"\b([kKMGTP]i?)o(?![A-Za-z])", r"\1B", body)
    try:
        quantity = parse(body)
    except CellError:
        return None
    if not quantity.dimension or not math.isfinite(quantity.si):
        return None
    kinds = frozenset(quantity.kinds.items())
    return quantity.value, Value(quantity.dimension, quantity.unit.factor, kinds, text=quantity.unit.text)


def number_of(concept: str) -> Value | None:
    """Return the unit of a concept whose numbers are bare, such as layers or a utilisation."""
    dims = _NUMBERS.get(concept)
    return None if dims is None else Value(dims=dims, factor=0.125 if concept == "bits each" else 1.0)


def period_seconds(period: str) -> float:
    """Return the length of a period."""
    return PERIODS[period]
