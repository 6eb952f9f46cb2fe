"""Pictures are written whole or not at all."""

import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
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


ODD = ("costs $5", "{b_ to $6", "$x^2$")


@pytest.mark.parametrize(
    "draw",
    [
        lambda net, x: cn.plot_network(net),
        lambda net, x: cn.plot_time_course(cn.Simulator(net).time_course(x, 1.0, 3)),
        lambda net, x: cn.plot_layers(cn.Simulator(net).time_course(x, 1.0, 3))[-1],
        lambda net, x: cn.plot_sensitivities(cn.sensitivities(net, x), "y2")[0],
        lambda net, x: cn.plot_envelope(cn.certify(net, x, tolerance=0.5)),
        lambda net, x: cn.plot_confusion_matrix(ODD, ODD),
        lambda net, x: cn.plot_certified_margins([0.1, 0.2, 0.3], ODD),
        lambda net, x: cn.plot_scan_map(_classes_over(net)),
    ],
    ids="network time_course layers sensitivities envelope confusion margins map".split(),
)
def test_dollars_in_class_names_are_no_formulas(draw, tmp_path):
    """matplotlib would set what is between two as mathematics, or not be able to draw at all."""
    net = cn.Network.random([2, 3], seed=0, class_names=ODD)
    picture = save_figure(draw(net, [0.5, 1.0]).figure, tmp_path / "a.svg")
    assert "$x^2$" in "".join(ElementTree.parse(picture).getroot().itertext())


def test_a_legend_of_long_names_stays_within_its_picture():
    names = tuple(f"{number} " + "long" * 9 for number in range(3))
    net = cn.Network.random([2, 3], seed=0, class_names=names)
    ax = cn.plot_envelope(cn.certify(net, [0.5, 1.0], tolerance=0.5))
    ax.figure.canvas.draw()
    drawn, room = ax.get_legend().get_window_extent(), ax.figure.bbox
    assert room.x0 <= drawn.x0 < drawn.x1 <= room.x1


def _classes_over(net):
    grid = np.linspace(0, 1, 3)
    found = cn.scan(net, {"x0": grid, "x1": grid}, outputs="class")["class"]
    return found.copy(data=np.resize(np.array(ODD, dtype=object), (3, 3)))
