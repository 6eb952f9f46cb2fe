"""Gradients of a loss at the chemistry's steady state, by five methods that must agree.

At the fixed point f(y, p) = 0, the implicit function theorem gives dy/dp = -J^-1 df/dp with J =
df/dy.

adjoint               dL/dp = -lambda . df/dp with J^T lambda = dL/dy, layer by layer backwards; one
                      transposed solve for all parameters (see `kinetics.layer`)
forward               dy/dp for every output and parameter, then the chain rule
finite_difference     the loss through the engine at changed parameters; see `finite_differences`
control_coefficients  roadrunner's own getuCC on the flat model, reaction by reaction
closed_form           the derivative of the network's own formula, without any chemistry

Source: Anderson, Joshi and Deshpande (arXiv 2010.13290) for smoothness of the fixed point in the
parameters; Reder, J. theor. Biol. 135 (1988) 175, for control coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy.typing as npt

from crn_nn_tellurium.basics import check_choice
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import LossLike, Network, encode_targets, resolve_loss
from crn_nn_tellurium.sensitivity.by_engine import (
    at_a_time,
    control_coefficients,
    finite_difference,
)
from crn_nn_tellurium.sensitivity.exact import adjoint, closed_form, forward
from crn_nn_tellurium.sensitivity.problem import Gradient, Problem, SteadyStateSource, simulator_of
from crn_nn_tellurium.simulation import OnError, Simulator, check_time

GradientMethod = Literal[
    "adjoint", "forward", "finite_difference", "control_coefficients", "closed_form"
]


def gradient(
    model: Network | Simulator,
    X: npt.ArrayLike,  # scikit-learn's names
    Y: npt.ArrayLike,
    loss: LossLike = "squared_error",
    method: GradientMethod | None = None,
    *,
    inputs: bool = False,
    steady_state: SteadyStateSource = "engine",
    time: float | None = None,
    initial: float | Mapping[str, float] | None = None,
    on_error: OnError = "raise",
) -> Gradient:
    """Loss and gradient by every weight, bias and h, at the steady state or a read-out time.

    Parameters
    ----------
    model : Network or Simulator
    X : (n_samples, n_in) array_like
        Input values.
    Y : (n_samples, n_out) or (n_samples,) array_like
        Targets; for cross-entropy and hinge, class labels or shares.
    loss : {"squared_error", "cross_entropy", "hinge"}, Loss, or (function, derivative)
        See `losses`.
    method : {"adjoint", "forward", "finite_difference", "control_coefficients", "closed_form"}
        Adjoint, forward and closed form are exact; finite differences give an estimate of their
        error in the result; roadrunner's control coefficients are differences over five points.
        By default ``"adjoint"``, the fast one; at a read-out time ``"forward"``, which then means
        the variational equations (see `over_time`) and has ``"finite_difference"`` beside it.
    inputs : bool
        Whether to give derivatives with respect to the inputs too.
    steady_state : {"engine", "closed_form"}
        Where adjoint and forward take the fixed point from: roadrunner, or the closed form.
    time : float, optional
        Read-out time; by default the steady state.
    initial : float or mapping of str to float, optional
        Start concentrations for a read-out time, as for `transient_sensitivities`. The default
        start, an upper bound of each fixed point, has a kink at weights and biases of zero, where
        its derivative is that towards promotion; a start that is given has none.
    on_error : {"raise", "nan"}
        What becomes of samples without a steady state; with ``"nan"`` loss and gradient are NaN
        and `status` tells which sample failed.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError
        If inputs, targets, loss or method do not fit.
    NetworkError
        If an activation's description depends on h, or ``"closed_form"`` lacks a formula.
    ConvergenceError
        If a sample has no steady state and ``on_error="raise"``.
    SingularJacobianError
        If the steady state is not isolated.

    Examples
    --------
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> g = gradient(net, [[0, 1], [1, 1]], [[1.0], [0.0]])
    >>> g.weights[0].shape, g.biases[1].shape, g.h.shape
    ((3, 2), (1,), (2,))
    """
    simulator = simulator_of(model)
    net = simulator.net
    check_time(time, initial)
    methods, default = (_METHODS, "adjoint") if time is None else (_AT_A_TIME, "forward")
    chosen = method or default
    check_choice("method", chosen, tuple(methods))
    check_choice("steady_state", steady_state, get_args(SteadyStateSource))
    check_choice("on_error", on_error, get_args(OnError))
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        expected = f"(n_samples, {net.n_in}), one sample or more"
        raise InputError(f"inputs have shape {x.shape}; a gradient takes {expected}")
    if chosen != "closed_form":
        simulator.kinetics.check_h()
    resolved = resolve_loss(loss, net)
    targets = encode_targets(resolved, net, Y, len(x))
    how = inputs, steady_state, on_error, time, initial
    return methods[chosen](Problem(simulator, x, resolved, targets, *how))


_METHODS: dict[str, Callable[[Problem], Gradient]] = {
    "adjoint": adjoint,
    "forward": forward,
    "finite_difference": finite_difference,
    "control_coefficients": control_coefficients,
    "closed_form": closed_form,
}
_AT_A_TIME: dict[str, Callable[[Problem], Gradient]] = {
    "forward": at_a_time,
    "finite_difference": finite_difference,
}
