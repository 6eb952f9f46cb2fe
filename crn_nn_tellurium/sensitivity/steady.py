"""Sensitivities of a steady state: dy/dp for every output and parameter of any mass-action network.

At an isolated steady state f(y, p) = 0 the implicit function theorem gives dy/dp = -J^-1 df/dp,
J = df/dy. J is singular where the network conserves something (A + B, say), which is then named.

Source: Reder, J. theor. Biol. 135 (1988) 175; Feinberg, Foundations of Chemical Reaction Network
Theory (2019), chapter 3, for conservation laws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from crn_nn_tellurium.basics import FloatArray, read_only, some
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import ConvergenceError, InputError, SingularJacobianError
from crn_nn_tellurium.kinetics import forward_sensitivities
from crn_nn_tellurium.networks import (
    Network,
    other_names,
    parameters as network_parameters,
    to_vector,
)
from crn_nn_tellurium.sensitivity.by_parameter import check_h
from crn_nn_tellurium.sensitivity.over_time import as_names, position, read_outputs
from crn_nn_tellurium.sensitivity.problem import simulator_of
from crn_nn_tellurium.simulation import (
    AFTER_INTEGRATION,
    DURATIONS,
    FlatModel,
    Outcome,
    Simulator,
    come_to_rest,
)

if TYPE_CHECKING:
    import pandas as pd

SINGULAR = 1e-13
"""Smallest singular value of J beside the largest, rows scaled to 1, that may be rounding alone."""
NAMED_UP_TO = 2_000
"""Floating species up to which conserved combinations are looked for, by dense linear algebra."""
_DURATIONS = DURATIONS[1:13]


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Derivatives of outputs with respect to parameters at a steady state.

    Attributes
    ----------
    values : (..., n_outputs, n_parameters) ndarray
        d output / d parameter; with a leading dimension for a batch of inputs.
    output_values : (..., n_outputs) ndarray
    parameter_values : (..., n_parameters) ndarray
    outputs, parameters : tuple of str
        Identifiers of the axes.
    """

    values: FloatArray
    output_values: FloatArray
    parameter_values: FloatArray
    outputs: tuple[str, ...] = field(repr=False)
    parameters: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        read_only(self.values, self.output_values, self.parameter_values)

    @property
    def relative(self) -> FloatArray:
        """d ln|output| / d ln|parameter|, of the shape of `values`; NaN where the output is 0."""
        outputs = np.where(self.output_values == 0, np.nan, self.output_values)
        return self.values * self.parameter_values[..., None, :] / outputs[..., :, None]

    def __getitem__(self, key: tuple[str, str]) -> Any:
        """d output / d parameter for (output, parameter): a number, or one per sample."""
        row, column = position(key, self.outputs, self.parameters)
        return self.values[..., row, column]

    def to_frame(self) -> pd.DataFrame:
        """A table with a row per output and a column per parameter, of one sample.

        Raises
        ------
        InputError
            If there are several samples.
        """
        if self.values.ndim != 2:
            shape = self.values.shape
            raise InputError(f"sensitivities of shape {shape} are of several samples; index one")
        import pandas as pd

        return pd.DataFrame(self.values, index=list(self.outputs), columns=list(self.parameters))

    def __repr__(self) -> str:
        lead = "".join(f"{n} samples, " for n in self.values.shape[:-2])
        largest = ""
        if self.values.size:
            row, column = np.unravel_index(np.abs(self.values).argmax(), self.values.shape)[-2:]
            largest = f"; largest d {self.outputs[row]} / d {self.parameters[column]}"
        n_outputs, n_parameters = len(self.outputs), len(self.parameters)
        return f"Sensitivities({lead}{n_outputs} outputs by {n_parameters} parameters{largest})"


