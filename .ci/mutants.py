"""Mutation testing: sampled faults in some modules, each put to the quick tests of its room.

    pip install -e '.[mutants]'
    python .ci/mutants.py                                # 15 mutants of each subject, by seed 0
    python .ci/mutants.py settle --number 40 --seed 3

cosmic-ray makes the mutants, one at a time, in a copy of the working tree. What is printed of a
mutant that survives is its difference: either it changes nothing, or a test is missing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = {
    "reactions": (["chemistry/reactions.py", "chemistry/rates.py"], ["chemistry", "encoding"]),
    "encoding": (["encoding"], ["encoding"]),
    "sensitivity": (["sensitivity"], ["sensitivity"]),
    "certificates": (["certificates"], ["certificates"]),
    "settle": (["simulation/settle.py"], ["simulation"]),
}
"""By subject its modules, of the package, and the rooms whose tests must notice."""
# bits of numbers that are none, and what two seconds of a type checker would find
NO_FAULTS = re.compile(r"core/ReplaceBinaryOperator_\w+_(RShift|LShift|BitOr|BitAnd|BitXor)$")
TIMEOUT = 900.0
"""Seconds; a mutant that takes longer hangs, and counts as killed."""


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
    kept = [
        mutation
        for mutation in found
        if not NO_FAULTS.match(mutation.operator_name)
        and not any(a <= tuple(mutation.start_pos) < b for a, b in texts[mutation.module_path])
    ]
    return sorted(kept, key=lambda m: (str(m.module_path), m.operator_name, m.occurrence))


def tried(subject: str, number: int, seed: int) -> tuple[int, int]:
    """How many of a subject's mutants were killed, of how many."""
    modules, rooms = SUBJECTS[subject]
    package = Path("crn_nn_tellurium")
    paths = [path for name in modules for path in _files(package / name)]
    population = mutants(paths)
    chosen = random.Random(seed).sample(population, min(number, len(population)))
    tests = " ".join(f"tests/{room}" for room in rooms)
    # pictures, notebooks and hung tests aside; the first failure is enough
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider --no-header {tests}"
    plain = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if plain.returncode:
        raise SystemExit(f"{subject}: the tests fail without a mutant\n{plain.stdout}")
    killed = 0
    for mutation in chosen:
        result = mutate_and_test([mutation], command, TIMEOUT)
        died = result.test_outcome != TestOutcome.SURVIVED
        killed += died
        where = f"{mutation.module_path}:{mutation.start_pos[0]}"
        by = re.search(r"^(?:FAILED|ERROR) \S+", result.output or "", re.MULTILINE)
        said = by.group() if by else (result.output or "").strip()[-60:]
        print("killed  " if died else "SURVIVED", where, mutation.operator_name, end=" ")
        print(said if died else f"\n{result.diff}", flush=True)
    print(f"{subject}: {killed} of {len(chosen)} killed, of {len(population)} mutants", flush=True)
    return killed, len(chosen)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]


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
        # the copy's package before an installed one; models compiled once for all mutants
        os.environ |= {"PYTHONPATH": str(copy), "CRN_NN_TEST_CACHE": f"{folder}/cache"}
        counts = [tried(name, given.number, given.seed) for name in given.subjects or SUBJECTS]
    killed, total = map(sum, zip(*counts, strict=True))
    print(f"{killed} of {total} mutants killed")


if __name__ == "__main__":
    main()
