"""Mutation testing: sampled faults in some modules, each put to the quick tests that run its line.

    pip install -e '.[mutants]'
    python .ci/mutants.py                                # 15 mutants of each subject, by seed 0
    python .ci/mutants.py settle --number 40 --seed 3

cosmic-ray makes the mutants, one at a time, in a copy of the working tree. A first run without any
notes which tests run which lines, and how long each takes: a mutant is put to those, the quickest
first, and to its rooms' others if it is alive then (where a result is kept, one test runs the line
for all). What is printed of a mutant that survives is its difference: either it changes nothing, or
a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from cosmic_ray.commands.init import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec
from coverage import CoverageData

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = {
    "reactions": (["chemistry"], ["chemistry"]),
    "encoding": (["encoding"], ["encoding"]),
    "sensitivity": (["sensitivity"], ["sensitivity", "test_displays.py"]),
    "certificates": (["certificates"], ["certificates", "test_displays.py"]),
    "settle": (["simulation/settle.py"], ["simulation"]),
    "kinetics": (["kinetics/layer.py", "kinetics/closed_form.py"], ["kinetics", "simulation"]),
}
"""By subject its modules, of the package, and where in tests somebody must notice."""
# bits of numbers that are none, and what two seconds of a type checker or of ruff would find
NO_FAULTS = re.compile(
    r"core/(ReplaceBinaryOperator_\w+_(RShift|LShift|BitOr|BitAnd|BitXor)"
    r"|ReplaceComparisonOperator_(Is_Eq|IsNot_NotEq))$"
)
# what refuses mistakes of ours, of which there are none
GUARDS = re.compile(r"\b(frozen|strict)=$")
# the first failure is enough
QUIET = ["-x", "-q", "-p", "no:cacheprovider"]
PATIENCE = 10.0
"""Times what its tests took without it; a mutant that takes longer hangs, and counts as killed."""
AT_LEAST = 120.0
"""Seconds that any run may take: the tests are collected and libraries imported in them."""


def annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where a module's annotations begin and end: they are texts, and do nothing."""
    nodes = [
        part
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if part is not None
    ]
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in nodes]


def mutants(modules: list[Path]) -> list[MutationSpec]:
    """All mutants of the modules, in an order that does not depend on chance."""
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/session.sqlite") as session:
        init(modules, session, {})
        found = [mutation for item in session.work_items for mutation in item.mutations]
    texts = {path: annotations(path) for path in modules}
    lines = {path: path.read_text(encoding="utf-8").splitlines() for path in modules}

    def before(mutation: MutationSpec) -> str:
        line, column = mutation.start_pos
        return lines[mutation.module_path][line - 1][:column]

    kept = [
        mutation
        for mutation in found
        if not NO_FAULTS.match(mutation.operator_name)
        and not any(a <= tuple(mutation.start_pos) < b for a, b in texts[mutation.module_path])
        and not GUARDS.search(before(mutation))
    ]
    return sorted(kept, key=lambda m: (str(m.module_path), m.operator_name, m.occurrence))


def tested(arguments: list[str], log: Path, limit: float, *plugins: object) -> int:
    """The exit code of pytest, in a process of its own that has all libraries imported already; of
    one that is ended after so many seconds, no exit code.
    """
    child = os.fork()
    if child == 0:
        os.setsid()
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os._exit(int(pytest.main(arguments, list(plugins))))
    until = time.monotonic() + limit
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.1)
    return os.waitstatus_to_exitcode(ended[1])


class Reach:
    """Which tests run which lines, and how long they take, by a run without a mutant."""

    def __init__(self, rooms: list[str], log: Path) -> None:
        self._log = log
        data, times = log.with_name("coverage"), log.with_name("times")
        os.environ["COVERAGE_FILE"] = str(data)
        seen = ["--cov=crn_nn_tellurium", "--cov-context=test", "--cov-report="]
        folders = [f"tests/{room}" for room in rooms]
        if tested([*QUIET, *seen, *folders], log, math.inf, _Times(times)):
            raise SystemExit(f"{rooms}: tests fail without a mutant\n{log.read_text()}")
        self._data = CoverageData(str(data))
        self._data.read()
        self.times: dict[str, float] = json.loads(times.read_text())

    def tests(self, path: Path, line: int) -> list[str]:
        """Tests that run the statement at a line, the quickest first; where importing the module
        runs it, all that run any line of the module.
        """
        by_line = self._data.contexts_by_lineno(str(path.resolve()))
        first, last = statement_at(path, line)
        names = {name for n in range(first, last + 1) for name in by_line.get(n, ())}
        if "" in names:
            names = {name for several in by_line.values() for name in several}
        # nodeid|run, and a test's own name may have a bar
        tests = {name.rpartition("|")[0] for name in names - {""}}
        return sorted(tests, key=lambda name: self.times.get(name, 0.0))

    def killed(self, closest: list[str]) -> bool:
        """Whether any test notices what the package is now."""
        return self._fails(closest) or self._fails([*(self.times.keys() - closest)])

    def _fails(self, names: list[str]) -> bool:
        """Whether one of these tests fails, in their order."""
        if not names:
            return False
        limit = AT_LEAST + PATIENCE * sum(self.times.get(name, 0.0) for name in names)
        # whole modules: a mutant may change what tests of its numbers are called
        modules = dict.fromkeys(name.partition("::")[0] for name in names)
        code = tested([*QUIET, *modules], self._log, limit, _Only(names))
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            return False
        # a failed test, a module that cannot be imported, or what hangs or crashes
        if code > pytest.ExitCode.INTERRUPTED:
            raise SystemExit(f"pytest ends with {code}\n{self._log.read_text()}")
        return code != 0


