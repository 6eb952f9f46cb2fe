"""A graph of operators: what every importer makes of a trained network, and nothing of chemistry.

Tensors have the shapes of one sample; where a framework has an axis of samples, its length is 1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crn_nn_tellurium.errors import NetworkError
from crn_nn_tellurium.operators.tensors import Shape, Tensor

Operator = Callable[..., Tensor]
"""What makes a tensor: called with the `Lowering` and the tensors that it reads."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operator at work: the name of its result, those of what it reads, what the source calls
    it, and the shape that its result has there, if the source says it.
    """

    name: str
    operator: Operator
    reads: tuple[str, ...]
    called: str
    shape: Shape | None = None


@dataclass(frozen=True, eq=False)
class Graph:
    """Inputs by name with their shapes, nodes in order, and the name of the result."""

    inputs: Mapping[str, Shape]
    nodes: tuple[Node, ...]
    output: str

    def __post_init__(self) -> None:
        names = [*self.inputs, *(node.name for node in self.nodes)]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            # one would be read where the other is meant
            raise ValueError(f"{twice[0]!r} names two tensors of a graph; expected different names")

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
