"""Where scans run: the same result, to the bit, whoever solves it and whatever happens to them on
the way.
"""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from support import scan_jobs

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import sealed
from crn_nn_tellurium.scans import scanning, workers as scan_workers
from crn_nn_tellurium.scans.arguments import make_plan
from crn_nn_tellurium.scans.workers import own_pool

TESTS = Path(__file__).parents[1]
XOR = cn.load_model("xor")
SLOW = pytest.mark.slow
"""For what one worker less, or another pool, shows as well: each process takes seconds to start."""
VARY = {"h": np.geomspace(1e-4, 1, 5), "x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 40)}


@pytest.fixture(scope="module")
def expected():
    return cn.scan(XOR, VARY, outputs=["outputs", "class"])


@pytest.fixture(scope="module")
def whole():
    """What an interrupted scan comes to."""
    return cn.scan(XOR, scan_jobs.GRID)


@pytest.fixture(scope="module")
def totals():
    return cn.scan(
        XOR,
        {"x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 20)},
        outputs={"total": scan_jobs.total},
    )


def assert_same(found, expected):
    xr.testing.assert_identical(found, expected)
    for name in expected.data_vars:  # to the bit, as `identical` says too, and NaN for NaN
        assert (
            found[name].values.tobytes() == expected[name].values.tobytes()
            or found[name].dtype == object
        )


@pytest.mark.parametrize("workers", [pytest.param(1, marks=SLOW), 2, pytest.param(3, marks=SLOW)])
def test_processes_of_ours_give_the_same(expected, workers):
    with own_pool(workers) as pool:
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=pool), expected)


def test_processes_are_started_where_that_pays(expected, monkeypatch, caplog):
    monkeypatch.setattr(scan_workers, "own_pool", lambda n: pytest.fail("processes are started"))
    with caplog.at_level("INFO", "crn_nn_tellurium"):
        # README's example: 1.4 s here, and 7.4 s with processes
        grid = {"x0": np.linspace(0, 1, 100), "x1": np.linspace(0, 1, 100)}
        plan = make_plan(XOR, grid, outputs=["outputs", "class", cn.SettlingTime(bound="cheap")])
        assert scan_workers.who_pays(2, scan_workers.estimated_seconds(plan, 10_000)) is None
        assert "solved in this process" in caplog.text
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=2), expected)
    # a hundred times as many points, or the envelope's times, or a function that may take any time
    for quantity, n_points in (
        ("outputs", 1_000_000),
        ("settling_time", 1_000),
        (scan_jobs.total, 1),
    ):
        seconds = scan_workers.estimated_seconds(make_plan(XOR, grid, outputs=quantity), n_points)
        assert scan_workers.who_pays(2, seconds) == 2
    assert scan_workers.who_pays(1, 1e3) is None  # one other process is no faster than this one


def test_any_executor_gives_the_same_and_stays_open(expected):
    with ThreadPoolExecutor(2) as threads:
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=threads), expected)
        assert threads.submit(int, "3").result() == 3
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=processes), expected)
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=processes), expected)


def test_every_quantity_and_model_can_be_sent_to_workers():
    x, y = np.array([[0.0, 1.0], [1.0, 1.0]]), [1, 0]
    kept = ["outputs", "species", "class", "loss", "accuracy", "gradient_norm", "settling_time"]
    jobs = [
        (XOR, {"h": [1e-3, 1e-2, 1e-1], "b1_0": [0.5, 1.0]}, {"x": x, "y": y, "outputs": kept}),
        (XOR, [{"w1_0_0": [-1.0, 1.0]}, *cn.lognormal([0.1, 0.3], draws=4)], {"x": x}),
        (XOR, {"x0": np.linspace(0, 1, 9)}, {"at": [0.0, 1.0, 2.0]}),
        (cn.to_reactions(XOR), {"x0": [0.0, 1.0], "k1_0_0": [0.5, 1.0]}, {}),
        (
            "model m() A => ; k*A; A = 1; k = 1; end",
            {"k": [1.0, 2.0]},
            {"at": [1.0], "outputs": {"end": "A"}},
        ),
    ]
    with own_pool(2) as pool:
        for model, vary, options in jobs:
            assert_same(
                cn.scan(model, vary, executor=pool, **options), cn.scan(model, vary, **options)
            )


