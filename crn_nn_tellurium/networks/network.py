"""Feed-forward neural networks: layers, weights, biases, activations and the closed-form forward
pass.

    z = W v + b,    value = activation(z)

where v are the values of the layers that a layer reads, concatenated. With the smoothed
activations of `activations` this is, exactly, the steady state of the network's chemistry.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crn_nn_tellurium.basics import (
    FloatArray,
    check_identifier,
    is_real,
)
from crn_nn_tellurium.errors import IdentifierError, NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.activations import SmoothedReLU
from crn_nn_tellurium.networks.input_coding import InputCoding, input_coding
from crn_nn_tellurium.networks.layer import INPUT, Layer
from crn_nn_tellurium.networks.network_files import FIELDS, load, save


@dataclass(frozen=True, eq=False)
class Network:
    """A feed-forward network of layers; the last layer is the output.

    Parameters
    ----------
    layers : sequence of Layer
        Each reads earlier layers or the inputs.
    inputs : {"nonnegative", "signed", "scaled"}
        How input values become concentrations: as they are, on two rails each, or shifted and
        scaled from `input_range`.
    input_range : (low, high), optional
        For ``"scaled"``: numbers, or one number per input each.
    input_names, output_names : sequence of str, optional
        Identifiers, also in Antimony; by default ``x0, x1, ...`` and ``y0, y1, ...``.
    class_names : sequence of str or int, optional
        Labels that `predict` returns, one per output (two for a single output).
    name : str
        Identifier of the model.

    Raises
    ------
    NetworkError
        If layers do not fit together.
    IdentifierError
        If a name cannot be an identifier, or is used twice.

    Examples
    --------
    >>> from crn_nn_tellurium import Linear
    >>> hidden = Layer([[1.0, 1.0], [1.0, 1.0]], [0.0, -1.0])
    >>> net = Network([hidden, Layer([[1.0, -2.0]], activation=Linear(h=0.01))])
    >>> net.n_weights, net.input_names
    (6, ('x0', 'x1'))
    >>> net([[0, 0], [0, 1], [1, 1]]).round(2)
    array([[ 0.08],
           [ 0.81],
           [-0.01]])
    """

    layers: tuple[Layer, ...]
    inputs: str = "nonnegative"
    input_range: Any = None
    input_names: tuple[str, ...] = None  # type: ignore[assignment]  # filled in below
    output_names: tuple[str, ...] = None  # type: ignore[assignment]
    class_names: tuple[str | int, ...] | None = None
    name: str = "network"

    def __post_init__(self) -> None:
        if not isinstance(self.layers, list | tuple):
            raise NetworkError(f"layers are {self.layers!r}; expected a list of Layers")
        layers = tuple(self.layers)
        if not layers:
            raise NetworkError("a network without layers; expected at least one Layer")
        for position, layer in enumerate(layers, start=1):
            if not isinstance(layer, Layer):
                raise NetworkError(f"layer {position} is {layer!r}; expected a Layer")
        layers = _connected(layers)
        n_in = _check_shapes(layers)
        check_identifier("network", self.name)
        input_names = _names("input", self.input_names, "x", n_in)
        output_names = _names("output", self.output_names, "y", layers[-1].n_out)
        if shared := set(input_names) & set(output_names):
            raise IdentifierError(
                f"output name {min(shared)!r}: an input has the same name; expected different ones"
            )
        coding = input_coding(self.inputs, input_names, self.input_range)
        content = {
            "layers": layers,
            "input_names": input_names,
            "output_names": output_names,
            "input_range": (coding.low, coding.high) if self.inputs == "scaled" else None,
            "class_names": _class_names(self.class_names, layers[-1].n_out),
        }
        for attribute, value in content.items():
            object.__setattr__(self, attribute, value)

    @classmethod
    def random(
        cls,
        sizes: Sequence[int],
        activation: Activation | None = None,
        seed: int | None = None,
        *,
        output: Activation | None = None,
        density: float = 1.0,
        **options: Any,
    ) -> Network:
        """A network with random weights.

        Parameters
        ----------
        sizes : sequence of int
            Numbers of inputs, of units of each hidden layer, and of outputs.
        activation, output : Activation, optional
            Of the hidden layers (smoothed ReLU by default), and of the last (the same by default).
        seed : int, optional
            Equal seeds give equal networks.
        density : float
            Share of the weights that are not zero; below 1 the weights are stored sparse.
        **options
            Passed to `Network`.

        Notes
        -----
        Weights are normal with variance 2 / (density n_in) (He et al. 2015, doi
        10.1109/ICCV.2015.123), biases normal with standard deviation 0.1.

        Examples
        --------
        >>> Network.random([3, 4, 2], seed=0)([1.0, 0.0, 2.0]).shape
        (2,)
        """
        if isinstance(sizes, str) or not isinstance(sizes, Iterable):
            raise NetworkError(f"sizes are {sizes!r}; expected numbers, [2, 3, 1] say")
        sizes = list(sizes)
        if len(sizes) < 2 or any(not is_real(n) or n != int(n) or n < 1 for n in sizes):
            raise NetworkError(
                f"sizes are {sizes!r}; expected at least two whole numbers, each 1 or more"
            )
        sizes = [int(n) for n in sizes]
        if not 0 < density <= 1:
            raise NetworkError(f"density is {density!r}; expected a number in (0, 1]")
        rng = np.random.default_rng(seed)
        hidden = SmoothedReLU() if activation is None else activation
        last = hidden if output is None else output
        layers = []
        for n_in, n_out in itertools.pairwise(sizes):
            weights: Any = rng.normal(0.0, np.sqrt(2 / (density * n_in)), (n_out, n_in))
            if density < 1:
                weights = sparse.csr_array(weights * (rng.random((n_out, n_in)) < density))
            layers.append(Layer(weights, rng.normal(0.0, 0.1, n_out), hidden))
        layers[-1] = dataclasses.replace(layers[-1], activation=last)
        return cls(tuple(layers), **options)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return len(self.input_names)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return len(self.output_names)

    def width(self, source: str) -> int:
        """Number of values of a layer, or of the inputs, by name."""
        return self._widths[source]

    @cached_property
    def _widths(self) -> dict[str, int]:
        return {INPUT: self.n_in} | {layer.name: layer.n_out for layer in self.layers}

    def spans(self, layer: Layer) -> tuple[tuple[str, slice], ...]:
        """The sources of a layer in order, each with the columns of the weights that read it.

        Examples
        --------
        >>> net = Network.random([2, 3, 1], seed=0)
        >>> net.spans(net.layers[1])
        (('layer1', slice(0, 3, None)),)
        """
        ends = list(itertools.accumulate(map(self.width, layer.inputs), initial=0))
        spans = [slice(first, end) for first, end in itertools.pairwise(ends)]
        return tuple(zip(layer.inputs, spans, strict=True))

    @property
    def n_weights(self) -> int:
        """Number of weights that are not zero."""
        return sum(layer.n_weights for layer in self.layers)

    @property
    def h(self) -> tuple[float, ...]:
        """Smoothing of each layer."""
        return tuple(layer.activation.h for layer in self.layers)

    @property
    def classes(self) -> tuple[str | int, ...]:
        """The labels that `classify` gives: `class_names`, or 0, 1, ..."""
        return tuple(range(max(2, self.n_out))) if self.class_names is None else self.class_names

    @cached_property
    def input_coding(self) -> InputCoding:
        """How input values become concentrations."""
        return input_coding(self.inputs, self.input_names, self.input_range)

    def with_h(self, h: float | Sequence[float]) -> Network:
        """The same network with another smoothing, one number or one per layer.

        Examples
        --------
        >>> Network.random([2, 3, 1], seed=0).with_h(1e-4).h
        (0.0001, 0.0001)
        """
        try:
            values = np.broadcast_to(np.asarray(h, dtype=float), (len(self.layers),)).tolist()
        except (TypeError, ValueError) as error:
            raise NetworkError(
                f"h is {h!r}; expected one number, or {len(self.layers)}, one per layer"
            ) from error
        layers = [
            dataclasses.replace(layer, activation=dataclasses.replace(layer.activation, h=value))
            for layer, value in zip(self.layers, values, strict=True)
        ]
        return dataclasses.replace(self, layers=tuple(layers))

    def forward(self, x: npt.ArrayLike) -> dict[str, FloatArray]:
        """Values of the inputs and of every layer, by name, for inputs x (..., n_in).

        Raises
        ------
        InputError
            If the inputs have the wrong shape or cannot be coded as concentrations.
        """
        values = {INPUT: self.input_coding.check(x)}
        for layer in self.layers:
            values[layer.name] = layer.activation(layer.pre_activation(layer.read(values)))
        return values

    def __call__(self, x: npt.ArrayLike) -> FloatArray:
        """Closed-form outputs (..., n_out) for inputs x (..., n_in).

        Raises
        ------
        InputError
            If the inputs have the wrong shape or cannot be coded as concentrations.
        """
        return self.forward(x)[self.layers[-1].name]

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Class labels (...) for inputs x (..., n_in): see `classify`."""
        return self.classify(self(x))

    def classify(self, outputs: npt.ArrayLike) -> npt.NDArray[Any]:
        """Class labels for outputs (..., n_out), from the closed form or from the chemistry.

        The largest output wins; a single output decides between two classes at its activation's
        `threshold`. Without `class_names`, labels are 0, 1, ...; an output that is NaN, a sample
        that failed, gets no class and is refused.

        Raises
        ------
        NetworkError
            If an output is NaN, or their number is not the network's.
        """
        outputs = np.asarray(outputs, dtype=float)
        if outputs.shape[-1:] != (self.n_out,):
            raise NetworkError(
                f"classify: outputs have shape {outputs.shape}; expected (..., {self.n_out})"
            )
        if np.isnan(outputs).any():
            raise NetworkError(
                "classify: an output is NaN (a sample that failed); leave such samples out"
            )
        if self.n_out == 1:
            index = (outputs[..., 0] > self.layers[-1].activation.threshold).astype(int)
        else:
            index = outputs.argmax(axis=-1)
        return index if self.class_names is None else np.array(self.class_names)[index]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network as readable JSON; big arrays go to an .npz beside it.

        Equal networks give equal files. An activation of your own is saved by its class's name
        and dataclass fields.

        Raises
        ------
        NetworkError
            If an activation of your own has a built-in one's name, or a field that JSON cannot
            hold.
        OSError
            If the file cannot be written.
        """
        save(path, self.layers, {name: getattr(self, name) for name in FIELDS})

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], activations: Mapping[str, type[Activation]] | None = None
    ) -> Network:
        """Read a network that `save` wrote.

        Parameters
        ----------
        path : path-like
            The JSON file.
        activations : mapping of str to class, optional
            Activations of your own, by the name that the file gives them.

        Raises
        ------
        FileFormatError
            If the file does not hold a network of a format version that this package knows, or
            names an activation that was not given.
        OSError
            If it cannot be read.
        """
        return load(cls, path, activations)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return all(
            getattr(self, entry.name) == getattr(other, entry.name)
            for entry in dataclasses.fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        layers = "; ".join(
            f"{layer.name}: {layer.n_out} {layer.activation}" for layer in self.layers
        )
        return (
            f"Network({self.name!r}: {self.n_in} inputs, {self.inputs}; {layers}; {self.n_weights}"
            " weights)"
        )


def _connected(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers with their default names and sources filled in."""
    result: list[Layer] = []
    known = [INPUT]
    for position, layer in enumerate(layers, start=1):
        name = layer.name or f"layer{position}"
        if name in known:
            raise NetworkError(
                f"layer {position} is called {name!r}, which is taken; expected a name of its own"
            )
        sources = layer.inputs or (known[-1],)
        for source in sources:
            if source not in known:
                raise NetworkError(
                    f"layer {name!r} reads {source!r}; expected earlier ones among"
                    f" {', '.join(known)}"
                )
        result.append(dataclasses.replace(layer, name=name, inputs=sources))
        known.append(name)
    read = {source for layer in result for source in layer.inputs}
    for name in known[:-1]:
        if name not in read:
            raise NetworkError(
                f"no layer reads {name!r}; expected every one but the last to be read"
            )
    return tuple(result)


