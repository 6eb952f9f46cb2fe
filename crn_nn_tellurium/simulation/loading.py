"""A model's text to a roadrunner that holds it: compiled, or from the cache on disk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import roadrunner

from crn_nn_tellurium.basics import Lock, progress_bar
from crn_nn_tellurium.importers import antimony_to_sbml, check_compiled, is_sbml
from crn_nn_tellurium.simulation.compile_cache import entry_name, fetch, keep

# Characters of SBML from which a model is compiled without optimising: some 1,400 reactions, where
# the default takes five times as long; smaller ones, quick either way, keep their last bits
_LARGE = 600_000

_LONG, _LONG_SBML = 25_000, 150_000
"""Characters of Antimony, or of SBML, from which compiling takes seconds: some 400 reactions."""
_attributes_lock = Lock()
_OWNER: Any = next(k for k in roadrunner.RoadRunner.__mro__ if "_makeProperties" in vars(k))
_MAKE = _OWNER._makeProperties


@contextmanager
def _keeping_attributes() -> Iterator[None]:
    """Load a model without breaking the attributes of those loaded before."""
    # roadrunner keeps `r.S1` and its like as properties of the class RoadRunner, deleted and made
    # anew by whichever model loads last: `r.S1 = 2` on a user's model would no longer reach it
    with _attributes_lock:
        _OWNER._makeProperties = lambda self: None
        try:
            yield
        finally:
            _OWNER._makeProperties = _MAKE


def new_runner(
    text: str,
    make: Callable[[], Any] = roadrunner.RoadRunner,
    *,
    conserved_moieties: bool = False,
    mutable_starts: bool = True,
) -> Any:
    """A roadrunner that holds a text's model, from the cache on disk if it has been compiled.

    `make` gives an empty roadrunner of some kind. With start values that cannot be set, less is
    compiled.
    """
    options = roadrunner.LoadSBMLOptions()
    options.conservedMoieties = conserved_moieties
    options.mutableInitialConditions = mutable_starts
    # among them what is set in roadrunner's own configuration
    chosen = options.modelGeneratorOpt, options.loadFlags, _LARGE
    versions = roadrunner.getVersionStr(), version("antimony")
    name = entry_name(text, chosen, versions)
    with _keeping_attributes():
        runner = make()
        if state := fetch(name):
            # RoadRunner's own, here and below: a kind may refuse another model
            roadrunner.RoadRunner.loadStateS(runner, state)
            return runner
        is_long = len(text) > (_LONG_SBML if is_sbml(text) else _LONG)
        # while it compiles no other thread runs, so what is long is shown beforehand
        with progress_bar("compiling a model", None if is_long else False, patience=0):
            _compile(runner, text, options)
        keep(name, runner.saveStateS())
    return runner


def _compile(runner: Any, text: str, options: Any) -> None:
    """Load a text's model into an empty roadrunner."""
    sbml = text if is_sbml(text) else antimony_to_sbml(text)
    check_compiled(sbml, "the model")
    # beside PyTorch, whose libraries take gigabytes, what that backend compiles has crashed
    if len(sbml) > _LARGE and "torch" not in sys.modules:
        # what takes the time is optimising one long function, which then runs no faster
        options.setLLVMBackend(options.LLJIT)
        options.setLLJitOptimizationLevel(options.NONE)
    if not options.mutableInitialConditions:
        # roadrunner takes models of one text for one, whatever the options
        sbml += "<!-- fixed start values -->"
    roadrunner.RoadRunner.load(runner, sbml, options)
