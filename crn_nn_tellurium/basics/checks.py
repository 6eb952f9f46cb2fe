"""Arguments checked, each kind in one way: of a class, a choice, numbers, names, a path."""

from __future__ import annotations

import importlib
import math
import os
import reprlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from crn_nn_tellurium.basics.arrays import FloatArray, is_real, labels_of
from crn_nn_tellurium.basics.identifiers import headings_by_name
from crn_nn_tellurium.basics.text import may_be_path, some
from crn_nn_tellurium.errors import InputError, MissingPackageError

_MOST = 2**31 - 1
"""Of things to be counted."""


def check_kind(what: str, value: object, kinds: type | tuple[type, ...], remedy: str = "") -> None:
    """Refuse an argument of another class."""
    if isinstance(value, kinds):
        return
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    expected = " or ".join(kind.__name__ for kind in several)
    how = f", {remedy}" if remedy else ""
    raise InputError(f"{what}: got {type(value).__name__}; expected {expected}{how}")


def all_of_kind(
    what: str, values: Any, kind: type, error: type[ValueError] = InputError
) -> tuple[Any, ...]:
    """A list of things of one class, as a tuple."""
    # a text is a list of letters, and a table of its headings
    is_list = isinstance(values, Iterable) and not isinstance(values, str)
    found = tuple(values) if is_list else (None,)
    if not all(isinstance(value, kind) for value in found):
        raise error(f"{what} are {brief(values)}; expected a list of {kind.__name__}")
    return found


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module, or say which extra of this package brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {module!r}, which is not installed; run: pip install"
            f" 'crn_nn_tellurium[{extra}]'"
        ) from error


