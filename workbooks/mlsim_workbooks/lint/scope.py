"""Rules about what a figure is per: GPU, node, rack, user, GPU-hour, or all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import THINGS, Dims, Value, compare, hard, has_money, is_time, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.naming import thing, unit_text
from mlsim_workbooks.lint.shapes import is_copied, is_product, summands
from mlsim_workbooks.lint.users import passed_to_user, user_rules

__all__ = [
    "GPU_TIME",
    "NODE",
    "OF_EACH",
    "below_machine",
    "host_power_rules",
    "hour_price_rules",
    "left_of_one_rules",
    "scope_rules",
]


_ALL_GPUS = re.compile(r"(?:.* · )?all (?:the )?(?:gpus|cards|accelerators|chips)\b", re.I)
_PER_GPU_HOUR = re.compile(r"\b(?:per|par|je|pro) (?:gpu[- ](?:hour|stunde)|heure[- ]gpu)", re.I)
GPU_TIME = re.compile(
    r"(?:gpu|card|chip|accelerator|karten?|carte)[-_ ]?(?:time|seconds|minutes|sec\b|zeit|temps)|temps (?:de )?gpu|(?:on|of|with|for) (?:one|a|a single|1) (?:gpu|card|chip|accelerator)\b|auf einer (?:karte|gpu)|sur une (?:carte|seule carte)",
    re.I,
)
_OF_ONE_GPU = frozenset(
    ("1/peak", "1/integer peak", "1/achieved compute", "~operation")
)  # work over the peak of one GPU is GPU-hours
_COUNTS = {"device": "devices", "node": "nodes", "rack": "racks"}


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a formula's result is per, and what its cell says that it is per."""

    cell: Cellwise
    tree: sx.Node
    computed: Value
    stated: Value
    have: dict[str, float]  # dimensions of the result, those left out that it is divided by a number of
    due: dict[str, float]
    nodes: bool  # the workbook has several nodes
    gpus: bool  # and says how many GPUs there are
    gpu_time: bool  # the formula uses a time of one GPU, as its label says

    @property
    def core(self) -> Dims:
        """The dimensions of what is due, counts left out."""
        return hard(self.stated.dims or ())

    @property
    def label(self) -> str:
        """What a person would call the cell."""
        return self.cell.label

    @property
    def words(self) -> str:
        """Everything that is written beside and above the cell."""
        return self.cell.words

    @property
    def alone(self) -> bool:
        """Whether the formula may be about one GPU: the 1 of 1/x may be one."""
        return self.gpu_time or "one" in self.computed.parts


def scope_rules(cell: Cellwise, tree: sx.Node, nodes: bool, gpus: bool, users: bool, gpu_time: bool) -> Iterator[Said]:
    """Compare what a formula's result is per with what its cell states.

    ``gpu_time`` tells that the formula uses a time of one GPU, as its label says.
    """
    computed, context = cell.computed, cell.context
    stated = context.value
    if computed is None or stated is None or computed.dims is None or stated.dims is None:
        return
    if not context.explicit and context.concept not in ("devices", "nodes", "racks", "replicas"):
        return
    scope = _Scope(cell, tree, computed, stated, dict(computed.dims), dict(stated.dims), nodes, gpus, gpu_time)
    if (said := _gpus_for_hours(scope)) is not None:
        yield said
        return
    if hard(computed.dims) != scope.core and compare(computed, stated) is not None:
        return
    years = (3.0, 5.0, 6.0, 7.0) if {8760.0, 8766.0, 12.0, 365.0} & set(computed.numbers) else ()  # no GPUs of a node
    if not only_conversions(computed, 100.0, 0.01, *years):
        yield from passed_to_user(cell, tree, computed, stated)
        return
    yield from user_rules(cell, tree, computed, stated, users)
    if scope.have.get("count"):
        return  # "pcs" of something
    if (
        scope.have.get("node", 0) < 0 < min(scope.have.get("device", 0), scope.due.get("device", 0))
        and scope.core == _TIME
    ):
        return  # GPUs per instance, and hours of instances
    said = next((found for rule in _DIVIDED if (found := rule(scope)) is not None), None)
    if said is None:
        have = dict(scope.have)
        for name, counted in (*_COUNTS.items(), ("user", "users")):
            if f"1/{counted}" in computed.parts and have.get(name, 0) < 0:
                del have[name]  # divided by a number of them, not a figure per one
        scope = replace(scope, have=have)
        rules = _SCOPES if is_product(tree) else _ANY_FORMULA
        said = next((found for rule in rules if (found := rule(scope)) is not None), None)
    if said is not None:
        yield said


