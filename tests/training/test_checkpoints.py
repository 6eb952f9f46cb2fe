"""A training that stops, or is stopped, goes on to the same result."""

import contextlib
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.trainings import small

import crn_nn_tellurium as cn
from crn_nn_tellurium.training import checkpoints


class HaltError(Exception):
    pass


def states(path):
    """Whole lines behind the first."""
    return path.read_bytes().count(b"\n") - 1


LONG = pytest.mark.slow
"""To the end; the same options stop sooner beside it."""


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            {
                "optimizer": cn.Adam(max_iter=8),
                "validation": 0.2,
                "noise": cn.RateErrors(0.1, draws=2),
            },
            id="adam",
        ),
        pytest.param(
            {
                "optimizer": cn.Adam(max_iter=6),
                "validation": 0.2,
                "noise": cn.Molecules(100),
                "constraints": cn.Constraints(h_bounds=(1e-3, 0.1)),
            },
            id="adam for few molecules",
        ),
        pytest.param(
            {"optimizer": cn.LBFGS(max_iter=110), "noise": cn.Molecules(100)},
            id="lbfgs for few molecules",
            marks=LONG,
        ),
        *(
            pytest.param(
                {
                    "optimizer": cn.LBFGS(max_iter=steps, tolerance=1e-12),
                    "constraints": cn.Constraints(l2=1e-3),
                },
                id=name,
                marks=marks,
            )
            for name, steps, marks in (("lbfgs", 40, []), ("lbfgs to the end", 250, LONG))
        ),
        *(
            pytest.param(
                {
                    "optimizer": cn.LBFGS(max_iter=steps),
                    "constraints": cn.Constraints(density=0.5, l2=1e-3),
                },
                id=name,
                marks=marks,
            )
            for name, steps, marks in (("pruned", 15, []), ("pruned later", 60, LONG))
        ),
        pytest.param(
            {"optimizer": cn.Adam(max_iter=3), "constraints": cn.Constraints(density=0.5)},
            id="adam pruned",
        ),
    ],
)
def test_an_interrupted_training_resumes_to_the_same_result(options, flowers, tmp_path):
    path = tmp_path / "run.json"
    whole = cn.fit(small(), *flowers, "cross_entropy", **options)
    assert len(whole.records) > 5

    def interrupt(record, net):
        if record.iteration == int(0.7 * len(whole.records)):
            raise HaltError

    with pytest.raises(HaltError):
        cn.fit(
            small(),
            *flowers,
            "cross_entropy",
            monitor=cn.Monitor(checkpoint=path, callback=interrupt),
            **options,
        )
    assert path.exists()
    kept = cn.Monitor(checkpoint=path)
    resumed = cn.fit(small(), *flowers, "cross_entropy", monitor=kept, **options)
    assert resumed.network == whole.network
    assert [r.loss for r in resumed.records] == [r.loss for r in whole.records]
    finished = cn.fit(small(), *flowers, "cross_entropy", monitor=kept, **options)
    assert finished.network == whole.network


def test_a_stop_by_callback_does_not_stick_in_the_checkpoint(flowers, tmp_path):
    options = {
        "loss": "cross_entropy",
        "optimizer": cn.LBFGS(max_iter=30),
        "constraints": cn.Constraints(density=0.5),
    }
    path = tmp_path / "run.json"
    monitor = cn.Monitor(path, callback=lambda record, net: record.iteration == 5)
    stopped = cn.fit(small(), *flowers, monitor=monitor, **options)
    assert (stopped.stopped, len(stopped.records)) == ("callback", 5)
    assert (
        cn.fit(small(), *flowers, monitor=cn.Monitor(path), **options).network
        == cn.fit(small(), *flowers, **options).network
    )


