"""The command line. Every command ends in a sentence, never in a traceback.

Exit codes: 0 done; 1 the answer is "no" (a cell in error, a constant without a source); 2 the input is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlsim import __version__
from mlsim.errors import CellError

if TYPE_CHECKING:
    from mlsim.calibration.accuracy import Scored

__all__ = ["main"]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlsim", description="Capacity planning for ML systems, inside the spreadsheet."
    )
    parser.add_argument("--version", action="version", version=f"mlsim {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument(
            "--registry", action="append", default=[], metavar="FILE.yaml", help="your own chips and models"
        )
        return sub

    compare = command("compare", "write a workbook that compares accelerators for one model")
    compare.add_argument("--model", required=True, help="a model of the registry, such as Llama-3-70B")
    compare.add_argument("--hardware", required=True, type=_names, help="chips, separated by commas")
    _comparison_options(compare)

    template = command("template", "write one of the ready-made workbooks")
    template.add_argument("name", nargs="?", help="the template's name")
    template.add_argument("--list", action="store_true", help="list the templates")
    template.add_argument("-o", "--output-file", metavar="BOOK.xlsx")

    _recalc_options(command("recalc", "recalculate workbooks; only cached values change"))

    predict = command("predict", "predict a table of cases, each with its interval")
    predict.add_argument("cases", metavar="CASES.csv")
    predict.add_argument("-o", "--output-file", required=True, metavar="OUT.csv")

    validate = command("validate", "compare predictions with measurements")
    validate.add_argument("cases", nargs="+", metavar="CASES.csv")
    validate.add_argument("-o", "--output-file", metavar="REPORT.xlsx", help="write a report with plots")
    validate.add_argument(
        "--no-transfer",
        action="store_true",
        help="do not fit anew with each chip, chip class, model family, source and runtime left out",
    )
    validate.add_argument("--readme", metavar="FILE.md", help="rewrite the accuracy table of a Markdown file")

    calibrate = command("calibrate", "fit a runtime profile to your measurements")
    calibrate.add_argument("cases", metavar="MEASUREMENTS.csv")
    calibrate.add_argument("-o", "--output-file", required=True, metavar="PROFILE.yaml")
    calibrate.add_argument("--name", default="", help="name of the profile (default: the runtime's, calibrated)")

    _lint_options(command("lint", "find unit mistakes in any workbook"))

    search = command("search", "find the best training plan, or the cheapest serving plan")
    kinds = search.add_subparsers(dest="kind", metavar="KIND", required=True)
    _search_options(kinds)

    from mlsim_workbooks.sweep.command import add_options

    add_options(command("sweep", "compute functions, or a workbook, over a grid of values"))

    audit = command("audit", "list every constant with its source; fail when one lacks any")
    audit.add_argument("--summary", action="store_true", help="print counts and problems only")

    names = command("names", "give the functions in workbooks the names another spreadsheet knows")
    names.add_argument("books", nargs="+", metavar="BOOK", help="workbooks (.xlsx, .xlsm)")
    names.add_argument("--host", required=True, choices=("excel", "officejs", "libreoffice"))
    names.add_argument("-o", "--output-dir", metavar="DIR", help="write there instead of in place")

    install = command("install", "put the functions into Excel or LibreOffice")
    install.add_argument("host", choices=("excel", "libreoffice"))
    install.add_argument("--remove", action="store_true", help="take them out again")

    command("doctor", "look for what usually keeps the functions from working in a spreadsheet")

    serve = command("serve", "serve the functions to Excel's web add-in, on this machine only")
    serve.add_argument("--port", type=int, default=8443, help="default 8443")
    serve.add_argument("--manifest", metavar="FILE.xml", help="write the manifest that Excel asks for, and end")

    functions = command("functions", "print the function reference")
    functions.add_argument("--readme", metavar="FILE.md", help="rewrite the function table of a Markdown file instead")
    return parser


def _recalc_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("books", nargs="+", metavar="BOOK", help="workbooks (.xlsx, .xlsm)")
    parser.add_argument("-o", "--output-dir", metavar="DIR", help="write there instead of in place")
    parser.add_argument(
        "--engine", choices=("auto", "embedded", "libreoffice", "excel"), default="auto",
        help="what works the formulas out (auto: embedded)",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="workbooks at a time")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="recalculate on a Dask cluster, such as tcp://host:8786")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=300,
        metavar="SECONDS",
        help="for one workbook on this machine (default 300)",
    )
    parser.add_argument("--backup", action="store_true", help="keep what a workbook held before as BOOK.bak")
    parser.add_argument("--json", metavar="FILE", help="write a report as JSON; '-' is standard output")


def _lint_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("books", nargs="*", metavar="BOOK", help="workbooks (.xlsx, .xlsm), or folders of them")
    parser.add_argument("--json", metavar="FILE", help="write the findings as JSON; '-' is standard output")
    parser.add_argument("--sarif", metavar="FILE", help="write the findings as SARIF 2.1.0; '-' is standard output")
    parser.add_argument("--annotate", metavar="OUT.xlsx", help="write a copy of one workbook with the findings marked")
    parser.add_argument("--ignore", action="extend", nargs="+", default=[], metavar="RULE", help="rules to leave out")
    parser.add_argument("--rules", action="store_true", help="list the rules")


def _comparison_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompt", type=int, default=2048, help="prompt tokens (default 2048)")
    parser.add_argument("--output", type=int, default=512, help="generated tokens (default 512)")
    parser.add_argument("--batch", type=int, default=16, help="sequences at once (default 16)")
    parser.add_argument("--precision", default="bf16", help="number format of the weights (default bf16)")
    parser.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="'CHIP=2.50 $/GPU-h'",
        help="your price of a chip; may be repeated",
    )
    parser.add_argument("-o", "--output-file", required=True, metavar="BOOK.xlsx")


def _search_options(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what ``search train`` and ``search serve`` take."""
    train = kinds.add_parser("train", help="every parallel layout of a training run, fastest first")
    train.add_argument("--model", required=True)
    train.add_argument("--hardware", required=True, help="a chip")
    train.add_argument("--devices", required=True, type=int, metavar="N")
    train.add_argument(
        "--batch", type=int, metavar="B", help="sequences of a step (default: two per device, at least 64)"
    )
    train.add_argument("--sequence", type=int, default=4096, metavar="S", help="tokens of a sequence (default 4096)")
    train.add_argument("--runtime", default="Megatron-Core", help="training framework (default Megatron-Core)")
    train.add_argument(
        "--space", default="usual", help="which plans to try: usual, offload, calculon, ...; 'list' lists them"
    )
    serve = kinds.add_parser("serve", help="replicas, tensor parallel and batch for a request rate and latency targets")
    serve.add_argument("--model", required=True)
    serve.add_argument("--hardware", required=True, help="chips, separated by commas")
    serve.add_argument("--rate", required=True, metavar="'50 request/s'", help="requests that arrive")
    serve.add_argument("--prompt", type=int, default=1024, help="prompt tokens (default 1024)")
    serve.add_argument("--output", type=int, default=256, help="generated tokens (default 256)")
    serve.add_argument("--ttft", default="2 s", help="longest time to first token at the quantile (default 2 s)")
    serve.add_argument("--tpot", default="30 ms", help="longest time per output token (default 30 ms)")
    serve.add_argument("--quantile", type=float, default=0.9, help="share of requests that meet the TTFT (default 0.9)")
    serve.add_argument("--price", default="", metavar="'2.50 $/GPU-h,...'", help="prices in the order of the chips")
    serve.add_argument("--kv-precision", default="bf16", help="number format of the KV cache (default bf16)")
    serve.add_argument("--runtime", default="vLLM", help="serving framework (default vLLM)")
    for sub in (train, serve):
        sub.add_argument("--precision", default="bf16", help="number format (default bf16)")
        sub.add_argument("--top", type=int, default=10, metavar="N", help="plans to print (default 10)")
        sub.add_argument("-o", "--output-file", metavar="OUT.csv", help="write the plans as a table")
        sub.add_argument(
            "--registry", action="append", default=[], metavar="FILE.yaml", help="your own chips and models"
        )


