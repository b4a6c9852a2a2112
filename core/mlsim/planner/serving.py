"""From forward passes to what a user of a server sees: prompts in micro-batches, whole requests, a saturated engine.

Like :mod:`mlsim.planner.forward`, every argument is a number or an array of one number per case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsim.arrays import Floats, Real
from mlsim.physics.speculative import expected_tokens
from mlsim.planner.forward import Step, forward
from mlsim.planner.machine import Efficiency, Machine
from mlsim.planner.network import Network

__all__ = ["Layout", "decode_step", "disaggregated_rate", "mixed_step", "prefill_step", "request_time", "saturated_rate",
           "speculative_time", "static_rate"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How one replica is split: tensor, pipeline (or layer split), expert and attention-data parallel."""

    tp: Real = 1.0
    pp: Real = 1.0
    ep: Real = 1.0
    dp: Real = 1.0

    @property
    def devices(self) -> Real:
        """Devices of the replica."""
        return self.tp * self.pp * self.dp


def decode_step(net: Network, device: Machine, eff: Efficiency, batch: Real, context: Real, layout: Layout) -> Step:
    """One token for each of ``batch`` sequences. Devices that hold different layers work one after the other."""
    return forward(
        net, device, eff, np.divide(batch, layout.dp), context, tp=layout.tp, ep=layout.ep, dp=layout.dp,
        stages=layout.pp,
    )  # fmt: skip


def mixed_step(
    net: Network, device: Machine, eff: Efficiency, batch: Real, prompt: Real, output: Real, layout: Layout,
    joining: Real | None = None,
) -> Step:  # fmt: skip
    """One pass of an engine in steady state: ``batch`` sequences decode, and the prompts that replace the finished ones.

    Each sequence leaves after ``output`` tokens, so batch/output prompts join per pass (continuous batching: G. Yu et
    al., "Orca", OSDI 2022, sec. 3; with prompts cut in chunks beside the decodes: A. Agrawal et al., "Sarathi-Serve",
    OSDI 2024, sec. 4. https://arxiv.org/abs/2403.02310). The mean context is prompt + output/2. ``joining`` counts the
    sequences whose prompts interfere; ``batch`` by default, one less for a sequence that does not wait for its own.

    A pass takes a whole prompt, or a chunk of ``micro_batch`` tokens, so few passes carry much prompt and the others
    none: experts and matmuls are not those of the mean number of tokens.
    """
    local = np.divide(batch, layout.dp)
    prompts = np.divide(local if joining is None else np.divide(joining, layout.dp), output)  # per pass
    chunk = np.minimum(prompt, eff.micro_batch)
    share = np.minimum(1.0, prompts * prompt / chunk)  # of passes that carry prompt
    context = np.add(prompt, np.divide(output, 2.0))
    plain = forward(net, device, eff, local, context, 0.0, 0.0, 0.0, layout.tp, layout.ep, layout.dp, layout.pp)
    with np.errstate(invalid="ignore", divide="ignore"):
        carried = np.where(share > 0, prompts * prompt / chunk / share, 0.0)
    full = forward(
        net, device, eff, local, context, carried, chunk, (prompt - chunk) / 2.0, layout.tp, layout.ep, layout.dp,
        layout.pp,
    )  # fmt: skip
    return plain.blended(full, share)


