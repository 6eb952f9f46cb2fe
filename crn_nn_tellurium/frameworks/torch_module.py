"""The closed form of a network's steady state in PyTorch's operations, and the engine's answer with
the adjoint of its reactions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.autograd import Function

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.frameworks.by_engine import slopes, with_numbers
from crn_nn_tellurium.frameworks.formulas import Knees, formula_of
from crn_nn_tellurium.networks import INPUT, Activation, Layer, Network, places, values_of
from crn_nn_tellurium.simulation import Simulator


class ChemistryModule(torch.nn.Module):  # type: ignore[misc]  # Any where torch is not installed
    """A network whose forward is its chemistry's steady state; `as_torch` makes it.

    Attributes
    ----------
    layers : torch.nn.ModuleList
        One a layer, each with ``weight`` (n_out, n_in), or the stored ones of a sparse layer, and
        ``bias`` (n_out,).
    """

    def __init__(self, net: Network, engine: str | None) -> None:
        super().__init__()
        self._net, self._engine = net, engine
        self.layers = torch.nn.ModuleList(ChemistryLayer(layer) for layer in net.layers)
        coding = net.input_coding
        low = torch.tensor(coding.low) if coding.low else torch.zeros(net.n_in)
        self.register_buffer("_low", low.double(), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (..., n_out) for inputs x (..., n_in)."""
        self._check(x)
        if self._engine is not None:
            return _BySimulator.apply(self, x, *self._numbers())
        values = {INPUT: x}
        for layer, own in zip(self._net.layers, self.layers, strict=True):
            parts = [values[source] for source in layer.inputs]
            values[layer.name] = own(parts[0] if len(parts) == 1 else torch.cat(parts, -1))
        return values[self._net.layers[-1].name]

    def _check(self, x: Any) -> None:
        """Refuse what the network refuses."""
        if not isinstance(x, torch.Tensor):
            raise InputError(f"inputs: got {type(x).__name__}; expected a tensor")
        coding = self._net.input_coding
        if x.ndim and x.shape[-1] == self._net.n_in:
            fits = torch.isfinite(x)
            if coding.kind != "signed":
                fits &= x >= self._low.to(x.dtype)
            if fits.all():
                self._check_dtype(x)
                return
        coding.check(_array(x))

    def _check_dtype(self, x: torch.Tensor) -> None:
        own = self.layers[0].weight.dtype
        # of whole numbers the outputs would be rounded to such
        if not x.is_floating_point() or (self._engine is None and x.dtype != own):
            raise InputError(
                f"inputs are {x.dtype} and the module's numbers {own}; expected the same:"
                f" x.to({own}), or module.to({x.dtype if x.is_floating_point() else own})"
            )

    def to_network(self) -> Network:
        """The network with the numbers as they are now."""
        return with_numbers(self._net, map(_array, self._numbers()))

    def _numbers(self) -> Iterator[torch.Tensor]:
        """Weights and biases by layer, whatever they are made of: pruned or parametrized ones."""
        return (number for own in self.layers for number in (own.weight, own.bias))

    def extra_repr(self) -> str:
        """What PyTorch shows besides the layers."""
        return f"{self._net!r}" + (f", engine={self._engine!r}" if self._engine else "")


class ChemistryLayer(torch.nn.Module):  # type: ignore[misc]
    """One layer: value = activation(weight v + bias)."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        values = values_of(layer.weights)
        self._shape = layer.weights.shape
        if is_sparse(layer.weights):
            where = torch.tensor(np.array(places(layer.weights)))
            self.register_buffer("_where", where, persistent=False)
        else:
            values = values.reshape(self._shape)
            self._where = None
        self.weight = torch.nn.Parameter(torch.tensor(values))
        self.bias = torch.nn.Parameter(torch.tensor(layer.bias))
        self._activation, self._formula = layer.activation, formula_of(layer.activation)

    def forward(self, v: torch.Tensor) -> torch.Tensor:
        """Values (..., n_out) for what the layer reads (..., n_in)."""
        if self._where is None:
            return self._activate(torch.nn.functional.linear(v, self.weight, self.bias))
        flat = v.reshape(-1, v.shape[-1])
        matrix = torch.sparse_coo_tensor(
            self._where, self.weight, self._shape, is_coalesced=True, check_invariants=False
        )
        z = torch.sparse.mm(matrix, flat.T).T + self.bias
        return self._activate(z.reshape(*v.shape[:-1], self._shape[0]))

    def _activate(self, z: torch.Tensor) -> torch.Tensor:
        """The closed form of the activation's value."""
        if self._formula is None:
            return _ByNumpy.apply(z, self._activation)
        return self._formula(z, _total)


