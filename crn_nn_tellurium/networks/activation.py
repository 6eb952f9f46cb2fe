"""Activation functions as chemistry.

A unit's pre-activation z drives one or more *rails*. A rail is a species Y with

    dY/dt = h + (sign z + shift) Y - Y^2,      fixed point  sigma_h(sign z + shift),
    sigma_h(u) = (u + sqrt(u^2 + 4 h)) / 2,

from the reactions 0 => Y (h), Y => 2Y or Y => 0 (bias), X + Y => X + 2Y or X + Y => X (one per
weight) and 2Y => Y (1). *Followers* are further species of the unit, made by *local reactions*
among the unit's own species. The unit's value is an affine *read-out* of its species. The next
layer absorbs that read-out into its own rate constants.

Source: Anderson, Joshi and Deshpande, J. R. Soc. Interface 18 (2021) 20210031 (arXiv 2010.13290)
for the smoothed ReLU; the other closed forms follow from sigma_h(z) - sigma_h(-z) = z and
sigma_h(z) sigma_h(-z) = h.
"""

from __future__ import annotations

import dataclasses
import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    brief,
    check_positive,
    is_real,
)
from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.networks.names import RESERVED_LOCALLY
from crn_nn_tellurium.networks.smoothing import smoothed_relu, smoothed_relu_derivative

