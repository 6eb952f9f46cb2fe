"""Checkpoints: the state of a training in a file, from which it goes on to the same result."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from crn_nn_tellurium.basics import FloatArray, check_target, read_document, write_document
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.networks import Network, with_arrays
from crn_nn_tellurium.training.results import Record

_FORMAT = "crn_nn_tellurium training"
_AS_THEY_ARE = "round", "iteration", "waited", "stopped", "seconds"


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
        if self._path is not None:
            check_target(self._path)

    def write(self, state: State) -> None:
        """Replace the file by this state."""
        if self._path is None:
            return
        net = state.net
        document = {
            "format": _FORMAT,
            "format_version": 2,
            "training": self._identity,
            **{name: getattr(state, name) for name in _AS_THEY_ARE},
            # JSON has no infinity
            "best_value": None if np.isinf(state.best_value) else state.best_value,
            "records": [list(asdict(record).values()) for record in state.records],
            "weights": [layer.weights for layer in net.layers],
            "biases": [layer.bias for layer in net.layers],
            "h": list(net.h),
            "theta": state.theta,
            "best": state.best,
            "memory": state.memory,
        }
        write_document(self._path, document)

    def read(self) -> State | None:
        """The state in the file, if there is one."""
        if self._path is None or not self._path.exists():
            return None
        document = read_document(self._path)
        if document.get("format") != _FORMAT:
            raise FileFormatError(
                f"{str(self._path)!r}: no checkpoint of a training; choose another file"
            )
        # going on with other data would give what neither training gives
        if document.get("training") != self._identity:
            raise FileFormatError(
                f"{str(self._path)!r}: a checkpoint of a training with another network, other data"
                " or other settings; choose another file, or delete this one"
            )
        best, theta = document["best"], np.asarray(document["theta"], dtype=float)
        arrays = (document[name] for name in ("weights", "biases", "h"))
        return State(
            with_arrays(self._net, *arrays),
            theta,
            np.asarray(document["memory"], dtype=float).reshape(-1, len(theta)),
            best=None if best is None else np.asarray(best, dtype=float),
            best_value=np.inf if document["best_value"] is None else document["best_value"],
            records=[Record(*row) for row in document["records"]],
            **{name: document[name] for name in _AS_THEY_ARE},
        )
