"""The words of capacity sheets, in English, German and French: units, quantities, and kinds of them.

Tables only; what they mean together is read in :mod:`mlsim_workbooks.lint.labels`.
"""

from __future__ import annotations

import re

from mlsim.units.spelling import CURRENCIES
from mlsim_workbooks.lint.algebra import Dims
from mlsim_workbooks.lint.patterns import Patterns

__all__ = [
    "ABBREVIATED",
    "ACRONYMS",
    "CALENDAR",
    "CHIP_HOURS",
    "CONCEPTS",
    "COUNTED",
    "COUNTED_WORDS",
    "COUNTS",
    "FOREIGN_RE",
    "FOREIGN_WORDS",
    "KINDS",
    "LOWER",
    "MACHINES",
    "MAGNITUDE",
    "MODEL_SIZES",
    "NUMBERS",
    "ONCE",
    "PER",
    "PERIOD_SHORT",
    "PERIOD_UNIT",
    "PERIOD_WORDS",
    "PER_MANY",
    "PREPOSITIONS",
    "SHOUTED",
    "WORDS",
]

CALENDAR = re.compile(
    r"year|month|quarter|week|day|jahr|monat|quartal|woche|tag|année|an|mois|trimestre|semaine|jour", re.I
)  # names a line or a column
MAGNITUDE = re.compile(  # a text that is nothing but "so many"
    r"[x×]?\s?10\^?\d{1,2}|10[⁰¹²³⁴-⁹]+|1[eE]\d{1,2}|[BMTk]|bn|(?i:thousands?|millions?|billions?|trillions?|milliards?|Millionen|Milliarden|Mio\.?|Mrd\.?)|Md"
)
ONCE = re.compile(
    r"\bonce\b|one[- ](?:time|off)|einmalig|\bune (?:seule )?fois\b|ponctuel", re.I
)  # paid, not each month
WRITTEN_OFF = re.compile(
    r"depreciat|amorti[sz]|abschreib|\bafa\b|amortissement|write[- ]?(?:off|down)|written off", re.I
)
PER_MANY = re.compile(  # "per 1,000 documents"
    r"(?:\b(?:per|par|je|pro|each|of|for|von|für|de|pour)|/) ?(?:1\b|1[., ]?000|k\b|M\b|Mio|mill(?:e|ier|ion)|thousand|tausend)|\b(?:and|und|et) 1[., ]?000\b",
    re.I,
)

# Concepts (see CONCEPTS below) whose numbers are pure numbers.
MACHINES = frozenset(("devices", "nodes", "racks", "replicas", "gpus per node"))
MODEL_SIZES = frozenset(("layers", "heads", "kv heads", "head dim", "hidden size"))
COUNTS = MACHINES | MODEL_SIZES | {"count", "requests", "share", "ratio", "MFU", "PUE"}

