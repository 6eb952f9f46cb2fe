"""Whatever a user gives for a model, as a model: the one place that knows all that is taken.

A string is a text if it starts with ``<`` (SBML), has what no file's name has or is several words
without an ending (.crn text by its marks, else Antimony); else it names a file. A path always
names one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from crn_nn_tellurium.basics import read_text
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import FileFormatError, NetworkError
from crn_nn_tellurium.importers.crn import import_crn, is_crn, reactions_from_crn
from crn_nn_tellurium.networks import Network, model_names

AnyModel = Network | ReactionNetwork | str | os.PathLike[str]
"""A model, the text of one in Antimony, SBML or .crn, or its file."""

# what no file's name has, and how one ends; a text may end with a number, 1.5
_IN_TEXTS = re.compile(r"[\n;]|[-=]>|:=")
_ENDING = re.compile(r"\.[A-Za-z]\w*\s*$")
_BEFORE_XML = "\ufeff \t\r\n"
_TRAINED = {"sklearn", "torch", "keras", "onnx"}
"""Packages whose networks are imported by `from_...`."""
_TEXTS = (".ant", ".txt", ".xml", ".sbml")
_ENDINGS = ".xml or .sbml (SBML), .ant or .txt (Antimony), .crn (reactions) or .json (a Network)"


def as_model(given: AnyModel, taker: str) -> Network | ReactionNetwork:
    """The model that is meant; `taker` is who asks, for errors."""
    found = text_or_model(given, taker)
    if not isinstance(found, str):
        return found
    # here, since libSBML takes its time and networks do without
    from crn_nn_tellurium.importers.antimony import reactions_from_antimony
    from crn_nn_tellurium.importers.sbml import reactions_from_sbml

    if is_sbml(found):
        return reactions_from_sbml(found, _origin(given, "the SBML text"))
    return reactions_from_antimony(found, _origin(given, "the Antimony model"))


def as_network(given: AnyModel, taker: str) -> Network:
    """The same where a neural network is needed."""
    model = as_model(given, taker)
    if not isinstance(model, Network):
        raise NetworkError(f"{taker} needs a Network; {model!r} has no layers, weights or classes")
    return model


def text_or_model(given: AnyModel, taker: str) -> Network | ReactionNetwork | str:
    """The same, with SBML and Antimony as their texts, whatever is in them."""
    if isinstance(given, Network | ReactionNetwork):
        return given
    if isinstance(given, str) and _is_text(given):
        if is_sbml(given):
            return given.lstrip(_BEFORE_XML)
        return reactions_from_crn(given, "the .crn text") if is_crn(given) else given
    if not isinstance(given, str | os.PathLike):
        runs = hasattr(given, "getCurrentSBML")
        hint = "; r.getCurrentSBML() gives the model of a roadrunner as it is now" if runs else ""
        # whose a trained network is: its own class may be a user's
        packages = {base.__module__.partition(".")[0] for base in type(given).__mro__}
        for package in packages.intersection(_TRAINED):
            hint = f"; cn.from_{package}(...) makes a Network of it"
        raise NetworkError(
            f"{taker} takes a Network, a ReactionNetwork, the text of an Antimony, SBML or .crn"
            f" model, or a file of one; got {type(given).__name__}{hint}"
        )
    path = Path(given)
    _check_file(path, given, taker)
    ending = path.suffix.lower()
    if ending in _TEXTS:
        text = read_text(path).lstrip(_BEFORE_XML)
        if not text:
            raise FileFormatError(f"{str(path)!r}: an empty file; expected a model")
        return text
    readers: dict[str, Callable[[Path], Network | ReactionNetwork]]
    readers = {".json": Network.load, ".crn": import_crn}
    if ending not in readers:
        raise FileFormatError(
            f"{str(path)!r}: no model is read from a file with the ending {path.suffix!r}; expected"
            f" {_ENDINGS}"
        )
    return readers[ending](path)


def is_sbml(text: str) -> bool:
    """Whether a text is SBML, and not Antimony."""
    return text.lstrip(_BEFORE_XML).startswith("<")


def _check_file(path: Path, given: str | os.PathLike[str], taker: str) -> None:
    if isinstance(given, str) and not given.strip():
        raise NetworkError(f"{taker} takes a model, its text or its file; got {given!r}")
    if os.path.isdir(path):  # which, unlike pathlib, never fails, whatever the string
        raise IsADirectoryError(f"{str(path)!r}: a folder; expected a file of a model")
    if os.path.isfile(path):
        return
    if not isinstance(given, str):
        raise FileNotFoundError(f"{str(path)!r}: there is no such file")
    if given in model_names():
        raise NetworkError(f"{given!r} is a shipped network; load_model({given!r}) gives it")
    raise FileNotFoundError(
        f"{given!r}: there is no such file, and it is no text of a model; {taker} takes both"
    )


def _is_text(given: str) -> bool:
    if not given.strip():
        return False
    words = len(given.split()) > 1 and not _ENDING.search(given)
    return words or is_sbml(given) or bool(_IN_TEXTS.search(given))


def _origin(given: AnyModel, text: str) -> str:
    """What errors call it."""
    return text if isinstance(given, str) and _is_text(given) else str(given)
