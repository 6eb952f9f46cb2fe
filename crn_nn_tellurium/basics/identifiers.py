"""What may serve as an identifier in Antimony, SBML and the tools that read them.

Names that users give (inputs, outputs, layers, networks) become identifiers, so they are checked
here, once; nothing that passes can be read as anything but a plain name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from crn_nn_tellurium.errors import IdentifierError

PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
"""An identifier; those that start with an underscore are ours."""

OURS = frozenset("comp nm nm_per_s per_nm2_s per_nm_s per_s".split())
"""Units and the compartment of the models that we write, beside those that SBML has."""

# Antimony's keywords, its and SBML's functions and constants, and ours.
# `tests/basics/test_identifiers.py` tries every word that stands in libAntimony. Compared without
# regard to case: several tools fold it.
RESERVED = OURS | frozenset(
    """
    __main abs acos acosh acot acoth acsc acsch after and arccos arccosh arccot arccoth arccsc
    arccsch arcsec arcsech arcsin arcsinh arctan arctanh area asec asech asin asinh at atan atanh
    avogadro bernoulli binomial cauchy ceil ceiling chisquare compartment const constraint cos cosh
    cot coth csc csch default_compartment delay delete dimensionless divide dna end eq equals event
    exp exponential exponentiale ext extent factorial false floor formula function gamma gene
    geneproduct geq gt has implies import in inf infinity is item laplace length leq litre ln log
    log10 lognormal lt max maximize min minimize minus model module mole nan neq normal not
    notanumber operator or pi piecewise plus poisson pow power quotient rateof rayleigh reaction rem
    root sbo sboterm sec sech second sin sinh species sqr sqrt substance substanceonly tan tanh time
    time_unit times true truncatedexponential truncatedgamma truncatednormal truncatedpoisson
    uniform unit var volume xor
    """.split()
)


def suggest_identifier(kind: str, name: object) -> str:
    """An identifier close to a name: ``petal_width_cm`` for "petal width (cm)"."""
    found = re.sub(r"[^A-Za-z0-9]+", "_", _spelled(str(name)), flags=re.ASCII).strip("_")
    if not found[:1].isalpha():
        # a digit cannot come first, and of "%" nothing is left; a kind may be two words
        first_word = kind.split()[0]
        found = f"{first_word}_{found}".rstrip("_")
    if found.lower() in RESERVED:
        found += "_"
    return found


def _spelled(text: str) -> str:
    """Letters without their accents, and others by name: alpha, Delta."""
    if text.isascii():
        return text
    found = ""
    # decomposed, an accent is a character of its own, and a small 2 is a 2
    for char in unicodedata.normalize("NFKD", text):
        if char.isascii() or not (char.isalnum() or unicodedata.combining(char)):
            found += char
        elif not unicodedata.combining(char):
            # GREEK SMALL LETTER ALPHA; ideographs have a number for a name
            kind, letter, name = unicodedata.name(char, "").rpartition(" LETTER ")
            name = name.title() if kind.endswith("CAPITAL") else name.lower()
            found += name if letter else f"u{ord(char):x}"
    return found


def free_id(name: str, taken: set[str], key: Callable[[str], str] = str) -> str:
    """The name, or one of name_2, name_3, ... that is free, after one that is taken; it, or its
    key, is taken from then on.
    """

    def is_taken(number: int) -> bool:
        return key(f"{name}_{number}" if number > 1 else name) in taken

    # doubled and then halved: one by one, n equal names would be tried n^2 / 2 times
    low, high = 0, 1
    while is_taken(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(middle) else (low, middle)
    found = f"{name}_{high}" if high > 1 else name
    taken.add(key(found))
    return found


def first_twice(names: Iterable[str]) -> str | None:
    """The first name that has been there before, if any has."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def suggest_identifiers(kind: str, names: Sequence[object]) -> list[str]:
    """Identifiers close to names, all different; names that are identifiers stay."""
    pairs = [(name, suggest_identifier(kind, name)) for name in names]
    # first those that stay: "a b" must not take a_b from an "a_b" that comes after it
    taken = {suggested for name, suggested in pairs if name == suggested}
    return [
        suggested if name == suggested else free_id(suggested, taken) for name, suggested in pairs
    ]


def headings_by_name(headings: Sequence[str]) -> dict[str, str]:
    """A table's headings, by themselves and by the identifiers that they alone became."""
    found: dict[str, list[str]] = {}
    for heading in headings:
        found.setdefault(suggest_identifier("input", heading), []).append(heading)
    known: dict[str, str] = {}
    for name, made_of in found.items():
        # an identifier stayed what it is; which of several others got which number, order tells
        if len({*made_of} - {name}) == 1:
            known |= dict(zip(suggest_identifiers("input", made_of), made_of, strict=True))
    return known | {heading: heading for heading in headings}


def check_word(kind: str, name: object) -> str:
    """Return `name` if it is written like an identifier; `kind` is what the message calls it."""
    if not isinstance(name, str) or not PATTERN.fullmatch(name) or name.startswith("_"):
        raise IdentifierError(
            f"{kind} name {name!r}: expected letters, digits and underscores, starting with a"
            f" letter; {suggest_identifier(kind, name)!r} would do"
        )
    return name


def check_identifier(kind: str, name: object) -> str:
    """Return `name` if it can be an identifier; `kind` is what the message calls it."""
    word = check_word(kind, name)
    if (fault := reserved(word)) is not None:
        raise IdentifierError(f"{kind} name {name!r}: {fault}")
    return word


def reserved(word: str) -> str | None:
    """What is wrong with a word that others, or texts of ours, have for themselves."""
    if word.lower() not in RESERVED:
        return None
    ours = word.lower() in OURS
    whose = "ours, a unit or compartment of our texts" if ours else "Antimony or SBML"
    return f"a reserved word of {whose}; {word + '_'!r} would do"
