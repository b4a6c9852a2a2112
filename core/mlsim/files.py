"""Writing files in one step: a file is there whole, or as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlsim.errors import CellError

__all__ = ["FileError", "remove_strays", "replace_section", "replacing", "write_file"]

_PREFIX, _SUFFIX = ".mlsim-", ".tmp"
_STRAY_SECONDS = 3600.0  # no run writes one file for so long
_NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class FileError(CellError):
    """A file that cannot be read or written; the message is a full sentence."""

    def __init__(self, message: str) -> None:
        super().__init__("#VALUE!", message)

    def __reduce__(self) -> tuple[type[FileError], tuple[str]]:
        return type(self), (self.message,)

    def __str__(self) -> str:
        return self.message


def write_file(path: str | os.PathLike[str], data: bytes, like: Path | None = None) -> None:
    """Write a file in one step: either the whole new content is there or the old file stays.

    Parameters
    ----------
    path : str or path-like
        The target; a symbolic link is followed.
    data : bytes
        The content.
    like : Path, optional
        A file whose permissions the new one gets when the target does not exist yet.
    """
    with replacing(path, like) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], like: Path | None = None) -> Iterator[Path]:
    """Give an empty file beside ``path`` to write to; afterwards it takes the place of ``path``, unless there was an error.

    The arguments are those of `write_file`.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise FileError(f"{path} is a folder, not a file to write to.")
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=target.parent)
        os.close(handle)
        yield Path(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        model = target if target.exists() else like
        if model is None:
            os.chmod(temporary, 0o666 & ~_umask())  # mkstemp keeps everybody else out
        else:
            if target.exists() and not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, "the file is read-only")
            shutil.copymode(model, temporary)
        os.replace(temporary, target)
        temporary = None
    except FileNotFoundError:
        raise FileError(f"There is no folder {target.parent} to write {target.name} into.") from None
    except PermissionError:
        raise FileError(
            f"{target} cannot be written: permission denied (read-only, or open in another program). "
            "Nothing was changed."
        ) from None
    except OSError as error:
        why = "the disk is full" if error.errno in _NO_SPACE else (error.strerror or str(error)).rstrip(".")
        raise FileError(f"{target} cannot be written: {why}. Nothing was changed.") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _umask() -> int:
    """Return which permissions new files lack."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def remove_strays(folder: str | os.PathLike[str] | None, files: Iterable[str | os.PathLike[str]]) -> None:
    """Remove what a run that was killed has left beside files, or in a folder: temporary files an hour old."""
    folders = {Path(folder)} if folder else {Path(os.path.realpath(file)).parent for file in files}
    for place in folders:
        for stray in place.glob(f"{_PREFIX}*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                if time.time() - stray.stat().st_mtime > _STRAY_SECONDS:
                    stray.unlink()


def replace_section(path: str | os.PathLike[str], name: str, text: str) -> None:
    """Rewrite what stands between ``<!-- name: ... -->`` and ``<!-- /name -->`` in a Markdown file."""
    whole = Path(path).read_text(encoding="utf-8")
    pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)"
    found, count = re.subn(pattern, lambda m: m[1] + text + m[2], whole, flags=re.S)
    if not count:
        raise FileError(f"{path} has no section between <!-- {name}: ... --> and <!-- /{name} -->.")
    write_file(path, found.encode())
