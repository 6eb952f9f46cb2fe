"""Pictures have labelled axes with units and show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.plotting import save_figure


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_time_course():
    course = cn.Simulator(cn.load_model("xor")).time_course([0, 1], t_end=20, steps={7.5: [1, 1]})
    ax = cn.plot_time_course(course)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "value (nM)")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), course["y0"])
    assert 7.4 < ax.lines[1].get_xdata()[0] <= 7.5
    ax = cn.plot_time_course(course, ["Y1_0", "x0"], ax=plt.figure().subplots())
    assert ax.get_ylabel() == "concentration (nM)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Y1_0", "x0"]
    with pytest.raises(KeyError, match="'z' is not in this result"):
        cn.plot_time_course(course, ["z"])


def test_confusion_matrix():
    ax = cn.plot_confusion_matrix(["a", "b", "b", "c"], ["a", "b", "c", "c"], labels=["c", "b", "a"])
    assert ax.images[0].get_array().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["c", "b", "a"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    with pytest.raises(cn.InputError, match="labels have shapes"):
        cn.plot_confusion_matrix([0, 1, 1, 0], [0])


def test_saved_whole_or_not_at_all(tmp_path):
    figure = cn.plot_confusion_matrix([0, 1], [0, 1]).figure
    assert save_figure(figure, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(cn.FileFormatError, match="known: "):
        save_figure(figure, tmp_path / "a.doc")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_history_shows_training_held_out_and_pruning(rng):
    x = rng.random((40, 2))
    net = cn.Network.random([2, 4, 1], seed=0, output=cn.Linear(h=0.01))
    result = cn.fit(net, x, x.sum(axis=1), max_iter=10, validation=0.2, density=0.5)
    ax = cn.plot_history(result)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training, with penalty", "held out", "least held out", "weights pruned"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("iteration", "mean loss", "log")
    drawn = ax.get_lines()[0].get_ydata()
    np.testing.assert_array_equal(drawn, result.history["loss"])


def test_accuracy_under_noise_is_drawn_with_bands():
    values = np.array([[1.0, 1.0, 1.0], [0.5, 0.7, 0.9]])
    ax = cn.plot_accuracy_under_noise({"plain": values, "robust": np.ones((2, 3))}, [0.0, 0.3])
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), [100, 70])
    assert len(ax.collections) == 2
    with pytest.raises(cn.InputError, match=r"expected \(3, draws\)"):
        cn.plot_accuracy_under_noise({"plain": values}, [0.0, 0.1, 0.2])


def test_sensitivities_are_drawn_largest_first():
    net = cn.Network.random([2, 3, 2], seed=0)
    found = cn.sensitivities(net, [0.5, 1.0])
    ax = cn.plot_sensitivities(found, limit=5)
    shown = [tick.get_text() for tick in ax.get_xticklabels()]
    assert len(shown) == 5
    assert shown[0] == found.parameters[np.abs(found.values).max(axis=0).argmax()]
    with pytest.raises(cn.InputError, match="several samples"):
        cn.plot_sensitivities(cn.sensitivities(net, [[0.5, 1.0]]))
