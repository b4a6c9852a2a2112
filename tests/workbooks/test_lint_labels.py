"""What labels, unit cells and typed quantities say, in English, German and French."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsim.units import parse_unit
from mlsim_workbooks.lint.algebra import Value, compare
from mlsim_workbooks.lint.labels import NOTHING, number_of, read_label
from mlsim_workbooks.lint.unit_texts import read_quantity, read_unit, unit_cell

# label | unit, "1" for a bare number | what it names | kinds | what it is per; and the next
LABELS = """
Memory bandwidth (GB/s) | GB/s | bandwidth; HBM capacity [GiB] | GiB | memory; VRAM, GiB | GiB | memory
Memory in GiB | GiB | memory; Model weights, GB | GB | memory; hbm_gb | GB | memory; hbm_bw_tbs | TB/s | bandwidth
bandwidth_gbps | Gbit/s | bandwidth; Memory per GPU (GB) | GB | memory | | device
KV cache per token (kB) | kB | kv cache; KV cache (GiB) | GiB | kv cache; Message size (MB) | MB | memory
NVLink bandwidth (GB/s, per direction) | GB/s | bandwidth | per direction
NVLink bandwidth, both directions (GB/s) | GB/s | bandwidth | both directions
NVLink GB/s bidirectional | GB/s | bandwidth | both directions
PCIe bandwidth (GB/s unidirectional) | GB/s | bandwidth | per direction; NIC bandwidth (Gbit/s) | Gbit/s | bandwidth
InfiniBand line rate Gbps | Gbit/s | bandwidth; Download (Mbit/s) | Mbit/s |
Peak TFLOPS (bf16, dense) | TFLOP/s | peak | bf16, dense; fp8 peak, sparse (PFLOPS) | PFLOP/s | peak | fp8, sparse
Peak TFLOP/s with sparsity | TFLOP/s | peak | sparse; Peak compute (PFLOP/s) | PFLOP/s | peak
INT8 TOPS (dense) | TOP/s | integer peak | int8, dense; Achieved TFLOPS | TFLOP/s | achieved compute
Training compute (FLOP) | FLOP | work; FLOPs per token (GFLOP) | GFLOP | work; MACs per token (GMAC) | GMAC | MACs
TTFT (ms) | ms | latency; TTFT ms | ms | latency; latency_p99_ms | ms | latency | p99
P95 TTFT, ms | ms | latency | p95; Mean latency (µs) | us | latency | mean; Median TPOT (ms) | ms | latency | p50
p50 / p99 latency (ms) | ms | latency; Round-trip latency (us) | us | round trip | round trip
One-way latency (ns) | ns | latency | one way; Runtime (h) | h | latency; Training time (days) | day | latency
GPU-hours used | GPU-h | device hours; gpu_hours | GPU-h | device hours
GPU hours per month | GPU-h | device hours | month; Price per GPU-hour ($) | $/GPU-h | money | hour
price_usd_per_hour | $/h | money; Hourly rate ($/h) | $/h | | hour; Cost per month ($) | $ | money | month
Monthly cost (k$) | k$ | money | month; Annual cost (USD) | $ | money | year; Capex (M$) | M$ | money
Revenue ($M) | M$ | money; Cost per GPU per year ($) | $ | money | year | device
Cost per user per month ($) | $ | money | month, user | user; Price ($/Mtok) | $/Mtok | money
Output price ($ per million tokens) | $/Mtok | money | output; Input price ($ / 1M tokens) | $/Mtok | money | input
Price per 1k tokens ($) | $/ktok | money; Price per 1M output tokens ($) | $/Mtok | money | output
Electricity price ($/kWh) | $/kWh | money; Electricity price ($ per MWh) | $/MWh | money
IT power (kW) | kW | power | IT; Facility power (MW) | MW | power | facility; power_kw | kW | power
TDP per GPU (W) | W | power | | device; Power per rack (kW) | kW | power | | rack
Power per node (kW) | kW | power | | node; Energy per month (MWh) | MWh | energy | month
Energy per token (J) | J | energy; Annual energy, MWh | MWh | energy | year
Metered energy (kWh) | kWh | energy | facility; Carbon intensity (g/kWh) | gCO2e/kWh | carbon intensity
Annual emissions (t) | tCO2e | carbon | year; CO2 per request (g) | gCO2e | carbon | | request; Water (L) | L | water
WUE (L/kWh) | L/kWh | WUE; PUE | 1 | PUE; Tokens per second | tok/s | throughput
Tokens per second per user | tok/s/user | throughput | user
Throughput per GPU (tok/s) | tok/s | throughput | | device; Decode throughput (tokens/s) | tok/s | throughput | output
throughput_tok_s | tok/s | throughput; Request rate (req/s) | request/s | throughput
Requests per day | request | requests | day; Images/s | image/s | throughput; Output tokens | token | tokens | output
Prompt length (tokens) | token | tokens | input; Prompt + output tokens | token | tokens
Parameters (B) | Gparam | parameters; Active parameters (B) | Gparam | active parameters | active
Parameters, bn | Gparam | parameters; Bytes per parameter | B/param | bytes each; Bits per weight | bit | bits each
Layers | 1 | layers; KV heads | 1 | kv heads; Attention heads | 1 | heads; Head dim | 1 | head dim
Hidden size | 1 | hidden size; GPUs per node | GPU/node | gpus per node; Number of GPUs | GPU | devices
n_gpus | GPU | devices; Nodes | node | nodes; Concurrent users | user | users; Batch size | request | requests
MFU | 1 | MFU; MFU (%) | % | MFU; GPU utilisation (%) | % | ratio; Growth per year (%) | % | growth | year
Share of traffic | 1 | share; Exchange rate (EUR per USD) | EUR/$ | exchange rate
Speicherbandbreite (TB/s) | TB/s | bandwidth; Speicherbedarf in GiB | GiB | memory; Gewichte (GB) | GB | memory
Bandbreite je Richtung (GB/s) | GB/s | bandwidth | per direction
Spitzenleistung (TFLOPS, dense) | TFLOP/s | peak | dense; Rechenleistung (PFLOP/s) | PFLOP/s | peak
Mittelwert der Latenz (ms) | ms | latency | mean; Dauer (Tage) | day | latency
Kosten pro Monat (€) | EUR | money | month; Kosten je Jahr (T€) | kEUR | money | year
Monatliche Kosten (EUR) | EUR | money | month; Kosten je Nutzer (€) | EUR | money | user | user
Strompreis (€/kWh) | EUR/kWh | money; Preis (€/Mio. Token) | EUR/Mtok | money
Preis je GPU-Stunde (€) | EUR/GPU-h | money | hour; GPU-Stunden | GPU-h | device hours; Stromverbrauch (MWh) | MWh | energy
Energie pro Jahr (kWh) | kWh | energy | year; Leistungsaufnahme je GPU (W) | W | power | | device
Leistungsaufnahme pro Knoten (kW) | kW | power | | node; Durchsatz (Token/s) | tok/s | throughput
Durchsatz je Nutzer (Token/s) | tok/s | throughput | user | user; Ausgabe-Token | token | tokens | output
Parameter (Mrd.) | Gparam | parameters; Aktive Parameter (Mrd.) | Gparam | active parameters | active
Anzahl Knoten | node | nodes; Auslastung (%) | % | ratio; Schichten | 1 | layers
Wechselkurs (EUR/USD) | EUR/$ | exchange rate; Bande passante mémoire (To/s) | TB/s | bandwidth
Bande passante bidirectionnelle (Go/s) | GB/s | bandwidth | both directions; Mémoire HBM (Gio) | GiB | memory
Mémoire par GPU (Go) | GB | memory | | device; Cache KV (Go) | GB | kv cache; Crête (TFLOPS) | TFLOP/s | peak
Latence moyenne (ms) | ms | latency | mean; Latence aller-retour (ms) | ms | latency | round trip
Latence aller simple (µs) | us | latency | one way; Durée (jours) | day | latency
Elpris (SEK/kWh) | SEK/kWh; Preis in NOK | NOK | money; price_aud_gpu_hr | AUD/GPU-h | money; Antwortzeit (Sek) | s | latency
Coût mensuel (k€) | kEUR | money | month; Coût par an (€) | EUR | money | year
Coût par utilisateur (€) | EUR | money | user | user; Prix par million de jetons (€) | EUR/Mtok | money
Prix de l'électricité (€/kWh) | EUR/kWh | money; Heures GPU | GPU-h | device hours
Énergie par an (kWh) | kWh | energy | year; Puissance par GPU (W) | W | power | | device
Débit (jetons/s) | tok/s | throughput; Requêtes par seconde | request/s | throughput
Paramètres (milliards) | Gparam | parameters; Paramètres actifs (milliards) | Gparam | active parameters | active
Nombre de nœuds | node | nodes; GPU par nœud | GPU/node | gpus per node; Couches | 1 | layers; Têtes KV | 1 | kv heads
Taux d'utilisation (%) | % | ratio; Émissions annuelles (t) | tCO2e | carbon | year
Octets par paramètre | B/param | bytes each; Utilisateurs | user | users
"""
ROWS = [
    [*(piece.strip() for piece in line.split("|")), "", "", ""][:5]
    for line in LABELS.strip().replace("\n", ";").split(";")
]
QUIET = (
    "H100 80 GB", "A100 SXM 80 Go", "V100 32GB", "2 x H100 80 GB SXM", "MI300X 192 GB", "L4", "T4", "B200", "DGX H100",
    "Gaudi 3", "p5.48xlarge", "Llama 3 70B", "Mixtral 8x7B", "GPT-4", "job 12", "team A", "Row 5", "run_12", "node-17",
    "Phase 1", "US", "HR", "EU", "HW", "Q1 2026", "FY 2026", "2026", "2026-01", "Scenario A", "Variante B", "Serveur A",
    "Standort Frankfurt", "Version 1.2", "Option 2 (recommended)", "Notes", "Kommentar", "Remarques", "Source", "Date",
    "Min", "Max", "Name", "ID", "A", "S", "x", "yes", "80 GB", "10 ms", "3 years", "", "   ", "gs://bucket/path",
    "see tab 3", "to be confirmed with finance", "owner: M. Schmidt", "Quelle: Angebot vom 3. Mai", "H100|8|bf16",
    "We went through the numbers with the vendor and agreed to look at them again after the pilot. " * 2,
)  # fmt: skip
NO_UNITS = (
    "",
    "note",
    "n/a",
    "US",
    "Gesamt",
    "H100",
    "2026",
    "10 GB",
    "=A1",
    "layers",
    "per GPU",
    "total",
    "FTE",
)
# a cell that is a unit, and a plain spelling of it; after a comma what it is per
UNIT_CELLS = """
GB GB; GiB GiB; Go GB; Gio GiB; To/s TB/s; Gb/s Gbit/s; Gbps Gbit/s; (GB) GB; [ms] ms; TFLOPS TFLOP/s; PFLOP/s PFLOP/s
TOPS TOP/s; µs us; ns ns; min min; h h; d day; Tage day; jours day; Std. h; W W; MW MW; kWh kWh; $ $; € EUR; k€ kEUR
T€ kEUR; M$ M$; $/h $/h; €/h EUR/h; $/GPU-h $/GPU-h; EUR/GPU-Stunde EUR/GPU-h; $/Mtok $/Mtok; €/Mtok EUR/Mtok
$/1k_tokens $/ktok; $/1M_tokens $/Mtok; $/kWh $/kWh; tok/s tok/s; jetons/s tok/s; Anfragen/s request/s; GPU-h GPU-h
requêtes/s request/s; tokens tok; k_tokens ktok; % %; g/kWh gCO2e/kWh; kgCO2e kgCO2e; t_CO2e tCO2e; L/kWh L/kWh
W/GPU W/GPU; kW/rack kW/rack; GB/GPU GB/GPU; B/param B/param; MB/token MB/tok; J/token J/tok; tok/s/GPU tok/s/GPU
$/month $,month; €/Monat EUR,month; €/mois EUR,month; €/Jahr EUR,year; €/an EUR,year; $/yr $,year; req/day request,day
"""
CELLS = [tuple(c.replace("_", " ") for c in cell.split()) for cell in UNIT_CELLS.strip().replace("\n", ";").split(";")]
QUANTITIES = [
    ("80 GB", 80, "GB"), ("80 GiB", 80, "GiB"), ("3.35 TB/s", 3.35, "TB/s"), ("3,35 TB/s", 3.35, "TB/s"),
    ("3,35 To/s", 3.35, "TB/s"), ("1.000,5 GB", 1000.5, "GB"), ("1,000 GB", 1000, "GB"), ("1 000 GB", 1000, "GB"),
    ("700 W", 700, "W"), ("400 Gbit/s", 400, "Gbit/s"), ("$2.50/h", 2.5, "$/h"), ("2.5 $/h", 2.5, "$/h"),
    ("€ 3", 3, "EUR"),
    ("0,35 €/kWh", 0.35, "EUR/kWh"), ("-3 GB", -3, "GB"), ("1e3 GB", 1000, "GB"), ("8 GPUs", 8, "GPU"),
    ("16 bits", 16, "bit"),
]  # fmt: skip
WITH_CONCEPT = [
    ("B", "parameters", "Gparam"), ("M", "tokens", "Mtok"), ("bn", "active parameters", "Gparam"),
    ("10^9", "parameters", "Gparam"), ("Mrd.", "parameters", "Gparam"), ("TFLOPs", "peak", "TFLOP/s"),
    ("TFLOPs", "work", "TFLOP"), ("TOPs", "peak", "TOP/s"), ("t", "carbon", "tCO2e"), ("kg", "carbon", "kgCO2e"),
]  # fmt: skip
UNIT_LETTERS = st.text("kMGTPBiobs/hWtGPU%$€µ·*^-0123456789.,()[] _permontFLOSNan\u00a0²", max_size=24)


def plain(text: str) -> Value:
    """Return the unit of a plain spelling, without what it says beside dimension and scale."""
    if text == "1":
        return Value(dims=())
    unit = parse_unit(text)
    return Value(tuple(unit.dimension), unit.factor)


def same(found: Value | None, text: str) -> bool:
    """Tell whether a unit has the dimension and the scale of a plain spelling."""
    due = plain(text)
    return found is not None and found.dims == due.dims and abs(found.factor / due.factor - 1) < 1e-9


@pytest.mark.parametrize(("text", "unit", "concept", "kinds", "per"), ROWS, ids=[r[0] for r in ROWS])
def test_label(text: str, unit: str, concept: str, kinds: str, per: str) -> None:
    label = read_label(text)
    assert same(label.unit or number_of(label.concept), unit), label.unit
    assert label.concept == concept
    assert sorted(k for _, k in label.kinds) == sorted(k.strip() for k in kinds.split(",") if k)
    assert label.dims == tuple((n, -1.0) for n in per.split())
    assert label.says_something


def test_the_table_is_large() -> None:
    assert len({r[0] for r in ROWS}) >= 120


@pytest.mark.parametrize("text", QUIET)
def test_what_says_nothing_of_a_number(text: str) -> None:
    label = read_label(text)
    assert label.unit is None
    assert label.concept == ""
    assert not label.says_something
    assert label.dims == ()


@pytest.mark.parametrize(("text", "unit"), CELLS)
def test_unit_cell(text: str, unit: str) -> None:
    plainly, _, period = unit.partition(",")
    found = unit_cell(text)
    assert found is not None
    assert same(found, plainly)
    assert found.kind("period") == period
    assert same(unit_cell(f" {text} "), plainly)


@pytest.mark.parametrize("text", NO_UNITS)
def test_what_is_no_unit_cell(text: str) -> None:
    assert unit_cell(text) is None


@pytest.mark.parametrize(
    "text", ["the GB", "per GPU", "2026", "dense", "bf16", "80 GB", "US", "MS", "B", "TFLOPs", "t", "L4", "Hours (h)"]
)
def test_what_is_no_unit_without_more_words(text: str) -> None:
    assert read_unit(text) is None


@pytest.mark.parametrize(("text", "concept", "unit"), WITH_CONCEPT)
def test_a_concept_decides_what_a_unit_counts(text: str, concept: str, unit: str) -> None:
    assert same(read_unit(text, concept), unit)


@pytest.mark.parametrize(("text", "number", "unit"), QUANTITIES)
def test_quantity(text: str, number: float, unit: str) -> None:
    found = read_quantity(text)
    assert found is not None
    assert found[0] == pytest.approx(number)
    assert same(found[1], unit)


@pytest.mark.parametrize(
    "text", ["", "10", "job 12", "12 monkeys", "2026-01-01", "Q1 2026", "8x H100", "70B", "NaN GB", "1e400 GB"]
)
def test_what_is_no_quantity(text: str) -> None:
    assert read_quantity(text) is None


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Price per GPU-hour ($)", "$/GPU-h"),
        ("Preis je GPU-Stunde (€)", "€/GPU-h"),
        ("Cost per month ($)", "$/month"),
        ("Price per kWh ($)", "$/kWh"),
        ("Rent per node-hour ($)", "$/node-h"),
        ("Preis pro Mio. Token (€)", "€/Mtok"),
    ],
)
def test_what_a_price_is_per_may_stand_outside_the_brackets(a: str, b: str) -> None:
    label, unit = read_label(a), read_unit(b)
    assert label.unit is not None
    assert unit is not None
    stated = label.unit.with_kind("period", "month") if "month" in b else label.unit
    assert compare(stated, unit) is None


@settings(deadline=None)
@given(st.text(), st.sampled_from(["", "peak", "parameters", "carbon", "money"]))
def test_any_text_can_be_read(text: str, concept: str) -> None:
    read_label(text)
    read_unit(text, concept)
    unit_cell(text)
    read_quantity(text)
    assert read_label(text.strip()) == read_label(text)


@settings(deadline=None)
@given(UNIT_LETTERS, st.sampled_from(["", "Price ", "Memory (", "12 ", "per "]))
def test_any_letters_of_units_can_be_read(letters: str, front: str) -> None:
    text = front + letters
    for value in (read_label(text).unit, read_unit(text), unit_cell(text), (read_quantity(text) or (0.0, None))[1]):
        assert value is None or value.dims is not None
    assert read_label("") == NOTHING


@settings(deadline=None)
@given(
    st.sampled_from([r[0] for r in ROWS] + list(QUIET)), st.integers(1, 4), st.sampled_from(["", " ", "\n", "\u00a0"])
)
def test_more_spaces_change_nothing(text: str, count: int, end: str) -> None:
    label = read_label(text)
    assert read_label(end + text.replace(" ", " " * count) + end) == label
    assert read_label(label.text) == label