def _check_shapes(layers: tuple[Layer, ...]) -> int:
    """The number of inputs; raises if weights do not match what their layers read."""
    first = layers[0]
    n_in, rest = divmod(first.n_in, len(first.inputs))
    if rest:
        raise NetworkError(
            f"layer {first.name!r}: reads the inputs {len(first.inputs)} times in {first.n_in}"
            " columns"
        )
    width = {INPUT: n_in}
    for layer in layers:
        expected = sum(width[source] for source in layer.inputs)
        if layer.n_in != expected:
            sources = " and ".join(
                f"the {width[s]} {'inputs' if s == INPUT else f'outputs of {s}'}"
                for s in layer.inputs
            )
            raise NetworkError(
                f"layer {layer.name!r}: weights are {layer.weights.shape}; expected ({layer.n_out},"
                f" {expected}) to match {sources}"
            )
        width[layer.name] = layer.n_out
    return n_in


def _names(kind: str, names: Sequence[str] | None, letter: str, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"{letter}{i}" for i in range(count))
    if not _is_list(names) or len(names) != count:
        raise NetworkError(f"{kind}_names are {names!r}; expected {count} names")
    result = tuple(check_identifier(kind, name) for name in names)
    for position, name in enumerate(result):
        if name in result[:position]:
            raise IdentifierError(f"{kind} name {name!r}: used twice; expected different names")
    return result


def _is_list(names: object) -> bool:
    return isinstance(names, list | tuple | np.ndarray)


def _class_names(names: Sequence[Any] | None, n_out: int) -> tuple[str | int, ...] | None:
    if names is None:
        return None
    if not _is_list(names):
        raise NetworkError(f"class_names are {names!r}; expected a list of labels")
    labels = tuple(name.item() if isinstance(name, np.generic) else name for name in names)
    expected = max(n_out, 2)
    if len(labels) != expected:
        raise NetworkError(
            f"class_names are {names!r}; expected {expected} labels for {n_out} outputs"
        )
    kinds = {type(label) for label in labels}
    if not (kinds == {str} or kinds == {int}):
        raise NetworkError(f"class_names are {names!r}; expected all strings or all whole numbers")
    for label in labels:
        if isinstance(label, str) and (
            not label.isprintable() or set(label) & set('"\\') or not label.strip()
        ):
            raise IdentifierError(
                f"class name {label!r}: expected printable characters without quotes and"
                " backslashes, since it becomes an output's readable name in Antimony"
            )
    if len(set(labels)) != len(labels):
        raise NetworkError(f"class_names are {names!r}; expected different labels")
    return labels