CHIP_HOURS = r"\b(?:[AHBL]\d{2,3}S?|GB?[23]00|MI\d{3}[AX]?)[ -](?:[Hh](?:ou)?rs?|h)\b"  # "H100-hours"
_FOREIGN = (
    (r"\bMio(?:\.|(?= [A-Z€$]))", "million"),
    (r"^(?:10\^|1[eE])3 (?=[a-z])", "thousand "),
    (r"^(?:10\^|1[eE])6 (?=[a-z])", "million "),
    (r"^(?:10\^|1[eE])9 (?=[a-z])", "billion "),
    (r"^(?:10\^|1[eE])12 (?=[a-z])", "trillion "),
    (r"(/ ?|per )kW[-·](month|mo|year|yr|a)\b", r"\1kW/\2"),
    (r"\b(Aus|Ein)gabetokens?\b", r"\1gabe tokens"),
    (r"\bEingabe tokens\b|\b(?:jetons?|tokens?) d['’]entrée\b", "input tokens"),
    (r"\bAusgabe tokens\b|\b(?:jetons?|tokens?) de sortie\b", "output tokens"),
    (r"\bTokens?\b", "tokens"),
    (r"(?<=/)([kM])VA\b", r"\1W"),
    (r"\bKnotenstunden?\b|\bheures?[- ]nœuds?\b", "node-h"),
    (r"\b(?:per|pro|par|je) ((?:active |registered )?\w+(?:/s)?) (?:and|und|et)(?: (?:per|pro|par|je))? (\w+)\b", r"per \1 per \2"),
    (r"(?<=/)([A-Za-z]+) (?:und|and|et) (?=Monat|Jahr|Tag|month|year|day|mois|an\b|jour)", r"\1/"),
    (r"^(?:x|×)[ -]?(?:real[- ]?time)$|^h/h$|^s/s$|^[x×] (?:the |of |rate )\b.*", "x"),
    (r"\b([kM])jetons?\b", r"\1tok"),
    (r"\b(?:Mitarbeiter|employees?|Nutzer|Benutzer|utilisateurs?|students?|seats?|Studierende[rn]?|[ée]tudiante?s?)\b", "user"),
    (r"/([kMG](?:bit|B))/s/(?=month|mo\b|year|yr|day|Monat|Jahr|mois|an\b)", r"/(\1/s)/"),  # for each Mbit/s
    (r"\bParam\b\.?", "param"),
    (r"\bAnfr\b\.?", "requests"),
    (r"^((?:[TkM] ?)?€|EUR|CHF|[kM]?t|kg|[MkG]Wh|m³|(?:GPU-)?h)/J$", r"\1/year"),
    (r"^G (?=params?\b|tok(?:en)?s?\b)", "B "),
    (r"(?<=/) ?(?:Person(?:en)?|personnes?|persons?|capita)\b", "user"),
    (r"\b([kKMGTPE]i?)o(?![A-Za-z])", r"\1B"),
    (r"\boctets?\b", "bytes"),
    (r"\b(?:Std|Stunden?|heures?)\b\.?", "h"),
    (r"\b(?:Sek|Sekunden?|secondes?)\b\.?", "s"),
    (r"\b(?:Minuten?)\b", "min"),
    (r"\b(?:Monate?n?|mois)\b", "month"),
    (r"\b(?:Jahre?n?|ans?|années?)\b", "year"),
    (r"\b(?:work(?:ing)?[ -]?|business )days?\b|\bArbeitstage?\b|\bjours (?:ouvrés|ouvrables|de travail)\b", "day"),
    (r"\b(?:Tage?n?|jours?)\b", "day"),
    (r"\bm³", "kL"),
    (r"(?<=/)\s*j\b|^j(?=$|/)", "day"),  # a joule is a capital letter
    (r"\b(?:Wochen?|semaines?)\b", "week"),
    (r"\b(?:pro|par|je)\b", "per"),
    (r"\b(k|M|m)?g\s*/\s*(kWh|MWh)\b", r"\1gCO2e/\2"),
    (r"\b(?:Tsd|Tausend|milliers?)\b\.?( de)?", "thousand"),
    (r"\b(?:Mio|Millionen?|millions?(?= de\b))\b\.?(?: de\b)?", "million"),
    (r"\b(?:Mrd|Milliarden?|milliards?)\b\.?(?: de\b)?", "billion"),
    (r"\bjetons?\b", "tokens"),
    (r"\b(?:paramètres?|Parameter)\b", "param"),
    (r"\b(?:Anfragen?|requêtes?|demandes?)\b", "requests"),
    (r"\b(?:Knoten|nœuds?|noeuds?|Server|serveurs?|Instanz(?:en)?)\b", "nodes"),
    (r"\b(?:Bilder|Bild)\b", "images"),
    (r"\b(?:Karten?|cartes?|puces?)\b", "GPU"),
    (r"(?<=[€$£RFD]) (?:HT|TTC|netto|brutto|net|gross|(?:ex|in)cl\. (?:VAT|tax)|(?:zzgl|inkl)\. (?:USt|MwSt)\.?)(?=$|[ /])", ""),
    (r"(?<=kWh) (?:HT|TTC|netto|brutto)$", ""),
    (r"\b([PEZ])(?:FLOPs?/s|FLOPS|F)[-· ]?(?:days?|d)\b", r"\1FLOPS·day"),
    (r"\b(k)?GPU-?h\b", r"\1 GPU-h"),
    (r" im (Jahr|Monat)\b", r"/\1"),
    (r"(?<=[·*])\s*a\b", "year"),
    (r"(?<=/)(M|k)tok (?:in|out)$", r"\1tok"),
    (r" ?(?:/ ?|\b(?:per|pro|par|je) )(?:term|semest(?:er|re)|trimest(?:er|re)|quarter|Quartal)\b", ""),
    (r"\b([TP])BW\b", r"\1B"),  # written to a disk in its life
    (r"^(\S+) per (\w+)/(s|h)(?=$| )", r"\3*\1/\2"),
    (r"\bannum\b|(?<=/)\s*a\b(?!\.)", "year"),
    (r" per ([$€£] ?/ ?[A-Za-z]+)$", r"/(\1)"),
    (r"\bp\.?\s?a\.?(?=$|[\s)])", "per year"),
    (r"\bmonthly\b(?! active)", "per month"),
    (r"\b(?:yearly|annually)\b", "per year"),
    (r"\b(\w*)FLOPs?\s*(?=/\s*(?!s\b|sec)|per\s+(?!s\b|sec))", r"\1FLOP "),
    (r"\b([kMGTPE]?)FLOPs(?=\s+(?:dense|sparse|bf16|fp16|fp8))", r"\1FLOPS"),
    (r"\bop\b", "OP"),
    (r"\bGPU[ -](nodes?|servers?|hosts?|instances?)\b", r"\1"),
    (r"\b([kMGTP]i?)Bps\b", r"\1B/s"),
    (r"\$?US[-\s]?\$", "US$"),
    (r"\b([kKM])\s?(USD|EUR|GBP|CHF)\b", r"\1\2"),
    (r"(?<![A-Za-z])\$\s?([kKMB])(?![A-Za-z])", r"\1$"),
    (r"(?<![A-Za-z])€\s?([kKM])(?![A-Za-z])", r"\1€"),
    (r"\b(USD|EUR|GBP)\s(?:k|thousands?)\b", r"k\1"),
    (r"\b(USD|EUR|GBP)\s(?:m|M|millions?)\b", r"M\1"),
    (r"\bT€", "k€"),
    (r"\bT(EUR|USD|CHF|GBP)\b", r"k\1"),
    (r"(?<=/)\s*1\s?[kK]\s+(?=tok)", "k"),
    (r"(?<=/)\s*1\s?M\s+(?=tok)", "M"),
    (r"\b1\s?[kK]\s+tok(?:en)?s?\b", "ktok"),
    (r"\b1\s?M\s+tok(?:en)?s?\b", "Mtok"),
    (r"\b1[ ,.]?000[ ,.]?000 tok(?:en)?s?\b", "Mtok"),
    (r"\b1[ ,.]?000 tok(?:en)?s?\b", "ktok"),
    (r"\bKtok(?:en)?s?\b|\bk tok(?:en)?s?\b", "ktok"),
    (r"\b(?:new|generated|produced|processed)\s+(?=tok)", ""),
    (r"(tok(?:en)?s?) of (output|input)\b", r"\1 \2"),
    (r"\b([kMGTPE]?)(?:FLOP|OP)s?/s ?[·*] ?h\b", r"\1FLOPS·h"),
    (rf"\bGPU[ -]?[Hh](?:ou)?rs?\b|{CHIP_HOURS}", "GPU-h"),
    (r"\baccelerator[ -]?(?:hours?|hrs?|h)\b", "GPU-h"),
    (r"\bwall[ -]?clock\s*|\bwall[ -](?=h)", ""),
    (r"\b(?:each|ea\.?|nominal|usable|raw|approx\.?|ca\.?|net|gross|list|spec|max\.?|peak|avg\.?|sustained)\b", ""),
)  # fmt: skip


FOREIGN_RE = tuple((re.compile(p), r) for p, r in _FOREIGN)


# Words of units that :mod:`mlsim.units` does not know: other languages, magnitudes, counts.
FOREIGN_WORDS = frozenset(
    ("km", "knotenstunde", "knotenstunden", "tusd", "tchf", "tgbp", "std", "stunde", "stunden", "heure", "heures", "sek", "sekunde", "sekunden", "seconde", "secondes", "monat",
     "monate", "monaten", "mois", "minuten", "minute", "jahr", "jahre", "jahren", "an", "ans", "année", "années", "tag", "tage", "tagen", "jour", "jours", "woche",
     "wochen", "semaine", "semaines", "mio", "million", "millions", "millionen", "mrd", "milliard", "milliarden",
     "milliards", "tsd", "tausend", "millier", "milliers", "jeton", "jetons", "paramètre", "paramètres", "parameter", "anfrage", "anfragen", "requête", "demande", "demandes",
     "requêtes", "nutzer", "benutzer", "mitarbeiter", "employee", "employees", "utilisateur", "utilisateurs",
     "student", "students", "étudiant", "étudiants", "person", "personne", "seat", "seats", "workday", "workdays", "working", "real", "kjeton", "mjeton", "kjetons", "mjetons", "arbeitstag", "arbeitstage", "knoten", "nœud", "nœuds", "noeud", "noeuds", "server", "serveur",
     "serveurs", "instanz", "instanzen", "bild", "bilder", "karte", "karten", "carte", "cartes", "puce", "puces", "octet", "octets",
     "tbw", "pbw", "ko", "mo", "go", "to", "po", "kio", "gio", "tio", "annum", "monthly", "yearly", "annually", "accelerator", "k",
     "m", "b", "t", "bn", "mn", "teur", "e", "x", "op", "flops", "flop", "count", "faktor", "factor", "ratio",
     "fraction", "stk", "stück", "anzahl", "qty", "unité", "unités", "billions", "thousands", "trillion", "trillions", "pcs", "pc", "ea", "pieces")
)  # fmt: skip


