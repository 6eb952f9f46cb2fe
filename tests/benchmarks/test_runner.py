"""Who runs benchmarks: limits, failures, budgets, what is resumed; with fake and with real
processes.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from support import contenders
from support.contenders import CASES, Fake, benchmark, plain

from crn_nn_tellurium.benchmarks import FULL, QUICK, Contender, begin, run
from crn_nn_tellurium.benchmarks.results import Results
from crn_nn_tellurium.benchmarks.runner import distance
from crn_nn_tellurium.benchmarks.worker import Worker, brief_error
from crn_nn_tellurium.errors import FileFormatError


def measured(plan, subject, effort=FULL, results=None):
    """The last results, and the fake worker."""
    fake = Fake(plan)
    results = results or begin(True, ["steady_state"])
    for found in run([subject], effort, results, lambda _: fake, lambda: fake.clock[0]):
        results = found
    return results, fake


def outcomes(results, contender):
    return [one.outcome for one in results.of("steady_state") if one.contender == contender]


def test_all_take_turns_and_medians_are_kept():
    steps = itertools.count()

    class Uneven(dict):
        def __getitem__(self, key):
            # one round in which the machine was busy
            return 0.9 if next(steps) == 5 else 0.1

    subject = benchmark(*plain("ours", "peer"), cases=CASES[:1], limit=50.0)
    results, fake = measured(Uneven(), subject)
    ours, peer = results.measurements
    calls = [entry[0] for entry in fake.log if entry != "end"]
    # each is called once to be warm and once for its first sample, then they take turns
    assert calls == ["ours", "ours", "peer", "peer", *["ours", "peer"] * 6][: len(calls)]
    assert (ours.cpu, ours.wall, peer.cpu) == (0.1, 0.2, 0.1)
    assert max(ours.high, peer.high) == 0.9
    assert (ours.weights, ours.ready, ours.memory, ours.off) == (10, 0.25, 50.0, 0.0)


def test_what_is_fast_is_called_many_times_and_what_is_slow_once():
    plan = {("ours", CASES[0]): 1e-6, ("peer", CASES[0]): 2.5}
    subject = benchmark(*plain("ours", "peer"), cases=CASES[:1])
    results, fake = measured(plan, subject)
    calls = {name: [n for who, _, n in fake.log[:-1] if who == name] for name in ("ours", "peer")}
    assert calls["peer"] == [1]
    assert calls["ours"][-1] * 1e-6 >= FULL.least
    assert calls["ours"][-FULL.rounds :] == [calls["ours"][-1]] * FULL.rounds
    assert [one.rounds for one in results.measurements] == [FULL.rounds, 1]


def test_a_curve_ends_where_a_step_takes_too_long_or_fails():
    slow = {("slow", case): s for case, s in zip(CASES, (0.1, 9.0, 0.1), strict=True)}
    bad = {("bad", case): "ValueError: no" for case in CASES}
    ours = {("ours", case): 0.1 for case in CASES}
    results, fake = measured(slow | bad | ours, benchmark(*plain("ours", "slow", "bad")))
    assert outcomes(results, "ours") == ["", "", ""]
    assert outcomes(results, "slow") == ["", "beyond 5 s", "not run: 4-25 beyond 5 s"]
    end = "not run: 2-5 failed (ValueError: no)"
    assert outcomes(results, "bad") == ["failed (ValueError: no)", end, end]
    # its process was ended, and no step of it came after
    assert ("slow", CASES[2], 1) not in fake.log


def test_what_shares_a_process_that_was_ended_keeps_what_is_measured():
    """ours is prepared in the process that hangs with slow, and not in the one after it."""
    plan = {("ours", CASES[0]): 0.1, ("slow", CASES[0]): 9.0, ("late", CASES[0]): 0.1}
    clock, subject = [0.0], benchmark(*plain("ours", "slow", "late"), cases=CASES[:1])
    effort = replace(FULL, fresh=False)
    results = begin(True, ["steady_state"])
    for found in run([subject], effort, results, lambda _: Fake(plan, clock), lambda: clock[0]):
        results = found
    assert [one.outcome for one in results.measurements] == ["", "beyond 5 s", ""]
    assert [one.rounds for one in results.measurements] == [1, 0, FULL.rounds]


def test_limits_of_a_contender_and_of_an_effort():
    plan = {("ours", CASES[0]): 8.0, ("peer", CASES[0]): 8.0}
    patient = [*plain("ours", limit=10.0), *plain("peer")]
    results, _ = measured(plan, benchmark(*patient, cases=CASES[:1]))
    assert [one.outcome for one in results.measurements] == ["", "beyond 5 s"]
    results, _ = measured(plan, benchmark(*patient, cases=CASES[:1]), replace(QUICK, budget=99))
    assert [one.outcome for one in results.measurements] == ["beyond 6 s", "beyond 5 s"]


def test_peers_end_with_the_budget_that_they_share_and_ours_do_not():
    plan = {(name, case): 4.0 for name in ("ours", "other", "peer", "late") for case in CASES}
    contenders = [*plain("ours"), *plain("other", is_peer=False), *plain("peer", "late")]
    results, _ = measured(plan, benchmark(*contenders, budget=14.0))
    assert outcomes(results, "ours") == outcomes(results, "other") == ["", "", ""]
    assert outcomes(results, "peer") == ["", "", "not run: the peers' 14 s were used"]
    assert outcomes(results, "late")[1] == "not run: the peers' 14 s were used"


def test_a_quick_peer_is_measured_whatever_slow_ones_took():
    seconds = {"ours": 0.01, "slow": 4.0, "slower": 5.0, "quick": 0.01}
    plan = {(name, case): took for name, took in seconds.items() for case in CASES}
    results, _ = measured(plan, benchmark(*plain(*seconds), limit=12.0, budget=20.0))
    used = "not run: the peers' 20 s were used"
    assert outcomes(results, "quick") == outcomes(results, "ours") == ["", "", ""]
    assert outcomes(results, "slow")[-1] == outcomes(results, "slower")[-1] == used


def test_what_is_not_installed_or_known_to_be_long_is_said():
    ours = {("ours", case): 0.1 for case in CASES}
    known = {("known", CASES[0]): 0.1}
    absent = Contender("absent", contenders.quick, ("no_such_module.part", "numpy"))
    subject = benchmark(*plain("ours"), absent, *plain("known", up_to=10))
    results, _ = measured(ours | known, subject)
    assert outcomes(results, "absent") == ["not installed: no_such_module"] * 3
    assert outcomes(results, "known") == ["", *["not run beyond 10 weights"] * 2]


def test_a_quick_look_leaves_out_large_cases():
    ours = {("ours", case): 0.1 for case in CASES}
    results, _ = measured(ours, benchmark(*plain("ours")), replace(QUICK, weights=100))
    assert [one.case for one in results.measurements] == ["2-5", "4-25"]


def test_an_interrupted_run_goes_on_where_it_was():
    plan = {("ours", case): 0.1 for case in CASES} | {("peer", CASES[0]): 9.0}
    subject = benchmark(*plain("ours", "peer"))
    whole, _ = measured(plan, subject)
    fake = Fake(plan)
    started = begin(True, ["steady_state"])
    asked = run([subject], FULL, started, lambda _: fake, lambda: fake.clock[0])
    first = next(asked)
    asked.close()
    assert fake.log[-1] == "end"
    # through its file, as a command does it
    kept = Results.from_json(first.to_json())
    resumed, again = measured(plan, subject, results=kept)
    assert not [entry for entry in again.log if CASES[0] in entry]
    assert outcomes(resumed, "peer") == outcomes(whole, "peer")
    assert [one.case for one in resumed.measurements] == [one.case for one in whole.measurements]
    assert resumed.seconds > kept.seconds
    done, idle = measured(plan, subject, results=resumed)
    assert done == resumed
    assert idle.log == []


def test_distances_of_answers():
    assert distance([1.0, 2.0], [1.0, 2.5]) == 0.5
    assert distance([np.nan, 2.0], [1.0, 2.0]) == np.inf
    assert distance([1.0], [1.0, 2.0]) == np.inf
    assert np.isnan(distance(None, [1.0]))


def test_results_are_read_back():
    plan = {("ours", case): 0.1 for case in CASES} | {("peer", CASES[0]): 9.0}
    results, _ = measured(plan, benchmark(*plain("ours", "peer")))
    text = results.to_json()
    again = Results.from_json(text)
    assert again.to_json() == text
    assert again.machine == results.machine
    assert again.measurements[0] == results.measurements[0]


def test_what_is_infinite_or_not_known_is_read_back():
    """A peer without an answer is so after a pause too, and a machine that does not say its memory
    is the same one.
    """
    plan = {("ours", CASES[0]): 0.1}
    results, _ = measured(plan, benchmark(*plain("ours"), cases=CASES[:1]))
    rows = tuple(replace(results.measurements[0], off=off) for off in (np.inf, np.nan))
    machine = replace(results.machine, memory_gb=None)
    again = Results.from_json(replace(results, machine=machine, measurements=rows).to_json())
    assert [str(one.off) for one in again.measurements] == ["inf", "nan"]
    assert again.machine == machine


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}', "[" * 10**5])
def test_other_files_are_refused(text):
    with pytest.raises(FileFormatError, match=r"'figures.json': no figures of crn-nn bench \("):
        Results.from_json(text, "figures.json")


def test_errors_are_one_short_line():
    assert brief_error(ValueError("no  such\nmodel")) == "ValueError: no such model"
    assert brief_error(KeyError()) == "KeyError"
    assert len(brief_error(ValueError("x" * 1000))) < 200


def test_real_processes_are_timed_fail_hang_and_die():
    """No fake: spawned, ended, and started anew."""
    names = ("quick", "off", "without_answer", "hangs", "breaks", "dies", "allocates")
    all_of_them = [Contender(name, getattr(contenders, name)) for name in names]
    all_of_them[3] = replace(all_of_them[3], limit=0.5)
    subject = benchmark(*all_of_them, cases=CASES[:1], limit=60.0)
    effort = replace(FULL, rounds=2, least=0.001)
    *_, results = run([subject], effort, begin(True, ["steady_state"]), Worker)
    found = {one.contender: one for one in results.measurements}
    assert found["hangs"].outcome == "beyond 0.5 s"
    assert found["breaks"].outcome == "failed (ValueError: no such model)"
    assert found["dies"].outcome == "failed (its process ended with exit code 3)"
    assert 0 < found["quick"].cpu < 1e-3  # a list is made, of two items
    distances = [found[name].off for name in ("quick", "off", "without_answer")]
    assert distances == [0.0, 0.5, np.inf]
    # 200 MB, which the others have not
    more = found["allocates"].memory - found["quick"].memory
    assert np.isnan(more) or 150 < more < 250
