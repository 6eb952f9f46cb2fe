"""The command as a user types it."""

import sys

import pytest

from crn_nn_tellurium import commands


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Runs crn-nn in an empty folder with what is typed, ``run("show xor")``; returns exit code,
    standard output and standard error.
    """
    monkeypatch.chdir(tmp_path)

    def run(typed):
        monkeypatch.setattr(sys, "argv", ["crn-nn", *typed.split()])
        with pytest.raises(SystemExit) as caught:
            commands.run()
        printed = capsys.readouterr()
        return caught.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture
def flowers(tmp_path):
    """Iris as a table whose headings are no identifiers, in flowers.csv."""
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    frame = data.data.assign(species=data.target_names[data.target])
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    return frame
