"""The registry: big enough, sourced, found by the names people type; and the user's own entries."""

from pathlib import Path

import pytest

from mlsim.errors import CellError, NameNotFoundError, UnitError
from mlsim.functions import call, use_registry_file
from mlsim.registry import load
from mlsim.registry.audit import constants, problems
from mlsim.registry.names import alias_index, normalise
from mlsim.registry.tables import rows


def test_audit_finds_nothing() -> None:
    assert problems() == []


def test_size() -> None:
    usable = [
        n
        for n in load.chip_names()
        if any(f.startswith(("memory_bandwidth", "peak_compute")) for f in load.chip(n).figures)
    ]
    assert len(usable) >= 90
    assert len(load.model_names()) >= 150
    assert len({row["region"] for row in rows("grids")}) >= 40
    assert len({row["chip"] for row in rows("prices")}) >= 15
    assert len(rows("interconnects")) >= 20


@pytest.mark.parametrize("table", ["prices", "precisions", "pue"])
def test_names_in_other_tables_are_names_of_the_registry(table: str) -> None:
    for row in rows(table):
        if table == "prices":
            assert load.chip(row["chip"]).name == row["chip"]
        elif table == "precisions":
            assert load.precision(row["name"]).bytes_per_element > 0
        else:
            assert 1.0 <= float(row["value"]) < 3.0


def test_every_figure_converts_and_every_model_loads() -> None:
    for name in load.chip_names():
        for key, figure in load.chip(name).figures.items():
            if figure.unit != "date":
                assert figure.si > 0, (name, key)
    for name in load.model_names():
        model = load.model(name)
        assert model.total_params > 0 or model.row["macs_per_inference"], name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("h100", "H100-SXM-80GB"), ("H100 SXM", "H100-SXM-80GB"), ("nvidia h100 sxm", "H100-SXM-80GB"),
        ("A100", "A100-SXM4-80GB"), ("a100 80gb", "A100-SXM4-80GB"), ("gaudi 3", "Gaudi3"), ("Intel Gaudi 3", "Gaudi3"),
        ("mi300x", "MI300X"), ("AMD MI300X", "MI300X"), ("H200", "H200-SXM-141GB"), ("B200", "B200-SXM-180GB"),
    ],
)  # fmt: skip
def test_chip_alias(typed: str, name: str) -> None:
    assert load.chip(typed).name == name


@pytest.mark.parametrize("typed", ["llama 3 70b", "Llama-3-70B", "LLAMA3-70B", "meta-llama/Meta-Llama-3-70B"])
def test_model_alias(typed: str) -> None:
    assert load.model(typed).name == "Llama-3-70B"


def test_did_you_mean() -> None:
    with pytest.raises(NameNotFoundError, match=r"Did you mean .*MI300X"):
        load.chip("MI30OX")


# Published counts: model cards and papers.
@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("Llama-3-8B", 8.03e9, 8.03e9), ("Llama-3-70B", 70.55e9, 70.55e9), ("Llama-2-7B", 6.738e9, 6.738e9),
        ("Llama-2-70B", 68.98e9, 68.98e9), ("Mixtral-8x7B", 46.7e9, 12.9e9), ("DeepSeek-V3", 671e9, 37e9),
        ("GPT-OSS-120B", 116.8e9, 5.1e9), ("Qwen3-30B-A3B", 30.5e9, 3.3e9),
    ],
)  # fmt: skip
def test_parameter_counts(name: str, total: float, active: float) -> None:
    model = load.model(name)
    assert model.total_params == pytest.approx(total, rel=5e-3)
    assert model.active_params == pytest.approx(active, rel=2e-2)


def test_dimensions_give_the_parameter_count() -> None:
    """Every language model's count follows from its dimensions, so that FLOP and bytes are of the same network."""
    wrong = {}
    for name in load.model_names():
        m = load.model(name)
        if m.kind != "llm" or m.linear_layers or m.attention not in ("MHA", "GQA", "MQA", "MLA") or not m.vocab:
            continue
        dense = m.attention_params_per_layer * m.layers + m.ffn_matrices * m.hidden * m.ffn * (m.layers - m.moe_layers)
        experts = m.moe_layers * (m.hidden * m.experts + (m.experts + m.shared_experts) * m.expert_params)
        derived = dense + experts + m.head_count * m.embedding_params
        if abs(derived / m.total_params - 1) > 0.05:
            wrong[name] = round(derived / m.total_params, 3)
    assert len(wrong) <= 0.1 * len(load.model_names()), wrong


