"""The errors a person sees: one sentence, and the cell error a spreadsheet shows for it."""

from __future__ import annotations

__all__ = ["CellError", "DomainError", "NameNotFoundError", "UnitError", "as_typed", "printable", "shorten"]


class CellError(Exception):
    """An error with the spreadsheet error code it becomes and the sentence that explains it.

    Parameters
    ----------
    code : str
        ``"#VALUE!"`` (wrong unit or type), ``"#N/A"`` (unknown name) or ``"#NUM!"`` (outside the model's domain).
    message : str
        What was expected, what came, the likely fix.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class UnitError(CellError):
    """A wrong, missing or ambiguous unit, or a value of the wrong type: ``#VALUE!``."""

    def __init__(self, message: str) -> None:
        super().__init__("#VALUE!", message)

    def __reduce__(self) -> tuple[type[UnitError], tuple[str]]:
        return type(self), (self.message,)


class NameNotFoundError(CellError):
    """A name or a figure that the registry does not know: ``#N/A``."""

    def __init__(self, message: str) -> None:
        super().__init__("#N/A", message)

    def __reduce__(self) -> tuple[type[NameNotFoundError], tuple[str]]:
        return type(self), (self.message,)


class DomainError(CellError):
    """A value the model cannot answer for, such as a negative batch: ``#NUM!``."""

    def __init__(self, message: str) -> None:
        super().__init__("#NUM!", message)

    def __reduce__(self) -> tuple[type[DomainError], tuple[str]]:
        return type(self), (self.message,)


def shorten(value: object, limit: int = 60) -> str:
    """Return ``value`` quoted for a message, cut so that a huge text stays a short sentence; a range by its size."""
    if isinstance(value, (list, tuple)):
        width = max((len(row) for row in value if isinstance(row, (list, tuple))), default=1)
        return f"a range of {len(value)}×{width} cells"
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text[: limit + 1].split())
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)  # no terminal obeys a message
    return f'"{text[:limit]}…"' if len(text) > limit else f'"{text}"'


def printable(text: str) -> str:
    """Return a text on one line, without the control characters that names from a file may hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def as_typed(number: float) -> str:
    """Return a number for a message as a person types it: a cell holds 3 as 3.0, in some hosts and not in others."""
    text = repr(number).removesuffix(".0")
    return text if len(text) <= 25 else f"{text[:20]}…"
