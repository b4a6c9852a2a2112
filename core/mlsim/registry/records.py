"""Registry entries as the models use them: chips, models, precisions, runtimes, with SI numbers.

A figure that has no source has no row, and asking for it raises an error that names it: unknown is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsim.errors import DomainError, NameNotFoundError
from mlsim.physics.attention import grouped_query_parameters, latent_attention_parameters
from mlsim.physics.kv_cache import kv_elements_per_token, latent_elements_per_token
from mlsim.units import parse

__all__ = ["Chip", "Figure", "Model", "Precision", "Runtime"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One sourced constant: as the source prints it, and what it means."""

    value: str
    unit: str
    meaning: str
    source: str
    locator: str
    note: str = ""
    spread: float = 0.0  # standard deviation of its logarithm, for parameters that are estimated

    @property
    def text(self) -> str:
        """The value with its unit, such as ``"3.35 TB/s"``."""
        return f"{self.value} {self.unit}"

    @property
    def si(self) -> float:
        """The value in base units."""
        return float(self.value) if self.unit in ("ratio", "count") else parse(self.text).si


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """An accelerator. ``figures`` is keyed by attribute, or ``(attribute, precision)`` for the peaks."""

    name: str
    vendor: str
    kind: str
    chip_class: str
    figures: Mapping[str, Figure]
    efficiency: Mapping[str, Figure]
    others: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    _si: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def get(self, attribute: str) -> float:
        """Return a figure in SI; raise :class:`NameNotFoundError` when no source gives it."""
        value = self._si.get(attribute)
        if value is None:
            figure = self.figures.get(attribute) or self.efficiency.get(attribute)
            if figure is None:
                label = attribute.replace("_", " ")
                raise NameNotFoundError(
                    f"The registry has no sourced {label} for {self.name}. Give it yourself: a two-column range "
                    f'such as {{"{label}", "..."}} as the hardware, or a registry file.'
                )
            value = self._si[attribute] = figure.si
        return value

    def has(self, attribute: str) -> bool:
        """Tell whether the registry has a figure."""
        return attribute in self.figures or attribute in self.efficiency

    def peak(self, precision: str) -> float:
        """Return the dense peak [FLOP/s, or OP/s for integers] of a number format.

        Where fp16 has no figure bf16's stands in, and fp8's for fp6: tensor units run them at one rate. The reverse is
        not so: an older chip may have no bf16 at all.
        """
        for candidate in (precision, {"bf16": "", "fp16": "bf16", "fp6": "fp8"}.get(precision, "")):
            if candidate and self.has(f"peak_compute {candidate}"):
                return self.get(f"peak_compute {candidate}")
        known = [a.split()[1] for a in self.figures if a.startswith("peak_compute ") and "vector" not in a]
        raise NameNotFoundError(
            f"The registry has no sourced {precision} peak for {self.name}"
            + (f"; it has {', '.join(known)}. Choose one of these precisions." if known else ".")
        )

    @property
    def memory(self) -> float:
        """Memory capacity [byte]: what the driver reports, else the binary size, else the vendor's label."""
        labelled = self.has("memory_capacity_label") and not self.has("memory_capacity")
        return self.get("memory_capacity_label" if labelled else "memory_capacity")


@dataclass(frozen=True, slots=True)
class Precision:
    """How weights (or the KV cache) are stored, and which peak their matmuls run at."""

    name: str
    bytes_per_element: float
    compute: str
    whole_model: bool
    figure: Figure


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """A framework: what it adds in time and memory. What it has no figure for comes from the runtime ``default``."""

    name: str
    figures: Mapping[str, Figure]
    based_on: str  # the registry's runtime it is or descends from
    _si: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def get(self, attribute: str) -> float:
        """Return a figure in SI."""
        value = self._si.get(attribute)
        if value is None:
            value = self._si[attribute] = self.figures[attribute].si
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A network's dimensions. Dimensions that do not apply are 0; ``figure`` is the source of the row."""

    name: str
    kind: str
    attention: str
    total_params: float
    active_params: float
    layers: float
    hidden: float
    heads: float
    kv_heads: float
    head_dim: float
    ffn: float
    ffn_matrices: float
    vocab: float
    moe_ffn: float = 0.0
    experts: float = 0.0
    experts_per_token: float = 0.0
    shared_experts: float = 0.0
    dense_layers: float = 0.0
    window: float = math.inf
    window_layers: float = 0.0
    linear_layers: float = 0.0
    tied_embeddings: bool = False
    q_lora_rank: float = 0.0
    kv_lora_rank: float = 0.0
    qk_nope_dim: float = 0.0
    qk_rope_dim: float = 0.0
    v_head_dim: float = 0.0
    context: float = 0.0
    figure: Figure | None = None
    row: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def need(self, *names: str) -> None:
        """Raise :class:`DomainError` unless the model has these dimensions."""
        missing = [n for n in names if not getattr(self, n)]
        if missing:
            raise DomainError(
                f"{self.name} ({self.kind}) has no {' or '.join(m.replace('_', ' ') for m in missing)} in the registry, "
                "so it cannot be laid out layer by layer. Choose a language model, or give its dimensions."
            )

    @property
    def is_latent(self) -> bool:
        """Whether attention is multi-head latent attention (MLA)."""
        return self.kv_lora_rank > 0

    @property
    def moe_layers(self) -> float:
        """Layers whose feed-forward is a mixture of experts."""
        return self.layers - self.dense_layers if self.experts else 0.0

    @property
    def attention_params_per_layer(self) -> float:
        """Weights of one layer's attention projections."""
        if self.is_latent:
            return latent_attention_parameters(
                self.hidden, self.heads, self.q_lora_rank, self.kv_lora_rank, self.qk_nope_dim, self.qk_rope_dim,
                self.v_head_dim,
            )  # fmt: skip
        return grouped_query_parameters(self.hidden, self.heads, self.kv_heads, self.head_dim)

    @property
    def expert_params(self) -> float:
        """Weights of one routed expert in one layer."""
        return self.ffn_matrices * self.hidden * self.moe_ffn

    @property
    def embedding_params(self) -> float:
        """Weights of one vocabulary table (the input embedding, or the output head)."""
        return self.vocab * self.hidden

    @property
    def head_count(self) -> float:
        """Vocabulary tables stored: 1 when input and output share one, else 2."""
        return 1.0 if self.tied_embeddings else 2.0

    @property
    def cached_elements_per_token(self) -> float:
        """KV elements one token keeps in one layer."""
        if self.is_latent:
            return float(latent_elements_per_token(self.kv_lora_rank, self.qk_rope_dim))
        return float(kv_elements_per_token(self.kv_heads, self.head_dim))

    @property
    def full_attention_layers(self) -> float:
        """Layers whose cache grows with the whole context."""
        return self.layers - self.window_layers - self.linear_layers
