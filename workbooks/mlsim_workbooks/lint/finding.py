"""What the unit checker says: a rule, a place, a sentence and the likely fix."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RULES", "Finding", "Rule", "Said"]

Said = tuple[str, str, str]  # rule, message, suggestion ("": the rule's own)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of mistake: its name, how bad it is, what it looks for and what usually mends it."""

    name: str
    severity: str
    title: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in one cell."""

    file: str
    sheet: str
    cell: str
    rule: str
    message: str
    suggestion: str

    @property
    def severity(self) -> str:
        """``"error"`` or ``"warning"``."""
        return RULES[self.rule].severity

    def as_dict(self) -> dict[str, str]:
        """Return the finding as the JSON contract has it."""
        return {
            "file": self.file, "sheet": self.sheet, "cell": self.cell, "rule": self.rule, "severity": self.severity,
            "message": self.message, "suggestion": self.suggestion,
        }  # fmt: skip


_RULES = (
    Rule("binary-prefix", "error", "GB and GiB (TB and TiB) mixed", "Convert: 1 GiB = 1.073741824 GB."),
    Rule("bits-bytes", "error", "Bits and bytes mixed", "Divide bits by 8, or multiply bytes by 8."),
    Rule("flop-rate", "error", "FLOP (a count) and FLOP/s (a rate) mixed", "A rate is a count over a time."),
    Rule("mac-flop", "error", "MAC and FLOP mixed", "1 MAC = 2 FLOP."),
    Rule("sparse-peak", "error", "A sparse peak where the dense one is due", "A 2:4-sparse peak is twice the dense one."),
    Rule("peak-precision", "error", "The peak of another number format", "Take the peak of the format computed in."),
    Rule("integer-ops", "error", "TOP/s and TFLOP/s mixed", "Integer and floating-point peaks are different figures."),
    Rule("link-direction", "error", "One direction of a link and both mixed", "Both directions are twice one."),
    Rule("device-scope", "error", "Per GPU, node, rack and fleet mixed", "Multiply by the count of the smaller thing."),
    Rule("power-energy", "error", "kW (power) and kWh (energy) mixed", "Energy is power times hours."),
    Rule("facility-energy", "error", "PUE applied twice or never", "Facility energy is IT energy times PUE, once."),
    Rule("time-scale", "error", "ms, s, µs, minutes and hours mixed", "1 s = 1,000 ms = 1,000,000 µs; 1 h = 3,600 s."),
    Rule("calendar", "error", "Seconds, hours, days, months and years mixed", "1 month = 730 h, 1 year = 8,760 h."),
    Rule("device-hours", "error", "GPU-hours and wall-clock hours mixed", "GPU-hours are hours times GPUs."),
    Rule("round-trip", "error", "One-way and round-trip latency mixed", "A round trip is two ways."),
    Rule("statistic-mix", "error", "A mean and a percentile combined", "Percentiles do not add; compare like with like."),
    Rule("token-rate", "error", "Tokens and tokens/s mixed", "A rate is a count over a time."),
    Rule("token-direction", "error", "Input and output tokens mixed", "Use the price and the count of the same tokens."),
    Rule("user-total", "error", "Per user and total mixed", "The total is the figure per user times the users."),
    Rule("money-rate", "error", "An amount and a price per hour (GPU-hour, token) mixed", "Multiply by what the price is per."),
    Rule("token-price-scale", "error", "A price per 1,000 and per million tokens mixed", "$/Mtok = 1,000 × $/ktok."),
    Rule("currency", "error", "Currencies mixed", "Apply an exchange rate with its date."),
    Rule("carbon-scale", "error", "g, kg and t of CO2e mixed", "1 t = 1,000 kg = 1,000,000 g; 1 g/kWh = 1 kg/MWh."),
    Rule("params-bytes", "error", "Parameters and bytes mixed", "Multiply parameters by bytes per parameter."),
    Rule("active-params", "error", "Total and active parameters mixed", "Memory takes all parameters, compute the active ones."),
    Rule("kv-factor", "error", "The factor 2 for keys and values is missing", "A KV cache holds K and V: multiply by 2."),
    Rule("kv-heads", "error", "Attention heads where KV heads are due", "The KV cache has KV heads only."),
    Rule("percent", "error", "A percentage and a fraction mixed", "Divide by 100, or format the fraction as %."),
    Rule("bare-number", "error", "A bare number added to a quantity", "Give the number a cell of its own with its unit."),
    Rule("mixed-sum", "error", "A sum over different units", "Convert to one unit first, or sum like things only."),
    Rule("percent-sum", "error", "Percentages summed", "Take a weighted average."),
    Rule("above-limit", "error", "More than the hardware can do", "Check numerator, peak and unit."),
    Rule("registry", "error", "Disagrees with the registry's figure", "Type the data sheet's figure, or name the variant."),
    Rule("unit-contradiction", "error", "Two statements of a unit contradict each other", "Correct the wrong one."),
    Rule("prefix", "error", "k, M, G and T mixed", "Multiply or divide by the factor between the prefixes."),
    Rule("dimension", "error", "Quantities of different dimensions combined", "Check which cell is meant."),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.name: rule for rule in _RULES}