def test_a_killed_process_loses_nothing_but_time(tmp_path):
    code = """
import sys, numpy as np, crn_nn_tellurium as cn
x, _, y, _ = cn.model_data("iris")
x = x / x.max(axis=0)
names = sorted(set(y.tolist()))
net = cn.Network.random([4, 6, 3], seed=0, output=cn.Linear(h=0.01), class_names=names)
monitor = cn.Monitor(checkpoint=sys.argv[1] if len(sys.argv) > 1 else None)
result = cn.fit(net, x, y, "cross_entropy", optimizer=cn.Adam(max_iter=100), monitor=monitor)
print(repr(result.loss))
"""
    path = tmp_path / "run.json"
    victim = subprocess.Popen([sys.executable, "-c", code, str(path)])
    while not (path.exists() and states(path) > 5):
        time.sleep(0.05)
        assert victim.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert states(path) < 100
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, *more], capture_output=True, text=True, check=True
        ).stdout
        for more in ([str(path)], [])
    ]
    assert outputs[0] == outputs[1]


def test_a_checkpoint_of_another_training_is_refused(flowers, tmp_path):
    path = tmp_path / "run.json"
    options = {
        "optimizer": cn.Adam(max_iter=2),
        "loss": "cross_entropy",
        "monitor": cn.Monitor(path),
    }
    cn.fit(small(), *flowers, **options)
    own = [
        cn.Loss(
            lambda y, t, c=c: np.square(y - t).sum(axis=1) + c, lambda y, t: 2 * (y - t), "classes"
        )
        for c in (0, 1)
    ]
    other = {**options, "monitor": cn.Monitor(tmp_path / "own.json")}
    cn.fit(small(), *flowers, **{**other, "loss": own[0]})
    with pytest.raises(cn.FileFormatError, match="other data or other settings"):
        cn.fit(small(), *flowers, **{**other, "loss": own[1]})
    for change in (
        {"constraints": cn.Constraints(l2=0.1)},
        {"optimizer": cn.Adam(max_iter=2, seed=1)},
        {"noise": 0.1},
        {"noise": cn.Molecules(100)},
        {"validation": 0.2},
        {"loss": "hinge"},
    ):
        with pytest.raises(cn.FileFormatError, match="other data or other settings"):
            cn.fit(small(), *flowers, **{**options, **change})
    with pytest.raises(cn.FileFormatError, match="other data or other settings"):
        cn.fit(small(), flowers[0][1:], flowers[1][1:], **options)
    path.unlink()
    cn.load_model("xor").save(path)
    with pytest.raises(cn.FileFormatError, match="no checkpoint"):
        cn.fit(small(), *flowers, **options)


ADAM = {"loss": "cross_entropy", "optimizer": cn.Adam(max_iter=12), "validation": 0.2}


@pytest.fixture(scope="module")
def finished(flowers, tmp_path_factory):
    """A training to its end, and its checkpoint."""
    path = tmp_path_factory.mktemp("finished") / "run.json"
    return cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), path.read_bytes()


def assert_same(result, expected):
    assert result.network == expected.network
    assert [record.loss for record in result.records] == [r.loss for r in expected.records]


def test_states_are_appended_and_none_costs_more_than_another(finished):
    """Rewritten with all records, 1,000 epochs took 13.4 s where the training takes 1.4 s."""
    lines = finished[1].splitlines()[2:]  # behind the header, and the state with the network
    assert len(lines) == 12
    assert max(map(len, lines)) < 1.2 * min(map(len, lines))  # numbers have 16 digits or 17


@pytest.mark.parametrize("left", [0.2, 0.5, 0.9, 0.999])
def test_a_write_that_was_cut_off_loses_the_last_state_alone(left, finished, flowers, tmp_path):
    whole, content = finished
    path = tmp_path / "run.json"
    path.write_bytes(content[: int(left * len(content))])
    assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)
    # it went on from there, and what was cut off is gone
    resumed, original = path.read_bytes().splitlines(), content.splitlines()
    assert len(resumed) == len(original)
    n_kept = content[: int(left * len(content))].count(b"\n")
    assert resumed[:n_kept] == original[:n_kept]