# Activations --------------------------------------------------------------------------------------


def _total(z: torch.Tensor, knees: Knees) -> torch.Tensor:
    value, _ = _SumOfKnees.apply(z, knees)
    return value


def _slope(z: torch.Tensor, knees: Knees) -> torch.Tensor:
    """The slope of knees, in operations that have derivatives themselves, at kinks of |u| too."""
    slope = torch.full_like(z, knees.line)
    for factor, shift, curve in knees.knees:
        u = factor * z + shift
        slope = slope + curve * factor / 2 * (1 + u / torch.sqrt(u**2 + 4 * knees.h))
    return slope


class _SumOfKnees(Function):  # type: ignore[misc]
    """The value of knees, and their slope, which is kept for backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z: torch.Tensor, knees: Knees) -> tuple[torch.Tensor, torch.Tensor]:
        value, slope = knees.line * z + knees.constant, torch.full_like(z, knees.line)
        for curve, factor, y, root in knees.parts(z, torch):
            value.add_(y, alpha=curve)
            slope.addcdiv_(y, root, value=curve * factor)
        return value, slope

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        z, ctx.knees = inputs
        _, slope = output
        ctx.mark_non_differentiable(slope)
        ctx.save_for_backward(z, slope)

    @staticmethod
    def backward(ctx: Any, by_value: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor, None]:
        z, slope = ctx.saved_tensors
        # with create_graph, where what is kept would count as a constant
        return by_value * (_slope(z, ctx.knees) if torch.is_grad_enabled() else slope), None


class _ByNumpy(Function):  # type: ignore[misc]
    """An activation of a user's own, by its closed form and derivative."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, activation: Activation) -> torch.Tensor:
        ctx.save_for_backward(z)
        ctx.activation = activation
        return _like(activation(_array(z)), z)

    @staticmethod
    def backward(ctx: Any, by_value: torch.Tensor) -> tuple[torch.Tensor, None]:
        (z,) = ctx.saved_tensors
        slope = _like(ctx.activation.derivative(_array(z)), z)
        if ctx.activation.couples_units:
            found = torch.einsum("...j,...ji->...i", by_value, slope)
        else:
            found = by_value * slope
        return _once(found, z, type(ctx.activation).__name__), None


def _once(found: torch.Tensor, read: torch.Tensor, what: str) -> torch.Tensor:
    """A derivative that has none itself, which is said by who asks for it."""
    return _Once.apply(found, read, what) if torch.is_grad_enabled() else found


class _Once(Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, found: torch.Tensor, read: torch.Tensor, what: str) -> torch.Tensor:
        ctx.what = what
        return found.clone()

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor) -> None:
        raise NetworkError(
            f"as_torch: {ctx.what} has no derivatives of derivatives; expected none to be asked"
            " for, or activations of ours without an engine, which have them"
        )


# By the engine ------------------------------------------------------------------------------------


class _BySimulator(Function):  # type: ignore[misc]
    """Roadrunner's steady state, and the adjoint of its reactions."""

    @staticmethod
    def forward(
        ctx: Any, module: ChemistryModule, x: torch.Tensor, *parameters: torch.Tensor
    ) -> torch.Tensor:
        net = module.to_network()
        simulator = Simulator(net)
        flat = _array(x).reshape(-1, net.n_in)
        steady = simulator.steady_state(flat)
        ctx.kinetics, ctx.like = simulator.kinetics, x.new_empty(0)
        ctx.shapes = [part.shape for part in (x, *parameters)]
        ctx.states = simulator.kinetics.at(flat, steady.concentrations)
        ctx.save_for_backward(x, *parameters)
        return _like(steady.outputs.reshape(*x.shape[:-1], net.n_out), x)

    @staticmethod
    def backward(ctx: Any, by_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        slope = _array(by_output).reshape(len(ctx.states[0].catalysts), -1)
        found = zip(slopes(ctx.kinetics, ctx.states, slope), ctx.shapes, strict=True)
        parts = (_like(part.reshape(shape), ctx.like) for part, shape in found)
        read = next((one for one in ctx.saved_tensors if one.requires_grad), by_output)
        return None, *(_once(part, read, "engine='roadrunner'") for part in parts)


def _array(tensor: torch.Tensor) -> FloatArray:
    return np.asarray(tensor.detach().cpu().double().numpy())


def _like(array: FloatArray, tensor: torch.Tensor) -> torch.Tensor:
    """Numbers as a tensor of another's type and device."""
    return torch.tensor(array).to(tensor)
