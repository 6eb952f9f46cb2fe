"""The closed form of a network's steady state in JAX's operations, and the engine's answer with the
adjoint of its reactions, called back from JAX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from crn_nn_tellurium.basics import FloatArray, is_sparse
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.frameworks.by_engine import slopes, with_numbers
from crn_nn_tellurium.frameworks.formulas import Knees, formula_of
from crn_nn_tellurium.kinetics import NetworkKinetics
from crn_nn_tellurium.networks import INPUT, Activation, Layer, Network, places, values_of
from crn_nn_tellurium.simulation import Simulator

Parameters = Sequence[tuple[Any, Any]]
"""By layer (weight, bias)."""


@dataclass(frozen=True, eq=False)
class ChemistryFunction:
    """A network as a function of its parameters and inputs; `as_jax` makes it."""

    net: Network
    engine: str | None

    def parameters(self) -> list[tuple[jax.Array, jax.Array]]:
        """The network's own, in JAX's precision."""
        pairs = [(layer.weights, layer.bias) for layer in self.net.layers]
        rows = [values_of(weights) if is_sparse(weights) else weights for weights, _ in pairs]
        return [
            (jnp.array(row), jnp.array(bias)) for row, (_, bias) in zip(rows, pairs, strict=True)
        ]

    def __call__(self, parameters: Parameters, x: Any) -> jax.Array:
        """Outputs (..., n_out) for inputs x (..., n_in)."""
        self._check(parameters)
        x = self._checked(x)
        if self.engine is not None:
            return _by_simulator(self.net, parameters, x)
        values = {INPUT: x}
        for layer, (weight, bias) in zip(self.net.layers, parameters, strict=True):
            read = jnp.concatenate([values[source] for source in layer.inputs], -1)
            values[layer.name] = _activate(layer.activation, _product(layer, weight, read) + bias)
        return values[self.net.layers[-1].name]

    def to_network(self, parameters: Parameters) -> Network:
        """The network with these numbers."""
        self._check(parameters)
        return with_numbers(self.net, map(_array, jax.tree.leaves(parameters)))

    def _check(self, parameters: Parameters) -> None:
        own = jax.eval_shape(self.parameters)
        given, expected = (
            [jnp.shape(part) for part in jax.tree.leaves(p)] for p in (parameters, own)
        )
        if given != expected:
            raise InputError(
                f"parameters have the shapes {given}; expected {expected}, (weight, bias) of each"
                " layer, as as_jax gives them"
            )

    def _checked(self, x: Any) -> jax.Array:
        """Inputs as an array of floats, refused as the network refuses them; traced ones, whose
        numbers are not there yet, are NaN where they would be.
        """
        coding = self.net.input_coding
        given = x if hasattr(x, "dtype") else coding.check(x)  # lists and tables
        x = 1.0 * jnp.asarray(given)
        traced = isinstance(x, jax.core.Tracer)
        if x.shape[-1:] != (self.net.n_in,) or not jnp.issubdtype(x.dtype, jnp.floating):
            coding.check(np.zeros(x.shape, x.dtype) if traced else np.asarray(given))
        fits = jnp.isfinite(x)
        if coding.kind != "signed":
            fits &= x >= jnp.asarray(coding.low or 0.0, x.dtype)
        if traced:
            # the engine will see them, and refuse them itself
            return jnp.where(fits, x, jnp.nan) if self.engine is None else x
        if not fits.all():
            coding.check(given)
        return x


def _product(layer: Layer, weight: jax.Array, read: jax.Array) -> jax.Array:
    """W v, of sparse weights those stored alone."""
    if not is_sparse(layer.weights):
        return read @ weight.T
    rows, columns = places(layer.weights)
    by_weight = jnp.moveaxis(weight * read[..., columns], -1, 0)
    # stored row by row
    total = jax.ops.segment_sum(by_weight, rows, layer.n_out, indices_are_sorted=True)
    return jnp.moveaxis(total, 0, -1)


def _activate(activation: Activation, z: jax.Array) -> jax.Array:
    """The closed form of an activation's value."""
    formula = formula_of(activation)
    return _by_numpy(activation, z) if formula is None else formula(z, _total)


