"""`crn-nn bench`, as it is typed."""

import pytest

from crn_nn_tellurium.benchmarks import SUBJECTS, read_figures


def test_folders_and_subjects_are_checked_before_anything_is_measured(run, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "figures.json").write_text("{}")
    for typed, words in {
        "--only speed": "--only is 'speed'; expected one of 'generation', 'compile',",
        "--resume": "--resume without --output; expected the folder of the run to go on with",
        "-o new --resume --overwrite": "--resume and --overwrite; expected one of them",
        "-o no/new": "cannot write 'no/new': there is no folder 'no'",
        "-o file": "'file' is a file; expected a folder",
        "-o done": "'done' has figures of a run; --overwrite replaces them, --resume goes on",
        "-o done --resume": "figures.json': no figures of crn-nn bench (",
        "-o new --resume": "figures.json': there is no such file",
    }.items():
        code, out, err = run(f"bench {typed}")
        assert (code, out) == (2, ""), typed
        assert words in err, typed
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_quick_look_measures_every_subject(run, tmp_path):
    code, out, err = run("bench -o figures")
    assert code == 0, err
    assert "wrote figures (figures, report and pictures, " in err
    results = read_figures(tmp_path / "figures")
    assert {one.subject for one in results.measurements} == set(SUBJECTS)
    ours = [one for one in results.measurements if one.contender == "this package"]
    smallest = {one.subject: one for one in reversed(ours)}
    assert [one for one in smallest.values() if not one.is_measured] == []
    assert not [one for one in results.measurements if one.outcome.startswith("failed")]
    assert "Where others are faster" in out
    report = (tmp_path / "figures" / "report.md").read_text(encoding="utf-8")
    for subject in SUBJECTS:
        assert f"({subject}.png)" in report
        assert (tmp_path / "figures" / f"{subject}.png").exists()


def test_a_subject_is_measured_interrupted_and_gone_on_with(run, tmp_path, monkeypatch):
    """The real thing, of one subject without peers to wait for."""
    from crn_nn_tellurium import benchmarks

    whole = benchmarks.run

    def interrupted(*args):
        for number, results in enumerate(whole(*args)):
            yield results
            if number == 0:
                raise KeyboardInterrupt

    monkeypatch.setattr(benchmarks, "run", interrupted)
    code, _, err = run("bench --only generation -o figures")
    assert code == 130
    assert "interrupted; what is measured is in figures, and --resume goes on" in err
    assert read_figures(tmp_path / "figures").n_cases == 1
    assert (tmp_path / "figures" / "generation.png").exists()
    monkeypatch.setattr(benchmarks, "run", whole)
    code, _, err = run("bench --only noise -o figures --resume")
    assert code == 2
    assert "'figures': its run had other subjects" in err
    code, out, err = run("bench --only generation -o figures --resume")
    assert code == 0, err
    results = read_figures(tmp_path / "figures")
    assert (results.n_cases, results.pauses) == (3, 1)
    assert "Text of the whole network: CPU time of a network" in out


def test_an_interrupted_look_without_a_folder_is_printed(run, tmp_path, monkeypatch):
    from crn_nn_tellurium import benchmarks

    def interrupted(*args):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmarks, "run", interrupted)
    code, out, err = run("bench --only generation")
    assert code == 130
    assert "Where others are faster\nNo peer was measured.\nOne run of `crn-nn bench` on " in out
    assert err.endswith("crn-nn: interrupted\n")
    assert not list(tmp_path.iterdir())
