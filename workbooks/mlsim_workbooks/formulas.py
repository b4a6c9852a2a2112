"""Read spreadsheet formulas: tokens, function names, MLSIM calls, and the plan to hoist those calls.

openpyxl's tokenizer keeps no positions, does not know Excel's prefixed function names and takes most of a second
for 10,000 formulas, so one regular expression does the work here. Formulas that differ only in their references
share one *shape* and one plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from mlsim_workbooks import misjudged
from mlsim_workbooks.package import Table, column_name, column_number

__all__ = [
    "Area",
    "Call",
    "FormulaError",
    "Found",
    "LookUp",
    "Plan",
    "calls",
    "compile_shape",
    "functions",
    "is_mlsim",
    "normalise",
    "resolve_tables",
    "shape",
    "shift",
    "tokens",
]


MAX_DEPTH = 100  # open brackets; Excel ends at 64 functions within each other
_MAX_OPERATORS, _MAX_POWERS = 1_500, 500  # IronCalc's parser recurses; these fit a stack of 1 MiB with room to spare


class FormulaError(Exception):
    """A formula that no engine may work out, or that is broken; the message continues "Sheet1!B3 ..."."""


_REF = r"\$?[A-Za-z]{1,3}\$?[1-9]\d{0,6}(?![\w.(\[!])"
_COLS = r"\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}(?![\w.(!\[])"
_ROWS = r"\$?\d+:\$?\d+(?![\w.])"
_STRUCT = r"[\w.\\]*\[(?:[^\[\]']|'.|\[(?:[^\[\]']|'.)*\])*\]"

_TOKEN = re.compile(
    rf"""
    (?P<string>"(?:[^"]|"")*")
  | (?P<sheet>(?<!')'(?:[^']|'')*'!|(?:\[\d+\])[^\W\d]?[\w.]*(?::[\w.]+)?!)
  | (?P<cols>{_COLS})
  | (?P<ref>{_REF})
  | (?P<plainsheet>[^\W\d][\w.]*(?::[^\W\d][\w.]*)?!)
  | (?P<error>\#(?:N/A|[A-Z0-9_]+(?:/0)?[!?]|GETTING_DATA))
  | (?P<struct>{_STRUCT})
  | (?P<func>[^\W\d][\w.\\]*\()
  | (?P<rows>{_ROWS})
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w.\\?]*)
  | (?P<mark>[\x01\x02\x03])
  | (?P<space>\s+)
  | (?P<op><>|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a formula; the texts of all tokens join to the formula."""

    kind: str
    text: str
    at: int


def tokens(formula: str) -> list[Token]:
    """Split a formula (with or without the leading ``=``) into tokens."""
    found = []
    for match in _TOKEN.finditer(formula):
        kind = match.lastgroup or "op"
        found.append(Token("sheet" if kind == "plainsheet" else kind, match[0], match.start()))
    return found


_PREFIX = re.compile(r"(?:'[^']*'!|\[\d+\]!|_xll\.|_xldudf_|_xludf\.|_xlfn\.|_xlws\.|_xlpm\.|_xlop\.)", re.I)


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return the canonical name of a function.

    ``_xldudf_MLSIM_KV_CACHE``, ``_xll.mlsim.kv_cache`` and ``[1]!MLSIM_KV_CACHE`` all give ``MLSIM_KV_CACHE``;
    ``_xlfn._xlws.SORT`` gives ``SORT``.
    """
    bare = name.strip().rstrip("(").lstrip("@=")
    while match := _PREFIX.match(bare):
        bare = bare[match.end() :]
    bare = bare.upper()
    return bare.replace(".", "_") if bare.startswith(("MLSIM.", "MLSIM_")) else bare


def is_mlsim(name: str) -> bool:
    """Return whether a canonical name is one of MLSIM's."""
    return name.startswith("MLSIM_")


def functions(formula: str) -> list[str]:
    """Return the canonical names of all functions in a formula, in order, each once."""
    names = (normalise(t.text) for t in tokens(formula) if t.kind == "func")
    return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Found:
    """An MLSIM call in a formula: its canonical name, its place and the texts of its arguments."""

    name: str
    start: int
    end: int
    args: list[str]


def calls(formula: str) -> list[Found]:
    """Find every MLSIM call of a formula, outer before inner."""
    toks = tokens(formula)
    found = []
    for i, token in enumerate(toks):
        if token.kind == "func" and is_mlsim(normalise(token.text)):
            close = _closing(toks, i)
            texts = ["".join(t.text for t in toks[a:b]).strip() for a, b in _arguments(toks, i, close)]
            has_book = i > 0 and toks[i - 1].kind == "sheet"
            start = toks[i - 1].at if has_book else token.at
            found.append(Found(normalise(token.text), start, toks[close].at + 1, texts))
    return found


def _closing(toks: list[Token], i: int) -> int:
    """Return the index of the parenthesis that closes the function token ``i``."""
    depth = 0
    for j in range(i, len(toks)):
        if toks[j].kind == "func" or toks[j].text == "(":
            depth += 1
        elif toks[j].text == ")":
            depth -= 1
            if depth == 0:
                return j
    raise FormulaError("holds a formula with unbalanced parentheses")


def _arguments(toks: list[Token], i: int, close: int) -> list[tuple[int, int]]:
    """Return (start, end) token ranges of the arguments of a call; no argument at all gives []."""
    if all(t.kind == "space" for t in toks[i + 1 : close]):
        return []
    parts, start, depth = [], i + 1, 0
    for j in range(i + 1, close):
        text, kind = toks[j].text, toks[j].kind
        if kind == "func" or text in ("(", "{"):
            depth += 1
        elif text in (")", "}"):
            depth -= 1
        elif text == "," and depth == 0:
            parts.append((start, j))
            start = j + 1
    return [*parts, (start, close)]


# --- shapes ----------------------------------------------------------------------------------------------------

_SHAPE = re.compile(
    rf""""(?:[^"]|"")*"|(?<!')'(?:[^']|'')*'!|{_STRUCT}|(?P<cols>{_COLS})|(?P<ref>{_REF})|(?P<rows>{_ROWS})"""
    r"|[\w.\\$]+[(!]?"
)
_MARKS = {"ref": "\x01", "cols": "\x02", "rows": "\x03"}


def shape(formula: str) -> tuple[str, list[str]]:
    """Return the formula with every reference replaced by a mark, and the references in order."""
    refs: list[str] = []

    def mark(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind is None:
            return match[0]
        refs.append(match[0])
        return _MARKS[kind]

    return _SHAPE.sub(mark, formula), refs


_PART = re.compile(r"(\$?)([A-Za-z]{1,3})(?=[$\d:]|\Z)|(\$?)(\d+)")


def shift(ref: str, rows: int, cols: int) -> str:
    """Move the relative parts of a reference (``B3``, ``A:C``, ``2:5``), as a shared formula does."""

    def move(match: re.Match[str]) -> str:
        if match[2]:
            if match[1]:
                return match[0]
            number, limit, name = column_number(match[2]) + cols, 16_384, column_name
        else:
            if match[3]:
                return match[0]
            number, limit, name = int(match[4]) + rows, 1_048_576, str  # type: ignore[assignment]
        if not 1 <= number <= limit:
            raise FormulaError("shares a formula whose reference falls off the sheet")
        return name(number)

    return _PART.sub(move, ref) if rows or cols else ref


# --- references to tables --------------------------------------------------------------------------------------

_SPECIAL = {"#all", "#data", "#headers", "#totals", "#this row"}


def resolve_tables(formula: str, tables: Mapping[str, Table], sheet: str, row: int, col: int) -> str:
    """Replace references such as ``T1[[#This Row],[n]]`` by ordinary ones (the engine misreads them)."""
    pieces = []
    for token in tokens(formula):
        if token.kind == "struct" or (token.kind == "word" and token.text.lower() in tables):
            pieces.append(_structured(token.text, tables, sheet, row, col))
        else:
            pieces.append(token.text)
    return "".join(pieces)


def _structured(text: str, tables: Mapping[str, Table], sheet: str, row: int, col: int) -> str:
    name, bracket, _ = text.partition("[")
    if name:
        table = tables.get(name.lower())
    else:
        here = (t for t in tables.values() if t.sheet == sheet and t.top <= row <= t.bottom)
        table = next((t for t in here if t.left <= col <= t.right), None)
    if table is None:
        raise FormulaError(f"refers to {text}, but there is no such table")
    special, first, last = _specifiers(text[len(name) :]) if bracket else (set(), "", "")
    left = table.left + _column(table, first, text) if first else table.left
    right = table.left + _column(table, last or first, text) if first else table.right
    top, bottom = _table_rows(table, special, row, text)
    quoted = "'" + table.sheet.replace("'", "''") + "'!"
    start, end = f"${column_name(left)}${top}", f"${column_name(right)}${bottom}"
    if "#this row" in special:  # keep the row relative, so that all rows share one shape
        start, end = start.replace(f"${top}", str(top)), end.replace(f"${top}", str(top))
    return quoted + (start if start == end else f"{start}:{end}")


def _specifiers(text: str) -> tuple[set[str], str, str]:
    """Return (special items, first column, last column) of the bracket part of a table reference."""
    inner = text[1:-1].strip()
    special: set[str] = set()
    if inner.startswith("@"):
        special.add("#this row")
        inner = inner[1:].strip()
    if "[" not in re.sub(r"'.", "", inner):
        if inner.lower() in _SPECIAL:
            return special | {inner.lower()}, "", ""
        return special, re.sub(r"'(.)", r"\1", inner), ""
    columns = []
    for bracketed, bare in re.findall(r"\[((?:[^\[\]']|'.)*)\]|([^\[\],:]+)", inner):
        item = bracketed or bare.strip()
        if item.lower() in _SPECIAL:
            special.add(item.lower())
        elif item:
            columns.append(re.sub(r"'(.)", r"\1", item.removeprefix("@")))
            if item.startswith("@"):
                special.add("#this row")
    return special, columns[0] if columns else "", columns[1] if len(columns) > 1 else ""


def _column(table: Table, name: str, text: str) -> int:
    for i, column in enumerate(table.columns):
        if column.lower() == name.lower():
            return i
    raise FormulaError(f"refers to {text}, but the table {table.name} has no column {name!r}")


def _table_rows(table: Table, special: set[str], row: int, text: str) -> tuple[int, int]:
    top, bottom = table.top + table.header, table.bottom - table.totals
    if "#this row" in special:
        if not top <= row <= bottom:
            raise FormulaError(f"refers to {text} from outside the table's rows")
        return row, row
    if "#all" in special:
        return table.top, table.bottom
    if "#headers" in special:
        return table.top, bottom if "#data" in special else table.top
    if "#totals" in special:
        return (top if "#data" in special else table.bottom), table.bottom
    return top, bottom


# --- plans -----------------------------------------------------------------------------------------------------

# A place in a formula is either a mark (the index of a reference) or the literal text of one.
Place = int | str


@dataclass(frozen=True, slots=True)
class Area:
    """A reference: ``Sheet!first`` or ``Sheet!first:last``; whole columns and rows have one place."""

    sheet: str | None
    first: Place
    last: Place | None
    kind: str  # "ref", "cols" or "rows"


@dataclass(frozen=True, slots=True)
class Nested:
    """The result of another MLSIM call of the same formula."""

    call: int


@dataclass(frozen=True, slots=True)
class Random:
    """A random number that stays the same during one recalculation."""


@dataclass(frozen=True, slots=True)
class Own:
    """The address of the cell that holds the formula, for ROW() and COLUMN()."""


@dataclass(frozen=True, slots=True)
class Qualifier:
    """Where a reference without a sheet begins: the sheet's name goes here on a helper sheet."""


Piece = str | int | Nested | Random | Own | Qualifier


@dataclass(frozen=True, slots=True)
class Expression:
    """An argument that the engine has to work out; ``array``: its value may be a range."""

    pieces: tuple[Piece, ...]
    array: bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal argument; None for an omitted one."""

    value: float | bool | str | None


Argument = Area | Nested | Expression | Constant


@dataclass(frozen=True, slots=True)
class Call:
    """One MLSIM call: ``takes_array`` tells whether its surroundings use an array result in full."""

    name: str
    args: tuple[Argument, ...]
    takes_array: bool
    depth: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """A look-up through a range: "down", "across" or "either"; ``key``: the cell whose value it looks for."""

    vector: Area
    direction: str
    exact: bool  # else it goes by the order
    key: Area | None  # None where it is worked out; in an exact one it is 0 then


@dataclass
class Plan:
    """How to recalculate all formulas of one shape."""

    calls: list[Call] = field(default_factory=list)
    pieces: tuple[Piece, ...] = ()
    areas: list[Area] = field(default_factory=list)
    whole: bool = False  # the formula is exactly one MLSIM call
    functions: list[str] = field(default_factory=list)
    mapped: bool = False  # maps a function over a range inside SUMPRODUCT or its like: evaluated as an array
    volatile: bool = False  # may change without any of its references changing
    dynamic: bool = False  # may read cells that none of its references names
    mlsim: int = 0  # calls of MLSIM's functions, without those that stand for conversions
    loose: bool = False  # the engine itself may turn numbers into text
    lookups: list[LookUp] = field(default_factory=list)
    compares: bool = False
    powers: bool = False
    texts: list[Area] = field(default_factory=list)  # ranges that must hold texts alone
    last_step: str = ""  # the operator worked out last
    limit: str = ""  # why the embedded engine cannot work it out; continues "Sheet1!B3 ..."


# Functions that use every element of an array, so an array result inside them is passed in full.
_ARRAY_TAKERS = frozenset(
    {
        "SUM", "PRODUCT", "MIN", "MAX", "AVERAGE", "COUNT", "COUNTA", "MEDIAN", "MODE", "STDEV", "STDEV.S",
        "STDEV.P", "VAR", "VAR.S", "VAR.P", "LARGE", "SMALL", "RANK", "PERCENTILE", "PERCENTILE.INC",
        "QUARTILE", "GEOMEAN", "HARMEAN", "SUMSQ", "SUMPRODUCT", "SUMXMY2", "SUMX2MY2", "SUMX2PY2", "INDEX",
        "MATCH", "XMATCH", "LOOKUP", "VLOOKUP", "HLOOKUP", "XLOOKUP", "ROWS", "COLUMNS", "TRANSPOSE", "MMULT",
        "MINVERSE", "MDETERM", "TEXTJOIN", "CONCAT", "NPV", "IRR", "AND", "OR", "XOR", "SORT", "SORTBY",
        "UNIQUE", "FILTER", "TAKE", "DROP", "CHOOSEROWS", "CHOOSECOLS", "TOROW", "TOCOL", "HSTACK", "VSTACK",
        "SUMIF", "COUNTIF", "AVERAGEIF", "SUMIFS", "COUNTIFS", "AVERAGEIFS", "MAXIFS", "MINIFS", "COUNTBLANK",
        "FREQUENCY", "SLOPE", "INTERCEPT", "CORREL", "REDUCE", "MAP", "SCAN", "BYROW", "BYCOL",
    }
)  # fmt: skip
_NETWORK = frozenset(
    {
        "WEBSERVICE", "FILTERXML", "RTD", "IMAGE", "STOCKHISTORY", "CALL", "REGISTER", "REGISTER.ID", "SQL.REQUEST", "PY",
        "DDE", "DDEINITIALIZE", "INITIATE", "REQUEST", "POKE", "EXEC", "EXECUTE", "FOPEN", "RUN", "EVALUATE", "FILES",
    }
)  # fmt: skip
_VOLATILE = frozenset({"NOW", "TODAY", "RAND", "RANDBETWEEN", "INDIRECT", "OFFSET", "CELL", "INFO"})
_DYNAMIC = frozenset({"INDIRECT", "OFFSET", "GETPIVOTDATA"})
_OPERATORS = frozenset({"+", "-", "*", "/", "^", "&", "%"}) | misjudged.COMPARISONS
_EMPTY_PAIR = frozenset({"NOW", "TODAY", "RAND", "ROW", "COLUMN", "TRUE", "FALSE"})


# Functions of single values that the engine maps over a range as Excel does (probed: the sum over a range equals the
# sum of the cells' results) ...
_MAPPED = frozenset(
    [
        "ABS",
        "ACOS",
        "ASIN",
        "ATAN",
        "CHOOSE",
        "CLEAN",
        "COS",
        "DATE",
        "DAY",
        "DEGREES",
        "EVEN",
        "EXACT",
        "EXP",
        "FACT",
        "IF",
        "IFERROR",
        "IFNA",
        "INT",
        "LEFT",
        "LEN",
        "LN",
        "LOG10",
        "LOWER",
        "MID",
        "MONTH",
        "ODD",
        "POWER",
        "PROPER",
        "RADIANS",
        "REPLACE",
        "REPT",
        "RIGHT",
        "SIGN",
        "SIN",
        "SQRT",
        "SUBSTITUTE",
        "TAN",
        "TEXT",
        "TRIM",
        "UPPER",
        "WEEKDAY",
        "YEAR",
    ]
)
# ... and those it does not, with the arguments that take single values (None: all). SEARCH over a range gives 0 in silence.
_NOT_MAPPED: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(
        ["ATAN2", "BITAND", "CEILING", "CEILING.MATH", "CHAR", "CODE", "COMBIN", "CONCATENATE", "CONVERT", "DAYS", "DEC2BIN", "EDATE", "EOMONTH", "FIND", "FLOOR", "FLOOR.MATH", "HOUR", "IFS", "ISBLANK", "ISERR", "ISERROR", "ISEVEN", "ISLOGICAL", "ISNA", "ISNONTEXT", "ISNUMBER", "ISODD", "ISTEXT", "LOG", "MINUTE", "MOD", "MROUND", "N", "NOT", "NUMBERVALUE", "PMT", "QUOTIENT", "ROUND", "ROUNDDOWN", "ROUNDUP", "SEARCH", "SECOND", "SWITCH", "T", "TRUNC", "UNICODE", "VALUE"]
    ),
    "AVERAGEIF": (1,), "COUNTIF": (1,), "LARGE": (1,), "SMALL": (1,), "RANK": (0,), "MATCH": (0,), "VLOOKUP": (0,),
    "HLOOKUP": (0,), "XLOOKUP": (0,), "INDEX": (1, 2),
}  # fmt: skip

# Arguments that Excel evaluates as arrays without Ctrl+Shift+Enter (empty: all). Elsewhere a range in place of a single
# value is cut down to the formula's own row or column, which the engine does.
_ARRAY_ARGUMENTS: dict[str, tuple[int, ...]] = {
    "SUMPRODUCT": (), "MMULT": (), "FREQUENCY": (), "TRANSPOSE": (), "FILTER": (), "SORT": (), "UNIQUE": (), "SORTBY": (),
    "INDEX": (0,), "MATCH": (1,), "XMATCH": (1,), "LOOKUP": (1, 2), "XLOOKUP": (1, 2),
}  # fmt: skip


class _Compiler:
    """Turn the tokens of one shape into a plan."""

    def __init__(
        self, toks: list[Token], sheets: frozenset[str], clock: tuple[str, str], array: bool, plan: Plan
    ) -> None:
        self.toks, self.sheets, self.clock, self.array = toks, sheets, clock, array
        self.plan = plan
        marks = accumulate(t.kind == "mark" and t.at >= 0 for t in toks)
        self.numbers = [0, *marks]  # of the marks before each token: those of names do not count

    def run(self) -> Plan:
        """Fill in the plan and return it."""
        self.check_size()
        self.check_mapped()
        self.check_operators()
        significant = [i for i, t in enumerate(self.toks) if t.kind != "space"]
        pieces = self.build(0, len(self.toks), "")
        self.plan.pieces = tuple(pieces)
        whole = [p for p in pieces if not (isinstance(p, str) and not p.strip())]
        self.plan.whole = bool(significant) and len(whole) == 1 and isinstance(whole[0], Nested)
        return self.plan

    def limit(self, message: str, dynamic: bool = False) -> None:
        """Note what the embedded engine gets wrong; ``dynamic``: its references do not tell which cells it reads."""
        self.plan.limit = self.plan.limit or message
        self.plan.dynamic |= dynamic

    def build(self, start: int, end: int, around: str) -> list[Piece]:
        """Return the pieces of a token range; ``around`` is the function directly outside it."""
        out: list[Piece] = []
        stack = [around]
        i = start
        while i < end:
            token = self.toks[i]
            kind, text = token.kind, token.text
            if kind == "func":
                i = self.function(i, stack, out)
                continue
            if kind in ("sheet", "mark", "ref", "cols", "rows"):
                i = self.reference(i, out)
                continue
            if text in ("(", "{"):
                stack.append("")
            elif text in (")", "}") and len(stack) > 1:
                stack.pop()
            elif kind == "op" and text == "|":
                raise FormulaError("holds a DDE link to another program, which is never started")
            elif text == ":":
                self.limit(
                    "builds a range with ':' from a function's result, which the engine gets wrong", dynamic=True
                )
            elif kind == "struct":
                raise FormulaError(f"refers to {text}, which is not understood")
            out.append(text)
            i += 1
        return out

    def function(self, i: int, stack: list[str], out: list[Piece]) -> int:
        """Handle the function token ``i``; return the index of the next token to look at."""
        text = self.toks[i].text
        name = normalise(text)
        self.plan.volatile |= name in _VOLATILE
        self.plan.dynamic |= name in _DYNAMIC
        if is_mlsim(name):
            close = _closing(self.toks, i)
            out.append(Nested(self.call(name, i, close, stack[-1])))
            return close + 1
        if name in _NETWORK or name.startswith("CUBE"):
            raise FormulaError(f"uses {name}(), which would reach outside the workbook and is never run")
        if text.lower().startswith("_xlpm."):
            stack.append("")  # a LAMBDA bound by LET
        elif name == "RANDARRAY":
            self.limit("uses RANDARRAY(), which does not settle; use RAND() in the cells instead")
            stack.append(name)
        elif name == "RANDBETWEEN":
            close = _closing(self.toks, i)
            self.random_between(i, close, out)
            return close + 1
        else:
            self.plan.functions.append(name)
            self.check_indirect(name, i)
            self.check_misjudged(name, i)
            if name in _EMPTY_PAIR and i + 1 < len(self.toks) and self.toks[i + 1].text == ")":
                out.extend(self.pair(name, text))
                return i + 2
            if name in ("AND", "OR") and len(_arguments(self.toks, i, _closing(self.toks, i))) > 1:
                return self.thorough(name, i, out)
            stack.append(name)
        out.append(text)
        return i + 1

    def thorough(self, name: str, i: int, out: list[Piece]) -> int:
        """Write AND and OR so that an error in any argument counts: the engine ends at the first that decides."""
        close = _closing(self.toks, i)
        inside = self.build(i + 1, close, name)
        out += [f"{name}(XOR(", *inside, ")+9," if name == "AND" else ")*0,", *inside, ")"]
        return close + 1

    def check_indirect(self, name: str, i: int) -> None:
        """Refuse INDIRECT("name"): the engine finds only addresses and would give #REF! in silence."""
        if name == "INDIRECT" and i + 2 < len(self.toks) and self.toks[i + 2].text in (")", ","):
            inner = tokens(self.toks[i + 1].text[1:-1]) if self.toks[i + 1].kind == "string" else []
            if inner and all(t.kind in ("word", "struct") for t in inner):
                self.limit(f"uses INDIRECT() on the name {self.toks[i + 1].text}, which is not supported")

    def check_size(self) -> None:
        """Refuse what would overflow the stack of an engine, which ends the whole process."""
        depth = operators = powers = 0
        for token in self.toks:
            if token.kind == "func" or token.text in ("(", "{"):
                depth += 1
                if depth > MAX_DEPTH:
                    raise FormulaError(f"is nested more than {MAX_DEPTH} deep")
            elif token.text in (")", "}"):
                depth -= 1
            elif token.kind == "op" and token.text != ",":
                operators += 1
                powers += token.text == "^"
        self.check_lambdas()
        if operators > _MAX_OPERATORS or powers > _MAX_POWERS:
            self.limit(f"has more than {min(operators, _MAX_OPERATORS):,} operators, too many for the engine")

    def check_lambdas(self) -> None:
        """Leave a LAMBDA alone that may call itself: nothing ends it."""
        called = {
            t.text.lower().rstrip("(") for t in self.toks if t.kind == "func" and t.text.lower().startswith("_xlpm.")
        }
        for i, token in enumerate(self.toks) if called else ():
            name = normalise(token.text) if token.kind == "func" else ""
            if name not in ("LET", "LAMBDA"):
                continue
            parts = _arguments(self.toks, i, _closing(self.toks, i))
            bound = ["".join(t.text for t in self.toks[a:b]).strip().lower() for a, b in parts]
            if name == "LAMBDA" and not called.isdisjoint(bound[:-1]):
                self.limit("calls a variable of LAMBDA, which the engine may never end")
            for variable, (a, b) in zip(bound[:-1:2], parts[1::2], strict=False) if name == "LET" else ():
                inside = {t.text.lower().rstrip("(") for t in self.toks[a:b] if t.kind == "func"}
                if variable in inside:
                    self.limit("holds a LAMBDA that calls itself, which the engine may never end")

    def check_operators(self) -> None:
        """Note which operators decide on whether a value can be trusted, and refuse brackets that the engine loses."""
        texts = {t.text for t in self.toks if t.kind == "op"}
        self.plan.compares = not texts.isdisjoint(misjudged.COMPARISONS)
        self.plan.powers = "^" in texts
        self.plan.last_step = misjudged.last_step(self.toks)
        if "(" in texts and misjudged.drops_brackets(self.toks):
            self.limit(
                "holds brackets that the engine drops, though they matter; work out their inside in a cell of its own"
            )

    def check_mapped(self) -> None:
        """Refuse a range or an array constant where a single value is due and the engine errs."""
        open_calls: list[tuple[str, int]] = []  # [name, index of the argument]; brackets count as a call without a name
        for i, token in enumerate(self.toks):
            if token.kind == "func":
                open_calls.append((normalise(token.text), 0))
            elif token.text in ("(", "{"):
                if token.text == "{":
                    self.check_constant([name for name, _ in open_calls])
                open_calls.append(("", 0))
            elif token.text in (")", "}") and open_calls:
                open_calls.pop()
            elif token.text == "," and open_calls:
                open_calls[-1] = (open_calls[-1][0], open_calls[-1][1] + 1)
            elif token.kind in ("cols", "rows") or token.text in ("\x02", "\x03") or (token.text == ":" and i):
                self.check_range(open_calls, self.is_operand(i))

    def check_constant(self, around: list[str]) -> None:
        """Refuse an array constant that the engine does not hand on."""
        if name := misjudged.misjudges_constant(around, _MAPPED | {"SUMIF"}, self.array):
            self.limit(
                f"uses {name}() with an array constant, which the engine gets wrong"
                if name != "="
                else "is an array constant in one cell, which the engine gets wrong"
            )

    def is_operand(self, i: int) -> bool:
        """Tell whether an operator works on the range at the token ``i``: a mark of columns or rows, or a colon."""
        step = self.toks[i].text == ":"
        before = [t for t in self.toks[: i - step] if t.kind not in ("space", "sheet")]
        after = [t for t in self.toks[i + 1 + step :] if t.kind not in ("space", "sheet")]
        while before and after and before[-1].text == "(" and after[0].text == ")":
            before, after = before[:-1], after[1:]
        beside = [*before[-1:], *after[:1]]
        return any(t.kind == "op" and t.text in _OPERATORS for t in beside)

    def check_range(self, around: list[tuple[str, int]], operand: bool) -> None:
        """Check one range against the functions around it, the innermost last; ``operand``: an operator works on it."""
        mapped, wrong, taken = False, "", self.array
        for name, argument in reversed(around):
            if name in _NOT_MAPPED and argument in (_NOT_MAPPED[name] or (argument,)):
                wrong = wrong or name
            elif name in _MAPPED:
                mapped = True
            elif name:
                taken = taken or (
                    argument in (_ARRAY_ARGUMENTS.get(name, ()) or (argument,)) and name in _ARRAY_ARGUMENTS
                )
                break
        if taken and wrong:
            self.limit(f"uses {wrong}() over a range, which the engine gets wrong")
        names = [name for name, _ in around if name]
        own = next((i for i, name in enumerate(reversed(names)) if is_mlsim(name)), len(names))  # worked out apart
        forced = any(name in _ARRAY_ARGUMENTS and n in (_ARRAY_ARGUMENTS[name] or (n,)) for name, n in around)
        if operand and own and not (self.array or forced):
            self.limit("works on a range cell by cell without being an array formula, which the engine gets wrong")
        self.plan.mapped |= taken and mapped

    def check_misjudged(self, name: str, i: int) -> None:
        """Refuse a call that the engine is known to get wrong in silence, and note a look-up that goes by order."""
        parts = _arguments(self.toks, i, _closing(self.toks, i))
        texts = ["".join(t.text for t in self.toks[a:b]) for a, b in parts]
        if why := misjudged.misjudged(name, texts):
            self.limit(why)
        if (way := misjudged.lookup(name, texts)) and (vector := self.plain_area(*parts[1])):
            way, _, exact = way.partition(" ")
            key = self.plain_area(*parts[0])
            if key is not None or not exact or texts[0].strip() == "0":
                self.plan.lookups.append(LookUp(vector, way, bool(exact), key))
        for number in misjudged.excluded(name, texts):
            if (area := self.plain_area(*parts[number])) is None:
                self.limit(f"uses {name}() on a range that it works out itself, which the engine gets wrong")
            else:
                self.plan.texts.append(area)

    def plain_area(self, start: int, end: int) -> Area | None:
        """Return the reference that an argument is, if it is nothing else."""
        while start < end and self.toks[start].kind == "space":
            start += 1
        toks = self.toks[start:end]
        if not toks or any(t.kind not in ("sheet", "mark", "ref", "cols", "rows") and t.text != ":" for t in toks):
            return None
        if toks[-1].kind == "sheet":
            return None
        self.reference(start, [])
        return self.plan.areas.pop()

    def pair(self, name: str, text: str) -> list[Piece]:
        """Freeze the clock and the dice, and pin ROW() and COLUMN() to their cell."""
        if name in ("NOW", "TODAY"):
            return [self.clock[name == "TODAY"]]
        if name == "RAND":
            return [Random()]
        if name in ("ROW", "COLUMN") and not self.array:
            return [text, Own(), ")"]
        return [text, ")"]

    def random_between(self, i: int, close: int, out: list[Piece]) -> None:
        parts = _arguments(self.toks, i, close)
        if len(parts) != 2:
            raise FormulaError("uses RANDBETWEEN() without two arguments")
        low, high = (["(", *self.build(a, b, ""), ")"] for a, b in parts)
        out += ["(INT(", Random(), "*(INT", *high, "+INT(-", *low, ")+1))-INT(-", *low, "))"]

    def call(self, name: str, i: int, close: int, around: str) -> int:
        args = [self.argument(a, b) for a, b in _arguments(self.toks, i, close)]
        nested = [p for a in args for p in (a.pieces if isinstance(a, Expression) else [a])]
        depths = [self.plan.calls[p.call].depth + 1 for p in nested if isinstance(p, Nested)]
        takes = self.array or around in _ARRAY_TAKERS
        self.plan.mlsim += not name.startswith("MLSIM__")
        self.plan.calls.append(Call(name, tuple(args), takes, max(depths, default=0)))
        return len(self.plan.calls) - 1

    def argument(self, start: int, end: int) -> Argument:
        """Return the plan of one argument: a constant, a reference, a call or an expression."""
        while start < end and self.toks[start].kind == "space":
            start += 1
        while start < end and self.toks[end - 1].kind == "space":
            end -= 1
        toks = self.toks[start:end]
        if not toks:
            return Constant(None)
        constant = _constant(toks)
        if constant is not None:
            return constant
        if _free_variables(toks):
            self.limit("passes a LET or LAMBDA variable to MLSIM; put the value in a cell of its own")
        before = len(self.plan.areas)
        pieces = self.build(start, end, "MLSIM")
        added = self.plan.areas[before:]
        if len(pieces) == 1 and isinstance(pieces[0], Nested):
            return pieces[0]
        if len(added) == 1 and all(t.kind in ("sheet", "mark", "ref", "cols", "rows") or t.text == ":" for t in toks):
            return added[0]
        head = toks[0]
        single = head.text in ("{", "(") or (head.kind == "func" and _closing(toks, 0) == len(toks) - 1)
        return Expression(tuple(pieces), self.array or single)

    def reference(self, i: int, out: list[Piece]) -> int:
        """Handle a reference that starts at token ``i``; return the index behind it."""
        sheet = None
        if self.toks[i].kind == "sheet":
            text = self.toks[i].text
            following = self.toks[i + 1] if i + 1 < len(self.toks) else None
            if following and following.kind == "func" and is_mlsim(normalise(following.text)):
                return i + 1  # '[1]!MLSIM_X(': the book that holds the add-in
            sheet = self.sheet_name(text)
            i += 1
            if following is None or following.kind not in ("mark", "ref", "cols", "rows"):
                out.append(text)  # Sheet1!#REF!
                return i
            out.append(text)
        else:
            out.append(Qualifier())
        kind, first = self.place(i)
        out.append(first)
        i += 1
        last = None
        if kind == "ref" and i + 1 < len(self.toks) and self.toks[i].text == ":":
            j = i + 1
            if self.toks[j].kind == "sheet" and sheet and self.sheet_name(self.toks[j].text) == sheet:
                j += 1  # Sheet1!A1:Sheet1!B2
            if self.toks[j].kind in ("mark", "ref"):
                kind2, place = self.place(j)
                if kind2 == "ref":
                    last = place
                    out += [":", last]
                    i = j + 1
        self.plan.areas.append(Area(sheet, first, last, kind))
        return i

    def place(self, i: int) -> tuple[str, Place]:
        token = self.toks[i]
        if token.kind != "mark":
            return token.kind, token.text
        return {"\x01": "ref", "\x02": "cols", "\x03": "rows"}[token.text], self.numbers[i]

    def sheet_name(self, text: str) -> str:
        name = text[:-1]
        if name.startswith("'"):
            name = name[1:-1].replace("''", "'")
        if "[" in name:
            raise FormulaError(f"refers to another workbook ({text}), which is not opened")
        if ":" in name:
            self.limit(f"uses a reference across several sheets ({text}), which is not supported", dynamic=True)
            return name.partition(":")[0].lower()
        if name.lower() not in self.sheets:
            raise FormulaError(f"refers to the sheet {name!r}, which does not exist")
        return name.lower()


def _free_variables(toks: list[Token]) -> set[str]:
    """Return the LET and LAMBDA variables that these tokens use but do not bind."""
    used = {t.text.lower().rstrip("(") for t in toks if t.text.lower().startswith("_xlpm.")}
    if not used:
        return used
    for i, token in enumerate(toks):
        name = normalise(token.text) if token.kind == "func" else ""
        if name in ("LET", "LAMBDA"):
            parts = _arguments(toks, i, _closing(toks, i))[:-1]
            for a, b in parts[:: 2 if name == "LET" else 1]:
                used.discard("".join(t.text for t in toks[a:b]).strip().lower())
    return used


def _constant(toks: list[Token]) -> Constant | None:
    sign = 1.0
    if len(toks) == 2 and toks[0].text in ("-", "+"):
        sign = -1.0 if toks[0].text == "-" else 1.0
        toks = toks[1:]
        if toks[0].kind != "number":
            return None
    if len(toks) != 1:
        return None
    kind, text = toks[0].kind, toks[0].text
    if kind == "number":
        return Constant(sign * float(text))
    if kind == "string":
        return Constant(text[1:-1].replace('""', '"'))
    if kind == "word" and text.upper() in ("TRUE", "FALSE"):
        return Constant(text.upper() == "TRUE")
    return None


_RELATIVE = re.compile(r"(?<![\w$.])[A-Za-z]{1,3}\$?\d|\$[A-Za-z]{1,3}[1-9]")


def _expand(
    toks: list[Token], names: Mapping[tuple[str, str], str], sheet: str, plan: Plan, depth: int = 0
) -> Iterator[Token]:
    """Replace defined names by what they stand for: the engine knows only names of plain ranges."""
    for i, token in enumerate(toks):
        definition = None
        if token.kind == "word":
            scope = sheet
            if i and toks[i - 1].kind == "sheet":
                scope = toks[i - 1].text[:-1].strip("'").replace("''", "'").lower()
            key = token.text.lower()
            definition = names.get((scope, key), names.get(("", key)))
        if token.kind == "sheet" and i + 1 < len(toks) and toks[i + 1].kind == "word":
            word = toks[i + 1].text.lower()
            own = token.text[:-1].strip("'").replace("''", "'").lower()
            if (own, word) in names or ("", word) in names:
                continue  # Sheet1!name: the definition carries its own sheet
        if definition is None:
            yield token
            continue
        if depth > 20:
            raise FormulaError(f"uses the name {token.text}, which is defined by itself")
        inner = tokens(definition)
        if any(t.kind == "ref" and t.text.count("$") < 2 for t in inner):
            plan.limit = f"uses the name {token.text}, whose definition moves with the cell (no $ signs)"
            plan.dynamic = True
        inner = [Token(t.kind, t.text, -1) for t in inner]  # -1: not part of the formula's own text
        body = list(_expand(inner, names, sheet, plan, depth + 1))
        plain = all(t.kind in ("sheet", "ref", "cols", "rows", "number", "string") or t.text == ":" for t in body)
        yield from body if plain else [Token("op", "(", -1), *body, Token("op", ")", -1)]


def compile_shape(
    text: str,
    names: Mapping[tuple[str, str], str],
    sheet: str,
    sheets: frozenset[str],
    clock: tuple[str, str],
    array: bool,
) -> Plan:
    """Compile the shape of a formula.

    Parameters
    ----------
    text : str
        A formula whose references are marks, from `shape`.
    names : mapping
        Defined names, (sheet or "", name) in lower case -> definition.
    sheet : str
        The sheet of the formula, in lower case.
    sheets : frozenset of str
        All sheets, in lower case.
    clock : (str, str)
        What NOW() and TODAY() give during this recalculation.
    array : bool
        Whether it is an array formula.
    """
    plan = Plan()
    toks = list(_expand(tokens(text), names, sheet, plan))
    return _Compiler(toks, sheets, clock, array, plan).run()
