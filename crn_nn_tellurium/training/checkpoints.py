"""Checkpoints: the state of a training in a file, from which it goes on to the same result.

The first line says which training it is; each other one is a state, with what has changed since the
one before, behind a digest of itself and of all before it. A state is appended, so that it costs
what it holds, however long the training. What was cut off or changed, and what comes behind, is not
taken. When states take several times what the last one needs, that one alone is written anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import (
    FloatArray,
    check_fields,
    check_target,
    document_of,
    is_version,
    json_value,
    plain_of,
    read_bytes,
    reading,
    warn,
    write_bytes,
    writing,
)
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.networks import Network, with_arrays
from crn_nn_tellurium.training.results import Record

_FORMAT, _VERSION = "crn_nn_tellurium training", 3
_AS_THEY_ARE = "round", "iteration", "waited", "stopped", "seconds", "best_value"
# Bytes of states, beside those of a file written anew, from which on it is: a factor and a rest
_GROWTH, _ROOM = 4, 2**20


@dataclass
class State:
    """Where a training stands: all that a checkpoint keeps.

    `net` is what the round began with, `theta` and `best` (n_free,) are where it stands and where
    the validation loss was least; `memory` (n_rows, n_free) is the optimiser's. `waited` counts
    iterations since `best_value`, the least loss that is watched; `seconds` are those of earlier
    processes.
    """

    net: Network
    theta: FloatArray
    memory: FloatArray
    round: int = 0
    iteration: int = 0
    best: FloatArray | None = None
    best_value: float = np.inf
    waited: int = 0
    stopped: str = ""
    seconds: float = 0.0
    records: list[Record] = field(default_factory=list)


class Checkpoint:
    """The file of one training, or none; `identity` is equal for equal trainings."""

    def __init__(self, path: str | os.PathLike[str] | None, identity: str, net: Network) -> None:
        self._path = None if path is None else Path(path)
        self._identity, self._net = identity, net
        # what the file holds: bytes, those that it was begun with, the digest of all, the records
        self._size, self._first_size, self._digest, self._n_records = 0, 0, "", 0
        self._last_net: Network | None = None
        if self._path is not None:
            check_target(self._path)

    def write(self, state: State) -> None:
        """Add this state to the file."""
        if self._path is None:
            return
        limit = _GROWTH * self._first_size + _ROOM
        if 0 < self._size < limit and self._path.exists():
            self._append(self._path, state)
            return
        header = {"format": _FORMAT, "format_version": _VERSION, "training": self._identity}
        first = f"{json.dumps(header)}\n".encode()
        self._digest, self._n_records, self._last_net = _digest("", first), 0, None
        content = first + self._line(state)
        write_bytes(self._path, content)
        self._size = self._first_size = len(content)

    def _append(self, path: Path, state: State) -> None:
        line = self._line(state)
        with writing(path), path.open("r+b") as file:
            # the rest of a state that was cut off would be read as this one's beginning
            file.truncate(self._size)
            file.seek(self._size)
            file.write(line)
        self._size += len(line)

    def _line(self, state: State) -> bytes:
        """A state, from where the file stands; it stands behind it then."""
        document: dict[str, Any] = {name: getattr(state, name) for name in _AS_THEY_ARE}
        document |= {"theta": state.theta, "best": state.best, "memory": state.memory}
        document["records"] = [astuple(record) for record in state.records[self._n_records :]]
        # the network is that of the round, and as large as the rest
        if (net := state.net) is not self._last_net:
            document["weights"] = [layer.weights for layer in net.layers]
            document["biases"] = [layer.bias for layer in net.layers]
            document["h"] = list(net.h)
        text = json.dumps(plain_of(document)).encode()
        self._digest = _digest(self._digest, text)
        self._n_records, self._last_net = len(state.records), net
        return f"{self._digest} ".encode() + text + b"\n"

    def read(self) -> State | None:
        """The last good state in the file, if there is one."""
        if self._path is None or not self._path.exists():
            return None
        first, _, rest = read_bytes(self._path).partition(b"\n")
        self._check(self._path, first)
        self._size, self._digest = len(first) + 1, _digest("", first + b"\n")
        found: dict[str, Any] = {}
        records: list[Record] = []
        with reading(self._path):
            for text in self._good(self._path, rest):
                found |= json_value(text)
                records += [Record(*row) for row in found["records"]]
            if not found:
                self._size = 0  # nothing to go on from: a file is begun anew
                return None
            return self._state(document_of(found), records)

    def _check(self, path: Path, first: bytes) -> None:
        """Refuse what is no checkpoint, or another training's."""
        try:
            header = json_value(first)
        except ValueError:
            header = None
        if not isinstance(header, dict) or header.get("format") != _FORMAT:
            raise FileFormatError(
                f"{str(path)!r}: no checkpoint of a training by this version; choose another file"
            )
        version = header.get("format_version")
        if not is_version(version, [_VERSION]):
            raise FileFormatError(
                f"{str(path)!r}: a checkpoint of format version {version!r}; this package reads"
                f" version {_VERSION}; choose another file, or go on with the crn_nn_tellurium that"
                " wrote it"
            )
        # going on with other data would give what neither training gives
        if header.get("training") != self._identity:
            raise FileFormatError(
                f"{str(path)!r}: a checkpoint of a training with another network, other data or"
                " other settings; choose another file, or delete this one"
            )

    def _good(self, path: Path, rest: bytes) -> Iterator[bytes]:
        """The texts of states up to the first that is not as it was written."""
        for line in rest.splitlines(keepends=True):
            digest, _, text = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"\n"):
                return  # the process ended while it wrote
            if digest.decode(errors="replace") != _digest(self._digest, text):
                warn(
                    f"{str(path)!r} is damaged from byte {self._size} on; training goes on from"
                    " the last state before",
                    RuntimeWarning,
                )
                return
            self._digest = digest.decode()
            self._size += len(line)
            self._first_size = self._first_size or self._size
            yield text

    def _state(self, document: dict[str, Any], records: list[Record]) -> State:
        best, theta = document["best"], np.asarray(document["theta"], dtype=float)
        arrays = (document[name] for name in ("weights", "biases", "h"))
        self._last_net, self._n_records = with_arrays(self._net, *arrays), len(records)
        state = State(
            self._last_net,
            theta,
            np.asarray(document["memory"], dtype=float).reshape(-1, len(theta)),
            best=None if best is None else np.asarray(best, dtype=float).reshape(theta.shape),
            records=records,
            **{name: document[name] for name in _AS_THEY_ARE},
        )
        for part in (state, *records):
            check_fields(part)
        return state


def _digest(before: str, content: bytes) -> str:
    return hashlib.sha256(before.encode() + content).hexdigest()