def _compare(args: argparse.Namespace) -> int:
    from mlsim.registry import load
    from mlsim_workbooks.compare import build_comparison

    prices = {}
    for item in args.price:
        name, sign, text = item.partition("=")
        if not sign:
            raise CellError("#VALUE!", f"--price {item!r}: write CHIP=PRICE, such as 'MI300X=2.50 $/GPU-h'.")
        prices[load.chip(name).name] = text.strip()
    result = build_comparison(
        args.model, args.hardware, prompt=args.prompt, output=args.output, batch=args.batch, precision=args.precision,
        prices=prices, out=args.output_file,
    )  # fmt: skip
    for warning in result.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"Wrote {result.path}.")
    return 0


def _template(args: argparse.Namespace) -> int:
    from mlsim_workbooks.templates import TEMPLATES, build_template

    if args.list or not args.name:
        for name, (summary, _) in TEMPLATES.items():
            print(f"{name:20} {summary}")
        return 0
    path = build_template(args.name, args.output_file or f"{args.name}.xlsx")
    print(f"Wrote {path}.")
    return 0


def _recalc(args: argparse.Namespace) -> int:
    from mlsim_workbooks.recalc.command import run

    return run(args)


def _predict(args: argparse.Namespace) -> int:
    from mlsim.calibration.accuracy import predict_rows
    from mlsim.calibration.tables import PREDICTION_COLUMNS, prediction_rows, read_table, write_table

    table = read_table(args.cases)
    outcomes = predict_rows(table)
    write_table(args.output_file, PREDICTION_COLUMNS, prediction_rows(table, outcomes))
    missing = sum(outcome.prediction is None for outcome in outcomes)
    print(f"Wrote {args.output_file}: {len(outcomes) - missing:,} predictions, {missing:,} rows not supported.")
    return 0


