"""A window to read DNA in: what is so is drawn, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

import crn_nn_tellurium as cn


@pytest.fixture(scope="module")
def window():
    return cn.read_out_window(cn.load_model("xor"), [[0, 1], [1, 1]], n_points=51)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_spans_and_lines_are_of_what_happens(window):
    words = ["readable (class right)", "all samples readable", "ideal, certified"]
    assert legend(cn.plot_read_out_window(window))[-3:] == words
    never = replace(window, settled=np.array([window.settled[0], np.nan]))
    assert legend(cn.plot_read_out_window(never, 0))[-2:] == [words[0], words[2]]
    assert legend(cn.plot_read_out_window(never, 1))[-1] == words[2]
    assert not set(words[:2]) & set(legend(cn.plot_read_out_window(never, 1)))
    unknown = replace(window, bound=np.full(2, np.nan))
    assert legend(cn.plot_read_out_window(unknown))[-2:] == words[:2]


def test_more_outputs_than_ten_have_no_legend(window):
    of_eleven = {
        name: np.repeat(getattr(window, name), 11, axis=-1)
        for name in ("outputs", "ideal", "targets")
    }
    names = tuple(f"y{i}" for i in range(11))
    many = replace(window, output_names=names, output_labels=names, **of_eleven)
    assert cn.plot_read_out_window(many).get_legend() is None
