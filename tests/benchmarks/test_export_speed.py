"""SBML through libSBML against libAntimony's parser, COPASI files against COPASI's reading of SBML:
in one run, as networks grow.
"""

import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from support import copasi_worker
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


def in_children(work):
    """CPU seconds of the processes that a call starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def read_by_copasi(text):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        executor.submit(copasi_worker.reaction_functions, text).result()


def test_copasi_files_are_written_sooner_than_copasi_reads_their_sbml():
    """Tasks and a steady state included: at the size of digits in a third of the time."""
    pytest.importorskip("basico")
    ours, reading, weights = [], [], []
    for shape in ([16, 16, 4], [32, 32, 8], [64, 32, 10]):
        net = cn.Network.random(shape, seed=0)
        weights.append(net.n_weights)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.cps")
            ours.append(in_children(lambda net=net, path=path: cn.export(net, path)))
        text = sbml.document_text(Source(net))
        reading.append(in_children(lambda text=text: read_by_copasi(text)))
    for n, a, b in zip(weights, ours, reading, strict=True):
        print(f"{n} weights: {a:.2f} s, COPASI's reading {b / a:.2f} times that")
    assert reading[-1] > ours[-1]
