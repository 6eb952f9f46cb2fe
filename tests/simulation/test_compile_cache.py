"""Models that one process has compiled, loaded by another."""

import errno
import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import roadrunner
from support import networks

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import structure_text
from crn_nn_tellurium.simulation import (
    cache_state,
    clear_compile_cache,
    compile_cache,
    loading,
    new_runner,
)
from crn_nn_tellurium.simulation.engine import CompiledModel

DECAY = "model m() A => ; k*A; A = 1; k = 0.5; end"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv("CRN_NN_CACHE", str(tmp_path))
    return tmp_path / "compiled"


@pytest.fixture
def compiles(monkeypatch):
    """The texts that are compiled, as they are."""
    found = []
    translate = loading.antimony_to_sbml
    monkeypatch.setattr(
        loading, "antimony_to_sbml", lambda text: found.append(text) or translate(text)
    )
    return found


def the_entry(folder):
    (path,) = folder.iterdir()
    return path


def all_numbers(model, held, start):
    """What a compiled model answers, twice, for it keeps state."""
    times = np.array([0.0, 0.1, 3.0])
    found = []
    for _ in range(2):
        found += [model.time_course(held, start, times), model.rates_of_change(held, start)]
        index = np.empty(0, np.int32)
        found += model.solve_each(held[None], start[None], index, np.empty((1, 0)))
        found += [*model.values(), model.compartment_sizes(), model.stoichiometry]
        model.reset()
        found += model.values()
    return found


@pytest.mark.parametrize("case", networks.cases(networks.corpus()))
def test_a_loaded_model_gives_the_compiled_ones_numbers_to_the_bit(case, folder, compiles):
    crn = cn.to_reactions(case.net, case.x[0])
    models = [CompiledModel(structure_text(crn)) for _ in range(2)]
    assert len(compiles) == 1
    held = dict(zip(crn.boundary, crn.boundary_concentrations, strict=True))
    answers = []
    for model in models:
        model.set_parameters(model.parameter_index(crn.rate_constants), crn.constants)
        rails = np.array([held[name] for name in model.boundary])
        answers.append(all_numbers(model, rails, np.full(len(model.floating), 0.3)))
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


EVERYTHING = """model m() compartment c = 0.1; species A in c, B in c; species $F in c;
  A -> B; c*k*A; B -> A; c*r*B; A = 1/3; B = 0.7; F = 2/3; k = 1/7; r := k + F; init = 3
  p = 1/3; p' = -0.1*p; at time > 1: k = 5; at (B > 0.9): A = A + 1; s := A*3; q = 2*init
end"""


@pytest.mark.parametrize("moieties", [False, True])
def test_of_rules_events_and_assignments_too(folder, compiles, moieties):
    text = EVERYTHING if not moieties else "A -> B; k*A; B -> A; r*B; A = 1/3; k = 1/7; r = 0.1"
    answers = []
    for _ in range(2):
        runner = new_runner(text, conserved_moieties=moieties)
        found = [runner.timeCourseSelections, runner.steadyStateSelections]
        for solver in (runner.getIntegrator(), runner.getSteadyStateSolver()):
            found.append([(name, solver.getValue(name)) for name in solver.getSettings()])
        for back in (runner.reset, runner.resetAll, runner.resetToOrigin):
            found.append(np.array(runner.simulate(0, 2, 5)).tolist())
            runner["k"], runner["init([A])"] = 0.77, 0.1
            back()
            found.append([runner[name] for name in ("[A]", "[B]", "k", "r", "init([A])")])
        answers.append(found)
    assert len(compiles) == 1
    assert answers[0] == answers[1]


