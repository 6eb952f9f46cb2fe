"""What a scan varies: its axes. Each is one dimension of the result, along which one or several
numbers change.

A scan visits every combination of its axes. A list of values makes an axis of one number; `paired`
lists, Latin hypercube and Sobol samples change several numbers together; `lognormal` draws errors
of all rate constants.

Sources: McKay, Beckman and Conover, Technometrics 21 (1979) 239; Sobol', USSR Comput. Math. Math.
Phys. 7 (1967) 86, scrambled as of Owen, J. Complexity 14 (1998) 466 (both by scipy.stats.qmc).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from crn_nn_tellurium.basics import (
    FloatArray,
    check_kind,
    first_twice,
    is_real,
    read_only,
    seed_given,
    some,
    whole_number,
)
from crn_nn_tellurium.errors import InputError

CV, DRAW = "cv", "draw"
SPEED, FUEL, INITIAL = "speed", "fuel", "initial"
# Kind and long name of what every model has, unless one of its own numbers has the name
COMMON: Mapping[str, tuple[str, str]] = {
    SPEED: ("factor", "factor on the rate constants"),
    FUEL: ("factor", "factor on reactions that make molecules"),
    CV: ("error", "error of rate constants (coefficient of variation)"),
    DRAW: ("error", "draw of errors"),
    INITIAL: ("start", "start of all species"),
}
# Dimensions and variables of every result, which no axis can be called
RESERVED = ("output", "species", "label", "time", "sample", "status")


@dataclass(frozen=True, eq=False)
class Axis:
    """One dimension of a scan.

    Attributes
    ----------
    dim : str
        The dimension's name.
    values : mapping of str to (n,) or (n, n_layers) ndarray
        What changes along it, by name. Two dimensions stand for one number per layer.
    design : str
        How the values came about, in words.
    seed : int or None
        Of draws of errors: the draw i has the same factors whatever the rest of the scan.

    Examples
    --------
    >>> import numpy as np
    >>> import crn_nn_tellurium as cn
    >>> cn.Axis("x0", {"x0": np.array([0.0, 0.5, 1.0])}).values["x0"]
    array([0. , 0.5, 1. ])
    """

    dim: str
    values: Mapping[str, FloatArray]
    design: str = "grid"
    seed: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.values, Mapping) and self.values):
            raise InputError(
                f"an Axis takes lists by name, {{'x0': [0, 1]}} say; got {self.values!r}"
            )
        arrays = {
            _name(key): _numbers(key, value, per_layer=True) for key, value in self.values.items()
        }
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise InputError(
                f"paired lists differ in length: {found}; expected one value of each for every"
                " point"
            )
        object.__setattr__(self, "dim", _dim(self.dim))
        object.__setattr__(self, "values", arrays)
        read_only(*arrays.values())

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def __repr__(self) -> str:
        names = some(list(self.values), 6)
        return f"Axis({self.dim!r}: {len(self)} points of {names}; {self.design})"


Vary = Mapping[Any, Any] | Axis | Sequence[Any]


def paired(values: Mapping[str, npt.ArrayLike], dim: str = "point") -> Axis:
    """Numbers that change together: the i-th point has the i-th of each list.

    Parameters
    ----------
    values : mapping of str to (n,) array_like, or data frame
        Also rows of one number per layer, for ``h``.
    dim : str
        The dimension's name.

    Raises
    ------
    InputError
        If the lists differ in length or hold what is no number.

    Examples
    --------
    >>> paired({"x0": [0, 0, 1], "x1": [0, 1, 1]})
    Axis('point': 3 points of x0, x1; paired)
    """
    if hasattr(values, "columns"):  # a data frame
        values = {str(name): values[name] for name in values.columns}
    check_kind("values", values, Mapping, "{'x0': [0, 1], 'x1': [1, 0]} or a data frame")
    return Axis(dim, dict(values), "paired")  # type: ignore[arg-type]  # made arrays there


def latin_hypercube(ranges: Mapping[str, Any], n: int, seed: int = 0, dim: str = "point") -> Axis:
    """A Latin hypercube sample: each range is cut into n parts, and each part has one point.

    Parameters
    ----------
    ranges : mapping of str to (low, high), (low, high, "log") or a distribution
        Where each number lies. A distribution is a frozen one of scipy.stats (anything with
        ``ppf``).
    n : int
        Number of points.
    seed : int
    dim : str

    Raises
    ------
    InputError

    Examples
    --------
    >>> latin_hypercube({"h": (1e-4, 1, "log"), "x0": (0, 1)}, 100)
    Axis('point': 100 points of h, x0; Latin hypercube, seed 0)
    """
    return _sampled(ranges, n, seed, dim, qmc.LatinHypercube, "Latin hypercube")


def sobol(ranges: Mapping[str, Any], n: int, seed: int = 0, dim: str = "point") -> Axis:
    """A scrambled Sobol' sample, which fills space evenly; its balance is best when n is a power of
    two.

    Parameters are those of `latin_hypercube`.

    Raises
    ------
    InputError
        Also if n is not a power of two.

    Examples
    --------
    >>> sobol({"x0": (0, 1), "x1": (0, 1)}, 64)
    Axis('point': 64 points of x0, x1; Sobol, seed 0)
    """
    n = whole_number("n", n)
    if n & (n - 1):  # a power of two has one bit
        raise InputError(
            f"n is {n!r}; a Sobol sample keeps its balance with a power of two:"
            f" {2 ** round(math.log2(n))}"
        )
    return _sampled(ranges, n, seed, dim, qmc.Sobol, "Sobol")


def lognormal(cv: float | Sequence[float], draws: int = 100, seed: int = 0) -> tuple[Axis, ...]:
    """Lognormal errors of all rate constants, each by itself, with median factor 1.

    A draw's errors are those of `robustness` and of training under noise. They go by the names of
    rate constants, so a Network and its reactions (`to_reactions`) have the same.

    Parameters
    ----------
    cv : float or sequence of float
        Coefficient of variation of each rate constant. Several make a dimension ``cv``, along which
        the same draws grow.
    draws : int
        Length of the dimension ``draw``.
    seed : int

    Returns
    -------
    tuple of Axis

    Raises
    ------
    InputError

    Examples
    --------
    >>> lognormal([0.1, 0.3], draws=50)
    (Axis('cv': 2 points of cv; grid), Axis('draw': 50 points of draw; lognormal, seed 0))
    """
    values = _numbers(CV, [cv] if is_real(cv) else cv)
    if np.any(values < 0):
        raise InputError(f"cv is {cv!r}; expected coefficients of variation >= 0: 0.1 for 10 %")
    draws, seed = whole_number("draws", draws), seed_given(seed)
    number = np.arange(draws, dtype=float)
    draw = Axis(DRAW, {DRAW: number}, f"lognormal, seed {seed}", seed)
    if is_real(cv):
        return (
            Axis(DRAW, {DRAW: number, CV: np.full(draws, float(values[0]))}, draw.design, seed),
        )
    return Axis(CV, {CV: values}), draw


def as_axes(vary: Vary) -> tuple[Axis, ...]:
    """The axes that a user's description means, in order."""
    axes = tuple(_flatten(vary))
    if not axes:
        raise InputError(
            "nothing to vary; expected values by name, {'h': [1e-3, 1e-2], 'x0': [0, 1]} say"
        )
    dims, numbers = [axis.dim for axis in axes], [name for axis in axes for name in axis.values]
    for what, names in (("dimension", dims), ("number", numbers)):
        if (twice := first_twice(names)) is not None:
            raise InputError(
                f"{what} {twice!r} is varied twice; expected each once (dim= renames a dimension)"
            )
    return axes


