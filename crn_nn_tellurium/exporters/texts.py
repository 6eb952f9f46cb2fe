"""What the writers of text share: names that a language allows, headers, and the numbers and sides
of reactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import Side
from crn_nn_tellurium.exporters.source import Source


@dataclass(frozen=True)
class Names:
    """Which names a language allows.

    Attributes
    ----------
    language : str
    comment : str
        What starts a comment.
    reserved : frozenset of str
        Words that are no names, in lower case where `folds_case`.
    allowed : str
        What a name has to match; names of ours are letters, digits and underscores.
    folds_case : bool
        Whether names that differ in case alone are one.
    """

    language: str
    comment: str
    reserved: frozenset[str] = frozenset()
    allowed: str = "[A-Za-z].*"
    folds_case: bool = False

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """A name in the language for each, itself where it is allowed; all different.

        Examples
        --------
        >>> Names("Python", "#", frozenset({"lambda"})).of(["Y", "_Y", "lambda"])
        {'Y': 'Y', '_Y': 's_Y', 'lambda': 's_lambda'}
        """
        names = list(names)
        found: dict[str, str] = {}
        taken: set[str] = set()
        for name in names:
            if self._allows(name) and self._key(name) not in taken:
                found[name] = name
                taken.add(self._key(name))
        for name in names:
            if name not in found:
                found[name] = free_id(re.sub("_+", "_", f"s_{name}").rstrip("_"), taken, self._key)
        return {name: found[name] for name in names}

    def also(self, names: Mapping[str, str], suffix: str) -> dict[str, str]:
        """Further names, each after one of these and with a suffix; all different from one another
        and from these.

        Examples
        --------
        >>> Names("Python", "#").also({"Y": "Y", "Y_c": "Y_c"}, "c")
        {'Y': 'Y_c_2', 'Y_c': 'Y_c_c'}
        """
        taken = {self._key(name) for name in names.values()}
        return {name: free_id(f"{new}_{suffix}", taken, self._key) for name, new in names.items()}

    def _key(self, name: str) -> str:
        return name.lower() if self.folds_case else name

    def _allows(self, name: str) -> bool:
        return re.fullmatch(self.allowed, name) is not None and self._key(name) not in self.reserved


def header(
    source: Source, language: Names, names: Mapping[str, str], more: Iterable[str] = ()
) -> list[str]:
    """Comment lines: what the file is, and each name that the language forbids."""
    lines = [*source.statements, *more]
    renamed = {name: new for name, new in names.items() if new != name}
    lines += [
        f"{name} is called {new}: {language.language} forbids the name."
        for name, new in renamed.items()
    ]
    return [f"{language.comment} {line}" for line in lines]


def molecules(of: Side, names: Mapping[str, str]) -> list[str]:
    """Each molecule of a side by itself."""
    return [names[species] for species, count in of for _ in range(count)]


def side(of: Side, names: Mapping[str, str]) -> str:
    """``X + 2Y``."""
    return " + ".join(f"{count if count > 1 else ''}{names[species]}" for species, count in of)