def test_another_process_compiles_nothing(folder):
    code = """if True:
        import crn_nn_tellurium as cn, sys
        from crn_nn_tellurium.simulation import loading
        if sys.argv[1] == "loads":
            loading.antimony_to_sbml = None
        simulator = cn.Simulator(cn.load_model("xor"))
        answers = simulator.steady_state([[0.3, 1.0]]), simulator.time_course([0, 1], 5.0, 3)
        print([answer.concentrations.tobytes().hex() for answer in answers])
    """
    answers = [
        subprocess.run(
            [sys.executable, "-c", code, how], capture_output=True, text=True, check=True
        ).stdout
        for how in ("compiles", "loads")
    ]
    assert answers[0] == answers[1]
    assert len(answers[0]) > 2 * 8 * 4 * 4  # four species, at rest and at three times, in hex


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "one bit": lambda path: path.write_bytes(
        path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])
    ),
    "another's": lambda path: path.write_bytes(b"\x7fELF" * 10_000),
    "readable by others": lambda path: path.chmod(0o644),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_or_foreign_is_compiled_anew(damage, folder, compiles):
    new_runner(DECAY)
    entry = the_entry(folder)
    kept = entry.read_bytes()
    damage(entry)
    compiles.clear()
    runner = new_runner(DECAY)
    assert compiles == [DECAY]
    runner["init(A)"] = 2.0
    runner.reset()
    assert runner["A"] == 2.0
    assert len(entry.read_bytes()) == len(kept)  # their bytes differ by a seed
    assert entry.stat().st_mode & 0o777 == 0o600
    new_runner(DECAY)
    assert compiles == [DECAY]


@pytest.mark.parametrize("whose", ["open to others", "another user's"])
def test_a_folder_that_is_not_the_users_alone_is_not_used(whose, folder, compiles, monkeypatch):
    new_runner(DECAY)
    if whose == "open to others":
        folder.chmod(0o755)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.warns(UserWarning, match=r"expected one of user .* with mode 700.*is 'off'"):
        new_runner(DECAY)
    assert compiles == [DECAY, DECAY]


@pytest.mark.skipif(os.name != "posix", reason="no such modes")
def test_a_folder_below_a_groups_is_used(folder, compiles):
    """What is made in a folder of a group, as projects on a cluster have them, inherits its bit."""
    folder.parent.chmod(0o2770)
    for _ in range(2):
        new_runner(DECAY)
    assert folder.stat().st_mode & 0o7777 == 0o2700
    assert compiles == [DECAY]


def test_where_nothing_can_be_written_it_is_said_and_compiled(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CRN_NN_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="CRN_NN_CACHE names another folder"):
        assert new_runner(DECAY)["k"] == 0.5
    # said of the user's line, however deep inside it is found out
    # by names that no other test of this process has compiled
    text = "Told -> ; k*Told; k = 0.25; Told = 1"
    simulator = cn.Simulator(cn.import_antimony(text))
    with pytest.warns(UserWarning, match="CRN_NN_CACHE names another folder") as caught:
        simulator.time_course(t_end=1, n_points=2)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.skipif(os.name != "posix", reason="no such limit")
def test_where_a_disk_is_full_it_is_said_and_nothing_is_left_half(folder, compiles):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # bytes of a file: the kernel refuses the rest, as it does on a disk that is full
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.warns(UserWarning, match="compiled models are not kept on disk, so each"):
            assert new_runner(DECAY)["k"] == 0.5
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(folder.iterdir()) == []
    for _ in range(2):
        new_runner(DECAY)
    assert compiles == [DECAY, DECAY]


def test_what_cannot_be_written_can_be_read(folder, compiles, monkeypatch):
    new_runner(DECAY)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    # of the superuser, who tests here and there, no mode of a file takes the right to write
    for name in ("utime", "replace", "mkdir", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    assert new_runner(DECAY)["k"] == 0.5
    assert compiles == [DECAY]


@pytest.mark.parametrize("given", [None, "~"])
def test_a_user_without_a_home_folder_is_told(given, tmp_path, compiles, monkeypatch):
    pwd = pytest.importorskip("pwd")
    for name in ("HOME", "XDG_CACHE_HOME", "CRN_NN_CACHE"):
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv("CRN_NN_CACHE", given)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: {}["nobody"])
    monkeypatch.chdir(tmp_path)
    with pytest.warns(UserWarning, match="this user has no home folder; CRN_NN_CACHE names"):
        assert new_runner(DECAY)["k"] == 0.5
    with pytest.raises(FileNotFoundError, match="no home folder"):
        cache_state()
    assert list(tmp_path.iterdir()) == []  # no folder called ~