LOWER = {
    "gb": "GB", "gib": "GiB", "tb": "TB", "tib": "TiB", "mb": "MB", "mib": "MiB", "kb": "kB", "kib": "KiB", "pb": "PB",
    "gbps": "Gbps", "mbps": "Mbps", "kwh": "kWh", "mwh": "MWh", "kw": "kW", "w": "W", "tflops": "TFLOPS",
    "pflops": "PFLOPS", "gflops": "GFLOPS", "tflop": "TFLOP", "gflop": "GFLOP", "tops": "TOPS",
    "gbs": "GB/s", "tbs": "TB/s", "tok": "tok", "kg": "kg", "wh": "Wh", "co2e": "CO2e", "gmac": "GMAC", "gmacs": "GMAC", "pct": "%", "tbps": "TB/s", "mbyte": "MB", "gbyte": "GB", "kbyte": "kB", "mbit": "Mbit", "gbit": "Gbit", "kbit": "kbit",
    **{code.lower(): code for code in CURRENCIES},
}  # fmt: skip


PERIOD_UNIT = re.compile(
    r"(?:/|\bper\b)\s*(day|d|week|wk|month|mo|year|yr|y|days|weeks|months|years)\b\.?(?!\s*/)", re.I
)


PERIOD_SHORT = {"d": "day", "wk": "week", "mo": "month", "yr": "year", "y": "year"}


# What German and French sheets cut short, as labels have it.
ABBREVIATED = {
    "anfr": "Anfragen", "anz": "Anzahl", "param": "Parameter", "rechenl": "Rechenleistung", "rechenaufw": "Rechenaufwand",
    "speicherbandbr": "Speicherbandbreite", "leistungsaufn": "Leistungsaufnahme", "auslastg": "Auslastung", "ausl": "Auslastung",
    "verbr": "Verbrauch", "u": "und", "durchschn": "Durchschnitt", "emiss": "Emissionen", "abschr": "Abschreibung",
    "moy": "moyenne", "conso": "consommation", "puiss": "puissance", "mém": "mémoire", "nb": "nombre",
}  # fmt: skip


SHOUTED = frozenset(
    ("us", "hr", "ms", "mo", "min", "sec", "it", "op", "ns", "day", "host", "step", "unit", "link", "port", "y", "d")
)


ACRONYMS = frozenset(("GPU", "TPU", "HPU", "NPU", "XPU", "MAC", "FLOP", "OP", "OPS", "TOPS", "USD", "EUR", "FLOPS"))


# Words before which a unit's name is a plain word: "costs in the year", "Kosten je Monat".
PREPOSITIONS = frozenset(
    ("dieser", "diese", "diesem", "jeder", "jede", "cette", "ce", "per", "/", "pro", "par", "je", "a", "an", "of", "der", "des", "pour", "im", "in", "am", "au", "en", "dans", "this", "last",
     "next", "each", "every", "first", "the", "ein", "eine", "einer", "one", "d'un", "d'une", "un", "une", "full", "whole")
)  # fmt: skip

