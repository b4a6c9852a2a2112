"""MLSIM: capacity planning for machine-learning systems, inside the spreadsheet.

Importing this package loads nothing else, so that a spreadsheet host starts at once.
"""

__version__ = "0.1.0"
__all__ = ["CellError", "__version__"]


def __getattr__(name: str) -> object:
    if name == "CellError":
        from mlsim.errors import CellError

        return CellError
    raise AttributeError(f"module 'mlsim' has no attribute {name!r}")