def _total(z: jax.Array, knees: Knees) -> jax.Array:
    curves = (curve * y for curve, _, y, _ in knees.parts(z, jnp))
    return sum(curves, knees.line * z + knees.constant)


def _called(function: Any, shape: tuple[int, ...], z: jax.Array) -> jax.Array:
    """A function of numpy's arrays, which takes any leading axes."""

    def call(z: Any) -> Any:
        return np.asarray(function(_array(z)), z.dtype)

    kind = jax.ShapeDtypeStruct(shape, z.dtype)
    return jax.pure_callback(call, kind, z, vmap_method="expand_dims")


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _by_numpy(activation: Activation, z: jax.Array) -> jax.Array:
    """An activation of a user's own, by its closed form and derivative."""
    return _called(activation, z.shape, z)


@_by_numpy.defjvp  # type: ignore[untyped-decorator]
def _(activation: Activation, primals: Any, tangents: Any) -> tuple[jax.Array, jax.Array]:
    (z,), (change,) = primals, tangents
    value, coupled = _by_numpy(activation, z), activation.couples_units
    slope = _called(activation.derivative, z.shape + z.shape[-1:] * coupled, z)
    return value, jnp.einsum("...ji,...i->...j", slope, change) if coupled else slope * change


# By the engine ------------------------------------------------------------------------------------


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _by_simulator(net: Network, parameters: Parameters, x: jax.Array) -> jax.Array:
    """Roadrunner's steady state, and the adjoint of its reactions."""
    return _settled(net, parameters, x)[0]


def _settled(net: Network, parameters: Parameters, x: jax.Array) -> tuple[jax.Array, Any]:
    def settle(parameters: Parameters, x: Any) -> Any:
        own = with_numbers(net, map(_array, jax.tree.leaves(parameters)))
        steady = Simulator(own).steady_state(_array(x).reshape(-1, net.n_in))
        return _like([steady.outputs, steady.concentrations], kinds)

    n_species = sum(layer.n_out * len(layer.activation.species) for layer in net.layers)
    shapes = [(*x.shape[:-1], n) for n in (net.n_out, n_species)]
    dtype = jnp.result_type(x, *jax.tree.leaves(parameters))
    kinds = [jax.ShapeDtypeStruct(shape, dtype) for shape in shapes]
    outputs, concentrations = jax.pure_callback(
        settle, kinds, parameters, x, vmap_method="sequential"
    )
    return outputs, (parameters, x, concentrations)


def _slopes(net: Network, kept: Any, by_output: jax.Array) -> tuple[Any, Any]:
    def back(parameters: Parameters, *arrays: Any) -> Any:
        kinetics = NetworkKinetics(with_numbers(net, map(_array, jax.tree.leaves(parameters))))
        # samples side by side
        x, concentrations, slope = (_array(a).reshape(-1, a.shape[-1]) for a in arrays)
        by_input, *numbers = slopes(kinetics, kinetics.at(x, concentrations), slope)
        return _like([*numbers, by_input], flat)

    parameters, x, concentrations = kept
    flat, tree = jax.tree.flatten(
        jax.tree.map(lambda part: jax.ShapeDtypeStruct(part.shape, part.dtype), (parameters, x))
    )
    found = jax.pure_callback(
        back, flat, parameters, x, concentrations, by_output, vmap_method="sequential"
    )
    return jax.tree.unflatten(tree, found)


_by_simulator.defvjp(_settled, _slopes)


def _array(array: Any) -> FloatArray:
    return np.asarray(array, dtype=float)


def _like(arrays: Sequence[FloatArray], kinds: Sequence[Any]) -> list[Any]:
    """Numbers in other shapes and types."""
    pairs = zip(arrays, kinds, strict=True)
    return [part.reshape(kind.shape).astype(kind.dtype) for part, kind in pairs]
