"""The catalogue's texts as hosts show them: short help of a function and of each argument."""

from __future__ import annotations

import textwrap

from mlsim.functions import Arg, Function

__all__ = ["category", "description", "help_text", "shortened"]

LIMIT = 255  # characters of a description in Excel's function wizard


def help_text(arg: Arg) -> str:
    """Return the help of one argument, with its default, within Excel's limit."""
    text = arg.doc
    if not arg.vararg and arg.optional and arg.default is not None and "default" not in text.lower():
        default = f"{arg.default:g}" if isinstance(arg.default, float) else str(arg.default)
        text = f"{text} Default: {default}."
    return shortened(text)


def description(function: Function) -> str:
    """Return what a function does, within Excel's limit: the first paragraph of its help, or less."""
    return shortened(function.doc.split("\n\n")[0])


def category(function: Function) -> str:
    """Return the group a function stands in, in the host's list of functions."""
    return f"MLSIM {function.category}"


def shortened(text: str) -> str:
    """Return a text cut between words to what a function wizard shows."""
    return textwrap.shorten(text, LIMIT, placeholder=" ...")
