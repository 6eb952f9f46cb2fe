"""The worst errors of rate constants that a search finds, beside the bounds of what can be.

What is found is a network that can be: its outputs lie inside every enclosure, and no certified
margin is above an error that flips the class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import FloatArray, bracket_largest, check_share
from crn_nn_tellurium.certificates import check_rates
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.perturbations.attack_search import Attack, Direction, Search
from crn_nn_tellurium.simulation import Simulator

_FIRST, _PRECISION = 0.01, 1e-3
"""Of margins: the error tried first, and how near to it the class was not seen to flip."""


def attack(
    net: AnyModel | Simulator,
    x: npt.ArrayLike,
    rates: float = 0.05,
    *,
    output: str | int | None = None,
    direction: Direction = "either",
    restarts: int = 20,
    seed: int = 0,
) -> Attack:
    """The errors of rate constants, each reaction's by itself, that come closest to flipping the
    class, or push an output furthest.

    Parameters
    ----------
    net : Network, Simulator, or its file
    x : (n_in,) or (n_samples, n_in) array_like
    rates : float
        Relative error, in [0, 1): each reaction's rate constant k lies anywhere in [k (1 - rates),
        k (1 + rates)].
    output : str or int, optional
        An output to push, by name or place. By default the class is attacked, each other class in
        turn; of networks for regression their one output is pushed.
    direction : {"either", "up", "down"}
        Which way an output is pushed.
    restarts : int
        How many hidden units, at most, have all their errors turned round, one at a time, to begin
        again, besides the start from the rate constants as stated.
    seed : int
        Of which units these are. A sample's attack does not depend on the samples beside it.

    Returns
    -------
    Attack

    Raises
    ------
    NotCertified
        If an activation's species act on one another both ways.
    InputError
        If an argument has the wrong shape or is out of range.
    ConvergenceError
        If errors leave a layer without a positive steady state: of built-in activations none do.

    Notes
    -----
    A search, no proof: worse errors may exist. `enclosure` bounds them all, and
    docs/certificates.md has how near the two come.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor = cn.load_model("xor")
    >>> attack(xor, [[0, 0], [0, 1], [1, 0], [1, 1]], rates=0.05).flips
    array([ True, False, False, False])
    >>> attack(xor, [[0, 0], [0, 1], [1, 0], [1, 1]], rates=0.2).flips.all()
    np.True_
    """
    check_rates(rates)
    search = Search(net, x, output, direction, restarts, seed)
    errors, chosen = search.worst(np.full(len(search.x), float(rates)))
    return search.report(float(rates), errors, chosen)


def attack_margin(
    net: AnyModel | Simulator,
    x: npt.ArrayLike,
    limit: float = 0.999,
    *,
    restarts: int = 20,
    seed: int = 0,
) -> Any:
    """The smallest relative error of rate constants at which `attack` flips the class.

    What `certified_margin` gives is never above it: between the two is what is not known.

    Parameters
    ----------
    net : Network, Simulator, or its file
    x : (n_in,) or (n_samples, n_in) array_like
    limit : float
        Errors above this are not looked at, in (0, 1).
    restarts, seed : int
        As in `attack`.

    Returns
    -------
    float for one sample, else (n_samples,) ndarray
        To three digits, rounded up; infinite where no error up to the limit was found to flip it.

    Raises
    ------
    NotCertified, InputError, ConvergenceError
        As `attack`.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor = cn.load_model("xor")
    >>> gap = attack_margin(xor, [0, 1]) / cn.certified_margin(xor, [0, 1])
    >>> bool(1 <= gap < 1.1)
    True
    """
    check_share("limit", limit, "a relative error, a number in (0, 1)")
    search = Search(net, x, None, "either", restarts, seed)
    search.net.need_classes("attack_margin")

    def is_kept(rates: FloatArray) -> npt.NDArray[np.bool_]:
        errors, _ = search.worst(rates)
        return ~search.flips(search.outputs(rates, errors))

    _, margins = bracket_largest(is_kept, len(search.x), _FIRST, float(limit), _PRECISION)
    return float(margins[0]) if search.single else margins