def sensitivities(
    model: Network | Simulator | ReactionNetwork,
    x: npt.ArrayLike | None = None,
    *,
    outputs: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
) -> Sensitivities:
    """d output / d parameter at the steady state.

    Parameters
    ----------
    model : Network, Simulator or ReactionNetwork
        The steady state of a Network is found by units; that of a ReactionNetwork from its initial
        concentrations, by integration and Newton's method.
    x : (n_in,) or (n_samples, n_in) array_like
        Input values of a Network; for a ReactionNetwork, (n_floating,), a state near the steady
        state, optional.
    outputs : sequence of str, optional
        A Network's outputs; a ReactionNetwork's observables or floating species. By default the
        outputs, or all observables, or all floating species.
    parameters : sequence of str, optional
        Of a Network: weights ``w1_0_1`` (layer, unit, value read), biases ``b1_0``, ``h1``, and
        inputs by name. Of a ReactionNetwork: rate constants and boundary species. By default all.

    Returns
    -------
    Sensitivities

    Raises
    ------
    InputError
        If a name or a shape does not fit.
    SingularJacobianError
        If the steady state is not isolated; what the network conserves is named.
    ConvergenceError
        If no steady state is found, or it is unstable.

    Examples
    --------
    >>> from crn_nn_tellurium import Reaction, Species
    >>> made, lost = Reaction("J1", (), ("Y",), "a", 6.0), Reaction("J2", ("Y",), (), "d", 2.0)
    >>> crn = ReactionNetwork([Species("Y")], [made, lost])
    >>> sensitivities(crn).to_frame().loc["Y"].tolist()  # Y = a / d
    [0.5, -1.5]
    """
    if isinstance(model, ReactionNetwork):
        found = _of_reactions(model, x)
        if outputs is None and model.observables:
            outputs = [observable.id for observable in model.observables]
    else:
        simulator = simulator_of(model)
        found = _of_network(simulator, x)
        wanted = found.parameters if parameters is None else as_names(parameters)
        check_h(simulator.kinetics, wanted)
    rows = _chosen("output", outputs, found.outputs)
    columns = _chosen("parameter", parameters, found.parameters)
    at = found.output_values[..., rows], found.parameter_values[..., columns]
    names = tuple(found.outputs[i] for i in rows), tuple(found.parameters[i] for i in columns)
    return Sensitivities(found.values[..., rows, :][..., columns], *at, *names)


def _chosen(kind: str, names: str | Sequence[str] | None, known: tuple[str, ...]) -> list[int]:
    if names is None:
        return list(range(len(known)))
    names = [names] if isinstance(names, str) else names
    for name in names:
        if name not in known:
            raise InputError(
                f"{kind} {name!r}: expected one of {some(known)}" + other_names(name, known)
            )
    return [known.index(name) for name in names]


def _of_network(simulator: Simulator, x: npt.ArrayLike | None) -> Sensitivities:
    net = simulator.net
    if x is None:
        raise InputError("a Network needs its input values x")
    values = net.input_coding.check(x)
    batch = np.atleast_2d(values)
    if not len(batch):
        raise InputError(f"inputs have shape {values.shape}; expected one sample or more")
    steady = simulator.steady_state(batch)
    states = simulator.kinetics.at(batch, steady.concentrations)
    found = forward_sensitivities(simulator.kinetics, states, inputs=True)
    names = (*(p.id for p in network_parameters(net)), *net.input_names)
    # every sample has the same parameters, and inputs of its own
    own = np.broadcast_to(to_vector(net), (len(batch), len(names) - net.n_in))
    at = np.concatenate([own, batch], axis=1)
    outputs = simulator.kinetics.outputs(states)
    if values.ndim == 1:
        found, outputs, at = found[0], outputs[0], at[0]
    return Sensitivities(found, outputs, at, net.output_names, names)


# Any reaction network ---------------------------------------------------------------------------


