"""Tolerances in tests that nothing explains: python .ci/tolerances.py tests/kinetics tests/dna

A tolerance is a number below 0.1 behind rtol=, atol=, rel= or abs=, or that something is below. It
is one of those that `tests/support/tolerances.py` names, or a comment stands on a line of its
statement, on the line above, or at a constant's definition. How exactly a reference is solved is
none: the comparison with it is. Nor is a bound that the same function asks for (`max_error=0.05`),
nor a number with another above it (`x < 1e-4 < 1`).
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

WORDS = {"rtol", "atol", "rel", "abs"}
SOLVERS = {"solve_ivp", "brentq"}
ASKED = {"max_error", "tolerance"}
NAMED = {
    target.id
    for node in ast.parse(Path("tests/support/tolerances.py").read_text(encoding="utf-8")).body
    if isinstance(node, ast.Assign)
    for target in node.targets
    if isinstance(target, ast.Name)
}


def is_named(node: ast.AST) -> bool:
    """Whether a named tolerance is in an expression."""
    return any(isinstance(part, ast.Name) and part.id in NAMED for part in ast.walk(node))


def is_small(node: ast.AST) -> bool:
    """Whether a number below 0.1 is in an expression that is no call's argument."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value < 0.1
    return isinstance(node, ast.BinOp) and (is_small(node.left) or is_small(node.right))


def asked_for(tree: ast.AST) -> set[tuple[int, float]]:
    """The bounds that functions ask for, each with every line of its function."""
    return {
        (line, node.value.value)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.keyword) and node.arg in ASKED
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, float)
        for line in range(function.lineno, (function.end_lineno or function.lineno) + 1)
    }


def tolerances(statement: ast.stmt, asked: set[tuple[int, float]]) -> Iterator[ast.AST]:
    """All that a statement has."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] not in SOLVERS:
            yield from (keyword.value for keyword in node.keywords if keyword.arg in WORDS)
        if isinstance(node, ast.Compare):
            op, most = node.ops[-1], node.comparators[-1]
            known = isinstance(most, ast.Constant) and (statement.lineno, most.value) in asked
            if isinstance(op, ast.Lt | ast.LtE) and not known:
                yield most


def unexplained(path: Path) -> Iterator[tuple[int, bool]]:
    """Lines of statements with tolerances, and whether a comment explains each."""
    text = path.read_text(encoding="utf-8")
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and "noqa" not in token.string
    }
    tree = ast.parse(text)
    asked = asked_for(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert | ast.Expr | ast.Assign | ast.Return):
            found = list(tolerances(node, asked))
            bare = any(map(is_small, found))
            lines = range(node.lineno - 1, (node.end_lineno or node.lineno) + 1)
            if bare or any(map(is_named, found)):
                yield node.lineno, not bare or not comments.isdisjoint(lines)


def main() -> None:
    explained = total = 0
    for folder in sys.argv[1:] or ["tests"]:
        for path in sorted(Path(folder).rglob("*.py")):
            for line, is_explained in sorted(unexplained(path)):
                explained += is_explained
                total += 1
                if not is_explained:
                    print(f"{path}:{line}")
    print(f"{explained} of {total} explained")


if __name__ == "__main__":
    main()