def describe(name: str, kind: str, own: bool, unit: str) -> dict[str, Any]:
    """Attributes of what is varied; `own` where the model has a number of that name, in `unit`."""
    what = f"start of {name}" if kind == "start" else f"{kind} {name}".lstrip()
    long_name = what if own else COMMON[name][1]
    return {"long_name": long_name, "units": "1" if kind in ("factor", "error") else unit}


def renamed(name: str) -> str:
    """The end of an error where what is meant has had another name before."""
    return "; the factor on all rate constants is 'speed'" if name == "rates" else ""


def check_sign(name: str, kind: str, values: FloatArray) -> None:
    """Refuse values that what is varied cannot have."""
    positive = kind in ("smoothing", "constant", "factor") and np.any(values <= 0)
    not_negative = ("start", "boundary species", "stoichiometric number")
    if positive or (kind in not_negative and np.any(values < 0)):
        numbers = "numbers" if kind == "stoichiometric number" else "concentrations"
        expected = "numbers > 0" if positive else f"{numbers} >= 0"
        raise InputError(f"{name!r}: {float(values.min())!r} among its values; expected {expected}")


def check_errors(axes: Sequence[Axis], means_error: Callable[[str], bool]) -> None:
    """Refuse errors of rate constants without draws, draws without errors, and what is neither."""
    varied = {name: values for axis in axes for name, values in axis.values.items()}
    given = {name: varied[name] for name in (CV, DRAW) if name in varied and means_error(name)}
    if len(given) == 1:
        raise InputError(
            f"{next(iter(given))!r} is varied by itself; lognormal(cv, draws) makes both axes"
        )
    for name, values in given.items():
        if np.any(values < 0) or (name == DRAW and np.any(values != np.floor(values))):
            raise InputError(
                f"{name!r}: {values.tolist()[:6]}; expected what lognormal(cv, draws) makes"
            )