def prefill_step(
    net: Network, device: Machine, eff: Efficiency, batch: Real, prompt: Real, layout: Layout, cached: Real = 0.0
) -> Step:
    """Time to process ``batch`` prompts: the time to first token without queueing.

    A pass takes at most ``micro_batch`` tokens: several short prompts, or a chunk of a long one, which sees on average
    half of the prompt before it. With layers on ``pp`` devices the passes follow each other as in a pipeline, whose
    ideal time for m passes is (m + pp - 1)/pp of one (Y. Huang et al., "GPipe", 2019, sec. 2.3.
    https://arxiv.org/abs/1811.06965); ``pipeline_overlap`` is how much of that gain is had.
    """
    # one shape for all: a pass and the passes it stands for have to match
    b, n, _ = np.broadcast_arrays(np.divide(batch, layout.dp), np.asarray(prompt, float), np.asarray(layout.pp, float))
    together = np.minimum(b, np.maximum(1.0, np.floor(eff.micro_batch / n)))
    chunks = np.ceil(n / eff.micro_batch)
    chunk = n / chunks
    passes = np.maximum(b / together, 1.0) * chunks
    step = forward(
        net, device, eff, 0.0, 0.0, together, chunk, cached + (n - chunk) / 2.0, layout.tp, layout.ep, layout.dp,
        layout.pp,
    )  # fmt: skip
    gain = eff.pipeline_overlap * (1.0 - 1.0 / np.asarray(layout.pp, float))
    return step.repeated(1.0 + (passes - 1.0) * (1.0 - gain), passes)


def request_time(
    net: Network, device: Machine, eff: Efficiency, batch: Real, prompt: Real, output: Real, layout: Layout,
    cached: Real = 0.0,
) -> tuple[Floats, Step]:  # fmt: skip
    """Time [s] of a batch of whole requests: its prompts, then ``output`` decode steps at the mean context.

    ``cached`` tokens of each prompt are in the cache already (a shared prefix) and are not computed again.
    """
    first = prefill_step(net, device, eff, batch, prompt, layout, cached)
    context = np.add(np.add(cached, prompt), np.divide(output, 2.0))
    step = decode_step(net, device, eff, batch, context, layout)
    return first.total + np.multiply(output, step.total), step


def static_rate(
    net: Network, device: Machine, eff: Efficiency, batch: Real, prompt: Real, output: Real, layout: Layout
) -> tuple[Floats, Step]:
    """Output tokens per second of a replica that serves one static batch after the other: b·o / (TTFT + o·TPOT)."""
    seconds, step = request_time(net, device, eff, batch, prompt, output, layout)
    return np.multiply(batch, output) / seconds, step


def saturated_rate(
    net: Network, device: Machine, eff: Efficiency, batch: Real, prompt: Real, output: Real, layout: Layout
) -> tuple[Floats, Step]:
    """Output tokens per second of a replica whose engine always has ``batch`` sequences in flight.

    With layers on pp devices, pp groups of batch/pp sequences go round. When they overlap fully each gets a token per
    pass; when not at all, per pp passes: ``pipeline_overlap`` lies between.
    """
    step = mixed_step(net, device, eff, np.divide(batch, layout.pp), prompt, output, layout)
    wait = 1.0 + (1.0 - eff.pipeline_overlap) * (np.asarray(layout.pp, float) - 1.0)
    return batch / (step.total * wait), step


def speculative_time(target: Floats, draft: Floats, drafted: Real, acceptance: Real) -> Floats:
    """Time per output token with speculative decoding: (k·draft + verification) / expected tokens.

    ``target`` is the time of one pass of the target model over the drafted tokens and the one before them, ``draft``
    of one step of the draft model. Y. Leviathan et al., 2023, sec. 3.1. https://arxiv.org/abs/2211.17192
    """
    return (np.multiply(drafted, draft) + target) / expected_tokens(acceptance, drafted)


def disaggregated_rate(
    prefill_seconds: Real, transfer_seconds: Real, token_seconds: Real, batch: Real, output: Real
) -> tuple[Floats, Floats]:
    """Prefill replicas per decode replica, and output tokens per second of one decode replica they keep busy.

    A prefill replica delivers a prompt and its cache every ``prefill_seconds`` (the transfer of one overlaps with the
    next unless it is longer); a decode replica finishes ``batch`` requests of ``output`` tokens every
    output·token_seconds. P. Patel et al., "Splitwise", ISCA 2024, sec. IV. https://arxiv.org/abs/2311.18677
    """
    rate = np.divide(batch, token_seconds)
    each = np.maximum(prefill_seconds, transfer_seconds)
    return rate / output * each, np.asarray(rate)