_LETTERS = re.compile(r"[A-Za-z]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rail:
    """A species that is driven by sign * z + shift; `name` is made of letters.

    >>> Rail("Yp"), Rail("Yn", sign=-1)
    (Rail(name='Yp', sign=1, shift=0.0), Rail(name='Yn', sign=-1, shift=0.0))
    """

    name: str
    sign: int = 1
    shift: float = 0.0


PAIR = (Rail("Yp", 1), Rail("Yn", -1))
"""The rails of activations that read a pre-activation of either sign."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A further species of a unit; `upper_bound` holds its fixed point from above, in
    concentration.

    >>> Follower("S", upper_bound=1.0)
    Follower(name='S', upper_bound=1.0)
    """

    name: str
    upper_bound: float


@dataclass(frozen=True, slots=True)
class LocalReaction:
    """A reaction among one unit's species, at most second order.

    ``substrates`` and ``products`` list local names, one entry per molecule. A name with a star,
    ``"*Y"``, stands for that species of every unit of the layer in turn, the unit's own included.
    ``rate_constant`` is a name made of letters, shared by all units of the layer.

    >>> LocalReaction(("Yp", "S"), ("Yp",), "d").changes
    frozenset({'S'})
    """

    substrates: tuple[str, ...]
    products: tuple[str, ...]
    rate_constant: str
    value: float = 1.0

    @property
    def reads(self) -> frozenset[str]:
        """Local names of the substrates, stars included."""
        return frozenset(self.substrates)

    @property
    def changes(self) -> frozenset[str]:
        """Local names of the species whose count the reaction changes."""
        names = set(self.substrates) | set(self.products)
        return frozenset(n for n in names if self.substrates.count(n) != self.products.count(n))


@dataclass(frozen=True, slots=True)
class ReadOut:
    """value = constant + sum of coefficient * concentration; terms: (local name, coefficient).

    >>> ReadOut((("Yp", 1.0), ("Yn", -1.0)))  # the value is Yp - Yn
    ReadOut(terms=(('Yp', 1.0), ('Yn', -1.0)), constant=0.0)
    """

    terms: tuple[tuple[str, float], ...]
    constant: float = 0.0

    @property
    def read(self) -> tuple[tuple[str, float], ...]:
        """The terms whose coefficient is not zero: the species that the next layer reads."""
        return tuple(term for term in self.terms if term[1] != 0)


@dataclass(frozen=True)
class Activation(ABC):
    """Base of all activations; subclass it, as a frozen dataclass, for one of your own.

    A subclass states `rails` and `read_out`, and, where it has followers, `followers`,
    `local_reactions`, `concentrations` and `derivative`. Its dataclass fields are what a saved
    network keeps of it.

    Parameters
    ----------
    h : float
        Smoothing, > 0, a zeroth-order rate constant. Smaller is sharper and slower: the rate at
        the fixed point is at least 2 sqrt(h).

    Raises
    ------
    NetworkError
        If h is not a finite number > 0, or the description is not consistent.

    Examples
    --------
    A bump, from three rails:

    >>> @dataclass(frozen=True)
    ... class Bump(Activation):
    ...     rails = (Rail("Ya", 1, 1.0), Rail("Yb"), Rail("Yc", 1, -1.0))
    ...     read_out = ReadOut((("Ya", 1.0), ("Yb", -2.0), ("Yc", 1.0)))
    >>> Bump(h=1e-12)([-2.0, 0.0, 0.5]).round(3)
    array([0. , 1. , 0.5])
    """

    h: float = 0.01

    def __post_init__(self) -> None:
        # fields whose default is a float are numbers, of one's own activations too
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(entry.default, float) or entry.name == "h":
                try:
                    if not is_real(value):
                        raise TypeError
                    object.__setattr__(self, entry.name, float(value))
                except (TypeError, OverflowError):
                    text = f"{entry.name} is {brief(value)}; expected a number"
                    raise self._error(text) from None
        self._check_positive("h")
        self._check_description()

    def _error(self, text: str) -> NetworkError:
        return NetworkError(f"{type(self).__name__}: {text}")

    def _check_positive(self, field: str) -> None:
        value = getattr(self, field)
        if not (value > 0 and math.isfinite(value)):
            raise self._error(f"{field} is {value!r}; expected a finite number > 0")

    def _check_finite(self, field: str) -> None:
        if not math.isfinite(getattr(self, field)):
            raise self._error(f"{field} is {getattr(self, field)!r}; expected a finite number")

    def _check_description(self) -> None:
        names = self.species
        constants = [reaction.rate_constant for reaction in self.local_reactions]
        for name in (*names, *constants):
            if not _LETTERS.fullmatch(name):
                # a digit would run into the numbers of layer and unit that follow
                raise self._error(f"local name {name!r}; expected letters only")
        if not self.rails:
            raise self._error(
                "it has no rails; expected at least one, for the pre-activation to drive"
            )
        if len(set(names)) != len(names):
            raise self._error(f"its species are {names}; expected each name once")
        for rail in self.rails:
            if rail.sign not in (1, -1):
                raise self._error(f"rail {rail.name!r} has sign {rail.sign!r}; expected 1 or -1")
        if clash := RESERVED_LOCALLY.intersection((*names, *constants)):
            raise self._error(f"{min(clash)!r} names something of ours; choose another local name")
        known = {*names, *(f"*{name}" for name in names)}
        for reaction in self.local_reactions:
            if unknown := {*reaction.substrates, *reaction.products} - known:
                raise self._error(
                    f"a local reaction reads {min(unknown)!r}; its species are {names}"
                )
            if len(reaction.substrates) > 2:
                raise self._error(
                    f"{reaction} is above second order; expected at most two substrates"
                )
            if starred := [name for name in reaction.changes if name.startswith("*")]:
                raise self._error(
                    f"{reaction} changes {starred[0]!r}; other units' species can only catalyse"
                )
        for method in ("concentrations", "derivative") if self._is_more_than_rails else ():
            if getattr(type(self), method) is getattr(Activation, method):
                raise self._error(f"it has local reactions, so it must define its own {method}(z)")
        read = [name for name, _ in self.read_out.terms]
        if len(set(read)) != len(read):
            raise self._error(f"the read-out reads {read}; expected each species once")
        for name in read:
            if name not in names:
                raise self._error(f"the read-out reads {name!r}; its species are {names}")

    @property
    def _is_more_than_rails(self) -> bool:
        return bool(self.local_reactions or self.followers)

    @property
    @abstractmethod
    def rails(self) -> tuple[Rail, ...]:
        """The species that the pre-activation drives."""

    @property
    @abstractmethod
    def read_out(self) -> ReadOut:
        """How the species make the unit's value."""

    @property
    def followers(self) -> tuple[Follower, ...]:
        """Further species of a unit, none unless stated."""
        return ()

    @property
    def local_reactions(self) -> tuple[LocalReaction, ...]:
        """Reactions among a unit's species besides those of its rails, none unless stated."""
        return ()

    @property
    def settles(self) -> bool:
        """Whether an activation whose species act on one another both ways declares one positive
        fixed point.

        Its unit must have one positive fixed point at every drive. Certificates rely on it, and
        find for themselves whether the envelope of all trajectories closes there.
        """
        return False

    @property
    def h_is_smoothing(self) -> bool:
        """Whether smaller h brings the value nearer to the function meant, its limit for h -> 0.

        False where h is part of the function itself: the width of a sigmoid, say. Then it is not
        free to choose.
        """
        return True

    @property
    def gain(self) -> float:
        """Factor on the pre-activation, folded into the weights and biases; 1 unless stated."""
        return 1.0

    @property
    def threshold(self) -> float:
        """Value of a single output above which it means the second of two classes; 0.5 unless
        stated.
        """
        return 0.5

    def probabilities(self, values: FloatArray) -> FloatArray | None:
        """Probabilities (..., n_classes) that the values (..., n_units) of a last layer are, of two
        classes for a single unit; None, unless stated, where they are none.
        """
        return None

    @property
    def species(self) -> tuple[str, ...]:
        """Local names of a unit's species: rails first, then followers."""
        return (*(rail.name for rail in self.rails), *(one.name for one in self.followers))

    @property
    def rate_constants(self) -> tuple[str, ...]:
        """Local names of the rate constants that the units of a layer share: h, q and those of
        local reactions.
        """
        return ("h", "q", *dict.fromkeys(local.rate_constant for local in self.local_reactions))

    @property
    def pooled(self) -> tuple[str, ...]:
        """Local names that local reactions read of every unit of the layer."""
        read = {name for reaction in self.local_reactions for name in reaction.reads}
        return tuple(name for name in self.species if f"*{name}" in read)

    @property
    def couples_units(self) -> bool:
        """Whether a unit's value depends on other units of its layer."""
        return bool(self.pooled)

    def drive(self, z: npt.ArrayLike) -> FloatArray:
        """`sign * gain * z + shift` of each rail, shape `(*z.shape, n_rails)`."""
        signs = np.array([rail.sign for rail in self.rails], dtype=float)
        shifts = np.array([rail.shift for rail in self.rails])
        return self.gain * np.asarray(z, dtype=float)[..., None] * signs + shifts

    def concentrations(self, z: npt.ArrayLike) -> FloatArray:
        """Closed form of the fixed point.

        Parameters
        ----------
        z : (..., n_units) array_like
            Pre-activations.

        Returns
        -------
        (..., n_units, n_species) ndarray
            Concentrations in the order of `species`.
        """
        return smoothed_relu(self.drive(z), self.h)

    def read(self, concentrations: npt.ArrayLike) -> FloatArray:
        """The values that (..., n_species) concentrations stand for."""
        y = np.asarray(concentrations, dtype=float)
        constant, terms = self.read_places
        value = np.empty(y.shape[:-1])
        value.fill(constant)
        for place, coefficient in terms:
            value += coefficient * y[..., place]
        return value

    @cached_property
    def read_places(self) -> tuple[float, list[tuple[int, float]]]:
        """The read-out with places among `species` for names."""
        terms = [(self.species.index(name), number) for name, number in self.read_out.terms]
        return self.read_out.constant, terms

    @cached_property
    def read_coefficients(self) -> FloatArray:
        """The read-out, but for its constant, as a row (n_species,)."""
        coefficients = dict(self.read_out.terms)
        return np.array([coefficients.get(name, 0.0) for name in self.species])

    def read_between(self, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of the values for (..., n_species) concentrations between bounds."""
        # a term that is subtracted is least where its species is most; a species that is not read
        # may be unbounded, and 0 times infinity is no number
        low = high = np.full(lower.shape[:-1], self.read_out.constant)
        for name, coefficient in self.read_out.read:
            a = self.species.index(name)
            ends = (lower, upper) if coefficient > 0 else (upper, lower)
            low, high = low + coefficient * ends[0][..., a], high + coefficient * ends[1][..., a]
        return low, high

    def __call__(self, z: npt.ArrayLike) -> FloatArray:
        """Closed form of the value, same shape as z.

        From the read-out, unless stated: a difference of two large rails has lost digits, which a
        formula of one's own keeps.
        """
        return self.read(self.concentrations(z))

    def derivative(self, z: npt.ArrayLike) -> FloatArray:
        """d value / dz, same shape as z; (..., n_units, n_units) where `couples_units`."""
        signs = np.array([rail.sign for rail in self.rails], dtype=float)
        slopes = smoothed_relu_derivative(self.drive(z), self.h)
        return slopes @ (self.gain * signs * self.read_coefficients[: len(signs)])

    def h_derivative(self, z: npt.ArrayLike) -> FloatArray:
        """d value / dh at constant z, same shape as z.

        Raises
        ------
        NetworkError
            If the activation has followers and does not define it. (Gradients from the chemistry
            itself do not need it.)
        """
        if self._is_more_than_rails:
            raise self._error(
                "the derivative of its value with respect to h is not known in closed form; define"
                f" {type(self).__name__}.h_derivative(z), or take it from the chemistry,"
                " method='adjoint'"
            )
        # d sigma_h(u) / dh = 1 / sqrt(u^2 + 4h)
        slopes = 1 / np.hypot(self.drive(z), 2 * math.sqrt(self.h))
        return slopes @ self.read_coefficients[: len(self.rails)]

    def rescaled(self, factor: float) -> tuple[Activation, float] | None:
        """The activation whose unit, with a pre-activation `factor` times as large, is `factor`
        times as fast.

        From sigma_(s^2 h)(s u) = s sigma_h(u): with y -> s y, the equation of a rail runs s times
        as fast. Whoever defines it for an activation of their own answers for both promises; rails
        that have no shift, without local reactions and with a read-out of their concentrations
        alone, keep them without being asked.

        Parameters
        ----------
        factor : float
            s > 0.

        Returns
        -------
        (Activation, float) or None
            The activation with its numbers rescaled, and by what its value is multiplied, a power
            of `factor` that is not negative; None where there is no such activation.

        Examples
        --------
        >>> from crn_nn_tellurium import SmoothedReLU
        >>> activation, of_value = SmoothedReLU(h=0.01).rescaled(3.0)
        >>> activation, of_value
        (SmoothedReLU(h=0.09), 3.0)
        >>> activation(3 * 0.5) / of_value - SmoothedReLU(h=0.01)(0.5)
        np.float64(0.0)
        """
        shifted = self.read_out.constant or any(rail.shift for rail in self.rails)
        if self._is_more_than_rails or shifted:
            return None
        other = dataclasses.replace(self, h=self._times(factor))
        # a property of one's own may depend on h, and then the promises would not hold
        same = (other.rails, other.read_out, other.gain) == (self.rails, self.read_out, self.gain)
        return (other, float(factor)) if same else None

    def _times(self, factor: float) -> float:
        """h of the activation rescaled by a factor, which is checked."""
        check_positive("factor", factor)
        s = float(factor)
        # beyond all numbers a product is infinite, where a power would raise
        return self.h * (s * s)

    def parameters(self) -> dict[str, Any]:
        """The dataclass fields, as a saved network keeps them."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}