WRITER = f"""
import os, signal, sys
from crn_nn_tellurium.simulation import loading, new_runner
if sys.argv[1] == "killed":
    # it compiles even if the other one has finished by then
    loading.fetch = lambda name: None
    os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
print(new_runner({DECAY!r})["k"])
"""


@pytest.mark.skipif(os.name != "posix", reason="no process is killed so")
def test_of_two_writers_at_once_one_may_be_killed(folder, compiles):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, fate], stdout=subprocess.PIPE, text=True)
        for fate in ("killed", "lives")
    ]
    said = [writer.communicate(timeout=300)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [-signal.SIGKILL, 0]
    assert said == ["", "0.5\n"]
    # what the killed one had written, never moved into place, is no model
    assert len(list(folder.iterdir())) == 2
    assert cache_state().n_models == 1
    assert new_runner(DECAY)["k"] == 0.5
    assert compiles == []
    clear_compile_cache()
    assert list(folder.iterdir()) == []


def test_off_keeps_nothing(monkeypatch, compiles):
    monkeypatch.setenv("CRN_NN_CACHE", "off")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        new_runner(DECAY)
        new_runner(DECAY)
    assert compiles == [DECAY, DECAY]
    assert cache_state().folder is None
    clear_compile_cache()


def test_what_was_used_last_stays_when_it_is_full(folder, compiles, monkeypatch):
    texts = [DECAY.replace("0.5", str(k)) for k in range(1, 4)]
    for second, text in enumerate(texts[:2]):
        new_runner(text)
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (second, second))
    new_runner(texts[0])  # now the last used
    monkeypatch.setattr(compile_cache, "LIMIT", cache_state().n_bytes)
    new_runner(texts[2])
    assert cache_state().n_models == 2
    compiles.clear()
    new_runner(texts[0])
    new_runner(texts[1])
    assert compiles == [texts[1]]


def test_a_cache_without_room_keeps_nothing_and_leaves_folders(folder, compiles, monkeypatch):
    new_runner(DECAY)
    (folder / "a_users").mkdir()
    assert cache_state().n_models == 1
    monkeypatch.setattr(compile_cache, "LIMIT", -1)
    assert new_runner(DECAY.replace("0.5", "0.25"))["k"] == 0.25
    assert [path.name for path in folder.iterdir()] == ["a_users"]
    assert cache_state().n_models == 0


def test_names_depend_on_all_that_code_depends_on(folder, monkeypatch):
    """A text's model with other options, of another roadrunner or processor is another."""
    new_runner(DECAY)
    new_runner(DECAY, mutable_starts=False)
    new_runner(DECAY, conserved_moieties=True)
    assert cache_state().n_models == 3
    monkeypatch.setattr(roadrunner, "getVersionStr", lambda: "another")
    new_runner(DECAY)
    monkeypatch.undo()
    monkeypatch.setenv("CRN_NN_CACHE", str(folder.parent))
    monkeypatch.setattr(compile_cache, "_machine", lambda: "another")
    new_runner(DECAY)
    assert cache_state().n_models == 5


def test_a_text_that_reads_other_files_is_not_compiled(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("part.ant")  # to open it would never end
    with pytest.raises(cn.FileFormatError, match="takes a model from another file"):
        new_runner('import "part.ant"\nmodel whole() P: part(); end')


def test_a_compiled_text_is_no_other_model_for_tellurium(folder):
    """roadrunner takes equal texts for one model, whose start values ours cannot be set."""
    model = CompiledModel(DECAY)
    plain = roadrunner.RoadRunner(model.sbml)
    plain["init(A)"] = 3.0
    plain.reset()
    assert plain["A"] == 3.0
