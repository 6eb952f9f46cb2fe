"""Pictures are written whole or not at all."""

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots.figures import save_figure


def test_saved_whole_or_not_at_all(tmp_path):
    figure = cn.plot_confusion_matrix([0, 1], [0, 1]).figure
    assert save_figure(figure, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(cn.FileFormatError, match="known: "):
        save_figure(figure, tmp_path / "a.doc")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
