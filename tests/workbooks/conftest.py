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


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Give a Dask scheduler on this machine; the test starts its workers."""
    from test_sweep_cluster import Cluster  # late: it skips where Dask is missing

    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()
