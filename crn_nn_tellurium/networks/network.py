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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    check_identifier,
    real_number,
    real_numbers,
)
from crn_nn_tellurium.errors import IdentifierError, NetworkError
from crn_nn_tellurium.networks.activation import Activation
from crn_nn_tellurium.networks.activations import SmoothedReLU
from crn_nn_tellurium.networks.input_coding import InputCoding, input_coding
from crn_nn_tellurium.networks.layer import INPUT, Layer
from crn_nn_tellurium.networks.network_files import FIELDS, load, save
from crn_nn_tellurium.networks.pruning import pruned_layers
from crn_nn_tellurium.networks.random_layers import drawn_layers
from crn_nn_tellurium.networks.structure import (
    check_shapes,
    checked_class_names,
    checked_names,
    class_label,
    connected,
)
from crn_nn_tellurium.networks.tables import layer_table, network_card

if TYPE_CHECKING:
    import pandas as pd

    from crn_nn_tellurium.operators import ImportReport


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
        Labels that `predict` returns, one per output (two for a single output); none in regression.
    name : str
        Identifier of the model.
    task : {"classification", "regression"}
        Whether the outputs tell classes or are themselves the answer.

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
    task: str = "classification"

    def __post_init__(self) -> None:
        layers = connected(self.layers)
        n_in = check_shapes(layers)
        check_identifier("network", self.name)
        input_names = checked_names("input", self.input_names, "x", n_in)
        output_names = checked_names("output", self.output_names, "y", layers[-1].n_out)
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
            "class_names": checked_class_names(self.class_names, layers[-1].n_out, self.task),
        }
        # what was given is replaced by what it means; the class is frozen for everyone else
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
        inputs: str = "nonnegative",
        input_range: Any = None,
        class_names: Any = None,
        name: str = "network",
        task: str = "classification",
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
        inputs, input_range, class_names, name, task
            As in `Network`.

        Notes
        -----
        Weights are normal with variance 2 / (density n_in) (He et al. 2015, doi
        10.1109/ICCV.2015.123), biases normal with standard deviation 0.1.

        Examples
        --------
        >>> Network.random([3, 4, 2], seed=0)([1.0, 0.0, 2.0]).shape
        (2,)
        """
        hidden = SmoothedReLU() if activation is None else activation
        last = hidden if output is None else output
        layers = drawn_layers(sizes, hidden, last, density, seed)
        return cls(layers, inputs, input_range, class_names=class_names, name=name, task=task)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return len(self.input_names)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return len(self.output_names)

    @property
    def import_report(self) -> ImportReport | None:
        """How `from_torch` and its like made this network of another: what became of each operator,
        exactly or how nearly. None of a network that none of them made, or that was changed since.
        """
        return self.__dict__.get("_import_report")

    def width(self, source: str) -> int:
        """Number of values of a layer, or of the inputs, by name."""
        return self._widths[source]

    @cached_property
    def _widths(self) -> dict[str, int]:
        return {INPUT: self.n_in} | {layer.name: layer.n_out for layer in self.layers}

    def spans(self, layer: Layer) -> tuple[tuple[str, slice], ...]:
        """The sources of a layer in order, each with the columns of the weights that read it."""
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
        """The labels that `classify` gives, `class_names` or 0, 1, ...; not for regression."""
        self.need_classes("classes")
        return tuple(range(max(2, self.n_out))) if self.class_names is None else self.class_names

    @property
    def output_labels(self) -> tuple[str, ...]:
        """What each output is called in pictures: its class, or its own name where it has none."""
        # one output means two classes, so no class is its name
        if self.task == "regression" or self.class_names is None or self.n_out == 1:
            return self.output_names
        return tuple(map(class_label, self.class_names))

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
            values = np.broadcast_to(real_numbers("h", h), (len(self.layers),)).tolist()
        except (TypeError, ValueError, OverflowError) as error:
            raise NetworkError(
                f"h is {h!r}; expected one number, or {len(self.layers)}, one per layer"
            ) from error
        layers = (
            dataclasses.replace(layer, activation=dataclasses.replace(layer.activation, h=value))
            for layer, value in zip(self.layers, values, strict=True)
        )
        return dataclasses.replace(self, layers=tuple(layers))

    def pruned(
        self, tolerance: float = float(np.finfo(float).eps), x: npt.ArrayLike | None = None
    ) -> Network:
        """The same network without weights and biases that cannot be seen, each of which makes
        reactions.

        Zero are then the smallest of each unit, which together move its drive by no more than
        2 sqrt(h) `tolerance`. Outputs change at most as they would if every concentration were off
        by the factor e^tolerance where it is made: by default, by as much as rounding does.

        Parameters
        ----------
        tolerance : float
            Relative change of concentrations that counts as none, >= 0.
        x : (n_samples, n_in) array_like, optional
            Inputs as large as they become; else the range of ``"scaled"`` ones alone is known. Of
            weights that read values of unknown range, those go that together are below `tolerance`
            times the largest of their unit.

        Raises
        ------
        InputError
            If `tolerance` is negative, or x does not fit.

        Examples
        --------
        >>> net = Network([Layer([[1.0, 1e-40], [1e-40, 1e-40]])])
        >>> net.n_weights, net.pruned().n_weights, net.pruned(x=[[0.0, 5.0]]).n_weights
        (4, 3, 1)
        """
        real_number("tolerance", tolerance, 0.0)
        largest = self.input_coding.largest(None if x is None else self.input_coding.check(x))
        return dataclasses.replace(self, layers=pruned_layers(self.layers, tolerance, largest))

    # The closed form --------------------------------------------------------------------------

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
        """Closed-form outputs (..., n_out) for inputs x (..., n_in), checked as in `forward`."""
        return self.forward(x)[self.layers[-1].name]

    def predict(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """The answers for inputs x (..., n_in): class labels (...), as `classify` gives them, or in
        regression the outputs (..., n_out).

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.load_model("xor").predict([[0, 1], [1, 1]])
        array([1, 0])
        """
        outputs = self(x)
        return outputs if self.task == "regression" else self.classify(outputs)

    def predict_proba(self, x: npt.ArrayLike) -> FloatArray:
        """Probabilities (..., n_classes) of the classes for inputs x (..., n_in).

        They are the outputs themselves where these sum to 1, and 1 - p and p where a single sigmoid
        gives p.

        Raises
        ------
        NetworkError
            If the network is for regression, or its outputs are no probabilities.

        Examples
        --------
        >>> from crn_nn_tellurium import Sigmoid
        >>> net = Network([Layer([[1.0]], activation=Sigmoid(h=4.0))], inputs="signed")
        >>> net.predict_proba([[-3.0], [0.0]])
        array([[0.8, 0.2],
               [0.5, 0.5]])
        """
        self.need_classes("predict_proba")
        last = self.layers[-1].activation
        found = last.probabilities(self(x))
        if found is None:
            raise NetworkError(
                f"predict_proba: {self.n_out} output(s) of {last} are no probabilities; expected a"
                " last layer of Normalized with two outputs or more, or of one Sigmoid; a"
                " CRNClassifier makes probabilities of linear outputs"
            )
        return found

    def need_classes(self, what: str) -> None:
        """Refuse a network for regression, which has no classes; `what` says who needs them."""
        if self.task == "regression":
            raise NetworkError(
                f"{what}: network {self.name!r} is for regression, its outputs are values and no"
                " classes; use the values, net(x), or say what they are:"
                " dataclasses.replace(net, task='classification')"
            )

    def classify(self, outputs: npt.ArrayLike) -> npt.NDArray[Any]:
        """Class labels for outputs (..., n_out), from the closed form or from the chemistry.

        The largest output wins; a single output decides between two classes at its activation's
        `threshold`. Without `class_names`, labels are 0, 1, ...; an output that is NaN, a sample
        that failed, gets no class and is refused.

        Raises
        ------
        NetworkError
            If the network is for regression, an output is NaN, or their number is not the
            network's.

        Examples
        --------
        >>> import crn_nn_tellurium as cn
        >>> cn.load_model("xor").classify([[0.9], [0.2]])
        array([1, 0])
        """
        self.need_classes("classify")
        outputs = real_numbers("classify: outputs", outputs, error=NetworkError)
        if outputs.shape[-1:] != (self.n_out,):
            raise NetworkError(
                f"classify: outputs have shape {outputs.shape}; expected (..., {self.n_out})"
            )
        if np.isnan(outputs).any():
            raise NetworkError(
                "classify: an output is NaN (a sample that failed); leave such samples out"
            )
        if self.n_out == 1:  # one output decides between two classes
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
        names = [entry.name for entry in dataclasses.fields(self)]
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        layers = "; ".join(f"{one.name}: {one.n_out} {one.activation}" for one in self.layers)
        task = ", regression" if self.task == "regression" else ""
        return (
            f"Network({self.name!r}: {self.n_in} inputs, {self.inputs}; {layers}; {self.n_weights}"
            f" weights{task})"
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per layer: what it reads, its units, activation, h and weights.

        Examples
        --------
        >>> Network.random([2, 3, 1], seed=0).to_frame().loc["layer2", "weights"]
        np.int64(3)
        """
        return layer_table(self)

    def _repr_html_(self) -> str:
        return network_card(self)
