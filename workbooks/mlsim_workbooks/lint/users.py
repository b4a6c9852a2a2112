"""Rules about figures per user, and those of all users."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import Value, compare, hard, has_money, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.shapes import is_copied, is_product, written

__all__ = ["ONE_USER", "each_user_rules", "passed_to_user", "user_rules"]


ONE_USER = re.compile(
    r"user|nutzer|utilisateur|per (?:answer|question|reply)|stream|seat|session|one |each|single|mitarbeiter|employee|student|customer|/req|per request|slot|\b[dm]au\b",
    re.I,
)


def each_user_rules(inference: Inference, cell: Cellwise, tree: sx.Node, users: bool) -> Iterator[Said]:
    """Tasks of the peak hour from tasks per user, in a sheet that has users, where units tell nothing."""
    computed = cell.computed
    if users and computed is not None and _of_all(inference, cell, tree):
        yield (
            "user-total",
            f"'{cell.label}' is per user, but the formula takes a total.",
            "Divide by the number of users.",
        )
    if users and computed is not None and cell.context.explicit and _people_for_requests(inference, cell, tree):
        yield "user-total", f"'{cell.label}' is of requests, but the formula takes users.", "Multiply by those of each."
        return
    units = computed is not None and computed.dims is not None and cell.context.value is not None
    if not users or computed is None or units or not is_product(tree) or not cell.context.label:
        return
    used = inference.uses(cell).values()
    each = [
        c for c in used if ("per user", "user") in c.context.kinds and not re.search(r"share|factor|%", c.words, re.I)
    ]
    counts = "users" in " ".join(computed.parts) or any("user" in dict(c.value.dims or ()) for c in used)
    if (
        len(each) == 1
        and not counts
        and not ONE_USER.search(cell.words)
        and cell.context.concept not in ("latency", "money")
    ):
        yield (
            "user-total",
            f"'{cell.label}' is not per user, but '{each[0].label}' is.",
            "Multiply by the number of users.",
        )


def _people_for_requests(inference: Inference, cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a number of requests, or a rate of them, is a number of users that is only converted."""
    used = list(inference.uses(cell).values())
    computed = cell.computed
    if computed is None or len(used) != 1 or used[0].context.concept != "users" or not is_product(tree):
        return False
    of_users = (used[0].value.dims or ()) == (("user", 1.0),) and only_conversions(computed)
    return of_users and cell.context.concept in ("requests", "throughput") and bool(_REQUESTS.search(cell.words))


_REQUESTS = re.compile(r"\b(?:requests|queries|calls|questions|anfragen|fragen|requêtes)\b", re.I)


