"""The operators that skl2onnx writes of scikit-learn's models (ai.onnx.ml), as ONNX's own.

Scaler is (x - offset) scale, a linear model x C' + b, and ZipMap puts names to classes. Source: the
specification, https://onnx.ai/onnx/operators/index_ai.onnx.ml.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.importers.onnx_call import refused

_ML = "ai.onnx.ml"
_AFTER = {b"NONE": (), b"SOFTMAX": ("Softmax",), b"LOGISTIC": ("Sigmoid",)}
"""What follows a linear model, by its post_transform."""
Given = dict[str, Any]


def without_ml(onnx: Any, graph: Any) -> tuple[Any, dict[str, list[Any]]]:
    """A graph with ONNX's own operators instead, and the classes of results that have some."""
    if not any(node.domain == _ML for node in graph.node):
        return graph, {}
    rewriting = _Rewriting(onnx, graph)
    own = onnx.GraphProto()
    own.CopyFrom(graph)
    del own.node[:]
    own.node.extend(rewriting.nodes)
    own.initializer.extend(rewriting.constants)
    return own, rewriting.classes


class _Rewriting:
    """Goes through the nodes of a graph; what it does not know it leaves as it is."""

    def __init__(self, onnx: Any, graph: Any):
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.taken = {name for node in graph.node for name in (*node.input, *node.output)}
        self.classes: dict[str, list[Any]] = {}
        self.shares: set[str] = set()
        get = onnx.helper.get_attribute_value
        for node in graph.node:
            known = _KNOWN.get(node.op_type) if node.domain == _ML else None
            if known is None:
                self.nodes.append(node)
            else:
                known(self, node, {one.name: get(one) for one in node.attribute})

    def scaler(self, node: Any, given: Given) -> None:
        """(x - offset) scale."""
        middle = free_id(f"{node.output[0]}_shifted", self.taken)
        shift, scale = (self._constant(given.get(k, [v])) for k, v in (("offset", 0), ("scale", 1)))
        self._add("Sub", [node.input[0], shift], middle)
        self._add("Mul", [middle, scale], node.output[0])

    def regressor(self, node: Any, given: Given) -> None:
        """As many targets as it says."""
        self._linear(node, given, given.get("targets", 1), node.output[0])

    def classifier(self, node: Any, given: Given) -> None:
        """A score for each class; the label is what `Network.predict` gives."""
        scores = node.output[1]
        labels = _labels(given, "classlabels_ints")
        self.classes[scores] = labels
        self._linear(node, given, len(labels), scores)
        # nobody reads it as it is, but for its name
        label = self.onnx.NodeProto()
        label.CopyFrom(node)
        label.output[1] = ""
        self.nodes.append(label)

    def normalizer(self, node: Any, given: Given) -> None:
        """Shares, which add up to 1 as they are."""
        (x,), (y,) = node.input, node.output
        if given.get("norm") != b"L1" or x not in self.shares & self.classes.keys():
            why = "it divides by a norm of its input; expected scalers with numbers of their own"
            raise refused(f"{_ML}.Normalizer", node.name or y, why)
        self.classes[y] = self.classes[x]
        self._add("Identity", [x], y)

    def zip_map(self, node: Any, given: Given) -> None:
        """A dictionary by class: its numbers, in order."""
        self.classes[node.output[0]] = _labels(given, "classlabels_int64s")
        self._add("Identity", node.input, node.output[0])

    def _linear(self, node: Any, given: Given, n_out: int, result: str) -> None:
        """x C' + b, and what follows."""
        transform = given.get("post_transform", b"NONE")
        numbers = [given.get(name, []) for name in ("coefficients", "intercepts")]
        weights, bias = (np.asarray(one, np.float32) for one in numbers)
        if transform not in _AFTER or n_out < 1 or not weights.size or weights.size % n_out:
            raise refused(
                f"{_ML}.{node.op_type}",
                node.name or result,
                f"it has {weights.size} coefficients for {n_out} results, and post_transform is"
                f" {transform.decode()}; expected as many for each, and one of"
                f" {', '.join(name.decode() for name in _AFTER)}",
            )
        after = _AFTER[transform]
        names = [*(free_id(f"{result}_linear", self.taken) for _ in after), result]
        read = [node.input[0], self._constant(weights.reshape(n_out, -1).T)]
        self._add("Gemm", [*read, self._constant(bias)] if bias.size else read, names[0])
        for kind in after:
            self._add(kind, names[:1], result)
            if kind == "Softmax":
                self.shares.add(result)

    def _constant(self, values: Any) -> str:
        name = free_id("number", self.taken)
        array = np.asarray(values, np.float32)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _add(self, kind: str, reads: Any, result: str) -> None:
        self.nodes.append(self.onnx.helper.make_node(kind, list(reads), [result]))


def _labels(given: Given, whole: str) -> list[Any]:
    words = [one.decode() for one in given.get("classlabels_strings", [])]
    return words or list(given.get(whole, []))


_KNOWN: dict[str, Callable[[_Rewriting, Any, Given], None]] = {
    "Scaler": _Rewriting.scaler,
    "LinearRegressor": _Rewriting.regressor,
    "LinearClassifier": _Rewriting.classifier,
    "Normalizer": _Rewriting.normalizer,
    "ZipMap": _Rewriting.zip_map,
}