def test_joblibs_loky_gives_the_same(expected):
    loky = pytest.importorskip("joblib.externals.loky")
    executor = loky.get_reusable_executor(max_workers=2)
    try:
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=executor), expected)
    finally:
        executor.shutdown()


def test_dask_gives_the_same(expected):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same(
            cn.scan(XOR, VARY, outputs=["outputs", "class"], executor=client.get_executor()),
            expected,
        )


# Workers that die ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["ours", pytest.param("the user's", marks=SLOW)])
@pytest.mark.filterwarnings("ignore:a worker of the scan died")
def test_a_worker_that_is_killed_costs_a_retry(totals, tmp_path, monkeypatch, pool):
    monkeypatch.setenv("CRN_TEST_FLAG", str(tmp_path / "killed"))
    vary = {"x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 20)}
    kept = {"total": scan_jobs.killed_once}
    if pool == "ours":
        found = cn.scan(XOR, vary, outputs=kept, executor=2)
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
            found = cn.scan(XOR, vary, outputs=kept, executor=executor)
    assert (tmp_path / "killed").exists()
    assert found.total.values.tobytes() == totals.total.values.tobytes()
    assert set(found.status.values.ravel()) == {"solved"}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=SLOW)])
def test_a_chunk_that_kills_every_worker_is_given_up_alone(totals, monkeypatch, workers):
    monkeypatch.setenv("CRN_TEST_PARENT", str(os.getpid()))
    vary = {"x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 20)}
    outputs = cn.scan(XOR, vary).outputs.values
    monkeypatch.setenv("CRN_TEST_BAD", repr(float(outputs[10, 7, 0])))
    with pytest.warns(RuntimeWarning, match="a worker of the scan died") as caught:
        found = cn.scan(XOR, vary, outputs={"total": scan_jobs.killed_always}, executor=workers)
    assert {warning.filename for warning in caught} == {__file__}
    failed = np.isnan(found.total.values)
    assert failed[10, 7]
    assert failed.sum() <= 64  # its chunk's
    assert all("workers that solved for it died" in text for text in found.status.values[failed])
    np.testing.assert_array_equal(found.total.values[~failed], totals.total.values[~failed])


def test_a_script_needs_no_guard_and_its_functions_are_sent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import crn_nn_tellurium as cn\n"
        "def total(result):\n"
        "    return result.outputs.sum()\n"
        "ds = cn.scan(cn.load_model('xor'), {'x0': [0, 1]}, outputs=[total], executor=2)\n"
        "print(ds.total.shape)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert not done.returncode, done.stderr
    assert done.stdout.splitlines() == ["(2,)"]  # once: no worker runs the script


def test_functions_that_workers_cannot_import_are_sent_to_them():
    factor = 3.0
    vary = {"x0": np.linspace(0, 1, 20)}
    kept = {"f": lambda r: factor * r.outputs[0, 0]}
    assert_same(cn.scan(XOR, vary, outputs=kept, executor=2), cn.scan(XOR, vary, outputs=kept))
    lock = threading.Lock()
    with pytest.raises(cn.InputError, match="cannot be sent to another process"):
        cn.scan(XOR, vary, outputs={"f": lambda r: 1.0 if lock else 0.0}, executor=2)


def test_a_warm_worker_answers_for_the_scan_that_is_asked_for():
    vary = {"x0": np.linspace(0, 1, 5)}
    crn = cn.to_reactions(XOR, x=[1, 0])
    observed = [
        dataclasses.replace(crn, observables=(o,))
        for o in (cn.Observable("y", s) for s in _sums(crn))
    ]
    with own_pool(1) as pool:
        for level in (0.1, 0.9):
            kept = {"over": partial(scan_jobs.over, level)}
            assert_same(
                cn.scan(XOR, vary, x=[0, 1], outputs=kept, executor=pool),
                cn.scan(XOR, vary, x=[0, 1], outputs=kept),
            )
        for model in observed:
            assert_same(
                cn.scan(model, {"x0": [0.0, 1.0]}, executor=pool),
                cn.scan(model, {"x0": [0.0, 1.0]}),
            )


def _sums(crn):
    return [cn.Expression((cn.Monomial(1.0, ((name, 1.0),)),)) for name in crn.floating[:2]]


def test_an_executor_that_is_shut_down_is_refused():
    pool = own_pool(1)
    pool.shutdown()
    with pytest.raises(cn.InputError, match=r"the executor takes no work .*goes on with them"):
        cn.scan(XOR, {"x0": [0, 1]}, executor=pool)


@SLOW
@pytest.mark.filterwarnings("ignore:a worker of the scan died")
def test_a_worker_of_dask_that_is_killed_costs_a_retry(totals, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("CRN_TEST_FLAG", str(tmp_path / "killed"))
    vary = {"x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 20)}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = cn.scan(
            XOR, vary, outputs={"total": scan_jobs.killed_once}, executor=client.get_executor()
        )
    assert (tmp_path / "killed").exists()
    assert found.total.values.tobytes() == totals.total.values.tobytes()


# Files and interruptions --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.nc", "a.zarr"])
def test_a_result_comes_back_from_its_file(expected, tmp_path, name, monkeypatch):
    path = tmp_path / name
    written = cn.scan(XOR, VARY, outputs=["outputs", "class"], path=path)
    assert_same(written, expected)
    assert_same(cn.open_scan(path), expected)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with monkeypatch.context() as patched:
        patched.setattr("crn_nn_tellurium.scans.scanning.solve_chunks", None)  # nothing is solved
        assert_same(cn.scan(XOR, VARY, outputs=["outputs", "class"], path=path), expected)
    with pytest.raises(
        FileExistsError, match=r"something else than this scan; ScanFile\(path, overwrite"
    ):
        cn.scan(XOR, {"x0": [0.0]}, path=path)
    with pytest.raises(FileExistsError, match=r"overwrite=True\) replaces it"):
        cn.scan(XOR, VARY, outputs=["outputs", "class"], path=cn.ScanFile(path, resume=False))
    assert cn.scan(XOR, {"x0": [0.0]}, path=cn.ScanFile(path, overwrite=True)).sizes["x0"] == 1
    assert cn.open_scan(path).sizes["x0"] == 1


def test_names_of_classes_and_reasons_come_back_from_files(tmp_path, monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    iris = cn.load_model("iris")
    for model, vary, kept in (
        (XOR, {"x0": [0.25, 0.5]}, "class"),
        (iris, {"h1": [0.01, 0.1]}, ["class", "species"]),
    ):
        for name in ("a.nc", "a.zarr"):
            file = cn.ScanFile(tmp_path / name, overwrite=True)
            ds = cn.scan(model, vary, outputs=kept, path=file)
            assert_same(cn.open_scan(tmp_path / name), ds)


def run_until_killed(path, workers, how, least):
    """Start a scan in another process and end it when some chunks are done; says how many were."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(TESTS / "support" / "scan_jobs.py"), str(path), str(workers)]
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    parts = path.with_name(path.name + ".parts")
    deadline = time.monotonic() + 120
    while (
        len(list(parts.glob("0*.npz"))) < least
        and time.monotonic() < deadline
        and process.poll() is None
    ):
        time.sleep(0.005)
    (os.kill if how == signal.SIGKILL else os.killpg)(process.pid, how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode, errors
    return len(list(parts.glob("0*.npz")))


@pytest.mark.parametrize(
    ("workers", "how"),
    [
        (0, signal.SIGKILL),
        (0, signal.SIGINT),
        pytest.param(2, signal.SIGINT, marks=SLOW),
    ],
)
def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path, monkeypatch, workers, how, whole):
    path = tmp_path / "out.nc"
    done = run_until_killed(path, workers, how, 2)
    assert not path.exists()
    solved = []
    solve_chunks = scanning.solve_chunks

    def spy(plan, numbers, *rest):
        solved.extend(numbers)
        return solve_chunks(plan, numbers, *rest)

    monkeypatch.setattr("crn_nn_tellurium.scans.scanning.solve_chunks", spy)
    resumed = scan_jobs.scan_to(path)
    plan_chunks = 12
    assert 2 <= done < plan_chunks
    assert len(solved) == plan_chunks - done
    assert_same(resumed, whole)
    assert_same(cn.open_scan(path), resumed)
    assert not path.with_name("out.nc.parts").exists()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a scan that was killed after two chunks."""
    folder = tmp_path_factory.mktemp("interrupted")
    run_until_killed(folder / "out.nc", 0, signal.SIGKILL, 2)
    return folder


@pytest.fixture
def interrupted(killed, tmp_path):
    """The file of that scan, with its chunks, in a folder of the test's own."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out.nc"


def test_chunks_of_another_scan_are_not_taken(interrupted):
    path = interrupted
    with pytest.raises(FileExistsError, match="holds chunks of another scan"):
        cn.scan(XOR, {"x0": [0.0]}, path=path)
    with pytest.raises(FileExistsError, match=r"resume=True\) \(--resume\) goes on"):
        scan_jobs.scan_to(cn.ScanFile(path, resume=False))
    with pytest.raises(FileNotFoundError, match="holds an unfinished one"):
        cn.open_scan(path)
    assert cn.scan(XOR, {"x0": [0.0]}, path=cn.ScanFile(path, overwrite=True)).sizes["x0"] == 1
    assert [file.name for file in path.parent.iterdir()] == ["out.nc"]


@pytest.mark.parametrize("how", ["no array", "cut off", "one byte", "another chunk's", "packed"])
def test_a_damaged_chunk_is_solved_again(how, interrupted, whole):
    path = interrupted
    file = sorted(path.with_name("out.nc.parts").glob("0*.npz"))[1]
    content = file.read_bytes()
    if how == "packed":  # by somebody who knows the digest: a chunk of 4 MB could take 4 GB
        key = json.loads(file.with_name("scan.json").read_text())["scan_key"]
        zeros = BytesIO()
        np.savez_compressed(zeros, **{"values outputs": np.zeros(10**5)})
        file.write_bytes(sealed(zeros.getvalue(), f"{key} 1"))
    elif how == "another chunk's":
        file.write_bytes(file.with_name("00000000.npz").read_bytes())
    else:
        middle = content.index(b"values outputs") + 400
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        file.write_bytes({"no array": b"no", "cut off": content[:-100], "one byte": flipped}[how])
    with pytest.warns(RuntimeWarning, match=r"npz' is damaged .* its chunk is solved again"):
        assert_same(scan_jobs.scan_to(path), whole)


def test_parts_that_do_not_say_whose_they_are_are_not_taken(interrupted):
    path = interrupted
    for content in (None, "{", "[]"):
        state = path.with_name("out.nc.parts") / "scan.json"
        (
            state.unlink(missing_ok=True)
            if content is None
            else state.write_text(content, encoding="utf-8")
        )
        with pytest.raises(FileExistsError, match="holds chunks of another scan"):
            scan_jobs.scan_to(path)


def test_nothing_is_removed_for_a_call_that_is_refused(interrupted):
    path = interrupted
    done = len(list(path.with_name("out.nc.parts").glob("0*.npz")))
    assert done
    with pytest.raises(cn.InputError, match="no 'x9'"):
        cn.scan(XOR, {"x9": [0.0]}, path=cn.ScanFile(path, overwrite=True))
    assert len(list(path.with_name("out.nc.parts").glob("0*.npz"))) == done


def test_two_scans_do_not_write_to_one_file(tmp_path, whole):
    path = tmp_path / "out.nc"
    parts = path.with_name("out.nc.parts")
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(TESTS / "support" / "scan_jobs.py"), str(path), "0"]
    process = subprocess.Popen(command, env=environment)
    try:
        while not (parts / "scan.json").exists():
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(
            FileExistsError, match=rf"process {process.pid} on .* is writing this scan"
        ):
            scan_jobs.scan_to(path)
    finally:
        process.kill()
        process.wait()
    assert_same(scan_jobs.scan_to(path), whole)


def test_files_are_as_readable_as_others(tmp_path):
    cn.scan(XOR, {"x0": [0.0]}, path=tmp_path / "a.nc")
    (tmp_path / "b").touch()
    assert (tmp_path / "a.nc").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_finished_file_is_asked_about_its_failures(tmp_path, monkeypatch):
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    cn.scan(XOR, {"x0": [0.25, 0.5]}, path=tmp_path / "a.nc")
    with pytest.raises(cn.ConvergenceError, match=r"fails where x0 = 0\.5"):
        cn.scan(XOR, {"x0": [0.25, 0.5]}, path=tmp_path / "a.nc", on_error="raise")
    # and one without any is read as it is
    ds = cn.scan(XOR, {"x0": [0.25]}, path=tmp_path / "b.nc")
    again = cn.scan(XOR, {"x0": [0.25]}, path=tmp_path / "b.nc", on_error="raise")
    xr.testing.assert_identical(again, ds)


def test_who_stops_a_scan_is_told_where_its_chunks_are(tmp_path):
    """The function is called once to see what it gives, then at each point."""
    calls = []

    def stopped(result):
        calls.append(result)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return 1.0

    kept = {"f": cn.UserFunction(stopped, version="1")}
    with pytest.raises(KeyboardInterrupt) as caught:
        cn.scan(XOR, {"x0": [0.25, 0.5]}, outputs=kept, path=tmp_path / "a.nc")
    if sys.version_info >= (3, 11):
        (note,) = caught.value.__notes__
        assert "a.nc.parts" in note
        assert "the same call goes on with them" in note


def test_what_was_given_up_is_tried_again(totals, tmp_path, monkeypatch):
    monkeypatch.setenv("CRN_TEST_PARENT", str(os.getpid()))
    vary = {"x0": np.linspace(0, 1, 40), "x1": np.linspace(0, 1, 20)}
    monkeypatch.setenv("CRN_TEST_BAD", repr(float(cn.scan(XOR, vary).outputs.values[10, 7, 0])))
    path, kept = tmp_path / "a.nc", {"total": scan_jobs.killed_always}
    with (
        pytest.warns(RuntimeWarning, match="a worker of the scan died"),
        pytest.warns(
            RuntimeWarning, match="1 chunks of the scan were given up, so .* is not written"
        ),
    ):
        first = cn.scan(XOR, vary, outputs=kept, executor=1, path=path)
    assert np.isnan(first.total.values).any()
    assert not path.exists()
    found = cn.scan(XOR, vary, outputs=kept, path=path)  # this process is spared
    assert found.total.values.tobytes() == totals.total.values.tobytes()
    assert path.exists()


def test_a_progress_bar_tells_points_and_time_left(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    cn.scan(XOR, {"x0": np.linspace(0, 1, 10)}, progress=True)
    shown = capsys.readouterr().err
    assert "scanning" in shown
    assert "10/10" in shown


class Held:
    """What is kept depends on what it holds, of which its name says nothing."""

    def __init__(self, number):
        self.number = number

    def __call__(self, result):
        return self.number

    def read(self, result):
        return self.number


@pytest.mark.parametrize(
    "nameless",
    [
        lambda r: 1.0,
        partial(scan_jobs.total),
        Held(1.0),
        Held(1.0).read,
        cn.MeanLoss((np.subtract, lambda y, t: y)),
    ],
)
def test_a_file_holds_no_function_without_a_name(nameless, tmp_path):
    """Two of them could share what they are known by, and one's file would answer for the other."""
    more = {"x": [[0, 1]], "y": [1.0]} if isinstance(nameless, cn.MeanLoss) else {"x": [0, 1]}
    with pytest.raises(cn.InputError, match=r"'f' is kept by a function without a name of its own"):
        cn.scan(XOR, {"h": [0.1]}, outputs={"f": nameless}, path=tmp_path / "a.nc", **more)
    assert not list(tmp_path.iterdir())


def test_a_version_names_a_function_for_files(tmp_path):
    kept = {"f": cn.UserFunction(lambda r: r.outputs[0, 0], version="1")}
    ds = cn.scan(XOR, {"h": [0.1, 0.2]}, x=[0, 1], outputs=kept, path=tmp_path / "a.nc")
    assert_same(cn.open_scan(tmp_path / "a.nc"), ds)


def test_what_waits_is_not_solved_after_an_error(monkeypatch):
    """The user's executor is idle at once."""
    from support.failures import fail_to_solve

    fail_to_solve(monkeypatch, 0.5)
    first = np.concatenate([[0.5], np.linspace(0.01, 0.99, 39)])
    vary = {"h": np.geomspace(1e-4, 1, 5), "x0": first, "x1": np.linspace(0, 1, 40)}
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(cn.ConvergenceError, match=r"fails where .*x0 = 0\.5"):
            cn.scan(XOR, vary, executor=pool, on_error="raise")
        assert pool.submit(len, "ab").result(timeout=60) == 2
