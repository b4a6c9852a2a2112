"""How sure a result is: intervals, and a runtime fitted to one's own measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlsim.errors import DomainError, UnitError
from mlsim.functions import catalogue
from mlsim.functions.catalogue import Arg, declare
from mlsim.functions.inference import named
from mlsim.functions.training import LIBRARY, NO_LAYOUT, collective_links, planned
from mlsim.planner import inference
from mlsim.planner.flop_conventions import CONVENTIONS
from mlsim.registry import load

if TYPE_CHECKING:
    from mlsim.calibration.cases import AnyCase

# function -> what it predicts, as cases of measurements name it
_REPLICA = {
    "MLSIM_DECODE_LATENCY": "decode", "MLSIM_TPOT": "decode", "MLSIM_PREFILL_LATENCY": "prefill",
    "MLSIM_TTFT": "prefill", "MLSIM_PREFIX_LATENCY": "prefill", "MLSIM_THROUGHPUT": "static",
    "MLSIM_SERVING_TPOT": "interleaved", "MLSIM_SERVING_RATE": "saturated",
}  # fmt: skip
_TRAINING = {"MLSIM_TRAIN_STEP": "step", "MLSIM_TRAIN_TIME": "step", "MLSIM_MFU": "tokens"}
_COLLECTIVE = {"MLSIM_ALLREDUCE": "all_reduce", "MLSIM_ALLGATHER": "all_gather", "MLSIM_ALLTOALL": "all_to_all"}
_WITH_INTERVAL = (*_REPLICA, *_TRAINING, *_COLLECTIVE)


@declare(
    "Accuracy", Arg("function", "text", "A function that gives a time or a rate, such as 'MLSIM_TPOT'."),
    Arg("args", "raw", "The same arguments as in its cell.", vararg=True),
    example='=MLSIM_INTERVAL("MLSIM_TPOT","Llama-3-8B","H100",1,2048)',
)  # fmt: skip
def MLSIM_INTERVAL(function: str, *args: Any) -> list[list[float]]:
    """The 80 % interval of a result, low and high beside each other: eight of ten measurements should lie in it.

    Its width comes from published measurements that the fit had not seen; it is wider where nothing similar was measured.
    """
    from mlsim.calibration.predict import predictions

    target = catalogue.find(function)
    if target.name not in _WITH_INTERVAL:
        raise DomainError(f"{target.name} has no interval. Functions that have: {', '.join(_WITH_INTERVAL)}.")
    args = catalogue.single_cells(args)
    value = target(*args)
    if isinstance(value, list):
        raise UnitError("Give one cell's arguments: an interval belongs to one result.")
    found = predictions([_case(target.name, target.bound(args))])[0]
    return [[value * found.low / found.value, value * found.high / found.value]]


def _case(name: str, bound: dict[str, Any]) -> AnyCase:
    """Return the case that a function's arguments describe."""
    if name in _COLLECTIVE:
        return _collective_case(name, bound)
    named(bound["model"], bound["hardware"], "An interval")
    return _training_case(name, bound) if name in _TRAINING else _replica_case(name, bound)


def _replica_case(name: str, bound: dict[str, Any]) -> AnyCase:
    from mlsim.calibration.cases import Case

    chip, runtime, precision = bound["hardware"], bound["runtime"], bound["precision"]
    return Case(
        case_id="", family="", kind=_REPLICA[name], model=bound["model"], chip=chip, runtime=runtime, precision=precision,
        kv_precision=bound.get("kv_precision") or inference.BF16, compute=inference.computed_in(chip, precision),
        power_share=1.0, batch=bound.get("batch", bound.get("concurrency", 1.0)), prompt=bound.get("prompt", 0.0),
        output=bound.get("output", 1.0), context=bound.get("context", bound.get("cached", 0.0)), tp=bound["tp"], pp=1.0,
        ep=1.0, dp=1.0, memory_fraction=runtime.get("memory_fraction"),
    )  # fmt: skip


def _training_case(name: str, bound: dict[str, Any]) -> AnyCase:
    from mlsim.calibration.cases import TrainCase

    on, plan = planned(*(v for k, v in bound.items() if k not in NO_LAYOUT))
    chip = bound["hardware"]
    return TrainCase(
        case_id="", kind=_TRAINING[name], model=bound["model"], chip=chip, runtime=bound["runtime"],
        compute=inference.computed_in(chip, bound["precision"]), power_share=1.0, plan=plan, formats=on.formats,
        fabric=on.fabric, convention=CONVENTIONS["model"],
    )  # fmt: skip


def _collective_case(name: str, bound: dict[str, Any]) -> AnyCase:
    from mlsim.calibration.cases import CollectiveCase

    links = collective_links(
        bound["hardware"], bound["devices"], bound["domain"], bound["network"], bound["oversubscription"],
        bound.get("rails", 0.0),
    )  # fmt: skip
    message = bound["message"].to("byte").si * bound.get("imbalance", 1.0)
    return CollectiveCase(
        "", _COLLECTIVE[name], bound["hardware"], load.runtime(LIBRARY), message, bound["devices"], links
    )


@declare(
    "Accuracy",
    Arg("measurements", "raw", "A range: a header row, then one measurement per row."),
    example="=MLSIM_CALIBRATE(A4:I9)",
)
def MLSIM_CALIBRATE(measurements: Any) -> list[list[Any]]:
    """Fit a runtime to your own measurements: a table that spills, to be given as the runtime of other functions.

    Columns of the header, in any order: model, hardware, runtime, batch, prompt, output, context, precision, tp, and the
    measurement: TPOT or TTFT with its unit ("TPOT [ms]"), or "token/s per device". The result is a runtime argument.
    Its column 3 says how much of a parameter's uncertainty the measurements took away, which narrows intervals.
    """
    from mlsim.calibration.profile import calibrate
    from mlsim.calibration.sheet import measured_rows

    profile = calibrate(measured_rows(measurements))
    if profile.skipped:
        raise UnitError(f"measurements: {profile.skipped[0]}")
    table: list[list[Any]] = [["name", profile.name, ""], ["based on", profile.based_on, ""]]
    return table + [[p.name.replace("_", " "), p.text, p.determined] for p in profile.parameters]
