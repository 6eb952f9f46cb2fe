"""Long work says that it goes on, to whom looks on; quick work says nothing."""

import time

import pytest

from crn_nn_tellurium.basics import progress, progress_bar


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal, whose user waits for a tenth of a second."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(progress, "_is_seen", lambda: True)
    monkeypatch.setattr(progress, "PATIENCE", 0.1)


def wait_until(condition):
    """For a thread to have come so far, at most 30 s on a busy machine."""
    end = time.perf_counter() + 30
    while not condition():
        assert time.perf_counter() < end
        time.sleep(0.01)


def test_long_work_is_shown_and_what_is_part_of_it_is_not(terminal, capsys, monkeypatch):
    begun = []
    begin = progress._Bar.begin
    monkeypatch.setattr(progress._Bar, "begin", lambda bar: (begin(bar), begun.append(bar)))
    with progress_bar("measuring", total=3) as advance:
        advance(1, "rows")  # before it is shown
        with progress_bar("a part"):
            wait_until(lambda: begun)
        advance(2, "rows")
    shown = capsys.readouterr().err
    assert "measuring" in shown
    assert "2/3" in shown
    assert "rows" in shown
    assert "a part" not in shown


def test_quick_work_and_what_nobody_sees_show_nothing(terminal, capsys, monkeypatch):
    with progress_bar("quick") as advance:
        advance(1, "rows")
    with progress_bar("asked not to", False):
        time.sleep(0.2)
    monkeypatch.setattr(progress, "_is_seen", lambda: False)
    with progress_bar("into a file"):
        time.sleep(0.2)
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_what_is_asked_for_is_shown_at_once(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_bar("asked for", True, 1) as advance:
        advance(1, "rows")
    assert "1/1" in capsys.readouterr().err