def _gpus_for_hours(s: _Scope) -> Said | None:
    """A number of GPUs, as GPU-hours."""
    if s.computed.dims != (("device", 1.0),) or not isinstance(s.tree, sx.Ref):
        return None
    if s.due.get("device", 0) <= 0 or s.due.get("time", 0) <= 0:
        return None
    said = f"'{s.label}' is GPU-hours, but the formula gives a number of GPUs."
    return "device-hours", said, "Multiply by the hours."


# --- what a formula divides by ----------------------------------------------------------------------------------------


def _total_over_one(s: _Scope) -> Said | None:
    """A share that is a total over the figure of one GPU."""
    if s.computed.dims != (("device", 1.0),) or s.due or s.stated.text != "%" or not s.computed.kind("total"):
        return None
    return "device-scope", f"'{s.label}' divides a total by a figure per GPU.", "Multiply that by the number of GPUs."


def _divided_by_others(s: _Scope) -> Said | None:
    """A figure per GPU, divided by the number of nodes."""
    divided = [n for n, counted in _COUNTS.items() if f"1/{counted}" in s.computed.parts and s.have.get(n, 0) < 0]
    due_each = [n for n in _COUNTS if s.due.get(n, 0) < 0]
    if (
        len(divided) != 1
        or len(due_each) != 1
        or divided == due_each
        or s.have.get(due_each[0])
        or not is_product(s.tree)
    ):
        return None
    one, other = thing(due_each[0]), thing(divided[0])
    return "device-scope", f"'{s.label}' is per {one}, but the formula divides by the number of {other}s.", ""


def _total_over_gpus_of_node(s: _Scope) -> Said | None:
    """The rate of a cluster over the GPUs of one node, as that of a GPU."""
    rates = ((("time", -1.0),), (("time", -1.0), ("token", 1.0)), (("operation", 1.0), ("time", -1.0)))
    if s.computed.kind("total") != "total" or s.core not in rates or "1/gpus per node" not in s.computed.parts:
        return None
    if not s.due.get("device", 0) < 0 < s.have.get("node", 0) or s.due.get("node"):
        return None
    said = f"'{s.label}' divides a total by the GPUs of one node."
    return "device-scope", said, "Divide by the number of all GPUs."


def _whole_model_divided(s: _Scope) -> Said | None:
    """The memory of a whole model, divided by the number of GPUs."""
    whole = re.search(r"whole|entire|ganz|entier|all gpus", s.words, re.I) and s.core == _BYTES
    sharded = re.search(r"shard|partition|réparti|verteilt", s.words, re.I)
    parts = s.computed.parts
    if not whole or sharded or "1/devices" not in parts or "devices" in parts or s.due.get("device"):
        return None
    return "device-scope", f"'{s.label}' is of all GPUs, but the formula divides by their number.", ""


_DIVIDED = (_total_over_one, _divided_by_others, _total_over_gpus_of_node, _whole_model_divided)


# --- any formula --------------------------------------------------------------------------------------------------------


def _failures_of_others(s: _Scope) -> Said | None:
    """The time between failures of one GPU over the number of nodes."""
    for each, other in (("device", "node"), ("node", "device")):
        divided_by = f"1/{_COUNTS[other]}" in s.computed.parts and f"1/{_COUNTS[each]}" not in s.computed.parts
        if s.have.get(each, 0) < 0 and divided_by and _MTBF.search(s.words):
            one, many = thing(each), thing(other)
            said = f"'{s.label}' divides that of one {one} by the number of {many}s."
            return "device-scope", said, f"Divide by the number of {one}s."
    return None