def test_a_file_cut_off_in_its_first_line_is_none_of_ours(finished, flowers, tmp_path):
    path = tmp_path / "run.json"
    for content in (b"", finished[1][:20], b"[1]", b"\xff\n"):
        path.write_bytes(content)
        with pytest.raises(cn.FileFormatError, match=r"run.json': no checkpoint of a training"):
            cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM)


@pytest.mark.parametrize("version", [2, 4, True, None])
def test_a_checkpoint_of_another_format_says_so(version, finished, flowers, tmp_path):
    path = tmp_path / "run.json"
    said = json.dumps(version).encode()
    path.write_bytes(finished[1].replace(b'"format_version": 3', b'"format_version": ' + said, 1))
    message = rf"run.json': a checkpoint of format version {version}; this package reads version 3"
    with pytest.raises(cn.FileFormatError, match=message):
        cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM)


@pytest.mark.parametrize("where", [1, 5, 13])
def test_a_flipped_byte_is_said_and_solved_again(where, finished, flowers, tmp_path):
    whole, content = finished
    path = tmp_path / "run.json"
    lines = content.splitlines(keepends=True)
    digits = bytearray(lines[where])
    # another digit, so that the line is JSON as before
    place = next(i for i in range(100, len(digits)) if digits[i] in b"12345678")
    digits[place] += 1
    path.write_bytes(b"".join([*lines[:where], bytes(digits), *lines[where + 1 :]]))
    with pytest.warns(RuntimeWarning, match=r"run.json' is damaged from byte \d+ on"):
        assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)
    # a state that is missing is seen by the next one's digest
    path.write_bytes(b"".join([*lines[:where], *lines[where + 1 :]]))
    with contextlib.nullcontext() if where == 13 else pytest.warns(RuntimeWarning, match="damaged"):
        assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)


WRONG = {
    "round": [None, -1, 3, 10**400, float("nan"), []],
    "seconds": ["1", None, 10**400],
    "stopped": [1],
    "best": [[]],
    "theta": [[1.0], [[1.0]], ["1_0"], None],
    "records": [[[1]], [[None, 1.0, None, 1.0, 1.0, 1.0]], [1]],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_state_of_other_types_is_refused_whatever_its_digest(name, finished, flowers, tmp_path):
    """Digests guard against accident: who writes a file can write them too."""
    path = tmp_path / "run.json"
    first, *lines = finished[1].splitlines()
    document = json.loads(lines[0].partition(b" ")[2])
    for value in WRONG[name]:
        digest = hashlib.sha256(first + b"\n").hexdigest()
        text = json.dumps(document | {name: value}).encode()
        digest = hashlib.sha256(digest.encode() + text).hexdigest()
        path.write_bytes(first + f"\n{digest} ".encode() + text + b"\n")
        with pytest.raises(cn.FileFormatError, match=r"run\.json"):
            cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM)


def test_a_first_line_nested_without_end_is_no_checkpoint(flowers, tmp_path):
    path = tmp_path / "run.json"
    path.write_bytes(b"[" * 100_000)
    with pytest.raises(cn.FileFormatError, match="no checkpoint of a training"):
        cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM)


def test_a_file_that_grows_is_written_anew(finished, flowers, tmp_path, monkeypatch):
    whole, content = finished
    monkeypatch.setattr(checkpoints, "_ROOM", 0)
    monkeypatch.setattr(checkpoints, "_GROWTH", 2)
    path = tmp_path / "run.json"
    assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)
    assert path.stat().st_size < 0.7 * len(content)
    assert states(path) < 10
    assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)


def test_a_full_disk_names_the_file_and_leaves_what_was_there(finished, flowers, tmp_path):
    whole, content = finished
    path = tmp_path / "run.json"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # files of more bytes are refused as those of a full disk are
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match=r"cannot write it into its folder.*run.json'") as caught:
            cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(path)
    assert states(path) > 3
    assert_same(cn.fit(small(), *flowers, monitor=cn.Monitor(path), **ADAM), whole)
