"""Cells of a notebook that are a network or reactions: ``%load_ext crn_nn_tellurium``.

    %%crn_network net               %%crn decay
    layer relu h=0.01               A -> B; k*A
    1 1 | -1                        A = 1; k = 2

Each makes what its text says, gives it the name, and shows it.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.importers import as_model
from crn_nn_tellurium.networks import Network, network_from_text


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext crn_nn_tellurium`` calls: the cell magics ``%%crn_network`` and ``%%crn``.

    Parameters
    ----------
    shell : InteractiveShell

    Notes
    -----
    ``%%crn_network NAME``, with layers, a row of weights and, behind a bar, the bias of each unit::

        input x0 x1
        layer relu h=0.01
        1 1 | 0
        1 1 | -1
        layer linear h=0.01
        1 -2 | 0

    or with random weights: ``sizes 4 8 3 seed=0 h=0.001 activation=relu output=linear``.

    ``%%crn NAME``, with Antimony, SBML, or the .crn language, which is known by its rates in
    brackets and its starts behind @::

        A + B <=> C [kf = 2, kr = 1]
        A @initial 1

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> magics = {}
    >>> keep = lambda function, kind, name: magics.update({name: function})
    >>> shell = SimpleNamespace(register_magic_function=keep)
    >>> load_ipython_extension(shell)
    >>> sorted(magics)
    ['crn', 'crn_network']
    """
    for make in (crn_network, crn):
        shell.register_magic_function(_magic(shell, make), "cell", make.__name__)


def crn_network(text: str, name: str) -> Network:
    """%%crn_network NAME: a network from layers and weights, or from sizes with a seed."""
    return network_from_text(text, name)


def crn(text: str, name: str) -> Network | ReactionNetwork:
    """%%crn NAME: reactions from Antimony, SBML or .crn text."""
    return as_model(text, "%%crn")


def _magic(shell: Any, make: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """A cell magic that makes something and gives it the name on its line."""
    # whoever has a shell has IPython, and nobody else needs it
    from IPython.core.error import UsageError

    def magic(line: str, cell: str) -> Any:
        name = line.strip()
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UsageError(
                f"%%{make.__name__}: {name!r} is no name for a variable; expected one, as in"
                f" %%{make.__name__} model"
            )
        try:
            made = make(cell, name)
        # a text that cannot be read is a slip of the user's, told in one line without a traceback
        except ValueError as error:
            raise UsageError(f"%%{make.__name__}: {' '.join(str(error).split())}") from error
        shell.push({name: made})
        return made

    magic.__doc__ = make.__doc__
    return magic