# (concept, words). The first that matches counts, so a "bandwidth utilisation" is a ratio and an "energy price" a price.
_CHIP = r"(?:nvidia |amd |intel )?(?:[abhl]\d{1,3}s?|gb?[23]00|mi\d{3}[ax]?|gaudi ?\d|rtx ?\d{4})(?: sxm\d?| pcie| nvl| oam)?"
_CONCEPTS: tuple[tuple[str, str], ...] = (
    ("PUE", r"^\W*(?:\w+ )?pue\b|[,:] pue$|^(?:facility|total|site)(?: power| energy)? over it (?:power|energy)|overhead factor \(pue\)|power usage effectiveness|cooling factor|kühlfaktor|facteur de refroidissement"),
    ("WUE", r"\bwue\b"),
    ("MFU", r"(?<!\d % )(?<!\d%\s)\b[mh]fu\b|model flops? utili[sz]ation|hardware flops? utili[sz]ation"),
    ("growth", r"growth|wachstum|croissance|discount|rabatt|remise|\bwacc\b|interest|inflation|escalation"),
    ("share of the day", r"share of (?:the |a )?(?:working )?day|peak hour,? share|(?:share|anteil|part).*(?:busiest|peak hour|stunde|heure)|busiest hour"),
    ("share", r"(?<!that )(?<!which )(?<!to )(?<!who )\bshares?\b|\bvat\b|\bmwst\b|\btva\b|anteil|\bpart\b(?! of (?:the )?(?:key|head|query|dim))|\bfrac(?:tion)?\b|\bmix\b|\bsplit\b|\bportion\b|allocation|proportion|quote-part"),
    ("ratio", r"\bspitze (?:zu|durch|/) mittel|^times (?:the )?[a-z]+|peak hour over (?:daily )?mean|pic sur moyenne|\b(?:max|min|best|worst|high(?:est)?|low(?:est)?) ?(?:[:/÷]|over|to) ?(?:max|min|best|worst|high(?:est)?|low(?:est)?)\b|peak(?: hour)?(?:[- ](?:to|over)[- ]| ?/ ?)(?:mean|average)(?: hour)?|peak factor|^(?-i:ERF)$|(?<!heures d.)utili[sz]ation|utilisé|\butil\b|auslast(?:un)?g\b|wirkungsgrad|efficien|effizienz|\bmbu\b"
              r"|\bratio\b|percentage|speed-?up|(?<!emission )(?<!emissions )(?<!carbon )(?<!co2 )(?<!co₂ )(?<!grid )\bfactor\b|(?<!emissions)(?<!co2-)faktor|facteur(?! d.émission)|trefferquote|multiplier|multiple|(?<!with )(?<!incl\. )(?<!including )(?:overhead|headroom|margin)$"
              r"|acceptance|duty|uptime|failure rate|\bhit pct\b|availabilit|verfügbarkeit|hit[ -]rate|load factor|reserve$|oversub|goodput ratio|occupancy"
              r"|error rate|(?<!au )taux d(?!e change)|rendement|\bsaving"),
    ("exchange rate", r"exchange rate|\b(?:usd|eur|gbp)[ _](?:usd|eur|gbp)[ _]rate|dollarkurs|eurokurs|\brate to (?:usd|eur|gbp|\$|€)|fx rate|\bfx\b|wechselkurs|^kurs\b|\bkurs (?:dollar|usd|eur)|(?:dollar|euro)s? (?:zu|to|in|en|je|per) (?:dollar|euro)|taux de change|(?:usd|eur|gbp)\s?(?:per|/|→|to)\s?(?:usd|eur|gbp)"),
    ("money", r"\bcosts?\b|\bprices?\b|\bpric|kosten\b|\bkosten(?!stelle)|preis\b|\bco[uû]ts?\b|\bprix\b|\bcapex\b|\bopex\b|\bbudget\b.*[$€]|\btco\b"
              r"|depreciation|abschreibung|amorti|revenue|umsatz|chiffre|\bspend|\bfees?\b|tariff|tarif|savings?|\bbill\b|\bcharge\b"
              r"|electricity rate|rental|invest|\bprofit|salary|(?<!with )(?<!with a )(?<!mit )(?<!avec )(?<!sous )(?<!per )(?:licen[cs]e\b|lizenz)|\binvoice|\bfacture|\babonnement|\bwartung\b|maintenance (?:fee|contract)|\bbudget (?:left|used|total)|margin \(|\brent\b|\bmiete\b|\bloyers?\b|\b(?:jahres|monats)budget"),
    ("carbon intensity", r"\bgrid ci\b|(?:carbon|co2|co₂|grid|emission)s? (?:emission )?(?:intensity|factor)|grid (?:mix|carbon)|intensité|strommix"
                         r"|emissionsfaktor|facteur d.émission|co2-faktor|co2[- ]?intensität|\bk?g (?:co2e? )?per [km]wh|co2e?/kwh|co2e? (?:per|pro|par) (?:k|m)wh"),
    ("carbon", r"carbon|\bco2|co₂|emission|émission|\bscope [123]\b|^(?!.*(?:model|memory|\bram\b|vram|weight|checkpoint|\bbf16|\bfp\d|\bint\d)).*footprint|treibhaus|\bghg\b|embodied"),
    ("water", r"\bwater\b|wasser|\beau\b"),
    ("round trip", r"\brtt\b|round[ -]?trip|\bpings?\b(?! pong)|^(?!.*laten).*(?:there ?[ +-](?:and[ -])?back|umlaufzeit|hin-? (?:und|u\.) (?:rück|zurück)\w*|allers?[ -]retours?)"),
    ("latency", r"\blatency|\bfirst (?:LLM )?token (?:on|at|back|out)\b|^first (?:LLM )?token$|\bmtb[fi]\b|\bmttf\b|\bdelay\b(?! product)|cold start|time to (?:move|stream|load|copy|read|write|restart|boot)|\bhops?, one way|\bqueue wait|(?:copy|restart|reload|load|transfer)\w* takes|propagation|\bsec(?:onds)?/(?!s\b)|sekunden je|\b(?:seconds|secs?|minutes|milliseconds) per (?!month|day|week|year|hour)|zeit bis|\bzeit (?:pro|je|für)|temps (?:par|jusqu|de (?:charge|calcul|traitement))|(?:lade|lauf|warte|bearbeitungs|rechen)zeit|\blatenc|\blat\b|\bttft\b|\btpot\b|\bitl\b|time to first|time per (?:output )?token|latenz|\bdelay\b"
                r"|response time|antwortzeit|temps de r|\bp(?:50|9[059]9?)\b(?!.*(?:tok|req).*/s)|step time|time per step|\bduration\b|dauer"
                r"|durée|wait(?:ing)? time|runtime|queue(?:ing)? time|service time|(?<!at a )(?<!at the same )\btime\b(?! to)|\belapsed\b"),
    ("bytes each", r"\bbytes each\b|\b(?:elem|element|param|weight|value|entry)s? bytes\b|\b(?:bytes?|octets?|b) ?(?:per|/|pro|par|je) ?(?:(?:embedding|trained|trainable|model|stored) )?(?:param|weight|value|element|elem|entry|scalar|number|activation|kv|dim(?:ension)?\b|component|composante|coefficient|feature|gradient"
                   r"|gewicht|wert|poids|valeur|élément|param[eè]tre)"
                   r"|(?:state|size|bytes|memory|état|taille|octets)\b.* (?:of (?:a|one|each)|d.un) (?:param(?:eter|ètre)|weight|poids)\b"),
    ("bits each", r"\bbpw\b|\b(?:weight|kv|activation|gradient|cache)s? bits\b|\bbits? ?(?:per|/|pro|par|je) ?(?:param|weight|value|element|gewicht|wert|poids|valeur|élément)"),
    ("kv pair", r"^(?!.*cache).*(?:\bk ?(?:\+|&|and|und|et) ?v\b|keys? ?(?:and|&|\+) ?values?)|\bk/v (?:factor|tensors)"),
    ("kv cache", r"kv[ -]?cache|kv[ -]?(?:memory|size|speicher)|cache k/?v\b|\bkv (?:per|for (?:one|a|1|each)|bytes per tok\w*|budget|room|capacity|state|store|pool|space)\b|for kv\b"),
    ("kv heads", r"\bkv[- ]?(?:köpfe|têtes)|têtes (?:de )?clés?[- ]valeurs?|(?:schlüssel-wert|key-value)-köpfe|key[- ]value heads|têtes kv|(?:\bkv|keys?[-/ ]?values?|n_kv|num_key_value)[ _-]?heads?|gqa groups"),
    ("head dim", r"head[ _-]?(?:dim|size)|(?:values|elements|numbers|dims) per head\b|dim(?:ension)? of (?:a|one|each|the) head|\bd[_ ]head|\bd[_ ]k\b|kopfdim|dimension (?:de (?:la )?|d.une )tête|dim(?:ension)? (?:par|per|pro|je) (?:tête|head|kopf)"),
    ("heads", r"(?<!embedding \+ )(?<!lm )\b(?:attention|query|q|n|num)?[ _-]?heads?\b(?! ?dim)(?! size)|têtes|köpfe"),
    ("layers", r"(?<!per )(?<!per moe )(?<!pro )(?<!par )(?<!je )(?<!/)\b(?:n_?)?layers?\b|num_hidden_layers|schichten|couches|\bblocks\b"),
    ("hidden size", r"hidden(?: size| dim)?|\bd[_ ]model\b|embedding (?:dim|size|width)|vector dim|dimension (?:of the vectors|des vecteurs)|vektordim|model dim|dimension cachée"),
    ("bandwidth", r"bandwidth|\bnvlink\b|infinity fabric|scale-?(?:up|out) link|\bpcie (?:link|speed|gen ?\d|x\d+)|infiniband|\bnic (?:speed|rate)|\bbw\b|bandbreite|bande passante|\bthroughput.*\bgb/s|débit m[ée]moire|transfer rate|link speed|line rate|port speed|(?:read|write|disk|copy|memory) (?:speed|rate)\b|\bbusbw\b|\bmem bw\b|leserate|schreibrate|netzanbindung|\buplink\b|vitesse de (?:lecture|écriture)|\bsequential read|lien réseau|lpddr\dx? speed"),
    ("memory", r"\bhbm\d?e?\b|\bvram\b|\bmemory\b|speicher\b|speicherbedarf|mémoire|\bcapacity\b.*\b(?:gb|gib|tb)|\b[sd]?ram\b|\bmem gi?b\b|\bckpt size|plattenplatz|(?:model|memory|vram|weights?|checkpoint) footprint"
               r"|\bweights?\b(?! ?\()(?!.? (?:format|precision|dtype))|gewichte|checkpoint size|\bdataset size|\bstorage\b|\bdisk\b|activations?\b|optimi[sz]er states?|buffer"
               r"|message size|gradient size|speicherkap"),
    ("power", r"\bpower\b|(?<!at )\btdp\b|\bdraw\b|leistungsaufnahme|\b(?:anschluss|leerlauf|it-|mittlere |elektrische )leistung\b|puissance(?! de calcul)|\bwatt|power draw|\bit load\b|anschlussleistung|\bkw per (?!h)|nameplate|typenschild|\bit-last\b|charge it\b|psu rating|\bidle w\b|\bfacility mw\b|leistung je (?:schrank|server|karte|gpu)"),
    ("energy", r"\benergy\b|\b[kmg]?wh (?:per|/)|\bj(?:oules?)?(?:/| per )tok|\bjoules? (?:per|je|par)\b|battery capacity|monatsverbrauch|jahresverbrauch|annual consumption|verbrauch nur it|\bkwh au compteur|energie|énergie|electricity|strom(?:verbrauch)?(?! für| zur| der pumpen)|consommation"),
    ("MACs", r"\b[kmgt]?macs?\b|multiply[- ]acc|mult[- ]adds?"),
    ("integer peak", r"\btops\b|npu (?:rating|peak)|dense int\d|int8-leistung|\bint[48]\b.*(?:peak|perf|compute)|(?:peak|perf).*\bint[48]\b|\bint[48]\b.*(?:spitze|crête)"),
    ("parallel", r"^(?!.*\bgpus? )(?=.*).*?(?:\b(?:tensor|pipeline|data|context|expert|sequence)[ -]parallel|\((?:tp|pp|dp|cp|ep)\)|\b(?:tp|pp|dp|cp|ep)\b$)"),
    ("work", r"\b[ktgpez]?flops? ?(?:per|/|pro|par|je)(?! ?(?:s\b|sec|gpu|device|chip|card|node|accelerator))|total flops?\b|training (?:compute|flops?\b)|flops? (?:to train|for (?:one|1|an?|each))|\b6nd\b|calcul (?:total )?d.entra[iî]nement|\bflop count|rechenaufwand"
             r"|model flops\b(?!.*/s)|flops? (?:required|needed|budget)|compute budget"),
    ("achieved compute", r"achieved|sustained|what we really get|\bgemm rate|linpack|(?:gemessene|tatsächlich\w*).*(?:rechenleistung|flops)|flops réellement|flops? (?:réellement )?obtenus|flops?(?:/s)? (?:reached|delivered)|(?:delivered|reached) flops?|erreicht\w* rechen|(?:calcul|débit de calcul) (?:soutenu|atteint)|effective (?:tflop|flop|compute|rate)|measured (?:tflop|flop)|real compute"),
    ("peak", r"(?<!gpus )(?<!gpus at )(?<!nodes )(?<!servers )(?<!replicas )\bpeak\b(?! (?:concurrent|concurrency|users|hour|rps|qps|requests|load|sessions|streams|traffic|total|year|month|week|day|quarter|season|case|scenario)\b)|rechenleistung|\bpic (?:(?:de calcul|dense) )?(?:bf16|fp16|fp8|int8)|\b[gtp]flops\b|\b[gtp]flop/s\b|crête|spitzenleistung|compute rate|tensor (?:core )?perf|theoretical max|headline (?:fp|bf)\d|rated (?:fp|bf)\d|marketing number|datenblatt (?:fp|bf)\d|perf\. annoncée"),
    ("active parameters", r"(?:active|activated|aktive|actifs?)[ _-]+(?:expert )?(?:param|weights)|param\w*[ ,(_-]+(?:active|aktiv|actif)|param\w* (?:touched|used|read|activated|active) (?:per|by a|by each|by one|for a|for each|for every|in a) tok|^(?:of which |thereof |davon |dont )?(?:active|activated|aktive?|actifs?)(?: (?:per|je|pro|par) (?:token|jeton))?(?: \((?:b|bn|billions?|mrd\.?|md)\))?$"
                          r"|n_active|\bactive \("),
    ("parameters", r"(?<!per )(?<!pro )(?<!par )(?<!je )\bparam|\bmodel size \((?:b|m)\)|modellgr|\bn_params"),
    ("throughput", r"throughput|thr'put|durchsatz|\bdébit\b(?! (?:réseau|m[ée]moire|disque))|(?:tok\w*|tokens|req\w*|images?|queries|samples|steps|frames|iterations|anfragen|bilder|fragen|schritte|requêtes|questions|img|passes) ?(?:/|per|pro|par|je) ?s(?:ec\w*|ek\w*)?\b|\bframe rate\b"
                   r"|\btps\b|\bqps\b|\brps\b|débit de génération|generation (?:speed|rate)|decode speed|pages/s|calls (?:per|/|a) ?s(?:ec\w*)?\b|\bgoodput\b|request rate|arrival rate"),
    ("device hours", r"gpu[ -]?(?:h|hours?|hrs?|std|stunden)\b|(?:accelerator|card|chip|board|(?:[ahbl]\d{2,3}s?|mi\d{3}x?))[ -]hours|kartenstunden|heures[ -](?:gpu|carte)"),
    ("gpus per node", rf"^{_CHIP} (?:per|je|par|pro) (?:node|server|serveur|host|system|knoten|nœud|noeud|box|instance)\b$|^(?:count|number|qty) (?:in|per) (?:the |a |each )?(?:node|server)$|(?:gpus?|accelerators?|devices?|chips?|cards?|boards?|karten|cartes|puces|beschleuniger|accélérateurs?) ?(?:per|/|pro|par|je) ?(?:node|server|serveur|host|knoten|nœud|noeud|box\b|system\b|chassis|instance|instanz)"),
    ("tokens", r"\btoks? \((?:b|m|bn|t|k)\)|\b(?:eingabe|ausgabe|antwort|prompt|kontext)-?tokens?\b|\bjetons? (?:d.|en )(?:entrée|sortie)|antwortlänge|promptlänge|longueur\b.*(?:réponse|contexte|prompt|invite)|\b(?:trainings)tokens?\b|\bjetons\b|\b(?:prompt|answer|reply|completion|output|input|response|question|context|ctx|history) (?:len\w*|size)\b|\bctx\b|(?<!per )(?<!pro )(?<!par )(?<!je )(?<!/)(?<!after the first )(?<!first )(?<!first LLM )(?<!last )\btokens?\b|(?<!per )(?<!pro )(?<!par )(?<!je )(?<!/)(?<!/ )\bprompt\b|\bcontext\b|\bsequence length|\bseq(?:uence)?[ _-]?len|kontext|contexte|\bvocab"),
    ("hours", r"(?<!peak )(?<!busy )(?<!busiest )\bhours?\b|\bhrs\b|stunden|heures"),
    ("nodes", r"^(?:nodes?|servers?|hosts?|knoten|nœuds?|serveurs?) (?:zu|à|of|with|mit|de|avec)(?: je)? \d+ ?(?:gpu|karten|cartes|acc)"),
    ("devices", rf"^{_CHIP}(?:s| cards?| gpus?)?,? (?:gesamt|insgesamt|total|in total|in all|au total|en tout)$|\bn[_ ]gpus?\b|\b(?:ersatz|leih|miet)karten\b|\bcards on order\b|(?:^|[#\s])(?:gpus|gpu count|accelerators|devices|chips|karten|cartes|tpus|hpus)\b(?! ?(?:/|(?:per|pro|par)\b))|number of (?:gpu|acc|chip)|^(?:gpus|karten|cartes|cards|accelerators) (?:insgesamt|gesamt|total|in total|au total|overall)\b|\b(?:spare|reserved|rented|installed|deployed|idle|busy|free|needed|required|edge) (?:gpus|cards|accelerators|chips|boards)\b|^(?:boards|beschleuniger|accélérateurs)\b(?! ?(?:/|(?:per|pro|par|je)\b))|(?:total|nombre) des? (?:gpus?|accélérateurs|cartes)|(?-i:\b(?:[ABHL]\d{1,3}S?|GB?[23]00|MI\d{3}[AX]?)s\b)(?! per|/)"
                r"|\b(?:gpus?|devices|accelerators|chips|cards|boards|karten|cartes) (?:per|pro|par|je) (?:replica|replikat|replik|réplica|réplique|model|modell|modèle|copy|job|run|group|deployment|site|cluster|rack|region|team|project|customer|lab)|^(?:gpus|cards|accelerators|boards|karten|cartes) (?:in|im|dans) (?:the|a|one|each|l[ae]) ?(?:box|server|node|machine|workstation|lab)|^gpu (?:pour|für|for) |^gpu (?:count|quantity|qty|en|au|de|nécessaires?|requis|used|needed|in|im|gesamt)\b|\bgpu (?:count|quantity|qty)|anzahl (?:gpu|karten)|(?:nombre|nb\.?)(?: de| d.)? ?(?:gpu|cartes)|#\s?gpu|\bn_gpus?\b|num_gpus"),
    ("nodes", r"^server$|(?:^|[#\s-])(?:nodes|servers|hosts|instances|knoten|nœuds|serveurs)\b(?! ?(?:/|(?:per|pro|par)\b))|^(?:boxes|chassis)\b|^(?:nodes|servers?|hosts|knoten|nœuds|noeuds|serveurs) (?:per|je|pro|par) (?:rack|schrank|baie|cabinet)|\brechenknoten\b|number of (?:node|server)|node count"
              r"|server count|\bn_nodes\b|anzahl (?:der )?(?:server|knoten)|nombre de (?:nœuds|noeuds|serveurs)"),
    ("racks", r"(?:^|[#\s])racks\b|number of racks|rack count|^(?:server)?schränke\b|(?:^|nombre de |combien de )baies\b|^cabinets\b"),
    ("users", r"(?<!per )\busers\b|\bconcurrent(?! (?:requests|sequences|calls|queries|jobs|runs))|(?:^|[#\s])dev(?:eloper)?s\b|\bcallers\b|\bresearchers\b|\bscientists\b|chercheurs|\bforscher\b|\bnutzende\b|(?<!per )(?<!je )(?<!par )\b[dm]au\b|headcount|mitarbeitende|\binscrits\b|postes sous licence|arbeitsplätze|mandanten|studierende|\bentwickler\b|étudiants|développeurs|subscribers|(?<!je )(?<!pro )\bnutzer\b|mitarbeiter|employees|students|utilisateurs|\bstreams\b|\bseats\b|\bsessions\b|\bcustomers\b|\btenants\b|\bclients\b|\bconcurrency\b"),
    ("requests", r"\brequests?\b|\breqs?\b|\b(?:api )?calls\b(?! (?:per|/|a) ?s)|\bsearches\b|\baufrufe\b|\bappels\b|^qs\b|\bqueries\b|anfragen|requêtes|\bséquences\b|\bsequenzen\b|(?<!· )\bbatch\b|\bsequences\b|\bnum seqs\b|^(?:questions|fragen)\b"),
    ("replicas", r"\breplicas?\b|replikate?\b|repliken\b|réplicas?\b|répliques\b|\bnb repliques\b|modellkopien|\bcopies\b|\bepochs?\b|\bsteps\b|\bhops\b|\bsockets\b|\blinks\b|\bexperts\b|\bstages\b|\bquantity\b|\bqty\b"
                 r"|\btp\b|\bpp\b|\bdp\b|tensor parallel|pipeline parallel|data parallel|top-?k|\bcount\b|micro-?batches|\bworkers\b"),
    ("images", r"\bimages?\b|\bsamples\b|\bframes\b|bilder"),
    ("count", r"^(?:appareils|boîtiers|geräte|boxes)$|^[a-zäöüéè-]+s \w+ed (?:per|a) (?:day|week|month|year|hour)$|^(?:#|number of |no\.? of )?[a-zäöüéè-]+s,? (?:per|/|pro|par|je|in an?|of an?) [a-zäöüéè -]+$|^number of \w+|^anzahl \w+"
              r"|^nombre d\S* \w+|^how many (?!hours|days|weeks|months|years|minutes|seconds|watts|bytes|gb|dollars|euros)\w+"
              r"|^(?!savings|losses|reads|writes|sales|expenses|fees|taxes|earnings|hours|days|weeks|months|years|gains|status|basis"
              r"|access|process|minutes|seconds)[a-zäöüé]{3,}[^s\W]s (?:in|of|on|for|at|kept|used|held|running|im|dans|par)\b"),
)  # fmt: skip