def _hours_without_gpus(s: _Scope) -> Said | None:
    """GPU-hours that are the hours of one."""
    if s.alone or s.computed.parts & _OF_ONE_GPU or s.stated.factor == 1.0:  # the seconds of one GPU for each request
        return None
    if hard(s.computed.dims or ()) != _TIME or s.core != _TIME or s.due.get("device", 0) <= 0:
        return None
    if s.have.get("device", 0) or s.have.get("node"):
        return None
    return (
        "device-hours",
        f"'{s.label}' is GPU-hours, but the formula gives hours: the number of GPUs is missing.",
        "",
    )


_ANY_FORMULA = (_failures_of_others, _hours_without_gpus)


# --- products -----------------------------------------------------------------------------------------------------------


def _something_without_gpus(s: _Scope) -> Said | None:
    """GPU-hours from a time and something else, without a number of GPUs."""
    due = s.due.get("device", 0) > 0 and s.due.get("time") and s.stated.factor != 1.0
    if not due or s.have.get("device", 0) or s.alone or s.computed.parts & _OF_ONE_GPU or s.have.get("time", 0) > 1:
        return None
    if not (s.have.get("time") or any(is_time(n) for n in s.computed.numbers)):
        return None
    rule = "device-scope" if s.have.get("node") or s.have.get("rack") else "device-hours"
    return (
        rule,
        f"'{s.label}' is GPU-hours, but the formula gives {unit_text(s.computed)}: the number of GPUs is missing.",
        "",
    )


def _gpu_hours_for_time(s: _Scope) -> Said | None:
    """A time on the clock that is GPU-hours."""
    if s.core != _TIME or s.have.get("device", 0) <= 0 or s.due.keys() & {"device", "sample"}:
        return None
    worked = s.computed.parts
    wall = _WALL.search(s.words) and "~information" not in worked
    if not (s.have["device"] > 1 or "device hours" in worked or wall or _DAYS_ON.search(s.words)):
        return None
    said = f"'{s.label}' is a time, but the formula gives GPU-hours: divide by the number of GPUs."
    return "device-hours", said, ""


def _per_another(s: _Scope) -> Said | None:
    """A figure per GPU where one per node is due, or a total."""
    names = {n: thing(n) for n in ("device", "node", "rack", "user", *THINGS)}
    of_each = (
        bool(s.cell.context.texts) and re.match(r"[\w-]+ (?:je|per|pro|par) ", s.cell.context.texts[0]) is not None
    )
    total = dict(s.cell.context.kinds).get("total") == "total" and not of_each
    if is_copied(s.tree) and below_machine(s.cell):
        return None
    for name, shown in names.items():
        if name == "replica" and "parallel" in s.computed.parts:
            continue  # as many GPUs as one replica has
        rule = "user-total" if name == "user" else "device-scope"
        others = [n for n in names if n != name and s.have.get(n, 0) < 0 and (n not in THINGS or s.core)]
        if name == "device" and others == ["node"] and "1/devices" in s.computed.parts:
            continue  # the price of an instance, by its GPUs
        if s.due.get(name, 0) < 0 and not s.have.get(name) and others and name != "user" and "user" not in others:
            return rule, f"'{s.label}' is per {shown}, but the formula gives a figure per {names[others[0]]}.", ""
        if name == "user" or (name in THINGS and not is_copied(s.tree) and not _of_all(s, name)):
            continue  # optics may be counted as nodes times ports
        if (
            s.have.get(name, 0) < 0
            and not s.due.get(name)
            and (name != "node" or s.nodes)
            and not (name == "device" and _PER_GPU_HOUR.search(s.words))
            and not (name == "device" and "parallel" in s.computed.parts)  # times the GPUs of a tensor-parallel group
            and s.core != _TIME  # all wait as long as one
            and s.stated.text != "%"  # so much of one, so much of all
            and (total or any(s.due.get(n, 0) < 0 for n in names if n != name and n != "user"))
        ):
            said = f"'{s.label}' is a total, but the formula gives a figure per {shown}."
            return rule, said, f"Multiply by the number of {shown}s."
    return None


def _of_all(s: _Scope, name: str) -> bool:
    """Tell whether a label is of all cameras, or of as many replicas as all GPUs make."""
    if name == "replica":
        return "devices" in s.computed.parts and bool(_ALL_GPUS.match(s.label))
    return name == "camera" and bool(_ALL_CAMERAS.search(s.words))