def _of_reactions(crn: ReactionNetwork, near: npt.ArrayLike | None) -> Sensitivities:
    refuse_conserved(crn)
    state = steady_state_of(crn, near)
    sides = [crn.rate_constant_jacobian(state), crn.boundary_jacobian(state)]
    # one factorisation serves all parameters
    right = sparse.hstack(sides).toarray()
    derivatives = np.zeros((0, right.shape[1]))
    if len(crn.floating):
        derivatives = -_factorized(crn, crn.jacobian(state)).solve(right)
    names = (*crn.rate_constants, *crn.boundary)
    outputs = (*(o.id for o in crn.observables), *crn.floating)  # either can be asked for
    held, constants = crn.boundary_concentrations, crn.constants
    found = state[None], derivatives[None]
    values, read = read_outputs(crn, outputs, names, held, constants, *found)
    return Sensitivities(values[0], read[0], np.concatenate([constants, held]), outputs, names)


def _factorized(crn: ReactionNetwork, jacobian: sparse.csr_array) -> Any:
    """J, ready to solve with, or a refusal that names what is not determined."""
    scale = abs(jacobian).max(axis=1).toarray().ravel()
    if len(scale) <= NAMED_UP_TO and len(scale):
        # rows of one size: a slow species is no reason to call J singular
        dense = jacobian.toarray() / np.where(scale > 0, scale, 1.0)[:, None]
        left, sizes, _ = linalg.svd(dense)
        if np.linalg.eigvals(jacobian.toarray()).real.max() > SINGULAR * abs(jacobian).max():
            raise ConvergenceError(
                f"network {crn.name!r}: its steady state is unstable: a small change leaves it, so"
                " that nothing measures its sensitivities; start near a stable one"
            )
        if sizes[-1] <= SINGULAR * sizes[0]:
            combination = left[:, -1] / np.where(scale > 0, scale, 1.0)
            raise SingularJacobianError(
                f"network {crn.name!r}: the Jacobian at its steady state is singular: the"
                f" combination {combination_text(crn.floating, combination)} does not return after"
                " a small change, so the steady state is not isolated and has no derivatives"
            )
    try:
        return splu(jacobian.tocsc())
    except RuntimeError as error:  # what SuperLU raises for a singular matrix
        raise SingularJacobianError(
            f"network {crn.name!r}: the Jacobian at its steady state is singular ({error}), so it"
            " has no derivatives"
        ) from error


def steady_state_of(crn: ReactionNetwork, near: npt.ArrayLike | None = None) -> FloatArray:
    """A steady state (n_floating,) of any mass-action network, from its initial concentrations.

    Integration by roadrunner until Newton's method, on the network's own Jacobian, takes over.
    """
    start = crn.initial_concentrations if near is None else np.asarray(near, dtype=float)
    if start.shape != (len(crn.floating),) or not np.all(np.isfinite(start) & (start >= 0)):
        expected = f"({len(crn.floating)},) concentrations >= 0"
        raise InputError(
            f"network {crn.name!r}: a state of shape {start.shape}; expected {expected}"
        )
    # a start that is near needs no engine
    polished = None if near is None else _newton(crn, start)
    if polished is not None:
        return polished
    model = FlatModel(crn)

    def advance(state: FloatArray, duration: float) -> FloatArray:
        later = model.time_course(np.array([0.0, duration]), state)[-1]
        return np.asarray(np.maximum(later, 0.0))

    def finish(state: FloatArray, _: float) -> tuple[FloatArray, Outcome] | None:
        found = _newton(crn, state)
        return None if found is None else (found, AFTER_INTEGRATION)

    state, outcome = come_to_rest(start, advance, finish, _DURATIONS)
    if outcome.failed:
        raise ConvergenceError(
            f"network {crn.name!r}: it has not come to rest ({outcome.reason}); does it grow"
            " without bound or oscillate?"
        )
    return state


