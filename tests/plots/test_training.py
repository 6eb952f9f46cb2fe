"""Histories of trainings, and classes given beside true ones."""

import numpy as np

import crn_nn_tellurium as cn


def test_history_shows_training_held_out_and_pruning(rng):
    x = rng.random((40, 2))
    net = cn.Network.random([2, 4, 1], seed=0, output=cn.Linear(h=0.01))
    result = cn.fit(
        net,
        x,
        x.sum(axis=1),
        optimizer=cn.LBFGS(max_iter=10),
        validation=0.2,
        constraints=cn.Constraints(density=0.5),
    )
    ax = cn.plot_history(result)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training, with penalty", "held out", "least held out", "weights pruned"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("iteration", "mean loss", "log")
    drawn = ax.get_lines()[0].get_ydata()
    np.testing.assert_array_equal(drawn, result.history["loss"])


def test_confusion_matrix():
    ax = cn.plot_confusion_matrix(
        ["a", "b", "b", "c"], ["a", "b", "c", "c"], labels=["c", "b", "a"]
    )
    # of the two that are b, one is called b and one c
    assert ax.images[0].get_array().tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]
    assert [text.get_text() for text in ax.texts] == ["1\n100%", "1\n50%", "1\n50%", "1\n100%"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["c", "b", "a"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