def test_known_traps() -> None:
    assert load.model("DeepSeek-V3").heads == 128
    assert load.chip("H100").memory == 81559 * 2**20
    assert load.chip("A100").memory == 81920 * 2**20
    assert load.chip("Trainium2").peak("bf16") == 667e12
    orin = load.chip("Jetson AGX Orin 64GB")
    assert not orin.has("peak_compute int8") or orin.peak("int8") < 275e12  # 275 TOP/s is sparse and counts the DLA


def test_unknown_is_an_error_never_zero() -> None:
    chip = next(load.chip(n) for n in load.chip_names() if not load.chip(n).has("memory_bandwidth"))
    with pytest.raises(CellError, match="no sourced memory bandwidth"):
        chip.get("memory_bandwidth")


def test_alias_clash_is_caught() -> None:
    with pytest.raises(ValueError, match="names both"):
        alias_index([("A-1", ["x"]), ("B", ["X"])])
    assert normalise("phi-1.5") != normalise("phi-15")


@pytest.fixture
def forget() -> object:
    yield
    load.forget()


def test_user_registry_file(tmp_path: Path, forget: object) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "hardware:\n"
        "  MyChip:\n    source: quote 2026-10\n    aliases: [my chip 2]\n    memory: 96 GiB\n"
        "    memory bandwidth: 4.1 TB/s\n    bf16 peak: 900 TFLOP/s\n    link bandwidth: 900 GB/s bidirectional\n"
        "models:\n"
        "  My-1B:\n    source: internal\n    layers: 16\n    hidden: 2048\n    heads: 32\n    kv heads: 8\n"
        "    ffn: 8192\n    vocab: 128256\n    tied embeddings: 1\n",
        encoding="utf-8",
    )
    assert use_registry_file(str(file)) == ["MyChip", "My-1B"]
    assert call("MLSIM_DECODE_LATENCY", ["my 1b", "MY CHIP 2"]) > 0
    assert load.chip("mychip").get("scaleup_bandwidth") == 450e9  # one direction of two
    assert call("MLSIM_SOURCE", ["MyChip", "memory"]).count("quote 2026-10") == 1


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("hardware: {X: {memory: 80 GiB}}", UnitError, "needs a 'source'"),
        ("hardware: {X: {source: s, memory: 80}}", UnitError, "write the unit"),
        ("hardware: {X: {source: s, memory bandwidth: 80 TFLOP}}", UnitError, "count of floating-point"),
        ("hardware: {X: {source: s, wings: 2 GB}}", NameNotFoundError, "not a hardware attribute"),
        ("machines: {}", UnitError, "no others"),
        ("hardware: [", UnitError, "not valid YAML"),
        ("models: {M: {source: s, layers: 2}}", UnitError, "lack"),
    ],
)
def test_bad_registry_file(tmp_path: Path, forget: object, content: str, error: type[CellError], words: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(error, match=words):
        use_registry_file(str(file))


def test_missing_registry_file(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="does not exist"):
        use_registry_file(str(tmp_path / "no.yaml"))


def test_constants_cite_their_sources() -> None:
    assert all(c.citation["address"] for c in constants())


@pytest.mark.parametrize(
    ("name", "attribute", "unit"),
    [
        ("H100", "price", "$/GPU-h"), ("NVLink 4", "bandwidth", "GB/s"), ("Germany", "carbon intensity", "gCO2e/kWh"),
        ("fp8", "bits per weight", "bit"), ("Llama-3-8B", "context", "token"), ("ResNet-50", "macs per inference", "GMAC"),
        ("H100", "kernel overhead", "us"),
    ],
)  # fmt: skip
def test_any_figure_can_be_asked_for_and_cited(name: str, attribute: str, unit: str) -> None:
    assert call("MLSIM_SPEC", [name, attribute, unit]) > 0
    cited = call("MLSIM_SOURCE", [name, attribute])
    assert "http" in cited or "pkg:" in cited or "docs/accuracy.md" in cited  # what the project itself fitted


def test_unknown_entry() -> None:
    with pytest.raises(NameNotFoundError, match="not in the registry"):
        call("MLSIM_SPEC", ["Atlantis", "bandwidth"])
