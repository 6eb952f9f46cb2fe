"""Arguments checked, each in one way: of a class, one of several, a number, an optional package."""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np

from crn_nn_tellurium.basics.arrays import is_real
from crn_nn_tellurium.errors import InputError, MissingPackageError


def check_kind(what: str, value: object, kind: type, remedy: str = "") -> None:
    """Refuse an argument of another class.

    Raises
    ------
    InputError

    Examples
    --------
    >>> check_kind("units", 3, float)
    Traceback (most recent call last):
    ...
    crn_nn_tellurium.errors.InputError: units: got int; expected float
    """
    if not isinstance(value, kind):
        how = f", {remedy}" if remedy else ""
        raise InputError(f"{what}: got {type(value).__name__}; expected {kind.__name__}{how}")


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module, or say which command installs it.

    Parameters
    ----------
    module : str
        The module's import name.
    extra : str
        The extra of this package that brings it.

    Raises
    ------
    MissingPackageError
        If it is not installed.

    Examples
    --------
    >>> require("json", extra="test").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {module!r}, which is not installed; run: pip install"
            f" 'crn_nn_tellurium[{extra}]'"
        ) from error


def check_choice(what: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of the choices.

    Raises
    ------
    InputError
    """
    if value not in choices:
        raise InputError(f"{what} is {value!r}; expected one of {', '.join(map(repr, choices))}")


def check_positive(what: str, value: Any, expected: str = "a finite number > 0") -> None:
    """Refuse what is not a finite number above 0.

    Raises
    ------
    InputError
    """
    if not (_is_finite(value) and value > 0):
        raise InputError(f"{what} is {value!r}; expected {expected}")


def check_not_negative(what: str, value: Any) -> None:
    """Refuse what is not a finite number of at least 0.

    Raises
    ------
    InputError
    """
    if not (is_real(value) and np.isfinite(value) and value >= 0):
        raise InputError(f"{what} is {value!r}; expected a finite number >= 0")


def whole_number(what: str, value: Any, least: int = 1, expected: str = "") -> int:
    """A whole number of at least `least`, as an int.

    Raises
    ------
    InputError

    Examples
    --------
    >>> whole_number("draws", 50.0)
    50
    """
    if _is_finite(value) and value == int(value) and value >= least:
        return int(value)
    raise InputError(
        f"{what} is {value!r}; expected {expected or f'a whole number, {least} or more'}"
    )


def _is_finite(value: Any) -> bool:
    """Whether a value is a real number that a float holds."""
    try:
        return is_real(value) and math.isfinite(value)
    except OverflowError:
        return False
