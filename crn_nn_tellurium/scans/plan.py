"""A scan as one immutable description: what is varied in which model, what is kept, in which boxes.

Everything about the result, its division into chunks too, depends on the plan alone, so that it is
the same wherever and in whatever order the chunks are solved. Arrays over a box of the grid have
one dimension per dimension of the scan, of length 1 where they do not depend on it: numpy's
broadcasting then says what is shared.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.chemistry import CONCENTRATION, MODEL_UNITS, Dimension, ReactionNetwork, Units
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.axes import Axis
from crn_nn_tellurium.simulation import Engine

if TYPE_CHECKING:
    from crn_nn_tellurium.scans.subject import Quantity

SAMPLE = "sample"
Model = Network | ReactionNetwork | str
"""What is scanned: a network, a reaction network or an Antimony text."""


@dataclass(frozen=True)
class Box:
    """A part of the grid: a range of each dimension."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where the box is in arrays of the whole grid."""
        return tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))

    def points(self) -> Iterator[tuple[int, ...]]:
        """Positions of its points in the whole grid, in order."""
        return product(*(range(a, b) for a, b in zip(self.start, self.stop, strict=True)))

    def shape_over(self, dims: Iterable[int]) -> tuple[int, ...]:
        """Shape of what depends on some dimensions alone."""
        kept = set(dims)
        return tuple(n if d in kept else 1 for d, n in enumerate(self.shape))

    def indices(self, dims: Iterable[int]) -> dict[int, npt.NDArray[np.intp]]:
        """By dimension, positions in the whole grid (m,) of the m combinations of some dimensions,
        in order.
        """
        kept = sorted(dims)
        ranges = [np.arange(self.start[d], self.stop[d]) for d in kept]
        return {
            d: grid.ravel()
            for d, grid in zip(kept, np.meshgrid(*ranges, indexing="ij"), strict=True)
        }

    def spread(self, few: Iterable[int], many: Iterable[int]) -> npt.NDArray[np.intp]:
        """For each combination of many dimensions, the number of that of a few of them."""
        shape = self.shape_over(few)
        # numbered in an array of their own shape, broadcasting repeats them where they belong
        numbers = np.arange(math.prod(shape)).reshape(shape)
        return np.broadcast_to(numbers, self.shape_over(many)).ravel()


def whole(shape: Sequence[int]) -> Box:
    """All of a grid."""
    return Box((0,) * len(shape), tuple(shape))