class _Only:
    """Of the tests that are found, those that have these names, in their order."""

    def __init__(self, names: list[str]) -> None:
        self._place = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(chosen, key=lambda item: self._place[item.nodeid])


class _Times:
    """Seconds that each test takes, written down at the end."""

    def __init__(self, path: Path) -> None:
        self._path, self._times = path, dict[str, float]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._times[report.nodeid] = self._times.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps(self._times))


def statement_at(path: Path, line: int) -> tuple[int, int]:
    """First and last line of the least statement there; of one with a body, its head."""
    found = (line, line)
    size = math.inf
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            last = max(last, node.lineno)
            if line <= last and last - node.lineno < size:
                found, size = (node.lineno, last), last - node.lineno
    return found


def tried(subject: str, number: int, seed: int, log: Path) -> tuple[int, int]:
    """How many of a subject's mutants were killed, of how many."""
    modules, rooms = SUBJECTS[subject]
    package = Path("crn_nn_tellurium")
    population = mutants([path for name in modules for path in _files(package / name)])
    chosen = random.Random(seed).sample(population, min(number, len(population)))
    reach = Reach(rooms, log)
    killed = count = 0
    for spec in chosen:
        operator, line = get_operator(spec.operator_name)(**spec.operator_args), spec.start_pos[0]
        closest = reach.tests(spec.module_path, line)
        with use_mutation(spec.module_path, operator, spec.occurrence) as (before, after):
            if not is_python(after):
                continue
            died = reach.killed(closest)
        killed, count = killed + died, count + 1
        print("killed  " if died else "SURVIVED", f"{spec.module_path}:{line}", end=" ")
        by = re.search(r"^(?:FAILED|ERROR) \S+", log.read_text(), re.MULTILINE)
        print(spec.operator_name, by.group() if by else "")
        if not died:
            lines = before.splitlines(), after.splitlines()
            print("\n".join(difflib.unified_diff(*lines, n=1, lineterm="")))
        sys.stdout.flush()
    print(f"{subject}: {killed} of {count} killed, of {len(population)} mutants", flush=True)
    return killed, count


def is_python(text: str) -> bool:
    """Whether it can be compiled: {**a} with another operator cannot, as everybody would see."""
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]


def _import_libraries() -> None:
    """What the package imports, without the package."""
    before = set(sys.modules)
    import crn_nn_tellurium as cn

    cn.certify(cn.Network.random([1, 1], seed=0), [1.0], 0.1)
    for name in set(sys.modules) - before:
        if name.startswith(cn.__name__):
            del sys.modules[name]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("subjects", nargs="*", help=f"of {', '.join(SUBJECTS)}; all by default")
    parser.add_argument("--number", type=int, default=15, help="mutants of each subject")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants_") as folder:
        copy = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", "build")
        shutil.copytree(ROOT, copy, ignore=ignored)
        os.chdir(copy)
        # the copy's package before an installed one; models are compiled once for all mutants, and
        # a mutant of the same size and second as the last is no longer that
        os.environ |= {"PYTHONPATH": str(copy), "CRN_NN_TEST_CACHE": f"{folder}/cache"}
        sys.path.insert(0, str(copy))
        sys.dont_write_bytecode = True
        _import_libraries()
        log = Path(folder) / "log"
        counts = [tried(name, given.number, given.seed, log) for name in given.subjects or SUBJECTS]
    killed, total = map(sum, zip(*counts, strict=True))
    print(f"{killed} of {total} mutants killed")


if __name__ == "__main__":
    main()
