"""Arguments checked, each in one way: of a class, one of several, a number, an optional package."""

from __future__ import annotations

import importlib
import math
import reprlib
from types import ModuleType
from typing import Any

from crn_nn_tellurium.basics.arrays import is_real
from crn_nn_tellurium.errors import InputError, MissingPackageError


def check_kind(what: str, value: object, kinds: type | tuple[type, ...], remedy: str = "") -> None:
    """Refuse an argument of another class."""
    if isinstance(value, kinds):
        return
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    expected = " or ".join(kind.__name__ for kind in several)
    how = f", {remedy}" if remedy else ""
    raise InputError(f"{what}: got {type(value).__name__}; expected {expected}{how}")


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
    if value not in choices:
        raise InputError(
            f"{what} is {reprlib.repr(value)}; expected one of {', '.join(map(repr, choices))}"
        )


def check_positive(what: str, value: Any, expected: str = "a finite number > 0") -> None:
    """Refuse what is not a finite number above 0."""
    if not (_is_finite(value) and value > 0):
        raise InputError(f"{what} is {reprlib.repr(value)}; expected {expected}")


def check_not_negative(what: str, value: Any) -> None:
    """Refuse what is not a finite number of at least 0."""
    if not (_is_finite(value) and value >= 0):
        raise InputError(f"{what} is {reprlib.repr(value)}; expected a finite number >= 0")


def whole_number(what: str, value: Any, least: int = 1, expected: str = "") -> int:
    """A whole number of at least `least`, as an int."""
    if _is_finite(value) and value == int(value) and value >= least:
        return int(value)
    expected = expected or f"a whole number, {least} or more"
    raise InputError(f"{what} is {reprlib.repr(value)}; expected {expected}")


def _is_finite(value: Any) -> bool:
    try:
        return is_real(value) and math.isfinite(value)
    except OverflowError:  # Python's whole numbers have no limit, 10**400 say; floats do
        return False
