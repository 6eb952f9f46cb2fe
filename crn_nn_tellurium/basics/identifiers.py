"""What may serve as an identifier in Antimony, SBML and the tools that read them.

Names that users give (inputs, outputs, layers, networks) become identifiers, so they are checked
here, once; nothing that passes can be read as anything but a plain name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

from crn_nn_tellurium.errors import IdentifierError

PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
"""An identifier; those that start with an underscore are ours."""

# Antimony's keywords, its and SBML's functions and constants (each found by trying it), and the
# unit and compartment identifiers of the models that we write. Compared without regard to case:
# several tools fold it.
RESERVED = frozenset(
    """
    abs acos acosh acot acoth acsc acsch after and arccos arccosh arccot arccoth arccsc arccsch
    arcsec arcsech arcsin arcsinh arctan arctanh area asec asech asin asinh at atan atanh
    avogadro bernoulli binomial cauchy ceil ceiling chisquare compartment const cos cosh cot
    coth csc csch delay delete divide dna end event exp exponential exponentiale ext extent
    factorial false floor formula function gamma gene geq gt has implies import in inf infinity
    is laplace length leq ln log log10 lognormal lt max min minus model module nan neq normal
    not notanumber operator or pi piecewise plus poisson pow power quotient rateof rayleigh
    reaction rem root sec sech sin sinh species sqr sqrt substance substanceonly tan tanh time
    time_unit times true truncatednormal uniform unit var volume xor comp nm per_s per_nm_s
    per_nm2_s nm_per_s
    """.split()
)


def suggest_identifier(kind: str, name: object) -> str:
    """An identifier close to a name.

    Examples
    --------
    >>> [suggest_identifier("input", name) for name in ("petal width (cm)", "2", "time")]
    ['petal_width_cm', 'input_2', 'time_']
    """
    text = re.sub(r"[^A-Za-z0-9]+", "_", str(name), flags=re.ASCII).strip("_")
    found = text if text[:1].isalpha() else f"{kind.split()[0]}_{text}".rstrip("_")
    return f"{found}_" if found.lower() in RESERVED else found


def free_id(name: str, taken: set[str], key: Callable[[str], str] = str) -> str:
    """The name, or the first of name_2, name_3, ... that is free; it, or its key, is taken from
    then on.

    Examples
    --------
    >>> free_id("comp", {"comp", "comp_2"})
    'comp_3'
    """
    choices = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(2)))
    found = next(choice for choice in choices if key(choice) not in taken)
    taken.add(key(found))
    return found


def suggest_identifiers(kind: str, names: Sequence[object]) -> list[str]:
    """Identifiers close to names, all different; names that are identifiers stay.

    Examples
    --------
    >>> suggest_identifiers("input", ["a b", "a_b", "c"])
    ['a_b_2', 'a_b', 'c']
    """
    first = [suggest_identifier(kind, name) for name in names]
    taken = {name for name, suggestion in zip(names, first, strict=True) if name == suggestion}
    found = []
    for name, suggestion in zip(names, first, strict=True):
        found.append(suggestion if name == suggestion else free_id(suggestion, taken))
    return found


def check_identifier(kind: str, name: object) -> str:
    """Return `name` if it can be an identifier.

    Parameters
    ----------
    kind : str
        What the name is for, as the message should call it.
    name : object
        The name.

    Raises
    ------
    IdentifierError
        If it is not a string of letters, digits and underscores that starts with a letter, or is
        a reserved word.

    Examples
    --------
    >>> check_identifier("input", "petal_width")
    'petal_width'
    >>> check_identifier("input", "petal width")
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.IdentifierError: input name 'petal width': expected letters, digits \
and underscores, starting with a letter; 'petal_width' would do
    """
    if not isinstance(name, str) or not PATTERN.fullmatch(name) or name.startswith("_"):
        raise IdentifierError(
            f"{kind} name {name!r}: expected letters, digits and underscores, starting with a"
            f" letter; {suggest_identifier(kind, name)!r} would do"
        )
    if name.lower() in RESERVED:
        raise IdentifierError(
            f"{kind} name {name!r}: a reserved word of Antimony or SBML; {name + '_'!r} would do"
        )
    return name
