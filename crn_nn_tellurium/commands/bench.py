"""`crn-nn bench`: this package beside its peers, and how cost grows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from crn_nn_tellurium.basics import check_target, progress_bar
from crn_nn_tellurium.commands.arguments import Overwrite
from crn_nn_tellurium.commands.console import console, new_table, note, say, say_written
from crn_nn_tellurium.errors import InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.benchmarks import Results


def command(
    full: Annotated[
        bool, Option("--full", help="All sizes, to 1,000,000 weights; else a minute's look.")
    ] = False,
    only: Annotated[
        list[str] | None, Option(help="A subject, gradient say; may be repeated. By default all.")
    ] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", help="Folder for figures.json, report.md and its pictures."),
    ] = None,
    resume: Annotated[
        bool, Option("--resume", help="Go on with what an interrupted run left in the folder.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """This package beside its peers, each in a process of its own, in one run.

    Example: [bold]crn-nn bench --full -o figures[/bold]
    """
    # what it measures with takes a second to import
    from crn_nn_tellurium.benchmarks import (
        FULL,
        QUICK,
        begin,
        cases_of,
        chosen,
        run,
        write_figures,
        write_report,
    )

    benchmarks, effort = chosen(only or []), FULL if full else QUICK
    _check_folder(output, resume, overwrite)
    subjects = [benchmark.subject for benchmark in benchmarks]
    results = begin(full, subjects)
    if resume and output is not None:
        results = _resumed(results, output)
    total = sum(len(cases_of(benchmark, effort)) for benchmark in benchmarks)
    try:
        # shown through a pipe too, where minutes without a word look like a fault
        with progress_bar("measuring", True, total) as show:
            show(results.n_cases, "")
            for so_far in run(benchmarks, effort, results):
                results, last = so_far, so_far.measurements[-1]
                show(results.n_cases, f"{last.subject} of {last.case}")
                if output is not None:
                    write_figures(results, output)
    except KeyboardInterrupt:
        if output is not None:
            write_report(results, output)
            note(f"crn-nn: interrupted; what is measured is in {output}, and --resume goes on")
        else:
            _print(results)
            note("crn-nn: interrupted")
        raise SystemExit(130) from None  # what shells give to what Ctrl-C ended
    _print(results)
    if output is not None:
        write_report(results, output)
        say_written("figures, report and pictures", output)


def _check_folder(output: Path | None, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that cannot be written, before the work for it is done."""
    from crn_nn_tellurium.benchmarks import FIGURES

    if output is None:
        if resume:
            raise InputError(
                "--resume without --output; expected the folder of the run to go on with"
            )
        return
    if resume and overwrite:
        raise InputError("--resume and --overwrite; expected one of them")
    if not output.is_dir():
        check_target(output)
        if output.exists():
            raise FileExistsError(f"{str(output)!r} is a file; expected a folder")
    if (output / FIGURES).exists() and not (resume or overwrite):
        raise FileExistsError(
            f"{str(output)!r} has figures of a run; --overwrite replaces them, --resume goes on"
        )


def _resumed(new: Results, folder: Path) -> Results:
    """What the folder has, to go on with: on the same machine, with the same versions."""
    from crn_nn_tellurium.benchmarks import read_figures

    old = read_figures(folder)
    for what, before, now in (
        ("--full", old.full, new.full),
        ("subjects", old.subjects, new.subjects),
        ("machine and versions", old.machine, new.machine),
    ):
        if before != now:
            raise InputError(
                f"{str(folder)!r}: its run had other {what} ({before}, now {now}); expected the"
                " same; --overwrite begins anew"
            )
    return replace(old, pauses=old.pauses + 1)


def _print(results: Results) -> None:
    """Every subject's times, and where others are faster."""
    from crn_nn_tellurium.benchmarks import lost_text, machine_text, present, subject_table

    for benchmark in present(results):
        table = subject_table(results, benchmark)
        printed = new_table(table.title, table.left, table.right)
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)
    say("Where others are faster", style="bold")
    say(lost_text(results))
    say(machine_text(results))