def _flatten(vary: Any) -> Iterable[Axis]:
    if isinstance(vary, Axis):
        yield vary
    elif isinstance(vary, Mapping):
        for key, values in vary.items():
            if isinstance(values, Axis):
                raise InputError(
                    f"{key!r}: {values!r} is an axis by itself; give a list, [{{...}},"
                    f" {values.dim}]"
                )
            name = _name(key)
            yield Axis(name, {name: values})
    elif isinstance(vary, Sequence) and not isinstance(vary, str):
        for part in vary:
            yield from _flatten(part)
    else:
        raise InputError(
            f"vary is {vary!r}; expected values by name, an Axis (paired, sobol, ...), or a list of"
            " these"
        )


def _sampled(
    ranges: Mapping[str, Any], n: int, seed: int, dim: str, sampler: Any, design: str
) -> Axis:
    if not (isinstance(ranges, Mapping) and ranges):
        raise InputError(
            f"ranges are {ranges!r}; expected (low, high) by name, {{'x0': (0, 1)}} say"
        )
    points = sampler(len(ranges), rng=seed_given(seed)).random(whole_number("n", n))
    values = {
        _name(key): stretch(key, span, points[:, i]) for i, (key, span) in enumerate(ranges.items())
    }
    return Axis(dim, values, f"{design}, seed {seed}")


def stretch(key: str, span: Any, unit: FloatArray) -> FloatArray:
    """Points of (0, 1) brought to a range or a distribution."""
    if hasattr(span, "ppf"):
        values = np.asarray(span.ppf(unit), dtype=float)
        if values.shape != unit.shape or not np.all(np.isfinite(values)):
            raise InputError(f"{key!r}: the distribution gives values that are not finite numbers")
        return values
    shape = "(low, high), (low, high, 'log') or a distribution of scipy.stats"
    span = span.tolist() if isinstance(span, np.ndarray) else span
    if not isinstance(span, Sequence) or isinstance(span, str) or len(span) not in (2, 3):
        raise InputError(f"{key!r}: its range is {span!r}; expected {shape}")
    low, high, *scale = span
    if scale not in ([], ["log"]) or not (
        is_real(low) and is_real(high) and -math.inf < low < high < math.inf
    ):
        raise InputError(f"{key!r}: its range is {span!r}; expected {shape}, low < high")
    if not scale:
        return np.asarray(low + (high - low) * unit)
    if low <= 0:
        raise InputError(f"{key!r}: its range is {span!r}; expected low > 0 on a logarithmic scale")
    # even in the logarithm
    return np.asarray(np.exp(np.log(low) + (np.log(high) - np.log(low)) * unit))


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise InputError(
            f"{key!r} is no name; expected a parameter, input or species, 'h' or 'x0' say"
        )
    return key


def _dim(dim: Any) -> str:
    if _name(dim) in RESERVED:
        raise InputError(
            f"a dimension cannot be called {dim!r}, which results have already; choose another dim="
        )
    return str(dim)


def _numbers(key: str, values: Any, per_layer: bool = False) -> FloatArray:
    try:
        given = np.array(values)
        if given.size and given.dtype.kind not in "iuf":
            raise TypeError
        array = given.astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{key!r}: values are {values!r}; expected a list of numbers") from error
    if array.ndim not in ((1, 2) if per_layer else (1,)) or not array.size:
        raise InputError(
            f"{key!r}: values have shape {array.shape}; expected a list of numbers, not empty"
        )
    if not np.all(np.isfinite(array)):
        raise InputError(
            f"{key!r}: {float(array[~np.isfinite(array)][0])!r} among its values; expected finite"
            " numbers"
        )
    return array
