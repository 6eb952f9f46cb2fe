"""A kind of file: who writes it, and its options, which are the fields of a frozen dataclass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from crn_nn_tellurium.basics import check_choice, is_real
from crn_nn_tellurium.errors import InputError

Content = str | bytes | Mapping[str, str | bytes]
"""A file, or several by what follows the stem in their names."""


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    name : str
    title : str
        What it is, in a few words.
    write : callable
        From a `Source`, and an object of options where the format has some, to `Content`.
    endings : tuple of str
        File endings, without the dot, that mean it.
    kind : type, optional
        The dataclass of its options.
    """

    name: str
    title: str
    write: Callable[..., Content]
    endings: tuple[str, ...] = ()
    kind: type | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Its options, with their types."""
        return {} if self.kind is None else get_type_hints(self.kind)

    def settings(self, options: Mapping[str, Any]) -> Any:
        """The options as an object, with Python's own numbers; None where the format has none.

        Raises
        ------
        InputError
            If the format does not have one, or its value is of no use.
        """
        known = self.options
        checked = {}
        for name, value in options.items():
            if name not in known:
                raise InputError(
                    f"format {self.name!r} has no option {name!r}; it has"
                    f" {', '.join(known) or 'none'}"
                )
            checked[name] = _checked(f"format {self.name!r}: option {name}", known[name], value)
        return None if self.kind is None else self.kind(**checked)

    def content(self, source: Any, settings: Any) -> dict[str, bytes]:
        """The files, by what follows the stem in their names."""
        content = self.write(source) if self.kind is None else self.write(source, settings)
        parts = {"": content} if isinstance(content, str | bytes) else content
        return {
            suffix: part.encode() if isinstance(part, str) else part
            for suffix, part in parts.items()
        }


def _checked(what: str, kind: Any, value: Any) -> Any:
    """The value as Python's own, or an error."""
    if get_origin(kind) is Literal:
        check_choice(what, value, get_args(kind))
        return value
    # an optional number is one where it is given
    (kind,) = (part for part in get_args(kind) or (kind,) if part is not type(None))
    convert, expected = _KINDS.get(kind, (None, ""))
    found = value if convert is None else convert(value)
    if found is None and convert is not None:
        raise InputError(f"{what} is {value!r}; expected {expected}")
    return found


def _bool(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _float(value: Any) -> float | None:
    try:
        number = float(value) if is_real(value) else math.nan
    except OverflowError:
        return None
    return number if 0 < number < math.inf else None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and number >= 1 and number == int(number) else None


_KINDS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    bool: (_bool, "True or False"),
    int: (_int, "a whole number >= 1"),
    float: (_float, "a finite number > 0"),
}
"""By the type of an option: its value or None, and what is expected."""