CONCEPTS = Patterns.of(_CONCEPTS)


# Concepts whose numbers are bare, and what they count.
NUMBERS: dict[str, Dims] = {
    "PUE": (), "MFU": (), "growth": (), "ratio": (), "share": (), "share of the day": (), "kv heads": (), "heads": (), "head dim": (), "layers": (), "kv pair": (),
    "hidden size": (), "gpus per node": (("device", 1.0), ("node", -1.0)), "devices": (("device", 1.0),),
    "nodes": (("node", 1.0),), "racks": (("rack", 1.0),), "users": (("user", 1.0),), "requests": (("request", 1.0),),
    "replicas": (), "parallel": (), "count": (), "images": (("sample", 1.0),), "tokens": (("token", 1.0),),
    "bytes each": (("information", 1.0),), "bits each": (("information", 1.0),),
}  # fmt: skip


_USER = (
    r"(?:(?:per|/|pro|par|je|one|each|single|d.un|eine[ns]?) ?(?:(?:active|paying|monthly|concurrent|daily|aktive[nmrs]?|zahlende[nmrs]?) )?(?:user|stream|nutzer|benutzer|utilisateur|seat|session|employee|mitarbeiter|mitarbeitende\w*|dev(?:eloper)?\b|entwickler|développeur|arbeitsplatz|sitzplatz|platz\b|poste\b|person\b|personne\b|researcher|scientist|chercheur|forscher\w*|[dm]au\b|kopf\b|capita\b|caller|subscriber|studierende\w*|étudiant|tenant|mandant"
    r"|student|customer|kunde))"
)


