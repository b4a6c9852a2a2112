"""Sums that add up what does not belong together: counts, another column, another table, prices per year and one-off."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlsim_workbooks.lint import syntax as sx
from mlsim_workbooks.lint.algebra import COUNTABLE, Value, hard, has_money, is_time
from mlsim_workbooks.lint.finding import Said
from mlsim_workbooks.lint.infer import Cellwise, Inference, Key
from mlsim_workbooks.lint.labels import read_label
from mlsim_workbooks.lint.naming import thing, unit_text
from mlsim_workbooks.lint.shapes import is_product, leaves, links, summands, summed_areas, written
from mlsim_workbooks.lint.vocabulary import MODEL_SIZES, ONCE, PERIOD_WORDS, WRITTEN_OFF
from mlsim_workbooks.package import position

__all__ = ["sum_rules"]


def sum_rules(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A formula that adds up what does not belong together, though its units may agree."""
    yield from _count_added(inference, cell, tree)
    yield from _twice(inference, cell, tree)
    yield from _block_sum(inference, cell, tree)
    yield from _one_without_period(inference, cell, tree)
    yield from _price_of_one_among(inference, cell, tree)
    yield from _cache_of_one_among(inference, cell, tree)
    yield from _term_in_another_unit(inference, cell, tree)
    yield from _unconverted_beside(inference, cell, tree)
    yield from _sum_of_another_column(inference, cell, tree)
    yield from _across_headers(inference, cell, tree)
    yield from _wider_than_its_neighbours(inference, cell, tree)
    yield from _size_among(inference, cell, tree)


