"""What is said of a run: exponents, tables, reasons, the folder."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn
from crn_nn_tellurium import benchmarks
from crn_nn_tellurium.benchmarks import BENCHMARKS, begin
from crn_nn_tellurium.benchmarks.models import LADDER, n_weights
from crn_nn_tellurium.benchmarks.report import read_figures, report, write_report
from crn_nn_tellurium.benchmarks.results import Machine, Measurement, Results
from crn_nn_tellurium.benchmarks.tables import exponent, seconds, times

GRADIENT = next(one for one in BENCHMARKS if one.subject == "gradient_closed_form")
OURS, TORCH, JAX = (one.name for one in GRADIENT.contenders)


def row(case, contender, cpu=math.nan, outcome="", **more):
    weights = n_weights(case)
    return Measurement(GRADIENT.subject, case, weights, contender, outcome, cpu, cpu, **more)


def results_of(*rows, subjects=("gradient_closed_form",)):
    return replace(begin(True, subjects), measurements=rows)


MEASURED = results_of(
    *(row(case, OURS, 1e-8 * 10**i, off=0.0) for i, case in enumerate(LADDER[1:5], 2)),
    *(row(case, TORCH, 4e-9 * 10**i, off=0.0) for i, case in enumerate(LADDER[1:3], 2)),
    row(LADDER[3], TORCH, outcome="beyond 12 s"),
    *(row(case, JAX, outcome="not installed: jax") for case in LADDER[1:4]),
)


def test_exponents_of_known_curves():
    sizes = np.array([10.0, 100.0, 1e3, 1e4])
    for power in (0.0, 0.79, 2.0):
        assert exponent(sizes, 3e-7 * sizes**power) == pytest.approx(power, abs=ROUNDED)
    noisy = 3e-7 * sizes**1.5 * np.array([1.1, 0.9, 1.1, 0.9])
    # ten per cent at both ends of three decades
    assert exponent(sizes, noisy) == pytest.approx(1.5, abs=0.05)
    assert math.isnan(exponent([10.0], [1.0]))


def test_the_ladder_has_decades_of_weights():
    assert [n_weights(case) for case in LADDER] == [10**n for n in range(1, 7)]
    assert n_weights("xor") == 6


def test_words_for_times_and_ratios():
    found = [seconds(t) for t in (2.5, 0.25, 2.5e-5, 2.5e-8)]
    assert found == ["2.5 s", "250 ms", "25 µs", "25 ns"]
    assert [times(r) for r in (0.0123, 1.0, 12345.0, math.nan)] == ["0.012", "1", "12,000", ""]


def test_a_table_says_what_was_not_measured():
    table = benchmarks.subject_table(MEASURED, GRADIENT).markdown().splitlines()
    assert table[2:] == [
        "| 5-10-5 | 100 | 1 µs | 400 ns (0.4) | not installed |",
        "| 20-40-5 | 1,000 | 10 µs | 4 µs (0.4) | not installed |",
        "| 60-100-40 | 10,000 | 100 µs | beyond 12 s | not installed |",
        "| 200-400-50 | 100,000 | 1 ms |  |  |",
    ]


def test_growth_has_exponents_of_three_sizes_or_none():
    growth = {line[1]: line for line in benchmarks.growth_table(MEASURED).rows}
    assert growth[OURS][2:] == ("1 µs (100)", "1 ms (100,000)", "1.00")
    assert growth[TORCH][2:] == ("400 ns (100)", "4 µs (1,000)", "")


def test_reasons_are_given_where_they_were_measured_and_nowhere_else():
    text = benchmarks.lost_text(MEASURED)
    why = GRADIENT.contenders[1].faster_because
    assert f"**{TORCH}**, 2.5 times as fast (5-10-5, 20-40-5): {why}." in text
    assert JAX not in text
    slower = results_of(row("5-10-5", OURS, 1e-6), row("5-10-5", TORCH, 0.95e-6))
    assert benchmarks.lost_text(slower) == "Nowhere in this run."


def test_nobody_is_slower_who_was_not_measured():
    ours = row("5-10-5", OURS, 1e-6)
    for known in ((), (ours,), (ours, row("5-10-5", JAX, outcome="not installed: jax"))):
        assert benchmarks.lost_text(results_of(*known)) == "No peer was measured."


def test_a_peer_that_is_faster_for_no_reason_given_is_named(monkeypatch):
    bare = replace(GRADIENT.contenders[1], faster_because="")
    known = replace(GRADIENT, contenders=(GRADIENT.contenders[0], bare))
    monkeypatch.setattr("crn_nn_tellurium.benchmarks.tables.BENCHMARKS", (known,))
    found = results_of(row("5-10-5", OURS, 1e-6), row("5-10-5", TORCH, 1e-7))
    assert "10 times as fast (5-10-5): no reason is known." in benchmarks.lost_text(found)


def test_a_report_says_who_is_missing_who_disagrees_and_what_was_not_reached():
    known = [
        row("5-10-5", OURS, 1e-6, off=0.0),
        row("5-10-5", TORCH, 1e-6, off=math.inf),
        row("5-10-5", JAX, 1e-6, off=0.25),
    ]
    text = report(results_of(*known, subjects=("gradient_closed_form", "noise")))
    assert "**This run was ended before** noise **were measured.**" in text
    assert f"- {TORCH} found no answer (5-10-5); its time is there." in text
    assert f"- **{JAX} is 2.5e-01 from our answer for 5-10-5.**" in text
    text = report(MEASURED)
    assert f"- {TORCH}: beyond 12 s (60-100-40)." in text
    assert f"- {JAX}: not installed: jax (5-10-5, 20-40-5, 60-100-40)." in text
    assert "ended before" not in text


def test_the_machine_is_described_and_what_it_did_besides():
    machine = Machine("a processor", 2, 8.0, "a system", "3.11", {"numpy": "2.4", "jax": None})
    idle = replace(MEASURED, machine=machine, load_before=0.1, load_after=1.2)
    text = benchmarks.machine_text(idle)
    assert "a processor, 2 cores, 8 GB; load 0.1 before and 1.2 at the end" in text
    assert text.endswith("numpy 2.4. Not installed: jax.")
    for busy in (replace(idle, load_before=1.5), replace(idle, load_after=4.0)):
        assert "**The machine was not idle**" in benchmarks.machine_text(busy)
    assert "minutes, in 3 parts: " in benchmarks.machine_text(replace(idle, pauses=2))
    assert "load not known" in benchmarks.machine_text(replace(idle, load_before=math.nan))
    silent = replace(idle, machine=replace(machine, memory_gb=None))
    assert "2 cores, memory not known; load" in benchmarks.machine_text(silent)


def test_a_folder_has_figures_report_and_its_pictures_alone(tmp_path):
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "noise.png").write_bytes(b"of another run")
    (folder / "mine.png").write_bytes(b"somebody's")
    write_report(MEASURED, folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "figures.json",
        "gradient_closed_form.png",
        "memory.png",
        "mine.png",
        "report.md",
    ]
    assert read_figures(folder).to_json() == MEASURED.to_json()
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text == report(MEASURED)
    assert "(gradient_closed_form.png)" in text


def test_every_subject_that_was_asked_for_is_there():
    asked = (
        "generation compile compile_cached steady_state gradient scan training certificate"
        " enclosure noise time_course export_sbml"
    )
    assert set(asked.split()) <= set(benchmarks.SUBJECTS)
    for benchmark in BENCHMARKS:
        names = [one.name for one in benchmark.contenders]
        assert len(set(names)) == len(names) > 1, benchmark.subject
        assert any(one.is_peer for one in benchmark.contenders[1:]), benchmark.subject


def test_a_full_run_ends_in_time():
    """What peers may take leaves minutes of 25 for ours and for imports."""
    assert sum(one.budget for one in BENCHMARKS) < 22 * 60


@pytest.mark.parametrize(
    ("name", "value"),
    [("subjects", [[1]]), ("load_before", "1_0"), ("load_after", 10**400), ("full", 1)],
)
def test_figures_of_other_types_are_refused(name, value):
    document = json.loads(begin(False, ["gradient"]).to_json()) | {name: value}
    with pytest.raises(cn.FileFormatError, match="no figures of crn-nn bench"):
        Results.from_json(json.dumps(document))