def _newton(crn: ReactionNetwork, state: FloatArray) -> FloatArray | None:
    """Newton's method, if it ends near its start, at rest, with all concentrations >= 0."""
    x = state.copy()
    for _ in range(20):
        try:
            step = splu(crn.jacobian(x).tocsc()).solve(crn.right_hand_side(x))
        except RuntimeError:
            break
        x = x - step
        if not np.all(np.isfinite(x)):
            return None
        if np.all(np.abs(step) <= 1e-13 * np.abs(x).max(initial=1e-300)):
            break
    # what is so far below the largest concentration is rounding; farther off is another state
    floor = 1e-12 * np.abs(x).max(initial=0.0)
    far = 0.1 * state + 1e-3 * np.abs(state).max(initial=0.0)
    if np.any(x < -floor) or np.any(np.abs(x - state) > far):
        return None
    x = np.maximum(np.where(np.abs(x) <= 1e-3 * floor, 0.0, x), 0.0)
    balance = crn.balance(x)
    return x if np.all(balance.distance <= 1e-11 * x + floor + balance.rounding) else None


# What a network conserves -----------------------------------------------------------------------


def refuse_conserved(crn: ReactionNetwork) -> None:
    """Refuse a network that conserves a combination of its species, and name it."""
    if len(crn.floating) > NAMED_UP_TO or not crn.floating:
        return
    kept = conserved_combinations(crn)
    if len(kept):
        text = " and ".join(combination_text(crn.floating, row) for row in kept[:3])
        more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
        raise SingularJacobianError(
            f"network {crn.name!r} conserves {text}{more}: its steady state depends on the start"
            " and is not isolated, so it has no derivatives; let a reaction make or consume what"
            " is conserved, or hold one of these species as a boundary species"
        )


def conserved_combinations(crn: ReactionNetwork) -> FloatArray:
    """Combinations c with c . N = 0, one per row, shape (n_conserved, n_floating), in echelon form.

    >>> from crn_nn_tellurium import Reaction, Species
    >>> there = Reaction("J1", ("A",), ("B",), "k1", 1.0)
    >>> back = Reaction("J2", ("B",), ("A",), "k2", 2.0)
    >>> conserved_combinations(ReactionNetwork([Species("A", 1.0), Species("B")], [there, back]))
    array([[1., 1.]])
    """
    rest = linalg.null_space(crn.stoichiometry.toarray().T).T
    rows: list[FloatArray] = []
    # Gauss and Jordan's elimination; of an orthonormal basis, 1e-9 is rounding and no coefficient
    while len(rest):
        pivot = int(np.argmax(np.abs(rest).max(axis=0) > 1e-9))
        best = int(np.abs(rest[:, pivot]).argmax())
        row = rest[best] / rest[best, pivot]
        rest = np.delete(rest, best, axis=0)
        rest = rest - np.outer(rest[:, pivot], row)
        rows = [other - other[pivot] * row for other in rows] + [row]
    found = np.array(rows).reshape(len(rows), len(crn.floating))
    return np.where(np.abs(found - found.round()) < 1e-9, found.round(), found) + 0.0


def combination_text(names: Sequence[str], values: FloatArray) -> str:
    """A combination as one reads it: ``A + 2 B``."""
    values = values / np.abs(values).max()
    pairs = zip(names, values.tolist(), strict=True)
    # six digits of a null vector are sure: less is 0, and ratios so near to whole numbers are whole
    kept = [(name, value) for name, value in pairs if abs(value) > 1e-6]
    smallest = min((abs(value) for _, value in kept), default=1.0)
    whole = all(abs(value / smallest - round(value / smallest)) < 1e-6 for _, value in kept)
    sign = -1.0 if kept and kept[0][1] < 0 else 1.0
    parts = []
    for name, value in kept[:12]:
        number = sign * value / (smallest if whole else 1.0)
        size = "" if abs(abs(number) - 1) < 1e-6 else f"{abs(number):.4g} "
        parts.append(f"{'- ' if number < 0 else '+ '}{size}{name}")
    return " ".join(parts).removeprefix("+ ") + (" ..." if len(kept) > 12 else "")
