"""The Network of a graph of operators, and the report on how it was made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from crn_nn_tellurium.basics import (
    FloatArray,
    free_id,
    real_numbers,
)
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.networks import INPUT, Layer, Linear, Network
from crn_nn_tellurium.operators.affine import Concat, Decision, Flatten, Identity
from crn_nn_tellurium.operators.functions import sigmoid
from crn_nn_tellurium.operators.graph import Graph, Node, Operator
from crn_nn_tellurium.operators.lowering import Lowering, Made, Options
from crn_nn_tellurium.operators.nonlinear import Apply, ArgMax, LogSoftmax, Softmax
from crn_nn_tellurium.operators.report import Imported, ImportReport
from crn_nn_tellurium.operators.simplified import simplified
from crn_nn_tellurium.operators.tensors import Tensor

_DENSE_BELOW, _DENSE_SHARE = 1024, 0.3
"""Weights are kept as a table if they are few, or if so many of them are not zero."""


def to_network(
    graph: Graph,
    options: Options,
    inputs: str | None = None,
    input_range: Any = None,
    input_names: Any = None,
    class_names: Any = None,
    task: str | None = None,
) -> Network:
    """The network that a graph becomes.

    Inputs are signed unless they have a range. A graph that ends with shares or a class is for
    classification, and one whose classes have names; any other is for regression, unless `task`
    says what it is.
    """
    ends = _ends(graph)
    is_classifier = class_names is not None or isinstance(ends, Softmax | LogSoftmax | ArgMax)
    if options.logits:
        graph = _without_shares(graph)
    lowering, x = Lowering(options, graph.n_inputs), _data(graph, options.data)
    output, records = _lowered(graph, lowering, x)
    is_one_of_two = class_names is not None and output.size == 1
    if is_one_of_two and options.logits:
        output = Decision()(lowering, output)
    made, said = simplified(_with_output(lowering, output), lowering.n_inputs)
    if not any(one.weights.nnz for one in made):
        raise NetworkError("the outputs do not depend on the inputs; expected a network of inputs")
    network = Network(
        _layers(made, lowering.n_inputs),
        ("signed" if input_range is None else "scaled") if inputs is None else inputs,
        input_range,
        input_names,
        class_names=class_names,
        task=task or ("classification" if is_classifier else "regression"),
    )
    # without the data, since other inputs may be larger
    slim = network.pruned()
    if hidden := network.n_weights - slim.n_weights:
        said += (f"{hidden} weight(s) too small to be seen: dropped.",)
    if is_one_of_two and isinstance(network.layers[-1].activation, Linear):
        said += (
            "The one output means the second class above 0.5; if it is a logit, as of"
            " BCEWithLogitsLoss, import it with logits=True.",
        )
    return _reported(slim, output, records, options, x, said)


def _lowered(graph: Graph, lowering: Lowering, x: FloatArray) -> tuple[Tensor, list[Imported]]:
    """The output of a graph whose layers are made, and what became of each node."""
    values, records = _inputs(graph, x), []
    for node in graph.nodes:
        lowering.became, lowering.errors = [], []
        try:
            with np.errstate(all="ignore"):  # numbers that are not finite are refused
                found = node.operator(lowering, *(values[name] for name in node.reads))
            _check_finite(found)
            # a class stays what it is told by
            is_told = node.shape is not None and not isinstance(node.operator, ArgMax)
            if is_told and found.shape != node.shape:
                raise NetworkError(
                    f"its result has shape {node.shape} in the source and {found.shape} here, so"
                    " what it does there is not known here"
                )
            values[node.name] = found
        except (NetworkError, ValueError) as error:
            raise NetworkError(f"operator {node.called!r} at {node.name!r}: {error}") from error
        became = "; ".join(dict.fromkeys(lowering.became)) or "part of weights and biases"
        records.append(Imported(node.name, node.called, became, max(lowering.errors, default=0.0)))
    return values[graph.output], records


def _check_finite(tensor: Tensor) -> None:
    for what, numbers in (("factor", tensor.matrix.data), ("constant", tensor.offset)):
        if not np.isfinite(numbers).all():
            bad = numbers[~np.isfinite(numbers)][0]
            raise NetworkError(f"it makes a {what} of {bad}; expected finite numbers")


def outputs_together(nodes: Sequence[Node], reads: Sequence[str]) -> tuple[tuple[Node, ...], str]:
    """The nodes of a graph and its output; of several, their elements one after another."""
    if len(reads) == 1 and any(node.name == reads[0] for node in nodes):
        return tuple(nodes), reads[0]
    # the source may have these names as well
    taken = {*reads, *(node.name for node in nodes), *(name for one in nodes for name in one.reads)}
    flat = [free_id(f"output {number}", taken) for number in range(1, len(reads) + 1)]
    parts = [Node(n, Flatten(0), (read,), "output") for n, read in zip(flat, reads, strict=True)]
    whole = free_id("outputs", taken)
    return (*nodes, *parts, Node(whole, Concat(0), tuple(flat), "output")), whole


def _last(graph: Graph) -> list[Node]:
    """The last node, and before it the one that it leaves as it is, if it does, and so on."""
    by_name = {node.name: node for node in graph.nodes}
    found = [by_name[graph.output]]
    while isinstance(found[-1].operator, Identity) and found[-1].reads[0] in by_name:
        found.append(by_name[found[-1].reads[0]])
    return found


def _ends(graph: Graph) -> Operator:
    """The last operator; classes are read off the outputs, so none may be read before."""
    last = _last(graph)[-1]
    for node in graph.nodes:
        if isinstance(node.operator, ArgMax) and node is not last:
            raise NetworkError(
                f"operator {node.called!r} at {node.name!r}: it gives a class, which others read;"
                " expected it at the end, or not at all"
            )
    return last.operator


def _without_shares(graph: Graph) -> Graph:
    """The same without softmax, log softmax or sigmoid at its end: with logits for outputs."""
    behind = _last(graph)
    last = behind[-1]
    if isinstance(last.operator, Apply) and last.operator.function == sigmoid():
        # of one output, whose class is told by its sign, as of softmax: by the larger of two
        instead = dataclasses.replace(last, operator=Decision())
        nodes = tuple(instead if node is last else node for node in graph.nodes)
        return dataclasses.replace(graph, nodes=nodes)
    if not isinstance(last.operator, Softmax | LogSoftmax | ArgMax):
        return graph
    before = [node for node in graph.nodes if node not in behind]
    # of an input there is no node before
    nodes, output = outputs_together(before, last.reads)
    return _without_shares(dataclasses.replace(graph, nodes=nodes, output=output))


def _inputs(graph: Graph, x: FloatArray) -> dict[str, Tensor]:
    values, first = {}, 0
    for name, shape in graph.inputs.items():
        end = first + math.prod(shape)
        values[name] = Tensor.of_values(shape, first, x[:, first:end])
        first = end
    return values


def _data(graph: Graph, data: Any) -> FloatArray:
    """Samples (n_samples, n_inputs), none if none are given."""
    n = graph.n_inputs
    if data is None:
        return np.zeros((0, n))
    x = real_numbers("data", data, f"numbers, shape (n_samples, {n})")
    # in any other order of axes they would be taken for other inputs
    shapes = [(n,), *(graph.inputs.values() if len(graph.inputs) == 1 else ())]
    fits = [length for length in x.shape[1:] if length != 1] in [
        [length for length in shape if length != 1] for shape in shapes
    ]
    if x.ndim < 2 or not len(x) or not fits or not np.isfinite(x).all():
        raise InputError(
            f"data have shape {x.shape}; expected finite numbers, (n_samples, {n}) or inputs of the"
            " shape of the network's, at least one sample"
        )
    return x.reshape(len(x), n)


def _with_output(lowering: Lowering, output: Tensor) -> list[Made]:
    """The layers up to one whose values are the outputs as they stand, or a linear one more."""
    wide = sparse.csr_array(output.matrix.copy())
    wide.resize((output.size, lowering.n_values))
    for end, one in enumerate(lowering.made, start=1):
        if output.size != one.n_out or output.offset.any():
            continue
        whole = sparse.eye_array(one.n_out, lowering.n_values, k=one.first, format="csr")
        if not (wide != whole).nnz:
            return lowering.made[:end]
    last = Made(output.matrix, output.offset, Linear(lowering.options.h), lowering.n_values)
    return [*lowering.made, last]


def _layers(made: Sequence[Made], n_inputs: int) -> tuple[Layer, ...]:
    """Layers that read, of all values, those of the layers that they have weights for."""
    sources: dict[str, slice] = {INPUT: slice(0, n_inputs)}
    layers = []
    for number, one in enumerate(made, start=1):
        weights = one.weights.tocsc()
        read = {
            name: weights[:, span]
            for name, span in sources.items()
            if span.stop <= weights.shape[1] and weights[:, span].nnz
        }
        # a unit of constant value has a layer to read all the same
        read = read or {INPUT: weights[:, sources[INPUT]]}
        name = f"layer{number}"
        layers.append(Layer(_stored(read), one.bias, one.activation, tuple(read), name))
        sources[name] = slice(one.first, one.first + one.n_out)
    return tuple(layers)


def _stored(read: Mapping[str, sparse.csc_array]) -> FloatArray | sparse.csr_array:
    weights = sparse.csr_array(sparse.hstack(list(read.values())))
    size = weights.shape[0] * weights.shape[1]
    is_dense = size <= _DENSE_BELOW or weights.nnz > _DENSE_SHARE * size
    return weights.toarray() if is_dense else weights


def _reported(
    network: Network,
    output: Tensor,
    records: list[Imported],
    options: Options,
    x: FloatArray,
    said: tuple[str, ...],
) -> Network:
    bound, difference = float(output.error.max(initial=0.0)), None
    if len(x):
        difference = float(np.abs(network(x) - output.exact).max())
    read = np.zeros(network.n_in, dtype=bool)
    for layer in network.layers:
        for source, span in network.spans(layer):
            if source == INPUT:
                columns = layer.weights[:, span]
                read |= np.asarray(abs(columns).sum(axis=0) > 0).ravel()
    if unread := int((~read).sum()):
        said += (f"{unread} of {network.n_in} inputs are not read.",)
    report = ImportReport(
        tuple(records), bound, difference, len(output.exact), said, _advice(records, options)
    )
    # not a field: whatever is made of this network afterwards has other errors
    object.__setattr__(network, "_import_report", report)
    return network


def _advice(records: list[Imported], options: Options) -> tuple[str, ...]:
    advice = []
    if any("pieces" in one.became for one in records):
        advice.append(f"More pieces, a smaller max_error than {options.max_error:g}, are nearer.")
    if any("exact but for h" in one.became and one.error for one in records):
        advice.append(f"Knees are off by sqrt(h): a smaller h than {options.h:g} is nearer.")
    if advice:
        advice.append("Training goes on from here, with the chemistry as it is: fit(net, X, y).")
    return tuple(advice)
