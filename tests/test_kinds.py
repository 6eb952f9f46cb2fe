"""Whatever is given where a model is taken: an answer, or an error that says what is taken."""

import contextlib
import inspect
import io
import signal
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from support.arguments import cases, untried

import crn_nn_tellurium as cn

CRN = cn.ReactionNetwork(
    [cn.Species("A", 1.0), cn.Species("B")], [cn.Reaction("J", ("A",), ("B",), "k", 1.0)]
)
THINGS = (
    CRN,
    "A -> B; k*A; A = 1; k = 1",
    Path("nothing.xml"),
    None,
    3.0,
    np.ones(2),
    cn.Simulator(CRN),
    cn.Layer([[1.0]]),
)
GIVEN = {"X": [[0.0, 1.0]], "x": [0.0, 1.0], "y": [1], "Y": [[1.0]], "vary": {"x0": [0.0, 1.0]}}
"""What goes with the model, by the name of the argument."""
TAKE_A_MODEL = """
    Simulator to_reactions layer_reactions to_antimony layer_models to_roadrunner verify gradient
    check_gradients sensitivities transient_sensitivities certify settling_time enclosure
    certified_margin attack attack_margin statistical_margin choose_h balance read_out_window
    smallest_fuel fastest_units domain_parts to_strand_displacement robustness scan fit from_sklearn
""".split()
REFUSALS = (
    cn.InputError,
    cn.NetworkError,
    cn.ReactionError,
    cn.FileFormatError,
    cn.NotCertified,
    FileNotFoundError,
)


@pytest.mark.parametrize("name", TAKE_A_MODEL)
def test_what_is_no_model_is_refused_in_words(name):
    """No AttributeError from inside, nor a TypeError; some of these take some of the things."""
    function = getattr(cn, name)
    _, *more = (
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    )
    for thing in THINGS:
        with contextlib.suppress(*REFUSALS):
            function(thing, *(GIVEN[argument] for argument in more))


def test_domain_parts_says_what_gives_its_argument():
    with pytest.raises(cn.InputError, match="got Network; expected StrandDisplacement, which to_s"):
        cn.domain_parts(cn.load_model("xor"))


FULL = 10**6
"""More combinations than there are: all of them, in the slow run."""
QUICK = 400
SLOW = set(
    """
    animate_layers attack attack_margin certified_margin check_gradients choose_h plot_network
    read_out_window refine robustness smallest_fuel statistical_margin
""".split()
)
"""Whose base call takes half a second or more: in the slow run alone."""


PATIENCE = 60
"""Seconds, far above what any call with good arguments takes."""


@contextlib.contextmanager
def within(seconds):
    """An error in what runs longer, where there are signals of that kind."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_):
        raise RuntimeError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def stray(case):
    """What came instead of an answer or a refusal in words; None where one of these came."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), within(PATIENCE):
            case.call()
    except (*REFUSALS, cn.ConvergenceError, cn.IdentifierError, OSError) as refused:
        return None if str(refused) else "no word"
    except KeyError as error:
        # mappings of results say what they hold
        return None if " " in str(error) else repr(error)
    except Exception as error:
        if case.function.startswith(("CRNClassifier", "CRNRegressor")):
            return None  # scikit-learn's own checks of data, and its words
        return repr(error)[:200]
    finally:
        plt.close("all")
    return None


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Bad paths are names of files here."""
    monkeypatch.chdir(tmp_path)


def chosen_cases(n):
    """So many, drawn from all."""
    found = cases()
    order = np.random.default_rng(20).permutation(len(found))
    return [found[i] for i in order[:n]]


def test_every_method_is_tried_or_called_by_the_package_alone():
    assert not untried()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [QUICK, pytest.param(FULL, marks=pytest.mark.slow)])
def test_whatever_an_argument_is_given_is_answered_or_refused_in_words(n, elsewhere):
    """Of 12,000 by hand, 1,300 were strays: TypeError from inside, numpy's ValueError, ..."""
    tried = [case for case in chosen_cases(n) if case.function not in SLOW or n == FULL]
    strays = {str(case): found for case in tried if (found := stray(case)) is not None}
    assert not strays
