"""Locks that a forked process has anew.

A fork copies this process as it is, locks too, but of its threads the one that forks alone: what
another held would be held for ever.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cached_property
from types import ModuleType
from weakref import WeakSet


class Lock:
    """A lock for `with`. Who holds it leaves nothing behind that the next one could not take over,
    for in a forked process the work that it was held for ends anywhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _all.add(self)

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


_all: WeakSet[Lock] = WeakSet()


def _renew() -> None:
    for lock in _all:
        lock._lock = threading.Lock()
    # until Python 3.12, every cached property has a lock too, held while its value is made
    package = __name__.partition(".")[0]
    modules = [module for name, module in sys.modules.items() if name.startswith(package)]
    for kind in {kind for module in modules for kind in _classes(module)}:
        for part in vars(kind).values():
            if isinstance(part, cached_property) and hasattr(part, "lock"):
                part.lock = threading.RLock()


def _classes(module: ModuleType) -> list[type]:
    return [thing for thing in vars(module).values() if isinstance(thing, type)]


if hasattr(os, "register_at_fork"):  # on Windows nothing forks
    os.register_at_fork(after_in_child=_renew)
