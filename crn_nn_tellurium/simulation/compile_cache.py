"""Compiled models on disk, so that another process loads what one has compiled.

An entry is what roadrunner saves of a model: its SBML, values and machine code. Its name is a
digest of all that this depends on; its content is sealed for that name, for a damaged one would end
the interpreter, and another's is another model. Code is run, so folder and entries are the user's
alone, or not used.

The folder is the user's cache folder; the environment variable CRN_NN_CACHE names another, or is
"off". At most `LIMIT` bytes are kept, those that were used last.
"""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs

from crn_nn_tellurium.basics import sealed, unsealed, warn, write_bytes

CACHE_VARIABLE = "CRN_NN_CACHE"
"""The environment variable that names the folder, or is "off"."""
LIMIT = 256 * 2**20
"""Bytes kept: 55 models of some 2,800 reactions, or thousands of small ones."""
_FORMAT = 2


@dataclass(frozen=True)
class CacheState:
    """What is kept on disk: where (None if nothing is), how many models, how many bytes."""

    folder: Path | None
    n_models: int = 0
    n_bytes: int = 0


def cache_state() -> CacheState:
    """What the cache holds now."""
    folder = _folder()
    entries = _entries(folder) if folder else []
    # a process that was killed while it wrote leaves a hidden file, which is no model
    n_models = sum(not path.name.startswith(".") for path, _ in entries)
    return CacheState(folder, n_models, sum(status.st_size for _, status in entries))


def clear_compile_cache() -> None:
    """Delete all compiled models on disk."""
    folder = _folder()
    for path, _ in _entries(folder) if folder else ():
        path.unlink(missing_ok=True)


def entry_name(*parts: object) -> str:
    """The name of what depends on these, and on the machine and its processor."""
    return hashlib.sha256(repr((_FORMAT, _machine(), *parts)).encode()).hexdigest()


def fetch(name: str) -> bytes | None:
    """What is kept under a name; None where that is nothing, damaged or not the user's alone."""
    try:
        folder = _folder()
        if folder is None or not _is_private(folder):
            return None
        with (folder / name).open("rb") as file:
            # of the file that is open, which nobody can put another in the place of
            if not _is_own(os.fstat(file.fileno()), 0o600):
                return None
            content = file.read()
    except OSError:
        return None
    with suppress(OSError):  # what cannot be written can be read all the same
        os.utime(folder / name)  # used last
    try:
        return unsealed(content, name)
    except ValueError:
        return None


def keep(name: str, state: bytes) -> None:
    """Keep a model's state, and no more than `LIMIT`; a warning where that cannot be."""
    try:
        folder = _folder()
        if folder is None:
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(folder):
            raise PermissionError(
                f"{str(folder)!r}: expected one of user {os.getuid()} with mode 700"
            )
        write_bytes(folder / name, sealed(state, name), private=True)
    except OSError as error:
        warn(
            f"compiled models are not kept on disk, so each process compiles its own: {error};"
            f" {CACHE_VARIABLE} names another folder, or is 'off'"
        )
        return
    _drop_oldest(folder)


def _drop_oldest(folder: Path) -> None:
    entries = _entries(folder)
    size = sum(status.st_size for _, status in entries)
    for path, status in sorted(entries, key=lambda entry: entry[1].st_mtime_ns):
        if size <= LIMIT:
            return
        path.unlink(missing_ok=True)
        size -= status.st_size


def _folder() -> Path | None:
    given = os.environ.get(CACHE_VARIABLE, "")
    if given.lower() == "off":
        return None
    try:
        own = given if given.strip() else platformdirs.user_cache_dir("crn_nn_tellurium", False)
        # one of its own, with its own mode, and no files of others to delete
        return Path(own).expanduser() / "compiled"
    except RuntimeError as error:
        raise FileNotFoundError("this user has no home folder") from error


def _entries(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Files and their status; another process may delete any of them meanwhile."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as listing:
        for entry in listing:
            with suppress(FileNotFoundError):
                if entry.is_dir():
                    continue  # none of ours
                found.append((Path(entry.path), entry.stat()))
    return found


def _is_private(folder: Path) -> bool:
    try:
        return _is_own(folder.stat(), 0o700)
    except OSError:
        return False


def _is_own(status: os.stat_result, mode: int) -> bool:
    """Whether the user's alone; where there are no such modes, the user's folder is."""
    if os.name != "posix":
        return True
    # who may read, write and enter; a folder inherits the bit by which its files have its group
    return status.st_uid == os.getuid() and status.st_mode & 0o777 == mode


@lru_cache(maxsize=1)
def _machine() -> tuple[object, ...]:
    """What machine code depends on, as far as it can be read."""
    return platform.system(), platform.machine(), _processor()


def _processor() -> object:
    """The first processor's name and all it can do."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        # but on Linux: its name, and what numpy asks it for
        return platform.processor(), np.show_config(mode="dicts")["SIMD Extensions"]
    named = ("model name", "flags", "Features", "CPU")
    return [line for line in first.splitlines() if line.startswith(named)]