def _gpu_for_node(s: _Scope) -> Said | None:
    """A rate per GPU under "of the node"."""
    if s.have.get("device", 0) >= 0 or s.due.get("device") or not _OF_THE_NODE.search(s.words) or s.core not in _RATES:
        return None
    return "device-scope", f"'{s.label}' takes a figure per GPU.", "Multiply by the number of GPUs."


def _one_gpu_of_each_node(s: _Scope) -> Said | None:
    """The peak or the memory of one GPU times nodes, or divided by one for each node: the GPUs of each are left out."""
    worked, node = s.computed.parts, NODE.search(s.words)
    multiplied = s.have.get("node", 0) > 0 and "nodes" in worked and not node
    multiplied &= not worked & {"gpus per node", "devices", "replicas"}
    of_what = ""
    if (
        multiplied
        and not {"device", "count"} & s.have.keys()
        and worked & {"peak", "integer peak"}
        and s.core in _RATES
    ):
        of_what = "multiplies the peak of one GPU by nodes"
    elif multiplied and "memory" in worked and s.core == _BYTES and _GPU_MEMORY.search(s.words):
        of_what = "multiplies the memory of one GPU by nodes"
    elif (
        s.core == _TIME
        and dict(s.computed.dims or ()).get("node", 0) < 0
        and {"1/nodes", "1/peak"} <= worked
        and not worked & {"1/gpus per node", "1/devices", "1/replicas"}
        and not node
    ):
        of_what = "divides by the peak of one GPU for each node"
    said = f"'{s.label}' {of_what}."
    return ("device-scope", said, "Multiply by the GPUs of each too.") if of_what else None


def _rate_per_node(s: _Scope) -> Said | None:
    """A time of everything, from the rate of one node."""
    if s.have.get("node", 0) <= 0 or s.due.get("node") or s.core != _TIME or not s.nodes:
        return None
    if not _EVERYTHING.search(s.words) or NODE.search(s.words) or _STEP.search(s.words):
        return None
    said = f"'{s.label}' divides by a rate per node: the number of nodes is missing."
    return "device-scope", said, "Multiply the rate by the number of nodes."


def _all_gpus_for_node(s: _Scope) -> Said | None:
    """A figure per node, from all GPUs."""
    if s.due.get("node", 0) >= 0 or s.have.keys() & {"node", "device"} or s.computed.kind("total") != "total":
        return None
    if "devices" not in s.computed.parts or {"1/nodes", "gpus per node"} & s.computed.parts or s.core not in _RATES:
        return None
    return "device-scope", f"'{s.label}' is per node, but the formula takes all GPUs.", "Take the GPUs of a node."


def _node_for_all(s: _Scope) -> Said | None:
    """A figure per node where none is due."""
    rent = isinstance(s.tree, sx.Ref) and "time" in s.due and has_money(s.stated)  # of whatever is rented
    if s.have.get("node", 0) >= 0 or s.due.get("node") or NODE.search(s.words) or not s.nodes or not s.core or rent:
        return None
    if "count" in s.have:
        return None  # as many as are ordered
    if s.cell.context.concept == "kv cache" or "~camera each node" in s.computed.parts:
        return None  # which each node has; as many as one box has
    if re.match(r"\s*(?:in|as|the same|same|of which|davon|dont)\b", s.label, re.I):
        return None  # "in bytes", below what it is of
    said = f"'{s.label}' is not per node, but the formula gives a figure per node."
    return "device-scope", said, "Multiply by the number of nodes."


def _energy_of_one(s: _Scope) -> Said | None:
    """The energy of a job, from the power of one GPU."""
    if s.have.get("device", 0) >= 0 or s.core != (("energy", 1.0),) or "~time" not in s.computed.parts:
        return None
    if s.gpu_time or not s.gpus:
        return None
    if not (_GPUS.search(s.words) or (_JOB.search(s.words) and not OF_EACH.search(s.words))):
        return None
    return "device-scope", f"'{s.label}' takes the power of one GPU.", "Multiply by the number of GPUs."


