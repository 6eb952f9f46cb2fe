"""Runs a page of the documentation as its reader would: blocks in order, in one folder.

Python blocks of a page share their names. What a block prints is compared with the ```text block
that follows it, and what `print(...)  # this` prints with the comment; `...` stands for anything.
Indented or ```console lines that start with `crn-nn` are run as commands. A comment before a block
says what to make of it: `<!-- not run: why -->`, `<!-- needs: torch onnx -->` or `<!-- slow -->`.

Nothing but the standard library is imported, so that `python pages.py PAGE ...` runs the pages
with whatever is installed, outside the repository.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n+)?"
    r"(?:^```(?P<language>[^\n]*)\n(?P<fenced>.*?)^```$|(?P<indented>(?:^ {4}\S[^\n]*\n)+))",
    re.M | re.S,
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A block of a page, and what the page says of it."""

    language: str
    text: str
    line: int
    mark: str

    def left_out(self, slow: bool) -> str:
        """Why it is not run here; empty if it is."""
        kind, _, what = self.mark.partition(": ")
        missing = [name for name in what.split() if kind == "needs" and not _there(name)]
        if kind == "not run":
            return what
        if missing:
            return f"{', '.join(missing)} is not installed"
        return "slow" if kind == "slow" and not slow else ""


def _there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page's text, in order."""
    for found in BLOCK.finditer(page):
        indented = found["indented"]
        text = found["fenced"] if indented is None else re.sub("^ {4}", "", indented, flags=re.M)
        line = page.count("\n", 0, found.start("language" if indented is None else "indented")) + 1
        language = "console" if indented is not None else found["language"]
        yield Block(language, text, line, found["mark"] or "")


def commands(block: Block) -> list[str]:
    """The commands of a block for a shell that are ours to run, without their comments."""
    if block.language != "console":
        return []
    lines = [line.removeprefix("$ ").partition("  #")[0] for line in block.text.splitlines()]
    return [line for line in lines if line.startswith("crn-nn ")]


def run_page(path: Path, command: Callable[[str], str], slow: bool = False) -> list[str]:
    """Runs a page in the current folder; returns what was left out, and why.

    `command` runs a line of a shell and returns what it prints.
    """
    names: dict[str, object] = {"__name__": "page"}
    printed, left_out = None, []
    for block in blocks(path.read_text(encoding="utf-8")):
        where = f"{path.name}:{block.line}"
        if block.language == "text":
            if printed is not None:
                _compare(block.text, printed, where)
            printed = None
            continue
        printed = None
        ours = commands(block)
        if block.language != "python" and not ours:
            continue
        if why := block.left_out(slow):
            left_out.append(f"{where}: {why}")
        elif block.language == "python":
            printed = _python(block.text, names, where)
        else:
            printed = "".join(command(line) for line in ours)
    return left_out


def _python(code: str, names: dict[str, object], where: str) -> str:
    """What a block prints, statement by statement, each compared with what its comment says."""
    lines, printed = code.splitlines(), []
    for statement in ast.parse(code).body:
        # lines of a traceback are those of the block
        compiled = compile(ast.Module([statement], []), where, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compiled, names)
        printed.append(out.getvalue())
        # columns are counted in bytes
        rest = lines[statement.end_lineno - 1].encode()[statement.end_col_offset :].decode()
        if ast.unparse(statement).startswith("print(") and rest.lstrip().startswith("# "):
            _compare(rest.lstrip()[2:], printed[-1], f"{where}, line {statement.lineno}")
    return "".join(printed)


def _compare(said: str, printed: str, where: str) -> None:
    # a zero's sign is below the digits that are printed
    said, printed = (re.sub(r"-(0\.0*)(?![0-9])", r" \1", text) for text in (said, printed))
    if not doctest.OutputChecker().check_output(said.strip(), printed.strip(), FLAGS):
        raise AssertionError(f"{where} says\n{said}\nand it prints\n{printed}")


def in_a_shell(line: str) -> str:
    """What a command prints in a process of its own."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(line, shell=True, check=False, **both)
    if done.returncode:
        raise AssertionError(f"{line}\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    for page in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for sentence in run_page(Path(page), in_a_shell, slow=True):
                print("not run:", sentence)
