"""Pictures are written whole or not at all."""

import sys
from types import SimpleNamespace

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots import figures
from crn_nn_tellurium.plots.figures import save_figure


def test_saved_whole_or_not_at_all(tmp_path):
    figure = cn.plot_confusion_matrix([0, 1], [0, 1]).figure
    assert save_figure(figure, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(cn.FileFormatError, match="known: "):
        save_figure(figure, tmp_path / "a.doc")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_notebook_gets_its_backend_back_once(monkeypatch):
    """tests/test_notebook_magics.py has the notebook itself."""
    ran = []
    shell = SimpleNamespace(run_line_magic=lambda *words: ran.append(words))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setattr(figures, "_TAKEN", ["inline"])
    monkeypatch.delitem(sys.modules, "tellurium", raising=False)
    cn.plot_confusion_matrix([0, 1], [0, 1])
    assert ran == []  # Agg is somebody's own choice
    monkeypatch.setitem(sys.modules, "tellurium", SimpleNamespace())
    for _ in range(2):
        cn.plot_confusion_matrix([0, 1], [0, 1])
    assert ran == [("matplotlib", "inline")]
