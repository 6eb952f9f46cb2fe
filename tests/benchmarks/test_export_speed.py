"""SBML through libSBML against libAntimony's parser, in one run, as networks grow."""

import numpy as np
import pytest
from support.timing import seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.writing import Source
from crn_nn_tellurium.importers import antimony_to_sbml

pytestmark = pytest.mark.slow  # times are for idle machines


def test_sbml_is_written_in_time_linear_in_the_size_and_faster_than_by_antimony():
    """Twice the weights take about twice as long (three times is allowed for), where the parser
    takes four times.
    """
    ours, parser, weights = [], [], []
    for width in (8, 16, 32):
        net = cn.Network.random([width, width, 4], seed=0)
        text = cn.to_antimony(net)
        weights.append(width * width + 4 * width)
        ours.append(seconds(lambda net=net: sbml.document_text(Source(net))))
        parser.append(seconds(lambda text=text: antimony_to_sbml(text), repeats=1))
    for n, a, b in zip(weights, ours, parser, strict=True):
        print(f"{n} weights: libSBML {a * 1e3:.1f} ms, libAntimony {b / a:.1f} times that")
    growth = np.diff(np.log(ours)) / np.diff(np.log(weights))
    assert growth.max() < np.log2(3)
    assert parser[-1] / ours[-1] > 2
