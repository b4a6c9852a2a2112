"""Rules about what a figure is per: GPU, node, rack, user, GPU-hour, or all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import THINGS, Value, compare, hard, has_money, is_time, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.kinds import is_copied, is_product
from mlsim_workbooks.lint.naming import thing, unit_text
from mlsim_workbooks.lint.users import passed_to_user, user_rules

__all__ = [
    "GPU_TIME",
    "NODE",
    "OF_EACH",
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


def scope_rules(cell: Cellwise, tree: sx.Node, nodes: bool, users: bool, gpu_time: bool) -> Iterator[Said]:
    """Compare what a formula's result is per with what its cell states.

    ``gpu_time`` tells that the formula uses a time of one GPU, as its label says.
    """
    computed, context = cell.computed, cell.context
    stated = context.value
    if computed is None or stated is None or computed.dims is None or stated.dims is None:
        return
    if not context.explicit and context.concept not in ("devices", "nodes", "racks", "replicas"):
        return
    hours = dict(stated.dims)
    if (
        computed.dims == (("device", 1.0),)
        and isinstance(tree, sx.Ref)
        and hours.get("device", 0) > 0
        and hours.get("time", 0) > 0
    ):
        yield (
            "device-hours",
            f"'{cell.label}' is GPU-hours, but the formula gives a number of GPUs.",
            "Multiply by the hours.",
        )
        return
    if hard(computed.dims) != hard(stated.dims) and compare(computed, stated) is not None:
        return
    years = (3.0, 5.0, 6.0, 7.0) if {8760.0, 8766.0, 12.0, 365.0} & set(computed.numbers) else ()  # no GPUs of a node
    if not only_conversions(computed, 100.0, 0.01, *years):
        yield from passed_to_user(cell, tree, computed, stated)
        return
    yield from user_rules(cell, tree, computed, stated, users)
    if computed.dims == (("device", 1.0),) and not stated.dims and stated.text == "%" and computed.kind("total"):
        yield (
            "device-scope",
            f"'{cell.label}' divides a total by a figure per GPU.",
            "Multiply that by the number of GPUs.",
        )
        return
    have, due = dict(computed.dims), dict(stated.dims)
    if have.get("count"):
        return  # "pcs" of something
    if have.get("node", 0) < 0 < min(have.get("device", 0), due.get("device", 0)) and hard(stated.dims) == _TIME:
        return  # GPUs per instance, and hours of instances
    divided = [n for n, counted in _COUNTS.items() if f"1/{counted}" in computed.parts and have.get(n, 0) < 0]
    due_each = [n for n in _COUNTS if due.get(n, 0) < 0]
    if (
        len(divided) == 1
        and len(due_each) == 1
        and divided != due_each
        and not have.get(due_each[0])
        and is_product(tree)
    ):
        one, other = thing(due_each[0]), thing(divided[0])
        yield "device-scope", f"'{cell.label}' is per {one}, but the formula divides by the number of {other}s.", ""
        return
    if (
        "1/gpus per node" in computed.parts
        and computed.kind("total") == "total"
        and hard(stated.dims)
        in ((("time", -1.0),), (("time", -1.0), ("token", 1.0)), (("operation", 1.0), ("time", -1.0)))
        and due.get("device", 0) < 0 < have.get("node", 0)
        and not due.get("node")
    ):
        yield (
            "device-scope",
            f"'{cell.label}' divides a total by the GPUs of one node.",
            "Divide by the number of all GPUs.",
        )
        return
    whole_model = re.search(r"whole|entire|ganz|entier|all gpus", cell.words, re.I) and hard(stated.dims) == _BYTES
    whole_model = whole_model and not re.search(r"shard|partition|réparti|verteilt", cell.words, re.I)
    if whole_model and "1/devices" in computed.parts and "devices" not in computed.parts and not due.get("device"):
        yield "device-scope", f"'{cell.label}' is of all GPUs, but the formula divides by their number.", ""
        return
    for name, counted in (*_COUNTS.items(), ("user", "users")):
        if f"1/{counted}" in computed.parts and have.get(name, 0) < 0:
            del have[name]  # divided by a number of them, not a figure per one
    for each, other in (("device", "node"), ("node", "device")):
        divided_by = f"1/{_COUNTS[other]}" in computed.parts and f"1/{_COUNTS[each]}" not in computed.parts
        if have.get(each, 0) < 0 and divided_by and _MTBF.search(cell.words):
            one, many = thing(each), thing(other)
            yield (
                "device-scope",
                f"'{cell.label}' divides that of one {one} by the number of {many}s.",
                f"Divide by the number of {one}s.",
            )
            return
    alone = "one" in computed.parts or gpu_time  # the 1 of 1/x may be one GPU
    if (
        not alone
        and not computed.parts & _OF_ONE_GPU
        and hard(computed.dims) == _TIME
        and hard(stated.dims) == hard(computed.dims)
        and due.get("device", 0) > 0
        and not have.get("device", 0)
        and not have.get("node")
        and stated.factor != 1.0  # the seconds of one GPU for each request
    ):
        yield (
            "device-hours",
            f"'{cell.label}' is GPU-hours, but the formula gives hours: the number of GPUs is missing.",
            "",
        )
        return
    if not is_product(tree):
        return
    of_each = bool(context.texts) and re.match(r"[\w-]+ (?:je|per|pro|par) ", context.texts[0]) is not None
    total = dict(context.kinds).get("total") == "total" and not of_each
    whole = bool(
        re.search(
            r"\ball\b|total|whole|everything|cluster|fleet|gesamt|entire|full",
            cell.words,
            re.I,
        )
    )
    names = {n: thing(n) for n in ("device", "node", "rack", "user", *THINGS)}
    label = cell.label
    if (
        due.get("device", 0) > 0
        and due.get("time")
        and stated.factor != 1.0
        and not have.get("device", 0)
        and not alone
        and not computed.parts & _OF_ONE_GPU
        and have.get("time", 0) <= 1
        and (have.get("time") or any(is_time(n) for n in computed.numbers))
    ):
        rule = "device-scope" if have.get("node") or have.get("rack") else "device-hours"
        yield (
            rule,
            f"'{label}' is GPU-hours, but the formula gives {unit_text(computed)}: the number of GPUs is missing.",
            "",
        )
        return
    if (
        hard(stated.dims) == _TIME
        and have.get("device", 0) > 0
        and not due.keys() & {"device", "sample"}
        and (
            have["device"] > 1
            or "device hours" in computed.parts
            or (_WALL.search(cell.words) and "~information" not in computed.parts)
            or _DAYS_ON.search(cell.words)
        )
    ):
        yield "device-hours", f"'{label}' is a time, but the formula gives GPU-hours: divide by the number of GPUs.", ""
        return
    for name, shown in names.items():
        if name == "replica" and "parallel" in computed.parts:
            continue  # as many GPUs as one replica has
        rule = "user-total" if name == "user" else "device-scope"
        others = [n for n in names if n != name and have.get(n, 0) < 0 and (n not in THINGS or hard(stated.dims))]
        if name == "device" and others == ["node"] and "1/devices" in computed.parts:
            continue  # the price of an instance, by its GPUs
        if due.get(name, 0) < 0 and not have.get(name) and others and name != "user" and "user" not in others:
            yield rule, f"'{label}' is per {shown}, but the formula gives a figure per {names[others[0]]}.", ""
            return
        of_all = name == "camera" and re.search(
            r"\b(?:all|alle|toutes les) (?:the )?cam[eé]ra|\balle kameras", cell.words, re.I
        )
        of_all = of_all or (name == "replica" and "devices" in computed.parts and _ALL_GPUS.match(cell.label))
        if name == "user" or (name in THINGS and not is_copied(tree) and not of_all):
            continue  # optics may be counted as nodes times ports
        if (
            have.get(name, 0) < 0
            and not due.get(name)
            and (name != "node" or nodes)
            and not (name == "device" and _PER_GPU_HOUR.search(cell.words))
            and not (name == "device" and "parallel" in computed.parts)  # times the GPUs of a tensor-parallel group
            and hard(stated.dims) != _TIME  # all wait as long as one
            and stated.text != "%"  # so much of one, so much of all
            and (total or any(due.get(n, 0) < 0 for n in names if n != name and n != "user"))
        ):
            yield (
                rule,
                f"'{label}' is a total, but the formula gives a figure per {shown}.",
                f"Multiply by the number of {shown}s.",
            )
            return
    if (
        have.get("device", 0) < 0
        and not due.get("device")
        and _OF_THE_NODE.search(cell.words)
        and hard(stated.dims) in _RATES
    ):
        yield "device-scope", f"'{label}' takes a figure per GPU.", "Multiply by the number of GPUs."
        return
    if (
        have.get("node", 0) > 0
        and "nodes" in computed.parts
        and not {"device", "count"} & have.keys()
        and not computed.parts & {"gpus per node", "devices", "replicas"}
        and computed.parts & {"peak", "integer peak"}
        and hard(stated.dims) in _RATES
        and not NODE.search(cell.words)
    ):
        yield "device-scope", f"'{label}' multiplies the peak of one GPU by nodes.", "Multiply by the GPUs of each too."
        return
    if (
        have.get("node", 0) > 0
        and "nodes" in computed.parts
        and "memory" in computed.parts
        and not computed.parts & {"gpus per node", "devices", "replicas"}
        and hard(stated.dims) == _BYTES
        and _GPU_MEMORY.search(cell.words)
        and not NODE.search(cell.words)
    ):
        yield (
            "device-scope",
            f"'{label}' multiplies the memory of one GPU by nodes.",
            "Multiply by the GPUs of each too.",
        )
        return
    if (
        hard(stated.dims) == _TIME
        and dict(computed.dims).get("node", 0) < 0
        and {"1/nodes", "1/peak"} <= computed.parts
        and not computed.parts & {"1/gpus per node", "1/devices", "1/replicas"}
        and not NODE.search(cell.words)
    ):
        yield (
            "device-scope",
            f"'{label}' divides by the peak of one GPU for each node.",
            "Multiply by the GPUs of each too.",
        )
        return
    if (
        have.get("node", 0) > 0
        and not due.get("node")
        and hard(stated.dims) == _TIME
        and nodes
        and whole
        and not NODE.search(cell.words)
        and not _STEP.search(cell.words)
    ):
        yield (
            "device-scope",
            f"'{label}' divides by a rate per node: the number of nodes is missing.",
            "Multiply the rate by the number of nodes.",
        )
        return
    if (
        due.get("node", 0) < 0
        and not have.keys() & {"node", "device"}
        and computed.kind("total") == "total"
        and "devices" in computed.parts
        and not {"1/nodes", "gpus per node"} & computed.parts
        and hard(stated.dims) in _RATES
    ):
        yield "device-scope", f"'{label}' is per node, but the formula takes all GPUs.", "Take the GPUs of a node."
        return
    rent = isinstance(tree, sx.Ref) and "time" in due and has_money(stated)  # of whatever is rented
    of_node = have.get("node", 0) < 0 and not due.get("node") and not NODE.search(cell.words)
    of_node &= "count" not in have  # as many as are ordered
    of_node &= context.concept != "kv cache"  # which each node has
    of_node &= "~camera each node" not in computed.parts  # as many as one box has
    of_node &= not re.match(
        r"\s*(?:in|as|the same|same|of which|davon|dont)\b", label, re.I
    )  # what the line above is of
    if of_node and nodes and hard(stated.dims) and not rent:
        yield (
            "device-scope",
            f"'{label}' is not per node, but the formula gives a figure per node.",
            "Multiply by the number of nodes.",
        )
        return
    if (
        have.get("device", 0) < 0
        and hard(stated.dims) == (("energy", 1.0),)
        and "~time" in computed.parts
        and not gpu_time
        and (_GPUS.search(cell.words) or (_JOB.search(cell.words) and not OF_EACH.search(cell.words)))
    ):
        yield "device-scope", f"'{label}' takes the power of one GPU.", "Multiply by the number of GPUs."
        return
    money = any(n.startswith("money_in_") for n in have)
    priced = (
        money and have.get("device", 0) < 0 and not due.get("device") and hard(stated.dims) and not have.get("node")
    )
    plain = all(n.startswith("money_in_") for n, _ in hard(stated.dims)) and "token" not in due
    eight = 8.0 in computed.numbers  # the GPUs of a node, perhaps
    single = OF_EACH.search(_BY_TIME.sub("", cell.words))
    if priced and plain and not eight and not gpu_time and "~time" in computed.parts and not single:
        yield (
            "device-hours",
            f"'{label}' multiplies a price per GPU-hour by hours: the number of GPUs is missing.",
            "Multiply by the number of GPUs, or use GPU-hours.",
        )


def left_of_one_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The memory that is left per node or replica, taken from that of one GPU, where several are in one."""
    stated = cell.context.value
    if stated is None or not cell.context.explicit or hard(stated.dims or ()) != _BYTES:
        return
    each = next((n for n in ("node", "replica") if dict(stated.dims or ()).get(n, 0.0) < 0), "")
    terms, evaluation = sx.summands(tree, "+-"), inference.evaluation(cell)
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


def hour_price_rules(inference: Inference, cell: Cellwise) -> Iterator[Said]:
    """A price per GPU-hour worked out from the cost of all GPUs and wall-clock hours."""
    stated, computed = cell.context.value, cell.computed
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
