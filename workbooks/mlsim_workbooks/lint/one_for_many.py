"""Rules about a figure of one that stands for that of many: the requests of a user, the power of a board, the price of a box."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import hard, has_money, only_conversions
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference
from mlsim_workbooks.lint.scope import OF_EACH
from mlsim_workbooks.lint.shapes import is_product, written
from mlsim_workbooks.lint.users import ONE_USER

__all__ = ["one_for_many_rules"]


def one_for_many_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Yield what is said of a formula without the number of things that its label is about."""
    yield from _each_for_all(inference, cell, tree)
    yield from _board_for_all(inference, cell, tree)
    yield from _one_of_many(inference, cell, tree)


_ALL = re.compile(
    r"\b(?:all(?: the)?|alle[rn]?|tou(?:te)?s les|des|whole|ganze[rn]?) (advisers?|agents?|readers?|doctors?|users?|employees?|students?|class|players?|stores?|customers?|robots?|cameras?|vehicles?"
    r"|devices?|sites?|seats?|nutzer|mitarbeitenden?|kunden|filialen?|kameras?|utilisateurs?|étudiants?|clients?|magasins?|caméras?)\b",
    re.I,
)
_AT_ONCE = re.compile(
    r"session|stream|concurren|at once|(?<!per )(?<!je )(?<!par )(?:request|sequence)|batch|gleichzeitig|simultan|connection",
    re.I,
)
_ONE_OF = {"class": "student", "mitarbeitende": "mitarbeiter", "kunden": "kunde"}
_PEOPLE = re.compile(
    r"user|advis|agent|reader|doctor|employee|student|player|customer|seat|nutzer|mitarbeit|kunde|utilisateur|étudiant|client",
    re.I,
)


def _each_for_all(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The requests of all users, from those of each without the number of users."""
    match = _ALL.search(cell.words)
    if match is None or not is_product(tree) or ONE_USER.search(_ALL.sub(" ", cell.words)):
        return
    noun = match[1].casefold()
    one = _ONE_OF.get(noun) or noun.rstrip("sn")
    of_each = re.compile(rf"\b(?:per|pro|par|je|an?|each)(?: \w+)? {one}|/{one}", re.I)
    used = list(inference.uses(cell).values())
    texts = [f"{c.words} {c.value.text}" for c in used]
    each = [c for c, text in zip(used, texts, strict=True) if of_each.search(text)]
    counted = any(re.search(rf"\b{one}", of_each.sub(" ", text), re.I) for text in texts)
    if len(each) != 1 or counted or any(_AT_ONCE.search(c.words) for c in used if c is not each[0]):
        return
    rule = "user-total" if _PEOPLE.search(noun) or noun == "class" else "device-scope"
    said = f"'{cell.label}' is of all, but '{each[0].label}' is of one {one}, and nothing says how many there are."
    yield rule, said, f"Multiply by the number of {one}s."


_OUR_GPUS = re.compile(
    r"\b(?:of|for|all|our|the) (?:\w+ ){0,2}(?:gpus|cards|accelerators)\b|(?:facility|site|hall|fleet|cluster) (?:power|energy|load)\b|alle[rn]? (?:gpus|karten)\b"
    r"|(?:des|tous les) gpu\b",
    re.I,
)
_BOARD = re.compile(r"board power|\btdp\b|power (?:limit|cap)", re.I)


def _board_for_all(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The power or energy of all GPUs, from the board power of one and shares and hours alone."""
    dims = hard(cell.value.dims or ())
    if dict(dims).get("energy") != 1.0 or has_money(cell.value) or not _OUR_GPUS.search(cell.words):
        return
    if OF_EACH.search(cell.words):
        return
    used = list(inference.uses(cell).values())
    boards = [c for c in used if _BOARD.search(c.words) and c.item.form < 0 and c.context.explicit]
    rest = [c for c in used if c not in boards]
    plain = all(
        c.context.concept in ("PUE", "share", "ratio", "MFU", "hours")
        or c.value.dims in ((("time", 1.0),), ())
        or c.context.percent
        or dict(hard(c.value.dims or ())).get("energy") == 1.0
        for c in rest
    )
    counted = any(isinstance(c.item.value, float) and c.item.value > 2 and not hard(c.value.dims or ()) for c in rest)
    eights = {n for n in written(tree) if n == int(n) and 2 <= n <= 16}
    if len(boards) == 1 and plain and not counted and not eights and cell.context.explicit:
        yield (
            "device-scope",
            f"'{cell.label}' takes '{boards[0].label}', which is of one GPU.",
            "Multiply by their number.",
        )


_MANY_THINGS = re.compile(
    r"(?<!per )(?<!je )(?<!par )\b(boxes|cameras|robots|drones|sensors|gateways|vehicles|kiosks|tablets|servers|racks|switches)\b",
    re.I,
)


def _one_of_many(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The energy or the price of "edge boxes", from the "box power draw" or the "box price" alone."""
    match, stated = _MANY_THINGS.search(" ".join(cell.context.texts[:1])), cell.context.value
    if match is None or stated is None or not cell.context.explicit or OF_EACH.search(cell.words):
        return
    dims = dict(hard(stated.dims or ()))
    if not (dims.get("energy") == 1.0 or has_money(stated)) or not is_product(tree) or cell.computed is None:
        return
    plural = match[1].lower()
    one = {"boxes": "box", "switches": "switch"}.get(plural, plural.rstrip("s"))
    used = list(inference.uses(cell).values())
    single = [
        c for c in used if re.match(rf"(?:\w+ )?{one}\b(?! ?(?:count|hours))", " ".join(c.context.texts[:1]), re.I)
    ]
    rest = [c for c in used if c not in single]
    counted = any(not hard(c.value.dims or ()) for c in rest) or any(plural in c.words.lower() for c in rest)
    if (
        len(single) == 1
        and single[0].item.form < 0
        and not counted
        and only_conversions(cell.computed, 365.0, 24.0, 12.0)
    ):
        yield "device-scope", f"'{cell.label}' takes '{single[0].label}', which is of one.", "Multiply by their number."
