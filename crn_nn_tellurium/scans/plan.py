"""A scan as one immutable description: what is varied in which model, and what is kept.

Everything about the result, its division into chunks too, depends on the plan alone, so that it is
the same wherever and in whatever order the chunks are solved.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.axes import Axis
from crn_nn_tellurium.scans.fingerprint import model_bytes, versions
from crn_nn_tellurium.scans.grid import Box, boxes

if TYPE_CHECKING:
    from crn_nn_tellurium.scans.quantity import Quantity

SAMPLE = "sample"
Model = Network | ReactionNetwork | str
"""What is scanned: a network, a reaction network or an Antimony text."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is scanned.

    Attributes
    ----------
    model : Network, ReactionNetwork or str
    axes : tuple of Axis
    quantities : mapping of str to Quantity
        By the name of their variable.
    x : (n_in,) or (n_samples, n_in) ndarray or None
        Input values that are not varied; samples make the last dimension.
    y : ndarray or None
        Targets of the samples, as they were given.
    time : (n_times,) ndarray or None
        Of a time course; None for steady states.
    chunk : int
        The most points that are solved at once.
    """

    model: Model
    axes: tuple[Axis, ...]
    quantities: Mapping[str, Quantity]
    x: FloatArray | None
    y: Any
    time: FloatArray | None
    chunk: int

    @property
    def has_samples(self) -> bool:
        """Whether a batch of inputs makes a dimension."""
        return self.x is not None and self.x.ndim == 2

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """Names of the scan's dimensions."""
        return (*(axis.dim for axis in self.axes), *((SAMPLE,) if self.has_samples else ()))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Their lengths."""
        return (
            *map(len, self.axes),
            *((len(self.x),) if self.has_samples and self.x is not None else ()),
        )

    @property
    def sample(self) -> int | None:
        """Position of the dimension of samples."""
        return len(self.axes) if self.has_samples else None

    @property
    def reduces_samples(self) -> bool:
        """Whether something is kept that needs all samples at once."""
        return self.has_samples and any(q.needs_targets for q in self.quantities.values())

    @cached_property
    def chunks(self) -> list[Box]:
        """The parts that are solved one by one."""
        return boxes(self.shape, self.chunk, (len(self.axes),) if self.reduces_samples else ())

    def further(self, name: str, shape: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
        """Dimensions of what a user's function returns: times if it has as many values, else its
        own.
        """
        own = [f"{name}_{i}" for i in range(len(shape))]
        if self.time is not None and shape[:1] == self.time.shape:
            own[0] = "time"
        return tuple(zip(own, shape, strict=True))

    def where(self, holds: Callable[[Axis], bool]) -> set[int]:
        """Positions of the axes of which something holds."""
        return {d for d, axis in enumerate(self.axes) if holds(axis)}

    def values(self, indices: Mapping[int, Any]) -> dict[str, FloatArray]:
        """What the axes have at positions along some dimensions, by name."""
        return {
            name: array[index]
            for d, index in indices.items()
            if d < len(self.axes)
            for name, array in self.axes[d].values.items()
        }

    @cached_property
    def key(self) -> str:
        """A hash of all that the result depends on; a file of chunks belongs to one key."""
        digest = hashlib.sha256()
        digest.update(model_bytes(self.model))
        for axis in self.axes:
            digest.update(f"{axis.dim} {axis.seed}".encode())
            for name, array in axis.values.items():
                digest.update(name.encode() + array.tobytes() + str(array.shape).encode())
        for given in (self.x, self.time):
            digest.update(b"none" if given is None else given.tobytes() + str(given.shape).encode())
        digest.update(b"none" if self.y is None else repr(np.asarray(self.y).tolist()).encode())
        kept = [[name, quantity.identity] for name, quantity in self.quantities.items()]
        digest.update(json.dumps([versions(), self.chunk, kept]).encode())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """The fields: what follows from them is worked out again where it is needed."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    def to_bytes(self) -> bytes:
        """The plan for another process.

        Raises
        ------
        InputError
            If a function or loss of the user's cannot be sent.
        """
        try:
            # by value what another process cannot import: functions of notebooks and scripts
            return bytes(cloudpickle.dumps(self))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"the scan cannot be sent to another process ({error}); executor=None solves it in"
                " this one"
            ) from error
