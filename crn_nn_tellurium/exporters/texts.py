"""What the writers of text share: names that a language allows, headers, sides of reactions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import ReactionNetwork, Side, renamed
from crn_nn_tellurium.exporters.source import Source


@dataclass(frozen=True)
class Language:
    """Which names a language allows; names of ours are letters, digits and underscores."""

    name: str
    comment: str  # what starts one
    reserved: frozenset[str] = frozenset()  # in lower case where names are one whatever their case
    allowed: str = "[A-Za-z].*"
    folds_case: bool = False

    def network(self, crn: ReactionNetwork) -> ReactionNetwork:
        """The network with names that the language allows."""
        return renamed(crn, self.names([*crn.identifiers, crn.name]))

    def names(self, names: Iterable[str]) -> dict[str, str]:
        """A name in the language for each, itself where it is allowed; all different.

        Examples
        --------
        >>> Language("Python", "#", frozenset({"lambda"})).names(["Y", "_Y", "lambda"])
        {'Y': 'Y', '_Y': 's_Y', 'lambda': 's_lambda'}
        """
        names = list(names)
        found: dict[str, str] = {}
        taken: set[str] = set()
        # allowed names are kept, so they come first
        for name in names:
            if self._allows(name) and self._key(name) not in taken:
                found[name] = name
                taken.add(self._key(name))
        for name in names:
            if name not in found:
                found[name] = free_id(re.sub("_+", "_", f"s_{name}").rstrip("_"), taken, self._key)
        return {name: found[name] for name in names}

    def further(self, crn: ReactionNetwork, *suffixes: str) -> list[dict[str, str]]:
        """By suffix, another name for each species; all different, none of the network's."""
        taken = {self._key(name) for name in crn.identifiers}
        return [
            {s.id: free_id(f"{s.id}_{suffix}", taken, self._key) for s in crn.species}
            for suffix in suffixes
        ]

    def header(self, source: Source, crn: ReactionNetwork, more: Iterable[str] = ()) -> list[str]:
        """Comment lines: what the file is, and which of its names the language forbids."""
        lines = [*source.statements, *more]
        for old, new in zip(source.crn.identifiers, crn.identifiers, strict=True):
            if old != new:
                lines.append(f"{old} is called {new}: {self.name} forbids the name.")
        return [f"{self.comment} {line}" for line in lines]

    def _key(self, name: str) -> str:
        return name.lower() if self.folds_case else name

    def _allows(self, name: str) -> bool:
        return re.fullmatch(self.allowed, name) is not None and self._key(name) not in self.reserved


def molecules(side: Side) -> list[str]:
    return [species for species, count in side for _ in range(count)]


def counted(side: Side, nothing: str = "", times: str = "") -> str:
    """A side with its numbers: ``X + 2Y``, or ``X + 2*Y`` where a language wants a sign."""
    parts = (f"{count}{times}{name}" if count > 1 else name for name, count in side)
    return " + ".join(parts) or nothing


def agents(side: Side, nothing: str) -> str:
    """Molecules as BioNetGen and PySB have them: ``X() + Y() + Y()``."""
    return " + ".join(f"{name}()" for name in molecules(side)) or nothing
