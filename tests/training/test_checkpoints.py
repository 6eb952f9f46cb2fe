"""A training that stops, or is stopped, goes on to the same result."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from support.trainings import small

import crn_nn_tellurium as cn


class HaltError(Exception):
    pass


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
    while not (path.exists() and json.loads(path.read_text(encoding="utf-8"))["iteration"] > 5):
        time.sleep(0.05)
        assert victim.poll() is None
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert json.loads(path.read_text(encoding="utf-8"))["iteration"] < 100
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
    cn.load_model("xor").save(path)
    with pytest.raises(cn.FileFormatError, match="no checkpoint"):
        cn.fit(small(), *flowers, **options)