def _of_all(inference: Inference, cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a figure per user is a product of figures that are known, and none of them per user or of users."""
    stated, computed = cell.context.value, cell.computed
    if stated is None or computed is None or computed.dims is None or not cell.context.explicit:
        return False
    each, core = dict(stated.dims or ()).get("user", 0.0) < 0, hard(stated.dims or ())
    if not each or not _is_spent(stated) or hard(computed.dims) != core or not is_product(tree):
        return False  # a stream is as fast alone
    if compare(computed, replace(stated, dims=computed.dims)) is not None or "user" in dict(computed.dims):
        return False
    used = inference.uses(cell).values()
    return all(c.context.explicit and not ONE_USER.search(c.words) for c in used) and not (
        " ".join(computed.parts).count("user") or {"request", "token"} & {n for n, _ in computed.dims}
    )


def _is_spent(value: Value) -> bool:
    """Tell whether a figure is money, energy, carbon or water: what many users take together."""
    spent = ("energy", "mass_of_co2e", "water")
    return any(e > 0 and (n.startswith("money_in_") or n in spent) for n, e in hard(value.dims or ()))


def passed_to_user(cell: Cellwise, tree: sx.Node, computed: Value, stated: Value) -> Iterator[Said]:
    """A figure per user that only passes on a total, or a part of it: half a year's revenue over six months."""
    have, due = dict(computed.dims or ()).get("user", 0.0), dict(stated.dims or ()).get("user", 0.0)
    if _by_as_many(cell, tree):
        return
    if due < 0 and not have and is_copied(tree) and hard(stated.dims or ()) and not computed.kind("per user"):
        yield (
            "user-total",
            f"'{cell.label}' is per user, but the formula takes a total.",
            "Divide by the number of users.",
        )


def _by_as_many(cell: Cellwise, tree: sx.Node) -> bool:
    """Tell whether a number of the formula is one of users, as the label says: "rate of one at 64 users"."""
    many = {float(m[1]) for m in _MANY_USERS.finditer(cell.words)}
    return bool(many & written(tree))


_MANY_USERS = re.compile(
    r"\b(\d+) (?:concurrent |active )?(?:users|seats|sessions|streams|people|nutzer|utilisateurs)\b", re.I
)
_LENGTH = re.compile(r"\bctx\b|context|length|kontext|contexte|länge|longueur", re.I)


def user_rules(cell: Cellwise, tree: sx.Node, computed: Value, stated: Value, users: bool) -> Iterator[Said]:
    """A figure per user where the total is due, or the other way round."""
    have, due = dict(computed.dims or ()).get("user", 0.0), dict(stated.dims or ()).get("user", 0.0)
    if dict(computed.dims or ()).get("request", 0.0) > 0 and re.search(
        "replica|server|node|batch|gpu|stream", cell.words, re.I
    ):
        return  # requests in flight are users at work
    words, label = cell.words, cell.label
    if dict(computed.dims or ()).get("count", 0.0) > 0:
        return  # as many sessions
    written = re.search(
        r"/ ?(?:user|nutzer|utilisateur)|(?:per|pro|je|par) (?:user|nutzer|utilisateur)", f"{stated.text} {words}", re.I
    )
    by_requests = dict(computed.dims or ()).get("request", 0.0) < 0 and "1/requests" in computed.parts
    by_requests = by_requests and _is_spent(stated) and not dict(stated.dims or ()).get("request")
    if due < 0 and not have and written and by_requests:
        yield "user-total", f"'{label}' is per user, but the formula divides by requests.", "Divide by the users."
        return
    if hard(stated.dims or ()) == (("time", 1.0),) or stated.text == "%" or _LENGTH.search(words):
        return  # all wait as long as one, or have as much context
    if due < 0 and not have and dict(computed.dims or ()).get("request", 0.0) > 0 and "requests" in computed.parts:
        yield "user-total", f"'{label}' is per user, but the formula multiplies by the requests of all.", ""
        return
    if have > 0 and not due and has_money(stated) and "token" in dict(stated.dims or ()):
        yield "user-total", f"'{label}' divides by a rate per user.", "Divide by the rate of all users."
        return
    if not cell.context.label or (cell.entity and not (cell.context.concept or cell.context.kinds)):
        return
    if any(
        n not in ("user", "request") and n not in dict(computed.dims or ())
        for n, _ in stated.dims or ()
        if not hard(((n, 1.0),))
    ):
        return  # per token, too, and it does not say so: its labels say too little
    if _by_as_many(cell, tree):
        return
    total = dict(cell.context.kinds).get("total") == "total"
    passed_on = is_copied(tree) or (isinstance(tree, sx.Call) and tree.name == "SUM" and total)
    if due < 0 and not have and passed_on:
        yield "user-total", f"'{label}' is per user, but the formula takes a total.", "Divide by the number of users."
    elif have < 0 and not due and users and is_product(tree) and not total and not ONE_USER.search(words):
        yield (
            "user-total",
            f"'{label}' is not per user, but the formula gives a figure per user.",
            "Multiply by the number of users.",
        )
    elif (
        have < 0 and not due and ((passed_on and (total or not ONE_USER.search(words))) or (total and is_product(tree)))
    ):
        yield (
            "user-total",
            f"'{label}' is not per user, but the formula takes a figure per user.",
            "Multiply by the number of users.",
        )