_KIND_WORDS: tuple[tuple[str, str, str], ...] = (
    ("density", "sparse", r"\bsparse\b|(?<!ohne )(?<!sans )(?:parcimon\w*|\béparse|dünn ?besetzt)|(?:with|w/|mit|avec) (?:2:4 )?sparsi(?:ty|té)|(?<!without )(?<!w/o )(?<!no )(?<!ohne )(?<!sans )\bsparsi(?:ty|té)\b(?! factor)"),
    ("density", "dense", r"\bdichte?\b(?! besetzt)|(?<!\dB )(?<!\dB-)\bdense\b(?!,? (?:model|layer|ffn|transformer|net))|(?:without|w/o|no|ohne|sans) (?:2:4 )?sparsi(?:ty|té)"),
    ("direction", "both directions", r"\bsend and receive together\b|bi-?direction\w*|\bbidir\b|both (?:directions|ways)|total bidirectional|beide[nr]? richtungen|deux sens"
                                     r"|duplex|bidirectionnel|\btx ?\+ ?rx\b"),
    ("direction", "per direction", r"\b(?:send|receive|transmit)(?:ing)? only\b|(?:per|each|/|one|pro|par|je) ?(?:\w+ (?:und|and|et) (?:par |je |per )?)?(?:direction|dir\b|richtung|sens)|each way|(?:one|single|eine[rn]?|un|un seul) (?:direction|richtung|sens)\b|uni-?direction\w*|\bunidir\b"),
    ("trip", "round trip", r"\brtt\b|round[ -]?trip|there ?[ +-](?:and[ -])?back|to and fro|out and back|umlaufzeit|hin-? (?:und|u\.) (?:rück|zurück)\w*|allers?[ -]retours?"),
    ("trip", "one way", r"one[ -]?way|\bein weg\b|\bnur hin\b|\bun trajet\b|\bowd\b|einfach\w* (?:weg|strecke)|aller simple|eine[rn]? richtung|un seul sens"),
    ("statistic", "p99", r"\bp99\b|99th|p-99|99\.?[- ]?perzentil|99e? (?:per)?centile|(?:per)?centile 99"),
    ("statistic", "p95", r"\bp95\b|95th|95\.?[- ]?perzentil|95e? (?:per)?centile|(?:per)?centile 95"),
    ("statistic", "p90", r"\bp90\b|90th|90\.?[- ]?perzentil|90e? (?:per)?centile|(?:per)?centile 90"),
    ("statistic", "p50", r"\bp50\b|\bmedian\b|médiane?\b"),
    ("statistic", "mean", r"\bmean\b|\baverage\b|\bavg\b|mittel|mittler|durchschnitt|\bmoyen"),
    ("boundary", "facility", r"facility|at the meter|site (?:energy|power|load)|\bin[ck]l\w*\.? pue|\bpue,? (?:incl|inbegriffen|compris)\w*|with pue|\(pue|(?<!rest of the )\bmeter(?:ed)?\b(?! kwh)|zähler|compteur|gesamtstrom|gesamtverbrauch|\btotal facility|gebäude"
                             r"|rechenzentrum gesamt|wall[ -]plug|(?:incl\w*\.?|inkl\w*\.?|with|mit|plus|y compris) (?:the |la |le )?(?:cooling|kühlung|kälte|clim\w*|refroidissement)|(?:clim\w*|refroidissement) compris\w*|after pue|by pue\b|on the meter|au compteur"),
    ("boundary", "IT", r"(?<![-\w])(?-i:\bIT\b)|\bit (?:power|energy|load|kwh|kw|mwh)\b|no pue\b(?!,)|ohne kühlung|hors refroidissement|excl\w*\.? pue|before pue|without pue"),
    ("parameters", "active", r"(?:touched|used|read|activated) (?:per|by an?|by each|by one|for an?|for each|for every) tok|\bactive\b(?! (?:users|sessions|streams|gpus|nodes|replicas|seats|requests))|\bactivated\b|\baktiv\w*|\bactifs?\b"),
    ("parameters", "total", r"\btotal (?:param|weights)|param\w* gesamt|all experts|whole param|param\w*[ ,(]+total|gesamtparameter|paramètres totaux|\ball param"),
    ("token", "output", r"\boutput|^out\b|\banswers?\b(?=\W+\w)|\brepl(?:y|ies)\b|\w \banswers?\b|\bresponse tok|antwort(?!zeit)|tokens? de réponse|\btok(?:en)?s? out\b|\bmtok out\b|(?:reply|replies|response) tok|new tok|\btok\w* written\b|\bgenerated\b|generation speed|erzeugte?\b|jetons? générés?|tokens? générés?|débit de génération|longueur.*réponses?|erzeugtem tok|tok\w* emitted|generation rate|\bout per mtok|completion|ausgabe|sortie|\bdecode\b(?! step)"),
    ("token", "input", r"\binput|^in (?=[$€u])|(?<!per )(?<!pro )(?<!par )(?<!je )(?<!/)(?<!/ )\bprompt\b|\btok(?:en)?s? in\b(?! (?:the|an?|one|each|every|flight|total|all)\b)|\bmtok in\b|tokens .*\breads?\b|(?:history|context|verlauf).*(?:tok|per query|per question)|gelesene? tok|\btok\w* (?:read|lus)\b|promptlänge|longueur.*invite|jetons lus|historique|into the prompt|\bquestions? (?:tok|len|size)|^questions?$|eingabe|entrée|\bprefill\b"),
    ("per user", "user", _USER),
    ("total", "total", r"(?!\Atotal\Z)\btotal\b|\bfleet\b|\bcluster\b|\baggregate\b|(?<!per )(?<!in a )(?<!of a )(?<!each )(?<!one )\bsystem\b|\ball (?:gpus|cards|chips|accelerators|racks|servers|nodes|users|tenants|teams|customers|sites|sessions|streams|seats|requests|slots|drives|disks|optics|replicas|cameras|jobs)|gesamt|overall|\bsite\b"
                       r"|flotte|\bsumme?\b|whole|, ensemble$|\binsgesamt\b"),
    ("precision", "bf16", r"\bbf16\b|bfloat16"),
    ("precision", "fp16", r"\bfp16\b|float16"),
    ("precision", "fp8", r"\bfp8\b(?! (?:dispatch|combine|all-to-all|comm|exchange))"),
    ("precision", "fp4", r"\b(?:nv|mx)?fp4\b"),
    ("precision", "int8", r"\bint8\b(?! weights)(?!.*\bw8a16\b)"),
    ("precision", "int4", r"\bint4\b(?! weights)(?!.*\bw4a16\b)"),
    ("precision", "tf32", r"\btf32\b"),
    ("precision", "fp32", r"\bfp32\b"),
    ("precision", "fp64", r"\bfp64\b"),
)  # fmt: skip


