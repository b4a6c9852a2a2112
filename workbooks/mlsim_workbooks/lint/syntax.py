"""Parse a formula into a small tree. Formulas are read, never executed."""

from __future__ import annotations

from dataclasses import dataclass

from mlsim_workbooks import formulas as fx

__all__ = [
    "Area",
    "Binary",
    "Call",
    "Name",
    "Node",
    "Number",
    "Other",
    "Ref",
    "Text",
    "Unary",
    "parse_formula",
]


@dataclass(frozen=True, slots=True)
class Number:
    """A number written in the formula."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text written in the formula."""

    value: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A cell: the number of its mark in the shape, and its sheet ("" for the formula's own)."""

    mark: int
    sheet: str


@dataclass(frozen=True, slots=True)
class Area:
    """A range of cells: the marks of its corners; whole columns and rows have one mark twice."""

    first: int
    last: int
    sheet: str
    kind: str


@dataclass(frozen=True, slots=True)
class Name:
    """A defined name, a LET variable, or a word nobody knows."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign or a percent sign."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its canonical name, with its arguments (None: left out)."""

    name: str
    args: tuple[Node | None, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """What has no unit to look at: errors, array constants, booleans."""


Node = Number | Text | Ref | Area | Name | Unary | Binary | Call | Other


_PRIORITY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 6}
_MAX_DEPTH = 200


class _Parser:
    """A precedence climber over the tokens of one shape."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in fx.tokens(text.lstrip("=+ ")) if t.kind != "space"]
        self.at = 0
        self.marks = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self) -> fx.Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expression(self, least: int = 1) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise fx.FormulaError("nests too deeply")
        left = self.unary()
        while (operator := self.peek()) in _PRIORITY and _PRIORITY[operator] >= least:
            self.at += 1
            right = self.expression(_PRIORITY[operator] + 1)
            left = Binary(operator, left, right)
        self.depth -= 1
        return left

    def unary(self) -> Node:
        if self.peek() in ("-", "+", "@"):
            operator = self.take().text
            operand = self.expression(5)
            node: Node = operand if operator in "+@" else Unary("-", operand)
        else:
            node = self.primary()
        while self.peek() in ("%", "#"):
            node = Unary("%", node) if self.take().text == "%" else node
        return node

    def primary(self) -> Node:
        if self.at >= len(self.tokens):
            raise fx.FormulaError("ends too early")
        token = self.take()
        match token.kind:
            case "number":
                return Number(float(token.text))
            case "string":
                return Text(token.text[1:-1].replace('""', '"'))
            case "func":
                return self.call(token)
            case "mark":
                return self.reference("")
            case "sheet":
                return self.qualified(token.text)
            case "word":
                upper = token.text.upper()
                return Other() if upper in ("TRUE", "FALSE") else Name(token.text.lower())
        if token.text == "(":
            inner = self.expression()
            while self.peek() == ",":  # a union: its first part stands for all
                self.at += 1
                self.expression()
            self.expect(")")
            return inner
        if token.text == "{":
            while self.at < len(self.tokens) and self.take().text != "}":
                pass
            return Other()
        if token.kind in ("error", "struct", "ref", "cols", "rows"):
            return Other()
        raise fx.FormulaError(f"has {token.text!r} where a value is due")

    def expect(self, text: str) -> None:
        if self.peek() != text:
            raise fx.FormulaError(f"lacks a {text!r}")
        self.at += 1

    def qualified(self, text: str) -> Node:
        name = text[:-1]
        if name.startswith("'"):
            name = name[1:-1].replace("''", "'")
        if self.at >= len(self.tokens):
            return Other()
        if "[" in name or ":" in name:  # another workbook, never opened; several sheets at once
            following = self.tokens[self.at]
            if following.kind == "func":
                return self.primary()
            self.primary()
            return Other()
        if self.tokens[self.at].kind == "mark":
            self.at += 1
            return self.reference(name.lower())
        self.primary()
        return Other()

    def reference(self, sheet: str) -> Node:
        """Read the reference whose mark was just taken."""
        kind = self.tokens[self.at - 1].text
        mark = self.marks
        self.marks += 1
        if kind != "\x01":
            return Area(mark, mark, sheet, "cols" if kind == "\x02" else "rows")
        if self.peek() == ":" and self.at + 1 < len(self.tokens):
            ahead = self.at + 1
            if self.tokens[ahead].kind == "sheet":
                ahead += 1
            if ahead < len(self.tokens) and self.tokens[ahead].text == "\x01":
                self.at = ahead + 1
                self.marks += 1
                return Area(mark, mark + 1, sheet, "ref")
        if self.peek() == ":":
            self.at += 1
            self.unary()
            return Other()
        return Ref(mark, sheet)

    def call(self, token: fx.Token) -> Node:
        args: list[Node | None] = []
        if self.peek() == ")":
            self.at += 1
            return Call(fx.normalise(token.text), ())
        while True:
            args.append(None if self.peek() in (",", ")") else self.expression())
            if self.peek() == ",":
                self.at += 1
                continue
            self.expect(")")
            break
        if self.peek() == "(":  # a LAMBDA called at once
            self.at += 1
            while self.peek() not in (")", ""):
                self.expression()
                if self.peek() == ",":
                    self.at += 1
            self.expect(")")
            return Other()
        return Call(fx.normalise(token.text), tuple(args))


def parse_formula(shape: str) -> Node:
    """Parse the shape of a formula (references replaced by marks, as :func:`mlsim_workbooks.formulas.shape` gives it).

    Raises
    ------
    FormulaError
        When it is not a formula this parser reads.
    """
    parser = _Parser(shape)
    node = parser.expression()
    if parser.at != len(parser.tokens):
        raise fx.FormulaError(f"has {parser.peek()!r} after its end")
    if _height(node) > _MAX_DEPTH:
        raise fx.FormulaError("nests too deeply")
    return node


def _height(node: Node) -> int:
    """Return how deep a tree is; a sum of a thousand cells is a thousand deep."""
    highest = 0
    stack: list[tuple[Node | None, int]] = [(node, 1)]
    while stack:
        at, height = stack.pop()
        highest = max(highest, height)
        match at:
            case Binary():
                stack += ((at.left, height + 1), (at.right, height + 1))
            case Unary():
                stack.append((at.operand, height + 1))
            case Call():
                stack += ((arg, height + 1) for arg in at.args)
    return highest