def _validate(args: argparse.Namespace) -> int:
    from mlsim.calibration.accuracy import score
    from mlsim.calibration.tables import read_table

    table = [row for path in args.cases for row in read_table(path)]
    scored, unsupported = score(table)
    if not scored:
        why = f" The first row: {unsupported[0].message}" if unsupported else ""
        raise CellError("#VALUE!", f"No row has both a prediction and a measurement above 0.{why}")
    splits = {} if args.no_transfer else _transfer(scored)
    _print_accuracy("", scored, by_source=True)
    for name, column in splits.items():
        _print_accuracy(f" ({name}{'' if name == 'in sample' else ' left out'})", column)
    for outcome in unsupported:
        print(f"not supported: {outcome.case_id}: {outcome.message}", file=sys.stderr)
    if args.output_file:
        from mlsim_workbooks.validation import write

        families = {row.get("case_id", ""): row.get("family", "") for row in table}
        write(args.output_file, scored, unsupported, splits, families=families)
        print(f"Wrote {args.output_file}.")
    if args.readme:
        from mlsim.files import replace_section
        from mlsim_workbooks.validation import markdown

        replace_section(args.readme, "accuracy", markdown(scored, splits))
        print(f"Wrote the accuracy table of {args.readme}.")
    return 0


def _transfer(scored: list[Scored]) -> dict[str, list[Scored]]:
    """Fit anew with each chip, chip class, model family, source and runtime left out, with a progress bar on a terminal."""
    from tqdm import tqdm

    from mlsim.calibration.accuracy import SPLITS, timed_rows, transfer

    with tqdm(total=len(SPLITS) * len(timed_rows(scored)), unit="row", desc="left out", disable=None) as bar:
        return transfer(scored, bar.update)


def _print_accuracy(label: str, scored: list[Scored], by_source: bool = False) -> None:
    from mlsim.calibration.accuracy import summarise

    print(f"{'':58}{'rows':>6}{'median':>8}{'p90':>8}{'bias':>8}{'covered':>9}")
    groups = {f"{name}{label}": s for name, s in summarise(scored, lambda s: s.case.family).items()}
    if by_source:
        groups |= {f"  {name}": s for name, s in summarise(scored, lambda s: s.case.source[:50]).items()}
    for name, s in groups.items():
        print(f"{name:58}{s.rows:6}{s.median:8.1%}{s.p90:8.1%}{s.bias:+8.1%}{s.coverage:9.0%}")