KINDS = Patterns.of(((category, kind), pattern) for category, kind, pattern in _KIND_WORDS)


# "8 per camera" is a figure of its own, not what the label's number is per
_EACH = r"(?<!\b\d )(?<!\b\d\d )(?:(?:per|/|pro|par|je) ?|(?:\bof (?:a|one|each|a single) |\beach |\bd.un |\bd.une |\beine[rs] ))"
_THINGS = (
    ("replica", r"replica|replik|replikat|réplica|réplique|model copy|modellkopie", r"replicas|repliken|replikate|réplicas|répliques|model copies|modellkopien"),
    ("drive", r"drive|disk|ssd|nvme|disque|laufwerk", r"drives|disks|ssds|disques|laufwerke"),
    ("slot", r"slot", r"slots"),
    ("optic", r"optic|optical module|transceiver", r"optics|optical modules|transceivers"),
    ("switch", r"switch", r"switches"),
    ("camera", r"camera|kamera|caméra", r"cameras|kameras|caméras"),
)  # fmt: skip


_PER = (
    ("device", r"(?:per |/|pro |par |je |of an? |one |each |d.une? |eine[rs]? )(?:[ABHL]\d{1,3}S?|GB?[23]00|MI\d{3}[AX]?|Gaudi ?\d|TPU ?v\d[ep]?|RTX ?\d{4})\b(?![ -]?(?:h\b|hour|hr|std|node|server|box))"
               rf"|{_EACH}(?:gpu|device|accelerator|chip|card|board|karte|carte|puce|tpu|hpu|xpu)s?\b(?![ -]?(?:h\b|hour|hr|std|stunde|year|month|rack|node|server|host|instance|cluster|pool|fleet))"),
    ("node", rf"^one (?:node|server)\b|^(?:server|node) (?:max\.?|maximum|rated|nameplate) (?:power|draw)|\b(?:peak|crête|pic|spitzenleistung|rechenleistung)\b[\w ]*\b(?:node|server|serveur|knoten)\b(?! ?(?:count|number))|{_EACH}(?:node|server|host|instance|instanz|knoten|nœud|noeud|serveur|box|chassis|system(?=s?\b(?! of)))s?\b(?![ -]?(?:h\b|hour|hr|std))"),
    ("rack", rf"{_EACH}(?:racks?|schrank|baies?|cabinets?)\b"),
    ("request", rf"{_EACH}(?:request|query|question|call|anfrage|frage|requête)\b(?!s)(?![ -](?:min|sec|hour))"),
    ("user", _USER + r"\b"),
    *((name, rf"{_EACH}(?:{one}|{many})\b(?![ -]?(?:h\b|hour))") for name, one, many in _THINGS),
)  # fmt: skip


