"""What the writers of text share: names that a language allows, headers, and the numbers and sides of reactions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.identifiers import free_id
from crn_nn_tellurium.reactions import Reaction, ReactionNetwork, Side


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
    first : str
        What a name may start with, as a character class.
    folds_case : bool
        Whether names that differ in case alone are one.
    """

    language: str
    comment: str
    reserved: frozenset[str] = frozenset()
    first: str = "[A-Za-z]"
    folds_case: bool = False

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """A name in the language for each, itself where it is allowed; all different.

        Examples
        --------
        >>> Names("Python", "#", frozenset({"lambda"})).of(["Y", "_Y", "lambda"])
        {'Y': 'Y', '_Y': 's_Y', 'lambda': 'lambda_'}
        """
        names = list(names)
        found = {name: name for name in names if self._allows(name)}
        if self.folds_case:
            found = _first_of_each_case(found)
        taken = set(found)
        folded = {name.lower() for name in found}
        for name in names:
            if name in found:
                continue
            base = name if re.match(self.first, name) else f"s{name}"
            base = f"{base}_" if not self._allows(base) else base
            choice = free_id(base, taken)
            while self.folds_case and choice.lower() in folded:
                choice = free_id(base, taken)
            folded.add(choice.lower())
            found[name] = choice
        return {name: found[name] for name in names}

    def _allows(self, name: str) -> bool:
        word = name.lower() if self.folds_case else name
        return re.match(self.first, name) is not None and word not in self.reserved


def _first_of_each_case(names: Mapping[str, str]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return {name: name for name in first.values()}


def header(source: Source, language: Names, names: Mapping[str, str], more: Iterable[str] = ()) -> list[str]:
    """Comment lines: what the file is, and each name that the language forbids."""
    lines = [*source.statements, *more]
    renamed = {name: new for name, new in names.items() if new != name}
    lines += [f"{name} is called {new}: {language.language} forbids the name." for name, new in renamed.items()]
    return [f"{language.comment} {line}" for line in lines]


def starts(crn: ReactionNetwork) -> dict[str, float]:
    """Initial concentration of every species, formulas worked out."""
    floating = dict(zip(crn.floating, crn.initial_state().tolist(), strict=True))
    return floating | dict(zip(crn.boundary, crn.boundary_concentrations.tolist(), strict=True))


def molecules(side: Side, names: Mapping[str, str]) -> list[str]:
    """Each molecule of a side by itself."""
    return [names[species] for species, count in side for _ in range(count)]


def held_as_catalysts(crn: ReactionNetwork, reaction: Reaction) -> tuple[Side, Side]:
    """Both sides, boundary species on the right as many times as on the left.

    For languages that hold no species constant: a catalyst is as constant. (Boundary species that a reaction
    only makes are left out.)
    """
    held = set(crn.boundary)
    before = {s: n for s, n in reaction.substrates if s in held}
    after = {s: n for s, n in reaction.products if s in held}
    if before == after:
        return reaction.substrates, reaction.products
    made = tuple((s, n) for s, n in reaction.products if s not in held)
    return reaction.substrates, (*before.items(), *made)
