"""A kind of file: who writes it, and its options, which are the fields of a frozen dataclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from crn_nn_tellurium.basics import check_choice, check_positive, whole_number
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
        """The options as an object, with Python's own numbers; None where the format has none."""
        known = self.options
        checked = {}
        for name, value in options.items():
            if name not in known:
                there = ", ".join(known) or "none"
                raise InputError(f"format {self.name!r} has no option {name!r}; it has {there}")
            checked[name] = _checked(f"format {self.name!r}: option {name}", known[name], value)
        return None if self.kind is None else self.kind(**checked)

    def content(self, source: Any, settings: Any) -> dict[str, bytes]:
        """The files, by what follows the stem in their names."""
        content = self.write(source) if self.kind is None else self.write(source, settings)
        parts = {"": content} if isinstance(content, str | bytes) else content
        return {end: p.encode() if isinstance(p, str) else p for end, p in parts.items()}


def _checked(what: str, kind: Any, value: Any) -> Any:
    """The value as Python's own, or an error."""
    if get_origin(kind) is Literal:
        check_choice(what, value, get_args(kind))
    elif kind is bool:
        if not isinstance(value, bool | np.bool_):
            raise InputError(f"{what} is {value!r}; expected True or False")
        return bool(value)
    elif kind is int:
        return whole_number(what, value, expected="a whole number >= 1")
    elif float in (kind, *get_args(kind)):  # an optional one is a number where it is given
        check_positive(what, value)
        return float(value)
    return value
