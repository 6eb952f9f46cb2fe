"""The closed form of a network's steady state in PyTorch's operations, and the engine's answer with
the adjoint of its reactions.

What an activation of rails makes of z is a sum of smoothed ReLUs: sigma_h(u) = (u + r) / 2 with
r = sqrt(u^2 + 4h), whose slope is sigma_h(u) / r. Two rails of one knot need one root together, as
sigma_h(-u) = sigma_h(u) - u.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.autograd import Function

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.networks import (
    INPUT,
    Activation,
    Layer,
    Network,
    Normalized,
    Sigmoid,
    SmoothedReLU,
    Tanh,
    places,
    values_of,
    with_arrays,
    with_values,
)
from crn_nn_tellurium.sensitivity import adjoint_of
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
            # those of the layers, whatever they are made of: pruned or parametrized ones, say
            numbers = (number for own in self.layers for number in (own.weight, own.bias))
            return _BySimulator.apply(self, x, *numbers)
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
        pairs = list(zip(self._net.layers, self.layers, strict=True))
        weights = [with_values(layer.weights, _array(own.weight).ravel()) for layer, own in pairs]
        biases = [_array(own.bias) for _, own in pairs]
        return with_arrays(self._net, weights, biases, self._net.h)

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
        self._activate = in_torch(layer.activation)

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


# Activations --------------------------------------------------------------------------------------

Activate = Callable[[torch.Tensor], torch.Tensor]


def in_torch(activation: Activation) -> Activate:
    """The closed form of an activation's value as a function of tensors."""
    kind = type(activation)
    if kind in _SHARES:
        return _SHARES[kind](activation)
    own = (kind.concentrations, kind.derivative, kind.read, kind.drive, kind.__call__)
    base = Activation
    ours = (base.concentrations, base.derivative, base.read, base.drive, base.__call__)
    return Knees.of(activation) if own == ours else ByNumpy(activation)


@dataclass(frozen=True)
class Knees:
    """constant + line z + the sum of curve sigma_h(factor z + shift) over knees (factor, shift,
    curve): an activation of rails alone.
    """

    h: float
    constant: float
    line: float
    knees: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, activation: Activation) -> Knees:
        """Those of an activation, whose rails of one knot are put together."""
        read, gain = dict(activation.read_out.terms), activation.gain
        constant, line = activation.read_out.constant, 0.0
        curves: dict[tuple[float, float], float] = {}
        for rail in activation.rails:
            coefficient = read.get(rail.name, 0.0)
            factor, shift = rail.sign * gain, rail.shift + 0.0
            if (-factor, 0.0 - shift) in curves:
                # sigma_h(u) = sigma_h(-u) + u
                line, constant = line + coefficient * factor, constant + coefficient * shift
                factor, shift = -factor, 0.0 - shift
            curves[factor, shift] = curves.get((factor, shift), 0.0) + coefficient
        knees = tuple((*knee, curve) for knee, curve in curves.items() if curve)
        return cls(activation.h, constant, line, knees)

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """The value, same shape as z."""
        value, _ = _SumOfKnees.apply(z, self)
        return value

    def slope(self, z: torch.Tensor) -> torch.Tensor:
        """The derivative, in operations that have derivatives themselves, at kinks of |u| too."""
        slope = torch.full_like(z, self.line)
        for factor, shift, curve in self.knees:
            u = factor * z + shift
            slope = slope + curve * factor / 2 * (1 + u / torch.sqrt(u**2 + 4 * self.h))
        return slope


class _SumOfKnees(Function):  # type: ignore[misc]
    """The value of knees, and their slope, which is kept for backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(z: torch.Tensor, knees: Knees) -> tuple[torch.Tensor, torch.Tensor]:
        value, slope = knees.line * z + knees.constant, torch.full_like(z, knees.line)
        for factor, shift, curve in knees.knees:
            u = factor * z + shift
            root = torch.hypot(u, u.new_tensor(2 * math.sqrt(knees.h)))
            # below 0 the sum would cancel, so there it is taken from sigma_h(u) sigma_h(-u) = h
            larger = (u.abs() + root).mul_(0.5)
            y = torch.where(u >= 0, larger, knees.h / larger)
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
        return by_value * (ctx.knees.slope(z) if torch.is_grad_enabled() else slope), None


@dataclass(frozen=True)
class Ratio:
    """A sigmoid: the share y / (y + y') of a unit's two rails, as its read-out reads it."""

    activation: Activation

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """The value, same shape as z."""
        read_out, h = self.activation.read_out, self.activation.h
        ((_, coefficient),) = read_out.terms
        # y + y' = sqrt(z^2 + 4h)
        root = torch.hypot(z, z.new_tensor(2 * math.sqrt(h)))
        return coefficient * (Knees.of(SmoothedReLU(h))(z) / root) + read_out.constant


@dataclass(frozen=True)
class Shares:
    """Each unit's y as a share of the whole layer's."""

    activation: Activation

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """The values, same shape as z."""
        y = Knees.of(SmoothedReLU(self.activation.h))(z)
        return y / y.sum(-1, keepdim=True)


_SHARES: dict[type, Callable[[Activation], Activate]] = {
    Sigmoid: Ratio,
    Tanh: Ratio,
    Normalized: Shares,
}
"""Activations of ours that are more than rails."""


@dataclass(frozen=True)
class ByNumpy:
    """An activation of a user's own, by its closed form and derivative."""

    activation: Activation

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """The value, same shape as z."""
        return _ByNumpy.apply(z, self.activation)


class _ByNumpy(Function):  # type: ignore[misc]
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
        ctx.kinetics, ctx.like, ctx.shape = simulator.kinetics, x.new_empty(0), x.shape
        ctx.states = simulator.kinetics.at(flat, steady.concentrations)
        ctx.save_for_backward(x, *parameters)
        return _like(steady.outputs.reshape(*x.shape[:-1], net.n_out), x)

    @staticmethod
    def backward(ctx: Any, by_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        slope = _array(by_output).reshape(len(ctx.states[0].catalysts), -1)
        (weights, biases, _), by_input = adjoint_of(ctx.kinetics, ctx.states, slope, inputs=True)
        parts = [
            part
            for matrix, bias in zip(weights, biases, strict=True)
            for part in (matrix.data if is_sparse(matrix) else matrix, bias)
        ]
        assert by_input is not None
        found = (by_input.reshape(ctx.shape), *parts)
        read = next((one for one in ctx.saved_tensors if one.requires_grad), by_output)
        return None, *(_once(_like(part, ctx.like), read, "engine='roadrunner'") for part in found)


def _array(tensor: torch.Tensor) -> FloatArray:
    return np.asarray(tensor.detach().cpu().double().numpy())


def _like(array: FloatArray, tensor: torch.Tensor) -> torch.Tensor:
    """Numbers as a tensor of another's type and device."""
    return torch.tensor(array).to(tensor)
