"""What the tests of the command line share."""

import pytest

from mlsim_workbooks import cli


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def runner(*args: str) -> tuple[int, str, str]:
        code = cli.main(args)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return runner