def _count_added(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A count without a unit added to a quantity: the 5 checkpoints kept, which other formulas multiply by."""
    terms = summands(tree, "+-")
    if len(terms) > 1 and dict(cell.value.dims or ()).get("token", 0.0) > 0 and cell.context.explicit:
        yield from _pieces_added(inference, cell, terms)
    if len(terms) < 2 or not any(e > 0 for _, e in hard(cell.value.dims or ())):
        return
    found = [inference.cell_of(cell, t) for t in terms]
    if not cell.context.explicit and not any(c is not None and _written(c) for c in found):
        return  # a list of figures that say no unit
    for term in terms:
        count = inference.cell_of(cell, term)
        if count is None or not isinstance(count.item.value, float) or count.item.form >= 0:
            continue
        stated = count.context.value
        if _machines(count) and cell.context.explicit:
            yield (
                "bare-number",
                f"'{cell.label}' adds '{count.label}', a number of things, to a quantity in {unit_text(cell.value)}.",
                "Multiply by it.",
            )
        plain = not count.context.explicit and not (stated and hard(stated.dims or ())) and not count.context.percent
        plain = (
            plain
            and bool(count.label)
            and count.context.concept not in ("hours", "latency", "money", "energy", "power")
        )
        if (
            plain
            and 0 < count.item.value < 1
            and count.context.concept in ("ratio", "share", "growth")
            and not _LOADS.search(count.label)
        ):
            yield (
                "bare-number",
                f"'{cell.label}' adds the fraction '{count.label}' to a quantity.",
                "Multiply by 1 plus it.",
            )
        if (
            plain
            and count.item.value >= 1
            and count.item.value == int(count.item.value)
            and not re.search(r", (?:min|h|s|d)$", count.label)
            and not re.search(r"budget|grant\b|quota|award|allocation|kontingent|contingent", count.label, re.I)
            and _multiplies(inference, cell, term)
            and not _all_along(inference, cell)
        ):
            yield (
                "bare-number",
                f"'{cell.label}' adds '{count.label}', a plain {count.item.value:g}, to a quantity in {unit_text(cell.value)}.",
                "Multiply by it, or add the quantity that it counts.",
            )


def _written(cell: Cellwise) -> bool:
    """Tell whether the unit of a quantity stands beside it."""
    stated = cell.context.value
    return cell.context.explicit and stated is not None and bool(hard(stated.dims or ()))


def _machines(cell: Cellwise) -> bool:
    """Tell whether a cell is a number of GPUs or nodes, as its unit says."""
    dims = cell.context.value.dims if cell.context.value is not None else None
    return cell.context.explicit and bool(dims) and all(n in ("device", "node", "rack") for n, _ in dims or ())


def _all_along(inference: Inference, cell: Cellwise) -> bool:
    """Tell whether the lines above or below take what this one takes: "Left" is "Granted" less "Used" in each."""
    item = cell.item
    near = (inference.near(cell, step) for step in (-3, -2, -1, 1, 2, 3))
    return sum(c is not None and c.item.form == item.form for c in near) > 2


_LOADS = re.compile(r"overhead|aufschlag|surcoût", re.I)  # in the unit of what they are added to, as often


_PIECES = re.compile(
    r"chunks|passages|documents|dokumente|turns|messages|nachrichten|examples|beispiele|shots|snippets|results|pages|seiten|images"
    r"|extraits|exemples|morceaux|abschnitte",
    re.I,
)


def _pieces_added(inference: Inference, cell: Cellwise, terms: list[sx.Node]) -> Iterator[Said]:
    """Six chunks added to tokens: the tokens of each are left out."""
    for term in terms:
        count = inference.cell_of(cell, term)
        if count is None or count.item.form >= 0 or count.context.explicit or not isinstance(count.item.value, float):
            continue
        if _PIECES.search(count.words) and not re.search(r"\btok", count.words, re.I) and count.item.value < 200:
            yield (
                "bare-number",
                f"'{cell.label}' adds '{count.label}', a plain {count.item.value:g}, to tokens.",
                "Multiply by the tokens of each.",
            )


def _twice(inference: Inference, cell: Cellwise, tree: sx.Node | None) -> Iterator[Said]:
    """One cell added to itself: input tokens twice, where output tokens are due."""
    match tree:
        case sx.Binary(operator="+", left=sx.Ref() as left, right=sx.Ref() as right):
            found = inference.cell_of(cell, left)
            if found is not None and found is inference.cell_of(cell, right) and found.value.kind("token"):
                yield "token-direction", f"'{cell.label}' adds '{found.label}' to itself.", ""
        case sx.Binary("+", sx.Call(name="SUM", args=(sx.Area() as area,)), sx.Ref() as one) | sx.Binary(
            "+", sx.Ref() as one, sx.Call(name="SUM", args=(sx.Area() as area,))
        ) if _within(cell, one, area):
            found = inference.cell_of(cell, one)
            label = found.label if found is not None else ""
            rule = "round-trip" if found is not None and found.value.kind("trip") else "mixed-sum"
            yield rule, f"'{cell.label}' adds '{label}' twice: the sum has it already.", ""
        case sx.Binary(left=left, right=right):
            yield from _twice(inference, cell, left)
            yield from _twice(inference, cell, right)
        case sx.Call(args=args):
            for argument in args:
                yield from _twice(inference, cell, argument)


def _within(cell: Cellwise, one: sx.Ref, area: sx.Area) -> bool:
    """Tell whether a cell is one of a range of the same sheet."""
    if one.sheet != area.sheet or area.kind != "ref":
        return False
    (top, left), (bottom, right) = (position(cell.item.refs[mark]) for mark in (area.first, area.last))
    row, col = position(cell.item.refs[one.mark])
    return top <= row <= bottom and left <= col <= right


def _multiplies(inference: Inference, cell: Cellwise, term: sx.Node) -> bool:
    """Tell whether another formula has a cell as a factor."""
    if not isinstance(term, sx.Ref):
        return False
    one = inference.cell_of(cell, term)
    users = inference.users.get(one.key, ()) if one is not None else ()
    return one is not None and any(_has_factor(inference, u, inference.tree(u.item.form), one.key) for u in users)


def _has_factor(inference: Inference, cell: Cellwise, tree: sx.Node | None, key: Key) -> bool:
    match tree:
        case sx.Binary(operator=operator, left=left, right=right):
            sides = [n for n in (left, right) if isinstance(n, sx.Ref)]
            if operator in "*/" and any(inference.place_of(cell, n) == key for n in sides):
                return True
            return any(_has_factor(inference, cell, n, key) for n in (left, right))
        case sx.Call(args=args):
            return any(_has_factor(inference, cell, n, key) for n in args)
    return False


def _block_sum(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A sum over several rows and columns that hold different quantities."""
    areas = [n for n in summed_areas(tree) if n.kind == "ref"]
    if len(areas) != 1:
        return
    (top, left), (bottom, right) = (position(cell.item.refs[m]) for m in (areas[0].first, areas[0].last))
    used = [c for c in inference.uses(cell).values() if top <= c.item.row <= bottom and left <= c.item.col <= right]
    if len({c.item.row for c in used}) < 2 or len({c.item.col for c in used}) < 2:
        return
    prices = {c.item.col: bool(_EACH_PRICE.search(c.words.replace("_", " "))) for c in used}
    below = cell.item.row in (bottom + 1, bottom + 2) and cell.item.col in (left, right)
    if below and right - left == 1 and set(prices.values()) == {True, False}:
        yield "mixed-sum", f"'{cell.label}' sums prices of one and amounts.", "Sum one column."
        return
    kinds = {(hard(c.value.dims) if c.value.dims is not None else None, c.context.concept) for c in used}
    units = {dims for dims, _ in kinds}
    if len(units) == 1 and any(units):
        return  # rent and electricity, all in dollars
    concepts = {concept for _, concept in kinds}
    if len(concepts) > 1 and (len(units) > 1 or "" not in concepts):
        names = " and ".join(sorted(c or "something else" for c in concepts)[:2])
        yield (
            "mixed-sum",
            f"'{cell.label}' sums a block that holds different things: {names}.",
            "Sum one row or column.",
        )


_EACH_PRICE = re.compile(
    r"unit price|price (?:each|per)|\bper unit\b|einzelpreis|stückpreis|prix unitaire|\brate\b", re.I
)


def _sum_of_another_column(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A total below one column that adds up another, which has a total of its own."""
    found = _summed(tree, cell)
    if found is None or found[0] == cell.item.col:
        return
    column, top, bottom = found
    own = [inference.at(cell.sheet, row, cell.item.col) for row in range(top, bottom + 1)]
    beside = inference.at(cell.sheet, cell.item.row, column)
    twin = inference.tree(beside.item.form) if beside is not None and beside.item.form >= 0 else None
    both = beside is not None and twin is not None and _summed(twin, beside) == (column, top, bottom)
    below = cell.item.row in (bottom + 1, bottom + 2)  # one of its own stands above it
    if not all(own) or not (both or below):
        return
    other = inference.at(cell.sheet, top, column)
    if other is not None and other.context.texts and other.context.texts[-1].casefold() in cell.label.casefold():
        return  # "Sum kGPUh"
    money = any(c is not None and has_money(c.value) for c in (cell, beside, other))
    label = beside.label if beside is not None else other.label if other is not None else ""
    yield (
        "money-rate" if money else "mixed-sum",
        f"'{cell.label}' adds up another column, that of '{label}'.",
        "Add up the cells above.",
    )


def _across_headers(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A total that reaches over the header of its table into the one above."""
    found = _summed(tree, cell)
    if found is None or found[0] != cell.item.col or found[2] - found[1] > _TABLE:
        return
    grid = inference.book.grids[cell.sheet]
    for row in range(found[1] + 1, found[2]):
        item = grid.at(row, cell.item.col)
        text = item.value if item is not None and isinstance(item.value, str) and item.form < 0 else ""
        label = read_label(text)
        if label.unit is not None and hard(label.unit.dims or ()) and len(text) > 4:
            yield (
                "mixed-sum",
                f"'{cell.label}' adds up two tables: '{text}' stands between them.",
                "Sum the cells below it.",
            )
            return


_TABLE = 200  # rows


def _wider_than_its_neighbours(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A total that adds up two columns, where the totals beside it add up their own."""
    areas = summed_areas(tree)
    if not isinstance(tree, sx.Call) or len(areas) != 1 or areas[0].kind != "ref" or areas[0].sheet:
        return
    (top, left), (bottom, right) = (position(cell.item.refs[m]) for m in (areas[0].first, areas[0].last))
    if not (right == left + 1 and left <= cell.item.col <= right and top < bottom < cell.item.row):
        return
    row = inference.book.grids[cell.sheet].rows.get(cell.item.row, ())
    beside = [inference.at(cell.sheet, cell.item.row, i.col) for i in row if i.form >= 0 and i.col != cell.item.col]
    trees = [(c, inference.tree(c.item.form)) for c in beside if c is not None]
    own = [c for c, t in trees if t is not None and _summed(t, c) == (c.item.col, top, bottom)]
    if len(own) >= 2:
        yield "mixed-sum", f"'{cell.label}' adds up two columns, the totals beside it one each.", "Sum its own column."


def _size_among(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The head dimension of a model among gigabytes."""
    if not isinstance(tree, sx.Call) or tree.name != "SUM":
        return
    used = list(inference.uses(cell).values())
    sizes = [c for c in used if c.context.concept in MODEL_SIZES and not hard(c.value.dims or ())]
    if len(sizes) == 1 and len(used) > 2 and all(c is sizes[0] or hard(c.value.dims or ()) for c in used):
        yield "mixed-sum", f"'{cell.label}' adds '{sizes[0].label}' to what has a unit.", "Leave it out."


def _summed(tree: sx.Node, cell: Cellwise) -> tuple[int, int, int] | None:
    """Return (column, first row, last row) of the one column above it that a formula sums."""
    match tree:
        case sx.Call(name="SUM", args=(sx.Area(kind="ref", sheet="") as area,)):
            (top, left), (bottom, right) = (position(cell.item.refs[m]) for m in (area.first, area.last))
            return (left, top, bottom) if left == right and top < bottom < cell.item.row else None
    return None


_BOUGHT = re.compile(
    r"purchase|\bbuy|bought|\bprice|capex|invest|hardware|server|kauf|anschaff|beschaff|achat|matériel|acquisition",
    re.I,
)


def _one_without_period(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """A purchase price among yearly costs: amounts per year, and one whose unit says no period."""
    due = dict(cell.context.kinds).get("period", "")
    terms = [inference.cell_of(cell, n) for n in summands(tree)]
    if isinstance(tree, sx.Call) and tree.name == "SUM" and len(tree.args) == 1:
        terms = list(inference.uses(cell).values())
    cells = [c for c in terms if c is not None and c.context.value is not None and has_money(c.context.value)]
    if len(cells) < max(2, len(terms)):
        return
    if not due:
        yield from _paid_once_among(cell, cells)
        return
    others = [c for c in cells if c.context.value and c.context.value.kind("period") != due]
    if len(others) != 1:
        return
    other = others[0]
    lasting = any(WRITTEN_OFF.search(u.words) for u in inference.users.get(other.key, ()) if u is not cell)
    if other.value.kind("period") or not other.context.explicit or (other.context.headed and not lasting):
        return
    if _noted_as_per(inference, other, due) or not (lasting or _BOUGHT.search(other.words)):
        return  # "Floor space", which is rented
    if other.computed is not None and ("~time" in other.computed.parts or any(map(is_time, other.computed.numbers))):
        return  # worked out for the period, and its unit leaves that out
    yield (
        "money-rate",
        f"'{cell.label}' is per {due}, but '{other.label}', which it adds, is not.",
        "Divide it by its lifetime.",
    )


def _paid_once_among(cell: Cellwise, cells: list[Cellwise]) -> Iterator[Said]:
    """A fee that is paid once added to one per month, as its unit says."""
    regular = [c for c in cells if _each_month(c)]
    once = [
        c
        for c in cells
        if not c.context.headed
        and c.context.explicit
        and (ONCE.search(c.words) or _SET_UP.search(c.words))
        and c not in regular
    ]
    spanning = [c for c in cells if c not in regular and c.context.explicit and not c.value.kind("period")]
    if _OVER_THE_TERM.search(cell.words) and regular and spanning and len(regular) + len(spanning) == len(cells):
        period = regular[0].value.kind("period")
        said = f"'{cell.label}' is over the whole term, but adds '{regular[0].label}', which is per {period}."
        yield "money-rate", said, "Multiply by how long it is paid."
        return
    if cell.context.explicit and len(regular) == 1 and once and len(regular) + len(once) == len(cells):
        yield (
            "money-rate",
            f"'{cell.label}' adds '{once[0].label}', which is paid once, to '{regular[0].label}', which is not.",
            "Multiply by how long it is paid.",
        )


def _each_month(cell: Cellwise) -> bool:
    """Tell whether the unit of an amount is one per month or year."""
    value = cell.context.value
    return (
        cell.context.explicit and value is not None and "/" in value.text and value.kind("period") in ("month", "year")
    )


_OVER_THE_TERM = re.compile(
    r"\b(?:over|for) (?:the )?(?:whole |full |contract )?(?:term|life|lifetime|period|contract)\b|über die (?:laufzeit|nutzungsdauer)|sur la durée"
    r"|\btco\b|over \d+ years",
    re.I,
)
_SET_UP = re.compile(r"set-?up|installation", re.I)


def _price_of_one_among(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """The rent of one server among what all of them cost."""
    stated = cell.context.value
    if stated is None or not cell.context.explicit or not has_money(stated) or _things_of(stated):
        return
    terms = [inference.cell_of(cell, n) for n in summands(tree)]
    cells = [c for c in terms if c is not None and c.context.explicit and has_money(c.value)]
    single = [c for c in cells if _things_of(c.value)]
    if len(terms) < 2 or len(cells) < len(terms) or not 0 < len(single) < len(cells):
        return
    name = _things_of(single[0].value)[0]
    rule = "user-total" if name == "user" else "money-rate" if name == "count" else "device-scope"
    said = (
        f"'{cell.label}' adds '{single[0].label}', which is that of one{'' if name == 'count' else ' ' + thing(name)}."
    )
    yield rule, said, "Multiply by how many there are."


_OF_ONE = re.compile(
    r"\b(?:per|pro|par|je|d'une?|of (?:an?|one|each)) (session|request|query|user|conversation|sequence|stream|chat|call|dialogue|gespräch|anfrage|sitzung"
    r"|nutzer|requête|utilisateur|session|conversation)\b",
    re.I,
)
_HOLDS = re.compile(
    r"\b(?:per|pro|par|je|of (?:an?|one|each)) (?:gpu|card|node|server|replica|system|karte|knoten|serveur|réplique)\b",
    re.I,
)


def _cache_of_one_among(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Weights and the cache of one session as what a replica needs, where it holds those of many."""
    terms = [inference.cell_of(cell, n) for n in summands(tree)]
    cells = [c for c in terms if c is not None and dict(hard(c.value.dims or ())) == {"information": 1.0}]
    single = [c for c in cells if _OF_ONE.search(c.words)]
    if len(terms) < 2 or len(cells) < len(terms) or len(single) != 1 or _OF_ONE.search(cell.words):
        return
    one, many = single[0], None
    for user in inference.users.get(one.key, ()):
        if user is not cell and _counts_it(inference, user, one):
            many = user
    if many is not None or _HOLDS.search(cell.words):
        match = _OF_ONE.search(one.words)
        assert match is not None
        said = f"'{cell.label}' adds '{one.label}', which is that of one {match[1]}."
        yield "user-total", said, f"Take '{many.label}'." if many else "Multiply by how many there are."


def _counts_it(inference: Inference, user: Cellwise, one: Cellwise) -> bool:
    """Tell whether a formula multiplies a figure of one by how many there are."""
    others = [c for c in inference.uses(user).values() if c is not one]
    tree = inference.tree(user.item.form)
    product = tree is not None and is_product(tree) and not _OF_ONE.search(user.words)
    return product and len(others) == 1 and not hard(others[0].value.dims or ()) and bool(one.value.dims)


def _term_in_another_unit(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Watts added as they are to what is worked out in kilowatts, as the sum is stated."""
    stated = cell.context.value
    terms = summands(tree, "+-")
    if stated is None or not cell.context.explicit or len(terms) < 2 or not hard(stated.dims or ()):
        return
    products = [t for t in terms if isinstance(t, sx.Binary) and written(t) & {1000.0, 1e6, 1e9}]
    plain = [c for t in terms if (c := inference.cell_of(cell, t)) is not None and c.context.explicit]
    for term in plain if products else ():
        value = term.context.value
        if value is None or hard(value.dims or ()) != hard(stated.dims or ()):
            continue
        ratio = value.factor / stated.factor
        if ratio in (1000.0, 0.001, 1e6, 1e-6):
            said = f"'{cell.label}' adds '{term.label}', in {unit_text(value)}, as it is to figures in {unit_text(stated)}."
            yield "prefix", said, "Convert it first."


def _unconverted_beside(inference: Inference, cell: Cellwise, tree: sx.Node) -> Iterator[Said]:
    """Watts of GPUs over 1000, and watts beside them: "8 * (B3 * B4 / 1000 + B5)"."""
    for _, node in links(tree, "*"):
        terms = summands(node) if node is not tree else []  # a sum alone is held against the unit of its cell
        divided = [t for t in terms if isinstance(t, sx.Binary) and t.operator == "/" and t.right == sx.Number(1000.0)]
        plain = [c for t in terms if (c := inference.cell_of(cell, t)) is not None and c.context.explicit]
        if len(divided) != 1 or len(plain) != 1 or len(terms) != 2 or not hard(plain[0].value.dims or ()):
            continue
        inside = [c for n in leaves(divided[0]) if (c := inference.cell_of(cell, n)) is not None and c.context.explicit]
        same = [c for c in inside if hard(c.value.dims or ()) == hard(plain[0].value.dims or ())]
        if len(same) == 1 and same[0].value.factor == plain[0].value.factor:
            said = f"'{cell.label}' divides '{same[0].label}' by 1,000, and not '{plain[0].label}', in the same unit."
            yield "prefix", said, "Divide both."


def _things_of(value: Value) -> list[str]:
    """Return what a figure is per: GPUs, nodes, users."""
    return [n for n, e in value.dims or () if (n in COUNTABLE or n == "count") and e < 0]


def _noted_as_per(inference: Inference, cell: Cellwise, period: str) -> bool:
    """Tell whether a note in the row of a figure, or of those it is worked out from, says that it is per year."""
    pattern = dict(PERIOD_WORDS.entries)[period]
    used = inference.uses(cell)
    rows = {(c.sheet, c.item.row) for c in (cell, *used.values())}
    grids = inference.book.grids
    texts = (i.value for s, row in rows for i in grids[s].rows.get(row, ()) if isinstance(i.value, str))
    return any(pattern.search(text) for text in texts)