def _calibrate(args: argparse.Namespace) -> int:
    from mlsim.calibration.profile import DETERMINED, calibrate
    from mlsim.calibration.tables import read_table
    from mlsim.files import write_file

    profile = calibrate(read_table(args.cases), args.name)
    write_file(args.output_file, profile.yaml(f"fit of {Path(args.cases).name}").encode())
    for why in profile.skipped:
        print(f"not used: {why}", file=sys.stderr)
    for p in profile.parameters:
        verdict = "determined" if p.determined >= DETERMINED else "as before" if p.determined < 0.05 else "hinted at"
        print(f"{p.name:22} {p.before:10.4g} -> {p.text:14} {verdict:10} ({p.determined:.0%} of its variance)")
    print(f"Wrote {args.output_file}: {profile.rows} measurements, median error {profile.error_before:.1%} before, "
          f"{profile.error_after:.1%} after.")  # fmt: skip
    return 0


def _audit(args: argparse.Namespace) -> int:
    from mlsim.registry.audit import constants, problems

    every = list(constants())
    if not args.summary:
        for c in every:
            source = c.citation
            fields = (c.table, c.entry, c.attribute, f"{c.value} {c.unit}", c.meaning, c.rank, source.get("title", ""), c.locator,
                      source.get("address", ""), source.get("date", ""))  # fmt: skip
            print("\t".join(fields))
    counts: dict[str, int] = {}
    for c in every:
        counts[c.table] = counts.get(c.table, 0) + 1
    found = problems()
    print(
        f"{len(every):,} constants: " + ", ".join(f"{n:,} in {table}" for table, n in counts.items()) + ".",
        file=sys.stderr,
    )
    for sentence in found:
        print(sentence, file=sys.stderr)
    print(f"{len(found)} without value, unit, meaning or source." if found else "Each has a value, a unit, a meaning and a source.",
          file=sys.stderr)  # fmt: skip
    return 1 if found else 0


def _functions(args: argparse.Namespace) -> int:
    from mlsim.files import replace_section
    from mlsim.functions.reference import markdown, summary_table
    from mlsim_workbooks.functions import CATALOGUE

    if args.readme:
        replace_section(args.readme, "functions", summary_table(CATALOGUE))
        print(f"Wrote the function table of {args.readme}.")
    else:
        print(markdown(CATALOGUE))
    return 0


def _lint(args: argparse.Namespace) -> int:
    from mlsim_workbooks.lint.command import run

    return run(args)


def _rename(args: argparse.Namespace) -> int:
    from mlsim_workbooks.names import rename_all

    return rename_all(args.books, args.host, args.output_dir)


def _install(args: argparse.Namespace) -> int:
    from importlib import import_module

    return import_module(f"mlsim_addin.{args.host}.install").run(args)


def _doctor(args: argparse.Namespace) -> int:
    from mlsim_addin.doctor import run

    return run(args)


def _serve(args: argparse.Namespace) -> int:
    from mlsim_addin.officejs.command import run

    return run(args)


def _search(args: argparse.Namespace) -> int:
    from mlsim_workbooks.search import serve, train

    return train(args) if args.kind == "train" else serve(args)


def _sweep(args: argparse.Namespace) -> int:
    from mlsim_workbooks.sweep.command import run

    return run(args)


_COMMANDS = {
    "sweep": _sweep,
    "search": _search, "compare": _compare, "template": _template, "recalc": _recalc, "predict": _predict, "validate": _validate,
    "calibrate": _calibrate, "audit": _audit, "functions": _functions, "lint": _lint,
    "names": _rename, "install": _install, "doctor": _doctor, "serve": _serve,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and (any(word.startswith("-") for word in rest) or not hasattr(args, "books")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        args.books += rest  # argparse does not take workbooks on both sides of an option
    from mlsim.units import unit

    unit.own_process = True
    try:
        if getattr(args, "registry", None):
            from mlsim.functions import use_registry_file

            for file in args.registry:
                use_registry_file(file)
        return _COMMANDS[args.command](args)
    except CellError as error:
        print(f"mlsim: {error.message}", file=sys.stderr)
    except OSError as error:
        print(f"mlsim: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
    except KeyboardInterrupt:
        print("mlsim: stopped.", file=sys.stderr)
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main())
