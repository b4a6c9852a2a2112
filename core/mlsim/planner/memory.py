"""Memory of one device: weights, cache, activations and what the runtime keeps; and how many sequences are left room for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.physics.kv_cache import paged_tokens
from mlsim.physics.memory import activation_bytes, logits_bytes, max_batch
from mlsim.planner.forward import ACTIVATION_BYTES, cache_bytes
from mlsim.planner.network import Network
from mlsim.registry.records import Chip, Runtime

__all__ = ["Memory", "Reserve", "batch_limit", "cache_room", "kept_by", "memory", "reserve"]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Capacity of a device and what a runtime keeps of it. Every field is a number or an array."""

    capacity: Real  # [byte]
    memory_fraction: Real
    framework_memory: Real  # [byte]
    logits_bytes: Real  # [byte] per vocabulary entry and sequence slot
    sequence_slots: Real
    chunk_tokens: Real
    collective_memory: Real  # [byte]
    block_tokens: Real  # tokens of one block of the paged cache
    fraction_of_free: Real  # 1 when memory_fraction is of what is left beside weights, 0 when of the capacity


@lru_cache(maxsize=4096)
def reserve(chip: Chip, runtime: Runtime) -> Reserve:
    """Return the capacity of a chip and what a runtime keeps of it."""
    return kept_by(runtime, chip.memory)


def kept_by(runtime: Runtime, capacity: float = 0.0) -> Reserve:
    """Return what a runtime keeps of a device of some capacity."""
    return Reserve(capacity, **{f.name: runtime.get(f.name) for f in fields(Reserve)[1:]})


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one device [byte], term by term."""

    weights: Floats
    kv_cache: Floats
    activations: Floats
    logits: Floats
    framework: Floats
    collectives: Floats

    @property
    def total(self) -> Floats:
        """All terms together."""
        return self.weights + self.kv_cache + self.activations + self.logits + self.framework + self.collectives


def memory(
    net: Network, kept: Reserve, batch: Real, context: Real, tp: Real = 1.0, pp: Real = 1.0, ep: Real = 1.0
) -> Memory:
    """Memory of one device that serves ``batch`` sequences of ``context`` tokens each.

    The logits workspace counts the runtime's sequence slots (vLLM reserves for all of them at start), or the batch
    where that is larger. With layers on ``pp`` devices each holds its share of weights and cache.
    """
    tp, pp = np.asarray(tp, float), np.asarray(pp, float)
    zero = np.zeros(np.broadcast_shapes(np.shape(batch), np.shape(context), tp.shape, pp.shape, np.shape(net.layers)))
    tokens = np.maximum(kept.chunk_tokens, batch)
    vocab = np.divide(net.head, net.hidden)
    tables = np.where(pp > 1, 1.0, net.tables) * net.table_bytes / tp  # first and last stage hold one each
    return Memory(
        weights=zero + net.weight_bytes / (tp * pp) + net.expert_bytes / (np.maximum(tp, ep) * pp) + tables,
        kv_cache=zero + batch * cache_bytes(net, context, tp) / pp,
        activations=zero + activation_bytes(tokens, net.hidden, net.widest / tp, ACTIVATION_BYTES),
        logits=zero + logits_bytes(np.maximum(kept.sequence_slots, batch), vocab / tp, kept.logits_bytes),
        framework=zero + kept.framework_memory,
        collectives=zero + np.where(tp > 1, kept.collective_memory, 0.0),
    )


def cache_room(net: Network, kept: Reserve, tp: Real = 1.0, pp: Real = 1.0, ep: Real = 1.0) -> Floats:
    """Bytes of one device left for the KV cache: the runtime's share of the capacity less all other terms.

    Some runtimes take their share of what the other terms leave instead (``fraction_of_free``).
    """
    used = memory(net, kept, 0.0, 0.0, tp, pp, ep).total
    whole = np.multiply(kept.capacity, kept.memory_fraction) - used
    rest = np.subtract(kept.capacity, used) * kept.memory_fraction
    return np.maximum(np.where(np.asarray(kept.fraction_of_free) > 0, rest, whole), 0.0)


def batch_limit(net: Network, kept: Reserve, context: Real, tp: Real = 1.0, pp: Real = 1.0, ep: Real = 1.0) -> Floats:
    """Sequences of ``context`` tokens that an engine can have in flight: by cache room and by its sequence slots."""
    each = cache_bytes(net, paged_tokens(context, kept.block_tokens), tp) / np.asarray(pp, float)
    return np.minimum(max_batch(cache_room(net, kept, tp, pp, ep), 0.0, each), kept.sequence_slots)
