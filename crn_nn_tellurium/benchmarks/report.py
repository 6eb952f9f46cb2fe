"""The folder of a run: figures that machines read, a report that people read, and its pictures."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterable
from pathlib import Path

from crn_nn_tellurium.basics import read_text, write_files
from crn_nn_tellurium.benchmarks.declared import Benchmark
from crn_nn_tellurium.benchmarks.results import Results
from crn_nn_tellurium.benchmarks.subjects import SUBJECTS
from crn_nn_tellurium.benchmarks.tables import (
    EQUAL,
    FITTED,
    growth_table,
    is_compared,
    lost,
    memory_table,
    present,
    subject_table,
)

FIGURES, REPORT, MEMORY = "figures.json", "report.md", "memory.png"


def read_figures(folder: Path) -> Results:
    """What a run measured, from its folder."""
    path = folder / FIGURES
    return Results.from_json(read_text(path), str(path))


def write_figures(results: Results, folder: Path) -> None:
    """What has been measured so far."""
    folder.mkdir(exist_ok=True)
    write_files({folder / FIGURES: results.to_json().encode()})


def write_report(results: Results, folder: Path) -> None:
    """The figures, the report and its pictures; pictures of what this run did not measure go."""
    # matplotlib takes a second, which only pictures are to cost
    from crn_nn_tellurium.benchmarks.pictures import memory_picture, subject_picture

    pictures = {
        f"{benchmark.subject}.png": subject_picture(results, benchmark)
        for benchmark in present(results)
    }
    if pictures:
        pictures[MEMORY] = memory_picture(results)
    files = {FIGURES: results.to_json().encode(), REPORT: report(results).encode()}
    for name, figure in pictures.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
        files[name] = buffer.getvalue()
    folder.mkdir(exist_ok=True)
    write_files({folder / name: content for name, content in files.items()})
    for name in (*(f"{subject}.png" for subject in SUBJECTS), MEMORY):
        if name not in files:
            (folder / name).unlink(missing_ok=True)


def report(results: Results) -> str:
    """The report in Markdown."""
    parts = [
        "# Report of the benchmarks",
        machine_text(results),
        *_unfinished(results),
        "Times are CPU time on one thread (with that of processes that are started): medians of"
        " rounds in which all take turns. Of peers, the number in brackets is their time over ours:"
        " below 1 they are faster. An open triangle is where a step took longer than it may; there"
        f" a curve ends. Exponents go through the {FITTED} largest random networks.",
        "## Where others are faster",
        lost_text(results),
        "## How time grows",
        growth_table(results).markdown(),
    ]
    for benchmark in present(results):
        parts += _subject(results, benchmark)
    if present(results):
        parts += ["## Memory", f"![Memory of this package]({MEMORY})"]
        parts += [_MEMORY_NOTE, memory_table(results).markdown()]
    return "\n\n".join(parts) + "\n"


_MEMORY_NOTE = (
    "The most memory that each contender's process had for the largest network that it did, with"
    " Python and all imports (nothing but the package is some 180 MB), and the CPU time of what is"
    " made once, before the clock runs."
)


def machine_text(results: Results) -> str:
    """When, on what, with which versions, and how busy it was."""
    machine = results.machine
    there = ", ".join(f"{name} {v}" for name, v in machine.versions.items() if v)
    absent = ", ".join(name for name, v in machine.versions.items() if not v)
    memory = "memory not known" if machine.memory_gb is None else f"{machine.memory_gb:g} GB"
    load = "load not known"
    if not math.isnan(results.load_before):
        load = f"load {results.load_before:.1f} before and {results.load_after:.1f} at the end"
    # the run itself is one process
    ends = results.load_before, results.load_after - 1
    busy = max(ends) > 0.5 * machine.cores
    resumed = f", in {results.pauses + 1} parts" if results.pauses else ""
    text = (
        f"One run of `{results.command}` on {results.started}, {results.seconds / 60:.0f}"
        f" minutes{resumed}: {machine.processor}, {machine.cores} cores, {memory}; {load};"
        f" {machine.system}; Python {machine.python}; {there}."
    )
    if absent:
        text += f" Not installed: {absent}."
    if busy:
        text += " **The machine was not idle**: read ratios, and these roughly."
    return text


def _unfinished(results: Results) -> Iterable[str]:
    measured = {row.subject for row in results.measurements}
    left = [name for name in results.subjects if name not in measured]
    if left:
        yield f"**This run was ended before** {', '.join(left)} **were measured.**"


def lost_text(results: Results) -> str:
    """Every peer that was measured to be faster, where, and why."""
    lines = []
    for title, own in itertools.groupby(lost(results), lambda one: one.benchmark.title):
        lines.append(f"- {title}:")
        lines += [f"  - {one.sentence()}" for one in own]
    if not lines:
        return "Nowhere in this run." if is_compared(results) else "No peer was measured."
    note = f"A peer counts as faster where it takes less than {EQUAL:g} of our time."
    return "\n".join([note, "", *lines])


def _subject(results: Results, benchmark: Benchmark) -> Iterable[str]:
    yield f"## {benchmark.title}"
    yield benchmark.what
    yield f"![{benchmark.title}]({benchmark.subject}.png)"
    yield subject_table(results, benchmark).markdown()
    notes = list(_notes(results, benchmark))
    if notes:
        yield "\n".join(f"- {note}" for note in notes)


def _notes(results: Results, benchmark: Benchmark) -> Iterable[str]:
    """Who did not run and why, and whose answers are others."""
    for contender in benchmark.contenders:
        rows = results.of(benchmark.subject, contender.name)
        reasons: dict[str, list[str]] = {}
        for row in rows:
            if row.outcome:
                reasons.setdefault(row.outcome, []).append(row.case)
        for outcome, cases in reasons.items():
            yield f"{contender.name}: {outcome} ({', '.join(cases)})."
        none = [row.case for row in rows if math.isinf(row.off)]
        if none:
            yield f"{contender.name} found no answer ({', '.join(none)}); its time is there."
    if benchmark.agreement is None:
        return
    known = [row for row in results.of(benchmark.subject) if math.isfinite(row.off)]
    theirs = [row for row in known if row.contender != benchmark.ours.name]
    if theirs:
        far = max(theirs, key=lambda row: row.off)
        yield f"Answers are at most {far.off:.0e} apart ({far.contender}, {far.case})."
    for row in theirs:
        if row.off > benchmark.agreement:
            yield f"**{row.contender} is {row.off:.1e} from our answer for {row.case}.**"