def check_choice(what: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of the choices."""
    # an array would be compared element by element
    if not isinstance(value, str) or value not in choices:
        raise InputError(
            f"{what} is {brief(value)}; expected one of {', '.join(map(repr, choices))}"
        )


def check_positive(what: str, value: Any, expected: str = "a finite number > 0") -> None:
    """Refuse what is not a finite number above 0."""
    if not (_is_finite(value) and value > 0):
        raise InputError(f"{what} is {brief(value)}; expected {expected}")


def check_share(
    what: str,
    value: Any,
    expected: str = "a share between 0 and 1: 0.8, say",
    *,
    above: float = 0.0,
    whole: bool = False,
    error: type[ValueError] = InputError,
) -> None:
    """Refuse what is not a number between 0, or what is `above` it, and 1; with `whole`, 1 too."""
    if not (_is_finite(value) and above < value and (value < 1 or (whole and value == 1))):
        raise error(f"{what} is {brief(value)}; expected {expected}")


def whole_number(
    what: str, value: Any, least: int = 1, expected: str = "", most: float = _MOST
) -> int:
    """A whole number of at least `least`, as an int; of things to be counted, in 31 bits."""
    if _is_finite(value) and value == int(value) and least <= value <= most:
        return int(value)
    is_too_large = is_real(value) and value > most
    usual = expected or f"a whole number, {least} or more"
    usual += f", {most} at most" if is_too_large else ""
    raise InputError(f"{what} is {brief(value)}; expected {usual}")


def seed_given(value: Any) -> int:
    """A seed, a whole number of any size from 0."""
    return whole_number("seed", value, 0, most=math.inf)


def real_number(
    what: str,
    value: Any,
    least: float = -math.inf,
    expected: str = "",
    error: type[ValueError] = InputError,
) -> float:
    """A finite number of at least `least`, as a float."""
    if _is_finite(value) and value >= least:
        return float(value)
    usual = "a finite number" + (f" >= {least:g}" if least > -math.inf else "")
    raise error(f"{what} is {brief(value)}; expected {expected or usual}")


def real_numbers(
    what: str, value: Any, expected: str = "numbers", error: type[ValueError] = InputError
) -> FloatArray:
    """Real numbers, finite or not, as an array of doubles."""
    try:
        # numpy would leave out the mask, and take "1_0" for 10
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            raise TypeError("some of them are masked")
        given = np.asarray(value)
        is_plain = given.dtype.kind in "biuf"
        if not is_plain and not (
            given.dtype == object and all(isinstance(v, Real | Decimal) for v in given.flat)
        ):
            raise TypeError(_NO_NUMBERS.get(given.dtype.kind, str(given.dtype)))
        return given.astype(float, copy=False)
    except (*_NO_ARRAY, OverflowError) as fault:
        raise error(
            f"{what}: {brief(value)} cannot be read as numbers ({fault}); expected {expected}"
        ) from fault


def labels_or_numbers(what: str, value: Any, expected: str = "labels or numbers") -> Any:
    """An array of labels or of numbers, of any shape."""
    try:
        # numpy would leave out the mask
        if np.ma.is_masked(value):
            raise TypeError("some of them are masked")
        found = np.asarray(value)
        if found.dtype.kind == "V":
            raise TypeError(_NO_NUMBERS["V"])
    except _NO_ARRAY as fault:
        raise InputError(f"{what} are {brief(value)} ({fault}); expected {expected}") from fault
    return found


def labels_given(what: str, value: Any) -> Any:
    """Labels, numbers or texts, as an array (n,)."""
    found = labels_or_numbers(what, value, "a list of labels")
    if found.ndim != 1:
        raise InputError(f"{what} have shape {found.shape}; expected (n,), a list of labels")
    return found


def truth(what: str, value: Any, error: type[ValueError] = InputError) -> bool:
    """True or False, numpy's too, or 1 or 0 as other packages have it."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise error(f"{what} is {brief(value)}; expected True or False")


def names_of(what: str, names: Any, default: Sequence[str] = ()) -> tuple[str, ...]:
    """Names, of which one may stand by itself; by default those."""
    if names is None:
        return tuple(default)
    if isinstance(names, str):
        return (names,)
    try:
        found = tuple(names)
    except TypeError:
        found = (None,)
    if not all(isinstance(name, str) for name in found):
        raise InputError(f"{what} are {brief(names)}; expected a name, or a list of names")
    return found


def by_name(
    what: str,
    table: Any,
    names: Sequence[str],
    or_by_place: bool = False,
    error: type[ValueError] = InputError,
) -> Any:
    """The columns of a data frame, or the values of a series, by name, in any order; what has no
    names as it is, with `or_by_place` what has none of these as well.
    """
    labels = labels_of(table)
    known = headings_by_name(labels)
    if not labels or (or_by_place and known.keys().isdisjoint(names)):
        return table
    if missing := [name for name in names if name not in known]:
        raise error(
            f"{what} have the names {some(labels)}, not one for {some(missing)}; expected"
            f" {some(names)} in any order, or numbers in this order, x.to_numpy() say"
        )
    return table[[known[name] for name in names]]


def path_of(what: str, value: Any) -> Path:
    """A path."""
    if isinstance(value, str | os.PathLike) and may_be_path(str(value)):
        return Path(value)
    raise InputError(f"{what} is {brief(value)}; expected the path of a file")


def brief(value: Any) -> str:
    """How a value is told; Python refuses to write whole numbers of thousands of digits."""
    try:
        return _BRIEF.repr(value)
    except ValueError:
        return "a whole number of thousands of digits"


_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 90


def _is_finite(value: Any) -> bool:
    try:
        return is_real(value) and math.isfinite(value)
    except OverflowError:  # Python's whole numbers have no limit, 10**400 say; floats do
        return False


_NO_NUMBERS = {"c": "complex numbers", "M": "dates", "S": "bytes", "U": "texts", "V": "records"}
"""What numpy's kinds of arrays hold that are no real numbers."""
_NO_ARRAY = (TypeError, ValueError, RuntimeError)
"""What numpy raises where it makes no array, and PyTorch of tensors that wait for a gradient."""
