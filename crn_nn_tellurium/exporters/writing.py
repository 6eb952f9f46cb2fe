"""What the writers share: a model on its way to a file, names that a language allows, headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy.typing as npt

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import ReactionNetwork, Side, Units, renamed
from crn_nn_tellurium.encoding import Starts, written
from crn_nn_tellurium.errors import FileFormatError, InputError
from crn_nn_tellurium.networks import Network

if TYPE_CHECKING:  # half a second, for tables alone
    import pandas as pd

DOI = "10.1098/rsif.2021.0031"
_CITATION = (
    "D. F. Anderson, B. Joshi and A. Deshpande, On reaction network implementations of neural"
    f" networks, J. R. Soc. Interface 18 (2021) 20210031, doi {DOI}"
)


@dataclass(frozen=True)
class Source:
    """A model on its way to a file, and what `export` was told about it."""

    model: Network | ReactionNetwork
    x: npt.ArrayLike | None = None
    stem: str = "model"  # of the file's name, for files that name one another
    units: Units | None = None
    starts: Starts = "numbers"
    ending: str = ""  # of the file's name, in lower case

    @cached_property
    def followed(self) -> ReactionNetwork:
        """The reactions, with rate constants that follow from others by formulas."""
        return written(self.model, self.x, self.units, self.starts)

    @cached_property
    def crn(self) -> ReactionNetwork:
        """The reactions that are written where a format has numbers alone for rate constants."""
        return self.followed.with_numbers()

    @cached_property
    def with_formulas(self) -> ReactionNetwork:
        """The same with formulas for start values, whatever the file has."""
        return written(self.model, self.x, self.units, "formulas")

    @property
    def doi(self) -> str | None:
        """Of the article on such models; the origin of a reaction network is not known here."""
        return DOI if isinstance(self.model, Network) else None

    @property
    def outputs(self) -> list[str]:
        """What is reported: a network's outputs, reactions' read-outs, or else the species."""
        if isinstance(self.model, Network):
            return list(self.model.output_names)
        return [o.id for o in self.crn.observables] or list(self.crn.floating)

    @property
    def statements(self) -> list[str]:
        """Sentences for a header. No date, so that equal models are equal files."""
        crn = self.crn
        size = f"{len(crn.species)} species, {len(crn.reactions)} reactions"
        lines = [
            f"Mass-action reaction network {crn.name}: {size}. {crn.units.in_words}",
            f"Written by crn_nn_tellurium {__version__}.",
        ]
        if isinstance(self.model, Network):
            widths = self.model.n_in, *(layer.n_out for layer in self.model.layers)
            sizes = "-".join(map(str, widths))
            lines.append(f"The neural network {sizes} as chemistry, after {_CITATION}.")
        if self.followed.formulas:
            names = ", ".join(name for name, _ in self.followed.formulas)
            lines.append(f"Follow from other constants: {names}.")
        return lines

    def tables(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
        """Tables as the file's ending has them, tabs in a .tsv and else commas: the file itself by
        no word, those beside it, NAME.word.csv, by theirs.
        """
        ending, between = (".tsv", "\t") if self.ending == ".tsv" else (".csv", ",")
        return {
            f".{word}{ending}" if word else "": table.to_csv(
                sep=between, index=False, lineterminator="\n"
            )
            for word, table in tables.items()
        }

    def until(self, t_end: float | None) -> float:
        """The last time of a simulation, in the file's units: as given, or 100 of the model's."""
        return float(self.crn.units.time(100.0)) if t_end is None else t_end


def neural_network(source: Source, format: str) -> Network:
    """The network itself, for a format that has no chemistry; refuses what is for that alone."""
    net = source.model
    if not isinstance(net, Network):
        raise FileFormatError(f"format {format!r} holds neural networks; {net!r} is none")
    if source.x is not None or source.units is not None or source.starts != "numbers":
        raise InputError(
            f"format {format!r} has no concentrations; expected no x, units or starts: whoever runs"
            " the file gives its inputs"
        )
    return net


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
                # some languages forbid two underscores in a row, or one at an end
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
