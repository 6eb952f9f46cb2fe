"""A graph of operators: what every importer makes of a trained network, and nothing of chemistry.

Tensors have the shapes of one sample; where a framework has an axis of samples, its length is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.operators.tensors import Shape, Tensor

Operator = Callable[..., Tensor]
"""What makes a tensor: called with the `Lowering` and the tensors that it reads."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operator at work: the name of its result, those of what it reads, and what the source
    calls it.
    """

    name: str
    operator: Operator
    reads: tuple[str, ...]
    called: str


@dataclass(frozen=True, eq=False)
class Graph:
    """Inputs by name with their shapes, nodes in order, and the name of the result."""

    inputs: Mapping[str, Shape]
    nodes: tuple[Node, ...]
    output: str

    @property
    def n_inputs(self) -> int:
        """Numbers that all inputs have together, one input after another in C order."""
        return sum(map(math.prod, self.inputs.values()))


def unsupported(operator: str, where: str, remedy: str = "") -> NetworkError:
    """The error for an operator that has no counterpart."""
    return NetworkError(
        f"operator {operator!r} at {where!r}: it has no counterpart in chemistry here"
        + (f"; {remedy}" if remedy else "")
    )
