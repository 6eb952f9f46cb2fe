"""Outcomes: texts that know what they are."""

import pickle

import numpy as np
import pytest

from crn_nn_tellurium.simulation.outcome import (
    AFTER_INTEGRATION,
    CLOSED_FORM,
    INTEGRATED,
    SOLVED,
    Kind,
    Outcome,
    failures,
    outcomes,
    worse,
)

GAVE_UP = Outcome.failure("CVODE gave up: at t = 1")
NO_TIME = Outcome.failure("no bound", Kind.NO_TIME)


def test_an_outcome_is_its_text():
    assert SOLVED == "solved"
    assert GAVE_UP == "failed: CVODE gave up: at t = 1"
    assert repr(AFTER_INTEGRATION) == "'solved after integration'"


@pytest.mark.parametrize(
    ("outcome", "kind", "reason", "failed"),
    [
        (SOLVED, Kind.SOLVED, "", False),
        (AFTER_INTEGRATION, Kind.AFTER_INTEGRATION, "", False),
        (INTEGRATED, Kind.INTEGRATED, "", False),
        (CLOSED_FORM, Kind.CLOSED_FORM, "", False),
        (GAVE_UP, Kind.FAILED, "CVODE gave up: at t = 1", True),
        (NO_TIME, Kind.NO_TIME, "no bound", True),
    ],
)
def test_kind_and_reason_survive_files_and_processes(outcome, kind, reason, failed):
    for again in (outcome, Outcome(str(outcome)), pickle.loads(pickle.dumps(outcome))):
        assert (again.kind, again.reason, again.failed) == (kind, reason, failed)


def test_the_first_failure_counts_else_the_first_that_was_not_plainly_solved():
    assert SOLVED.worse(INTEGRATED) is INTEGRATED
    assert AFTER_INTEGRATION.worse(INTEGRATED) is AFTER_INTEGRATION
    assert AFTER_INTEGRATION.worse(SOLVED) is AFTER_INTEGRATION
    assert INTEGRATED.worse(GAVE_UP) is GAVE_UP
    # a doubt says more of a number than how it was found, and less than that there is none
    doubt = Outcome("doubtful: few molecules")
    assert not doubt.failed
    assert AFTER_INTEGRATION.worse(doubt) is doubt.worse(SOLVED) is doubt
    assert doubt.worse(GAVE_UP) is GAVE_UP.worse(doubt) is GAVE_UP
    assert GAVE_UP.worse(NO_TIME) is GAVE_UP


def test_arrays_of_outcomes_are_combined_as_numbers_are():
    before = outcomes(SOLVED, (2, 1))
    before[1] = GAVE_UP
    after = np.array([SOLVED, INTEGRATED, NO_TIME], dtype=object)
    found = worse(before, after)
    assert found.tolist() == [[SOLVED, INTEGRATED, NO_TIME], [GAVE_UP] * 3]
    assert all(isinstance(outcome, Outcome) for outcome in found.flat)
    assert failures(found).tolist() == [[False, False, True], [True, True, True]]
    # where nothing new is said, the shape stays small
    assert worse(before, outcomes(SOLVED, (2, 5))) is before
    alone = worse(outcomes(SOLVED, ()), outcomes(INTEGRATED, ()))
    assert (alone.shape, alone.item()) == ((), INTEGRATED)


def test_texts_of_a_file_fail_as_outcomes_do():
    assert failures(np.array(["solved", str(GAVE_UP)], dtype=object)).tolist() == [False, True]


@pytest.mark.parametrize("outcome", [SOLVED, INTEGRATED, GAVE_UP])
def test_arrays_without_dimensions_fail_as_their_outcome_does(outcome):
    found = failures(outcomes(outcome, ()))
    assert (found.shape, bool(found)) == ((), outcome.failed)
