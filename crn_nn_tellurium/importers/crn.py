"""Chemical reaction network text (.crn) of crnsimulator and Nuskell, as a ReactionNetwork.

    X @constant 1                     # held constant; also @c
    Y @initial 0.5                    # also @i; 0 where it is not said
    X + Y -> X + 2Y [k = 0.5]         # [k = 1] where it is not said
    A <=> B [kf = 2, kr = 1]

Source: Badelt et al., J. R. Soc. Interface 17 (2020) 20190866, doi 10.1098/rsif.2019.0866.

So are the texts of recurrent neural networks (RNCRN) by Dack et al., Cell Systems 2026,
doi 10.1016/j.cels.2026.101572, with the rate constant behind a comma and concentrations in
comments:

    #X_1=2.5,Y_1=0
    X_1 + Y_1->Y_1 + X_1 + X_1,89.5
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from crn_nn_tellurium.basics import ASIDE, free_id, in_ascii, path_of, read_text, vanishes
from crn_nn_tellurium.chemistry import (
    Reaction,
    ReactionNetwork,
    Species,
    units_in,
    with_names,
    without_reserved,
)
from crn_nn_tellurium.errors import FileFormatError

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_SPECIES = re.compile(r"(\d*)\s*([A-Za-z]\w*)", re.ASCII)
_START = re.compile(rf"([A-Za-z]\w*)\s*@\s*(initial|constant|i|c)\s+({_NUMBER})", re.ASCII)
_REACTION = re.compile(r"([^\[\]<>-]*)(->|<=>)([^\[\]<>,]*)(?:\[([^\]]*)\]\s*|,([^\[\],]*))?")
# concentrations in a comment, as RNCRN gives them, and its reactions, by which it is known
_BY_COMMA = re.compile(r"->[^#;\[\]\r\n>]*,")
# what Antimony has no words for, and the comments of either that could seem to
_OWN_MARKS = re.compile(r"@\s*(?:initial|constant|i|c)\b|->[^;\[\]\r\n>]*(?:,|\[[^;\[\r\n]*\])")
_START_BY_SIGN = re.compile(rf"\s*([A-Za-z]\w*)\s*=\s*({_NUMBER})\s*", re.ASCII)
_NAMED = re.compile(r"(?<!\w)([A-Za-z]\w*)\s*=(?![=>])", re.ASCII)
_RATE = re.compile(rf"(?:(k|kf|kr|fw|bw|rv)\s*=\s*)?({_NUMBER})", re.ASCII)
_NOTHING = ("", "0", "∅")
_MANY = 3  # digits of a stoichiometric number, at most: a typing error could fill the memory
_KEYS = {"kf": "f", "fw": "f", "kr": "r", "bw": "r", "rv": "r"}
# what may stand between the brackets, by how many rate constants are needed; a bare number is None
_RATES = {1: (["k"], [None], ["f"]), 2: (["f", "r"], ["r", "f"], [None, None])}
# the comment of a reaction that `export` wrote: its identifier and that of its rate constant
_COMMENT = re.compile(r"#[^\r\n]*")
_NOWHERE = re.compile(r"(?!)")
_NAMES = re.compile(r"\s*([A-Za-z_]\w*): ([A-Za-z_]\w*)\s*", re.ASCII)


def import_crn(path: str | os.PathLike[str]) -> ReactionNetwork:
    """A reaction network from a .crn file, or one of RNCRN (``A + B->C,22.6``).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ReactionNetwork
        Reactions are R1, R2, ... with the rate constants k1, k2, ..., except those of files that
        `export` wrote, which name them in comments. (What the language cannot hold is not there:
        read-outs, readable names, formulas for start values.) Letters beyond ASCII are spelled, and
        species keep them as a readable name. Named after the file.

    Raises
    ------
    FileFormatError
        If a line is not of the language; the message has its number.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "switch.crn")
    ...     _ = path.write_text("A @initial 1; A + B <=> 2B [kf = 3, kr = 0.5]")
    ...     print(*import_crn(path).reactions, sep="\\n")
    Reaction('R1: A + B => 2 B', rate constant k1 = 3.0)
    Reaction('R2: 2 B => A + B', rate constant k2 = 0.5)
    """
    path = path_of("path", path)
    name = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    name = name if re.match("[A-Za-z_]", name) else f"model_{name}"
    return reactions_from_crn(read_text(path), repr(str(path)), name)


def is_crn(text: str) -> bool:
    """Whether a text has what reactions of this language have and Antimony never does: rates in
    brackets or behind a comma, concentrations behind @.
    """
    return _OWN_MARKS.search(ASIDE.sub("", text)) is not None


def reactions_from_crn(text: str, origin: str, name: str = "network") -> ReactionNetwork:
    """The same of a text; `origin` is what errors call it."""
    reader = _Reader(origin)
    # of other files a comment is one, whatever it says
    starts_in_comments = _BY_COMMA.search(text) is not None
    text, names = in_ascii(text, _NOWHERE if starts_in_comments else _COMMENT)
    prose = []
    for number, line in enumerate(text.splitlines(), start=1):
        statements, _, comment = line.partition("#")
        if starts_in_comments and not reader.read_starts(comment, number):
            prose.append((comment, number))
        for statement in statements.split(";"):
            if statement.strip():
                reader.read(statement.strip(), comment, number)
    for comment, number in prose:  # now that all species are known
        reader.check_prose(comment, number)
    found = replace(reader.network(name), units=units_in(text))
    return with_names(found, names)


Names = list[str]


@dataclass
class _Reader:
    origin: str
    species: dict[str, Species] = field(default_factory=dict)
    reactions: list[Reaction] = field(default_factory=list)
    stated: set[str] = field(default_factory=set)

    def read(self, statement: str, comment: str, line: int) -> None:
        where = f"{self.origin}, line {line}"
        if start := _START.fullmatch(statement):
            name, kind, value = start.groups()
            self.start(name, value, kind.startswith("c"), where)
        elif reaction := _REACTION.fullmatch(statement):
            left, arrow, right, rates, behind_comma = reaction.groups()
            rates = rates if behind_comma is None else behind_comma
            before, after = (list(self._side(text, where)) for text in (left, right))
            values = self._rates(rates, 2 if arrow == "<=>" else 1, where)
            # a comment behind a reversible reaction could name one of two alone
            names = _NAMES.fullmatch(comment) if len(values) == 1 else None
            self._add(before, after, values[0], *(names.groups() if names else ()))
            if len(values) == 2:
                self._add(after, before, values[1])
        else:
            raise FileFormatError(
                f"{where}: {statement!r} is neither a reaction (A + B -> C [k = 1]) nor a"
                " concentration (A @initial 1)"
            )

    def read_starts(self, comment: str, line: int) -> bool:
        """Take concentrations from a comment, if it holds nothing else."""
        parts = [part for part in re.split("[,;]", comment) if part.strip()]
        starts = [match for part in parts if (match := _START_BY_SIGN.fullmatch(part))]
        if not starts or len(starts) < len(parts):
            return False
        for start in starts:
            self.start(start[1], start[2], False, f"{self.origin}, line {line}")
        return True

    def check_prose(self, comment: str, line: int) -> None:
        """Refuse a comment that seems to give concentrations, but cannot be read."""
        named = [match[1] for match in _NAMED.finditer(comment)]
        known = [name for name in named if name in self.species]
        if known or _NAMED.match(comment.strip()):
            raise FileFormatError(
                f"{self.origin}, line {line}: the comment {comment.strip()!r} seems to give the"
                f" concentration of {(known or named)[0]!r}, but cannot be read; expected"
                " nothing but numbers with names, #A=1,B=0.5, or a comment without name="
            )

    def start(self, name: str, value: str, held: bool, where: str) -> None:
        """Give a species its concentration."""
        if name in self.stated:
            raise FileFormatError(f"{where}: the concentration of {name!r} is given twice")
        self.stated.add(name)
        self.species[name] = Species(name, _size("concentration", value, where), boundary=held)

    def _add(self, before: Names, after: Names, value: float, name: str = "", k: str = "") -> None:
        n = len(self.reactions) + 1
        self.reactions.append(Reaction(name or f"R{n}", before, after, k or f"k{n}", value))

    def _side(self, text: str, where: str) -> Iterator[str]:
        for part in text.split("+") if text.strip() not in _NOTHING else ():
            match = _SPECIES.fullmatch(part.strip())
            if match is None:
                raise FileFormatError(
                    f"{where}: {part.strip()!r} is not a species, such as A or 2A; a side without"
                    " any is empty or 0"
                )
            count, name = match.groups()
            if len(count) > _MANY:
                raise FileFormatError(f"{where}: {count} molecules of {name!r}; expected fewer")
            self.species.setdefault(name, Species(name))
            yield from [name] * int(count or 1)

    def _rates(self, text: str | None, n: int, where: str) -> list[float]:
        """Rate constants, forward first."""
        if text is None:
            return [1.0] * n
        parts = [_RATE.fullmatch(part.strip()) for part in text.split(",")]
        keys = [part and _KEYS.get(part[1], part[1]) for part in parts]
        if None in parts or keys not in _RATES[n]:
            expected = f"{'[k = 1]' if n == 1 else '[kf = 1, kr = 2] or [1, 2]'}, numbers >= 0"
            raise FileFormatError(f"{where}: the rate is [{text}]; expected {expected}")
        values = [_size("rate", part[2], where) for part in parts if part]
        return values[::-1] if keys[0] == "r" else values

    def network(self, name: str) -> ReactionNetwork:
        """All of it, with identifiers that do not collide."""
        taken = set(self.species)
        ids = [free_id(reaction.id, taken) for reaction in self.reactions]
        # reactions share a constant where its name, value and unit agree
        constants: dict[tuple[str, float, int], str] = {}
        reactions = []
        for identifier, r in zip(ids, self.reactions, strict=True):
            key = (r.rate_constant, r.value, r.order)
            if key not in constants:
                constants[key] = free_id(r.rate_constant, taken)
            reactions.append(replace(r, id=identifier, rate_constant=constants[key]))
        species = tuple(self.species.values())
        return without_reserved(species, reactions, (), free_id(name, taken))


def _size(what: str, text: str, where: str) -> float:
    """A concentration or rate constant."""
    value = float(text)
    if not math.isfinite(value):
        raise FileFormatError(f"{where}: the {what} {text} is too large a number")
    if value < 0:
        raise FileFormatError(f"{where}: the {what} is {text}; expected a number >= 0")
    if vanishes(text):
        raise FileFormatError(f"{where}: the {what} {text} is 0 to doubles; expected 0, or more")
    return value