COUNTED_WORDS = {
    word: name
    for name, one, many in (("device", "gpu|card|accelerator", "gpus|cards|accelerators"), ("node", "node|server", "nodes|servers"),
                            ("rack", "rack", "racks"), ("user", "user|employee|seat", "users|employees|seats"), *_THINGS)
    for word in f"{one}|{many}".split("|")
}  # fmt: skip
COUNTED = Patterns.of(
    (name, rf"^(?:#|number of |no\.? of |anzahl |nombre de )?(?:{words})\b(?! (?:price|cost|power|capacity|size|rate))")
    for name, _, words in _THINGS
)  # fmt: skip
PER = Patterns.of(_PER)


_PERIODS = (
    (
        "month",
        r"\b(?:per|/|pro|par|je|a|im|in a|in an average|in a mean|in the|in|of the|du|(?:per|je|pro|par) \w+ (?:and|und|et)(?: par| pro| je| per)?) ?(?:month|monat|mois)\b|\bmonats(?:kosten|budget|energie|volumen|rechnung|miete)|\bmonthly\b(?! active)|monatlich(?! aktiv)|mensuel(?:le)?\b|/ ?mo\b",
    ),
    (
        "year",
        r"\b(?:per|/|pro|par|je|a|im|in a|in the|(?:per|je|pro|par) \w+ (?:and|und|et)(?: par| pro| je| per)?) ?(?:year|jahr|an|annum|yr)\b|\bjahres(?:kosten|budget|energie|verbrauch|volumen|menge)|\byearly\b|\bannual|jährlich|annuel|\bp\.a\.",
    ),
    (
        "day",
        r"\b(?:per|/|pro|par|je|a|am|(?:per|je|pro|par) \w+ (?:and|und|et)(?: par| pro| je| per)?) ?(?:work)?(?:day|tag|jour)\b|\bdaily\b(?! (?:active|users?|visitors|[a-z]+ers\b))|täglich(?! aktiv)|quotidien",
    ),
    (
        "week",
        r"\b(?:per|/|pro|par|je|a|in a|in the|of the|de la|der|(?:per|je|pro|par) \w+ (?:and|und|et)(?: par| pro| je| per)?) ?(?:week|woche|semaine)\b|\bweekly\b(?! active)",
    ),
    (
        "hour",
        r"(?<!\d-)(?<!\d )\bhourly\b|stündlich|\bhoraire|[a-z]/ ?h\b|(?:busy|busiest|peak) hour\b|(?:per|/|pro|par|je|d.une) ?(?:gpu[- ]?|[a-z]+ )?(?:hour|stunde|heure)\b|(?:par|d.une) heure|\bin (?:an|one|1) hour\b",
    ),
)


PERIOD_WORDS = Patterns.of(_PERIODS)


# Words that the unit reader would take for a unit, but that end or begin a label as words.
WORDS = frozenset(
    ("to", "in", "per", "gpu", "gpus", "node", "nodes", "token", "tokens", "user", "users", "request", "requests", "image",
     "images", "link", "links", "port", "rack", "racks", "card", "device", "devices", "server", "servers", "host", "instance",
     "step", "steps", "unit", "units", "count", "parameters", "params", "weights", "batch", "stream", "frame", "min", "day",
     "days", "month", "year", "hour", "second", "week", "b", "m", "k", "t", "g", "h", "s", "d", "y", "l", "w", "j", "op", "mo",
     "months", "years", "weeks", "samples", "sample", "sequence", "sequences", "iterations", "chip", "chips", "inference",
     "query", "queries", "dollar", "dollars", "euro", "euros", "usd", "eur", "time", "accelerator", "accelerators", "lane", "bit", "byte", "bytes", "bits", "macs", "mac", "flop")
)  # fmt: skip
