from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office import Office, running


@pytest.fixture(scope="session")
def office(tmp_path_factory: Any) -> Iterator[Office]:
    """Return a LibreOffice with our extension, with an empty spreadsheet of two sheets open for each test that asks."""
    folder: Path = tmp_path_factory.mktemp("libreoffice")
    with running(folder) as found:
        yield found
