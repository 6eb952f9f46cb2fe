"""Antimony models of anybody's that are mass action, as a ReactionNetwork."""

from __future__ import annotations

import re
from dataclasses import replace

from crn_nn_tellurium.basics import truth
from crn_nn_tellurium.chemistry import ReactionNetwork, units_in, with_names
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers.libantimony import antimony_to_sbml, plain_antimony
from crn_nn_tellurium.importers.sbml import reactions_from_sbml

_DIGITS = r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_NUMBER = re.compile(rf"(?<![\w.]){_DIGITS}(?![\w.])")
_SET = re.compile(rf"(?<![\w.])(\w+)\s*=\s*({_DIGITS})\s*(?=[;,\n]|$)")
_ELEMENT = re.compile(r'<(?:parameter|species) [^>]*?\bid="(\w+)"[^>]*>')
_VALUE = re.compile(rf'( (?:value|initialConcentration|initialAmount)=")({_DIGITS})(?=")')
# in two parts where it has an exponent
_IN_FORMULA = re.compile(
    r'(<cn(?: sbml:units="\w+")?)(?: type="e-notation")?(> -?)'
    r"(\d+(?:\.\d+)?)(?: <sep/> (-?\d+))?(?= )"
)


def import_antimony(text: str, *, allow_files: bool = False) -> ReactionNetwork:
    """A mass-action model from Antimony text.

    Parameters
    ----------
    text : str
        One model, or several of which the last is meant.
    allow_files : bool
        Whether to open other files that the text takes models from (``import "file"``).

    Returns
    -------
    ReactionNetwork
        As `import_sbml` makes it. Letters beyond ASCII are spelled in identifiers, ``alpha`` for
        α; species keep them as a readable name.

    Raises
    ------
    InputError
        If it is no text, or the name of a file.
    FileFormatError
        If it takes models from other files, or stands for more than can be read.
    ReactionError
        If libAntimony refuses the text, or something in it is not mass action; the message names
        it.

    Examples
    --------
    >>> crn = import_antimony("A + B -> C; kf*A*B - kr*C; A = 1; B = 2; kf = 3; kr = 0.5")
    >>> for reaction in crn.reactions:
    ...     print(reaction.equation, reaction.rate_constant, reaction.value)
    A + B => C kf 3.0
    C => A + B kr 0.5
    """
    if not isinstance(text, str):
        raise InputError(f"text is a {type(text).__name__}; expected the text of an Antimony model")
    if "\n" not in text and text.strip().endswith((".ant", ".txt", ".xml", ".sbml")):
        raise InputError(
            f"text is {text!r}; expected the text of an Antimony model: Path({text!r}).read_text()"
        )
    return reactions_from_antimony(text, "the Antimony model", truth("allow_files", allow_files))


def reactions_from_antimony(text: str, origin: str, allow_files: bool = False) -> ReactionNetwork:
    """The same without a check; `origin` names it in errors."""
    plain, names = plain_antimony(text)
    sbml = antimony_to_sbml(plain, allow_files)
    found = reactions_from_sbml(_all_digits(sbml, plain), origin)
    return replace(with_names(found, names), units=units_in(text))


def _all_digits(sbml: str, text: str) -> str:
    """libAntimony keeps 15 digits of a number; those of the text that have more, put back."""
    # by the name that is set to it, and in formulas by the number itself, unless two are alike
    by_name: dict[str, set[float]] = {}
    for name, number in _SET.findall(text):
        by_name.setdefault(name, set()).add(float(number))
    alike: dict[float, set[float]] = {}
    for number in map(float, _NUMBER.findall(text)):
        alike.setdefault(_rounded(number), set()).add(number)

    def exact(number: float, candidates: set[float]) -> str:
        found = [one for one in candidates if _rounded(one) == _rounded(number)]
        return repr(found[0]) if len(found) == 1 else ""

    def in_element(element: re.Match[str]) -> str:
        def value(match: re.Match[str]) -> str:
            found = exact(float(match[2]), by_name.get(element[1], set()))
            return f"{match[1]}{found}" if found else match[0]

        return _VALUE.sub(value, element[0])

    def in_formula(match: re.Match[str]) -> str:
        number = float(f"{match[3]}e{match[4] or 0}")
        found = exact(number, alike.get(_rounded(number), set()))
        # whole: of a mantissa by itself libSBML rounds the last digit
        return f"{match[1]}{match[2]}{found}" if found else match[0]

    return _IN_FORMULA.sub(in_formula, _ELEMENT.sub(in_element, sbml))


def _rounded(number: float) -> float:
    return float(f"{number:.15g}")