def _price_without_gpus(s: _Scope) -> Said | None:
    """A price per GPU-hour times hours, without a number of GPUs."""
    if s.have.get("device", 0) >= 0 or s.due.get("device") or s.have.get("node") or not s.core or s.gpu_time:
        return None
    if (
        not has_money(s.computed)
        or any(not n.startswith("money_in_") for n, _ in s.core)
        or "token" in s.due
        or "~time" not in s.computed.parts
    ):
        return None
    if 8.0 in s.computed.numbers or OF_EACH.search(_BY_TIME.sub("", s.words)):
        return None  # the GPUs of a node, perhaps
    return (
        "device-hours",
        f"'{s.label}' multiplies a price per GPU-hour by hours: the number of GPUs is missing.",
        "Multiply by the number of GPUs, or use GPU-hours.",
    )


_SCOPES = (
    *_ANY_FORMULA, _something_without_gpus, _gpu_hours_for_time, _per_another, _gpu_for_node, _one_gpu_of_each_node,
    _rate_per_node, _all_gpus_for_node, _node_for_all, _energy_of_one, _price_without_gpus,
)  # fmt: skip


def left_of_one_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The memory that is left per node or replica, taken from that of one GPU, where several are in one."""
    stated = cell.context.value
    if stated is None or not cell.context.explicit or hard(stated.dims or ()) != _BYTES:
        return
    each = next((n for n in ("node", "replica") if dict(stated.dims or ()).get(n, 0.0) < 0), "")
    terms, evaluation = summands(tree, "+-"), inference.evaluation(cell)
    if not each or len(terms) < 2 or evaluation is None:
        return
    of_one = dict(evaluation.value(terms[0]).dims or ()).get("device", 0.0) < 0
    several = tuple(sorted((("device", 1.0), (each, -1.0))))
    if of_one and any(c.value.dims == several and c.item.value != 1.0 for c in inference.cells.values()):
        yield (
            "device-scope",
            f"'{cell.label}' is per {thing(each)}, but the formula takes the memory of one GPU.",
            f"Multiply it by the GPUs of a {thing(each)}.",
        )


_ALL_CAMERAS = re.compile(r"\b(?:all|alle|toutes les) (?:the )?cam[eé]ra|\balle kameras", re.I)
_EVERYTHING = re.compile(r"\ball\b|total|whole|everything|cluster|fleet|gesamt|entire|full", re.I)
_STEP = re.compile(r"\b(?:decode|prefill|decoding|token)\b.*\b(?:step|time)|\bstep\b|schritt", re.I)  # of one replica
_TIME = (("time", 1.0),)
_BYTES = (("information", 1.0),)
_RATES = ((("operation", 1.0), ("time", -1.0)), (("information", 1.0), ("time", -1.0)), (("information", 1.0),))
_GPU_MEMORY = re.compile(r"\bgpu[- ](?:memory|ram|speicher)|\bhbm\b|\bvram\b|mémoire gpu", re.I)
_OF_THE_NODE = re.compile(r"\b(?:of|in) (?:the|a|one) (?:node|server|cluster|box|replica|rack)\b", re.I)
_WALL = re.compile(r"wall[- ]?(?:clock|time)|elapsed|calendar|duration|dauer|durée", re.I)
_DAYS_ON = re.compile(r"\bdays?\b|\btage?n?\b|\bjours\b|round the clock|rund um die uhr", re.I)
_MTBF = re.compile(r"\bmtb[fi]\b|between failures|\bmttf\b|entre (?:deux )?pannes|zwischen ausfällen", re.I)
_JOB = re.compile(
    r"(?-i:\bIT\b)|\bpool\b|site|facility|\bjob\b|\brun\b|training|total|cluster|fleet|campaign|annual|yearly", re.I
)
_GPUS = re.compile(r"\b(?:all|the|des|der|aller) (?:gpus?|cards|karten|cartes|accelerators)\b", re.I)


def below_machine(cell: Cellwise) -> bool:
    """Tell whether the header of a column says node or host: what it takes of a device is of that one."""
    return any(NODE.search(text) for text in cell.context.texts[1:] if "_" not in text)


NODE = re.compile(
    r"node|server|knoten|nœud|noeud|serveur|host|instan|box|dgx|hgx|machine|per |je |pro |par |each|chassis|one |hourly",
    re.I,
)
_BY_TIME = re.compile(
    r"gpus\b|gpu (?:charge|rent|rental|bill|spend|time|lease|costs?)\b(?! (?:of|for) (?:one|an?) )|gpu[- ](?:h\w*|stunden?)|\b(?:per|pro|par|je) (?:year|month|week|day|run|training|night|jahr|monat|woche|tag|an|mois|semaine|jour)\b",
    re.I,
)
OF_EACH = re.compile(r"gpu|each|one |single|unit|per |/|pro |par ", re.I)


_HOST = re.compile(r"\b[dh]gx\b|workstation|\bnodes?\b|server|\bhost|chassis|\brack|knoten|nœud|serveur|\bbox\b", re.I)


def host_power_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """GPU-hours times the power of the whole machine around several GPUs."""
    computed, stated = cell.computed, cell.context.value
    if computed is None or stated is None or hard(stated.dims or ()) != (("energy", 1.0),):
        return
    if dict(computed.dims or ()).get("device", 0.0) <= 0 or dict(stated.dims or ()).get("device"):
        return
    used = list(inference.uses(cell).values())
    power = [c for c in used if hard(c.value.dims or ()) == (("energy", 1.0), ("time", -1.0))]
    hours = any(dict(c.value.dims or ()).get("device", 0.0) > 0 and dict(c.value.dims or ()).get("time") for c in used)
    if (
        hours
        and len(used) == 2
        and len(power) == 1
        and _HOST.search(power[0].words)
        and not re.search(r"gpu|card|karte|carte", power[0].words, re.I)
    ):
        yield (
            "device-scope",
            f"'{cell.label}' multiplies GPU-hours by the power of '{power[0].label}'.",
            "Divide by its GPUs.",
        )


_WHOLE = re.compile(
    r"total|summe|somme|bill|charge|yearly|annual|fleet|cluster|electricity|co[uû]ts?\b|costs?\b|kosten|gesamt", re.I
)


_OF_ONE = re.compile(
    r"(?:per|/|one|a|of an?|each|pro|par|je) ?(?:gpu|card|karte|carte|accelerator)|gpu (?:price|cost|preis)|\bunit\b",
    re.I,
)


def _of_each_gpu(value: Value) -> bool:
    """Tell whether a figure is of so many hours per GPU."""
    dims = dict(value.dims or ())
    return dims.get("device", 0.0) < 0 < dims.get("time", 0.0) and not has_money(value)


_PER_GPU_HOUR_DIMS = {("device", -1.0), ("time", -1.0)}


def _node_hours_at_a_price(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """Node-hours times a price per GPU-hour."""
    used = [c for c in inference.uses(cell).values() if c.context.explicit]
    hours = [
        c for c in used if hard(c.value.dims or ()) == (("time", 1.0),) and dict(c.value.dims or ()).get("node") == 1
    ]
    prices = [c for c in used if has_money(c.value) and set(c.value.dims or ()) >= _PER_GPU_HOUR_DIMS]
    if len(hours) == len(prices) == 1 and len(inference.uses(cell)) == 2:
        said = f"'{cell.label}' multiplies '{prices[0].label}', per GPU-hour, by node-hours ('{hours[0].label}')."
        yield "device-hours", said, "Multiply by the GPUs per node too."


def hour_price_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A price per GPU-hour worked out from the cost of all GPUs and wall-clock hours."""
    stated, computed = cell.context.value, cell.computed
    yield from _node_hours_at_a_price(inference, cell)
    if stated is None or computed is None or computed.dims is None or not cell.context.explicit:
        return
    due, have = dict(stated.dims or ()), dict(computed.dims)
    if not (due.get("device", 0) < 0 and due.get("time", 0) < 0 and any(n.startswith("money_in_") for n in due)):
        return
    if (
        have.get("device")
        or have.get("node")
        or not any(n.startswith("money_in_") for n in have)
        or not only_conversions(computed, 100.0, 0.01)
    ):
        return
    used = inference.uses(cell).values()
    if any(_of_each_gpu(c.value) for c in used):
        return  # hours of each GPU, times the GPUs
    money = [c.words for c in used if has_money(c.value) and not any(e < 0 for _, e in hard(c.value.dims or ()))]
    if money and all(_WHOLE.search(w) and not _OF_ONE.search(w) for w in money):
        yield (
            "device-hours", f"'{cell.label}' divides the cost of all GPUs by wall-clock hours.",
            "Divide by GPU-hours: hours times the number of GPUs.",
        )  # fmt: skip