def boxes(shape: Sequence[int], limit: int, whole: Iterable[int] = ()) -> list[Box]:
    """Cut a grid into boxes of at most `limit` points, or of one combination of the rest with all
    of `whole`.

    What varies fastest is kept together. Which boxes there are depends on these arguments alone.

    Examples
    --------
    >>> [box.shape for box in boxes((2, 5), 4)]
    [(1, 3), (1, 2), (1, 3), (1, 2)]
    """
    # from the last dimension on, as numpy's arrays lie in memory; sides of equal parts, so that no
    # box is left with a few points
    sides = [1] * len(shape)
    room = limit
    for d in sorted(whole):
        sides[d] = shape[d]
        room = max(1, room // shape[d])
    for d in reversed([d for d in range(len(shape)) if d not in set(whole)]):
        parts = math.ceil(shape[d] / min(shape[d], room))
        sides[d] = math.ceil(shape[d] / parts)
        room //= sides[d]
        if room < 2:
            break
    starts = [range(0, n, side) for n, side in zip(shape, sides, strict=True)]
    return [
        Box(start, tuple(min(a + side, n) for a, side, n in zip(start, sides, shape, strict=True)))
        for start in product(*starts)
    ]


@dataclass(frozen=True, eq=False)
class Plan:
    """What is scanned; `quantities` are by the name of their variable."""

    model: Model
    axes: tuple[Axis, ...]
    quantities: Mapping[str, Quantity]
    # (n_in,) or (n_samples, n_in), of what is not varied; samples make the last dimension
    x: FloatArray | None
    y: Any
    # None for steady states
    time: FloatArray | None
    # the most points that are solved at once
    chunk: int
    # who integrates; a text is roadrunner's
    engine: Engine | None = None

    @property
    def has_samples(self) -> bool:
        """Whether a batch of inputs makes a dimension."""
        return self.x is not None and self.x.ndim == 2

    @cached_property
    def dims(self) -> tuple[str, ...]:
        return (*(axis.dim for axis in self.axes), *((SAMPLE,) if self.has_samples else ()))

    @cached_property
    def shape(self) -> tuple[int, ...]:
        return (
            *map(len, self.axes),
            *((len(self.x),) if self.has_samples and self.x is not None else ()),
        )

    @property
    def sample(self) -> int | None:
        """Position of the dimension of samples."""
        return len(self.axes) if self.has_samples else None

    @property
    def every(self) -> tuple[int, ...]:
        """Positions of all dimensions."""
        return tuple(range(len(self.shape)))

    @cached_property
    def chunks(self) -> list[Box]:
        """The parts that are solved one by one."""
        # a mean over the samples needs them all at once
        reduces = self.has_samples and any(q.needs_targets for q in self.quantities.values())
        return boxes(self.shape, self.chunk, (len(self.axes),) if reduces else ())

    @property
    def over_time(self) -> tuple[tuple[str, int], ...]:
        """The dimension of what is kept at every time."""
        return () if self.time is None else (("time", len(self.time)),)

    def further(self, name: str, shape: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
        """Dimensions of what a user's function returns: times if it has as many values, else its
        own.
        """
        own = [f"{name}_{i}" for i in range(len(shape))]
        if self.time is not None and shape[:1] == self.time.shape:
            own[0] = "time"
        return tuple(zip(own, shape, strict=True))

    @cached_property
    def varied(self) -> dict[str, FloatArray]:
        """What is varied, by name."""
        return {name: values for axis in self.axes for name, values in axis.values.items()}

    @property
    def units(self) -> Units:
        """What the model's numbers are in; of a text, nobody asks."""
        return self.model.units if isinstance(self.model, ReactionNetwork) else MODEL_UNITS

    def unit_of(self, name: str) -> str:
        """The unit of a rate constant, or of a concentration: what else has a name."""
        crn = self.model if isinstance(self.model, ReactionNetwork) else None
        order = crn.constant_orders.get(name) if crn is not None else None
        return self.units.name(CONCENTRATION if order is None else Dimension.rate_constant(order))

    @property
    def seed(self) -> int:
        """Of the draws of errors."""
        return next((axis.seed for axis in self.axes if axis.seed is not None), 0)

    def values(self, indices: Mapping[int, Any]) -> dict[str, FloatArray]:
        """What the axes have at positions along some dimensions, by name."""
        return {
            name: array[index]
            for d, index in indices.items()
            if d < len(self.axes)
            for name, array in self.axes[d].values.items()
        }

    @property
    def model_hash(self) -> str:
        return hashlib.sha256(model_bytes(self.model)).hexdigest()[:16]

    @cached_property
    def key(self) -> str:
        """A hash of all that the result depends on; a file of chunks belongs to one key."""
        # a version of a package may change last bits, so that chunks of two would not fit together
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
        digest.update(json.dumps([versions(), self.chunk, kept, repr(self.engine)]).encode())
        return digest.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """The fields: what follows from them is worked out again where it is needed."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    def to_bytes(self) -> bytes:
        """The plan for another process; a function or loss that cannot be sent is refused."""
        try:
            # by value what another process cannot import: functions of notebooks and scripts
            return bytes(cloudpickle.dumps(self))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InputError(
                f"the scan cannot be sent to another process ({error}); executor=None solves it in"
                " this one"
            ) from error


# Whose versions may change the last bits of a result
PACKAGES = ("libroadrunner", "numpy", "scikit-sundae", "scipy")


def versions() -> dict[str, str]:
    """Versions of this package and of those that a result's bits depend on."""
    return {"crn_nn_tellurium": __version__} | {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def model_bytes(model: Model) -> bytes:
    """All that a model's answers depend on."""
    if isinstance(model, str):
        return model.encode()
    if isinstance(model, ReactionNetwork):
        units = type(model.units).__name__, model.units.c0, model.units.tau
        read = model.parameters, model.formulas
        shown = model.name, model.species, model.reactions, model.observables, *read, units
        return repr(shown).encode()
    parts: list[Any] = [model.name, model.input_coding, model.output_names, model.class_names]
    arrays: list[FloatArray] = []
    for layer in model.layers:
        activation = layer.activation
        parts += [layer.name, layer.inputs, repr(activation), identity(type(activation))]
        weights: Any = layer.weights
        arrays += (
            [weights.data, weights.indices, weights.indptr]
            if hasattr(weights, "indptr")
            else [weights]
        )
        arrays.append(layer.bias)
    parts += [(array.shape, str(array.dtype)) for array in arrays]
    return repr(parts).encode() + b"".join(
        np.ascontiguousarray(array).tobytes() for array in arrays
    )


def identity(thing: Any) -> str:
    """A function or a class by its module, its name and the version that it states.

    Its code is not looked at: who changes it says so by another ``version``, an attribute. What
    stands in angle brackets (``<lambda>``, ``<locals>``, ``<partial>``, ``<bound>``,
    ``<instance>``) is no name of its own: functions that differ in what they hold share it.
    """
    if isinstance(thing, partial):
        return f"<partial> of {identity(thing.func)}"
    if not hasattr(thing, "__qualname__"):  # an object that can be called
        return f"<instance> of {identity(type(thing))}"
    # functions of C have the module that they are in
    holds = not isinstance(getattr(thing, "__self__", None), ModuleType | None)
    name = f"{thing.__module__}.{thing.__qualname__} {getattr(thing, 'version', '')}"
    return f"<bound> {name}" if holds else name
