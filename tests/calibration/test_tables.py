"""Tables in and out: units, order, and one sentence for what is no table."""

import csv
from pathlib import Path

import pytest

from mlsim.calibration.accuracy import predict_rows, score
from mlsim.calibration.tables import PREDICTION_COLUMNS, prediction_rows, read_table, write_table
from mlsim.errors import CellError
from mlsim.files import FileError

HEADER = "case_id,family,metric,model,hardware,context_len,unit,measured\n"
GOOD = "a,decode,tpot,Llama-3-8B,H100,1024,{unit},\n"
BASE = {"case_id": "a", "family": "decode", "metric": "tpot", "model": "Llama-3-8B", "hardware": "H100",
        "context_len": "1024"}  # fmt: skip


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "cases.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def printed(**changes: str) -> dict[str, str]:
    rows = [{**BASE, **changes}]
    return dict(zip(PREDICTION_COLUMNS, next(iter(prediction_rows(rows, predict_rows(rows)))), strict=True))


def test_rows_are_read_as_they_stand(tmp_path: Path) -> None:
    rows = read_table(written(tmp_path, HEADER + GOOD.format(unit="ms") * 2 + "b,,,,,,,\n"))
    assert [row["case_id"] for row in rows] == ["a", "a", "b"]
    assert rows[0]["hardware"] == "H100"
    assert rows[2]["model"] == ""


def test_a_byte_order_mark_and_windows_lines_are_no_matter(tmp_path: Path) -> None:
    text = (HEADER + GOOD.format(unit="ms")).replace("\n", "\r\n")
    assert read_table(written(tmp_path, "\ufeff" + text))[0]["case_id"] == "a"


def test_short_and_long_lines(tmp_path: Path) -> None:
    rows = read_table(written(tmp_path, HEADER + "a,decode,tpot,Llama-3-8B,H100\n" + "b,decode,tpot,M,H,1,ms,2,x,y\n"))
    assert rows[0]["measured"] == ""
    assert set(rows[1]) == set(rows[0])
    assert predict_rows(rows)[0].prediction


def test_quoted_cells_hold_commas_and_lines(tmp_path: Path) -> None:
    rows = read_table(written(tmp_path, HEADER + '"a,b",decode,tpot,"Llama-3-8B",H100,1024,ms,"1\n2"\n'))
    assert rows[0]["case_id"] == "a,b"
    assert rows[0]["measured"] == "1\n2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 'family' is missing"),
        ("case_id,model\n", "column 'family' is missing"),
        ("family,metric,model\n", "column 'hardware' is missing"),
        ("family;metric;model;hardware\n", "column 'family' is missing"),
        (b"family,metric,model,hardware\n\xff\xfe\n", "UTF-8"),
        ("family,metric,model,hardware\n" + "x" * 200_000 + "\n", "not a CSV table"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(CellError, match=words) as caught:
        read_table(written(tmp_path, text))
    assert "cases.csv" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="does not exist"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("unit", "shown", "factor"),
    [("", "ms", 1), ("ms", "ms", 1), ("s", "s", 1e-3), ("us", "us", 1e3), ("GB", "ms", 1), ("furlong", "ms", 1)],
)
def test_a_prediction_is_in_the_unit_of_its_row(unit: str, shown: str, factor: float) -> None:
    own, found = printed(), printed(unit=unit)
    assert found["unit"] == shown
    for column in ("predicted", "low", "high"):
        assert float(found[column]) == pytest.approx(float(own[column]) * factor, rel=1e-4)
    assert float(found["low"]) < float(found["predicted"]) < float(found["high"])


def test_memory_in_another_unit() -> None:
    cells = {"family": "memory", "metric": "weight_bytes_per_device"}
    gib, gb = printed(**cells), printed(**cells, unit="GB")
    assert (gib["unit"], gb["unit"]) == ("GiB", "GB")
    assert float(gb["predicted"]) == pytest.approx(float(gib["predicted"]) * 1.073741824, rel=1e-4)


def test_a_measurement_is_read_in_the_unit_of_its_row() -> None:
    """The same measurement in ms and in s has the same error."""
    ms, s = ({**BASE, "unit": unit, "measured": measured} for unit, measured in (("ms", "8.1"), ("s", "0.0081")))
    (first, second), unsupported = score([ms, s])
    assert not unsupported
    assert second.error == pytest.approx(first.error)


def test_what_is_not_supported_says_so_in_its_row() -> None:
    found = printed(model="ResNet-50")
    assert found["supported"] == "no"
    assert "cannot be laid out" in found["message"]
    assert found["predicted"] == found["low"] == found["unit"] == ""
    assert found["case_id"] == "a"


def test_no_number_is_written_as_nan() -> None:
    found = printed(family="prefill", metric="ttft", input_len="0")
    assert "nan" not in found.values()


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_table(path, ("a", "b"), [("1", "x,y"), ("2", "")])
    assert list(csv.reader(path.open(newline=""))) == [["a", "b"], ["1", "x,y"], ["2", ""]]
    before = path.read_bytes()

    def lines():  # type: ignore[no-untyped-def]
        yield ("3", "z")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        write_table(path, ("a", "b"), lines())
    assert path.read_bytes() == before
    with pytest.raises(FileError, match="folder"):
        write_table(tmp_path / "no" / "out.csv", ("a",), [])
    with pytest.raises(FileError, match="folder"):
        write_table(tmp_path, ("a",), [])
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
