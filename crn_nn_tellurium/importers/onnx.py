"""Networks from ONNX files, https://onnx.ai: the graph as its nodes stand, constants folded.

What onnx knows is left to it: which model is well formed (its checker), the shape of every result
(its inference, node by node, before anything is computed), defaults by version (its schemas), and
the values of nodes whose inputs are all constant (its evaluator). Nothing in a file is run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import free_id, reading, require, some
from crn_nn_tellurium.errors import FileFormatError, InputError, NetworkError
from crn_nn_tellurium.importers.onnx_call import INSTEAD, Array, Call, Value, check_folded, refused
from crn_nn_tellurium.importers.onnx_files import DOMAINS, metadata, read_model, version_of
from crn_nn_tellurium.importers.onnx_formulas import Formulas, Known
from crn_nn_tellurium.importers.onnx_ml import without_ml
from crn_nn_tellurium.importers.onnx_operators import MOVES, OF_ALL, OPERATORS
from crn_nn_tellurium.networks import BUILT_IN, Network
from crn_nn_tellurium.operators import (
    MOST_VALUES,
    Apply,
    Arranged,
    Graph,
    Keep,
    Node,
    Operator,
    Options,
    to_network,
    unsupported,
)

_MOST_FOLDED = 2**23
"""Numbers of all constants that are made of others."""
_MOST_AXES = 16
_POSITIVE = ("strides", "dilations", "kernel_shape", "group", "blocksize", "num_outputs")
_SMALL = 2**10
"""Constants of up to so many numbers may say shapes."""


def from_onnx(
    model: Any,
    h: float = 1e-6,
    *,
    output: str | None = None,
    data: Any = None,
    max_error: float = 1e-2,
    approximation: str = "pieces",
    logits: bool = False,
    inputs: str | None = None,
    input_range: Any = None,
    class_names: Any = None,
) -> Network:
    """The network of an ONNX model.

    Parameters
    ----------
    model : path-like or onnx.ModelProto
        Version 7 or later of the operators. An axis of samples has no length, or a name for one,
        and is the first of an input; it becomes 1. All other axes have lengths. Several inputs are
        one after another in the network, each in C order. Weights may lie in files beside it.
    h : float
        Smoothing of every layer. The smaller, the closer to the hard ReLU and the slower the
        chemistry; ``net.with_h`` changes it.
    output : str, optional
        Which of several outputs is meant, by name; what only others need is left out. Of
        scikit-learn's two, the label and probabilities, it is the second by default.
    data : (n_samples, n_in) array_like, optional
        Inputs as the network will meet them, or in their own shape. Functions without an exact
        counterpart are then approximated where these lead, and `Network.import_report` tells the
        largest difference.
    max_error : float
        Largest error of a function without an exact counterpart: Tanh, Sigmoid, Gelu ...
    approximation : {"pieces", "algebraic"}
        What becomes of those: a sum of smoothed ReLUs within `max_error`, or, of Tanh, Sigmoid and
        Softplus, one of chemistry's own with the slope matched at 0, which is a few species and
        further off.
    logits : bool
        Whether a Softmax, LogSoftmax or Sigmoid at the end is left away.
    inputs, input_range, class_names
        As in `Network`; by default inputs of either sign, scaled where they have a range. A file
        that `export` wrote says these itself, and names, and which of its formulas are activations
        of ours, with their own h.

    Returns
    -------
    Network
        Its `import_report` has a row per operator. For classification if classes have names or the
        last operator is Softmax, LogSoftmax or ArgMax; else for regression.

    Raises
    ------
    MissingPackageError
        If onnx is not installed.
    FileFormatError
        If the file is no ONNX model, or beyond what is read.
    NetworkError
        If an operator has no counterpart, or depends on the inputs in a way that has none; the
        message names it and where it stands.
    InputError
        If `output`, `data` or a number does not fit.
    OSError
        If the file cannot be read.

    Notes
    -----
    Operators with a counterpart: Gemm, MatMul, Conv, ConvTranspose, Add, Sub, Mul, Div, Neg, Pow
    (2), Sum, Mean, Max, Min, ReduceSum, ReduceMean, ReduceMax, ReduceMin, AveragePool, MaxPool,
    GlobalAveragePool, GlobalMaxPool, BatchNormalization; Reshape, Flatten, Squeeze, Unsqueeze,
    Transpose, Slice, Gather, GatherElements, GatherND, Expand, Tile, Pad, Split, Concat,
    DepthToSpace, SpaceToDepth, Trilu, Where, Resize and Upsample (nearest), Identity,
    Dropout, Cast; Relu, LeakyRelu, PRelu, Clip, HardSigmoid, Abs, Shrink, exactly but for h;
    HardSwish, Sigmoid, Tanh, Softplus, Softsign, Elu, Selu, Celu, Gelu, Mish, Swish, Erf, Exp,
    Softmax, LogSoftmax, nearly; ArgMax at the end. x Sigmoid(x) and x (1 + Erf(x / sqrt(2))) are
    functions of x, and so is what exporters write out: Softplus with PyTorch's threshold, mish,
    log sigmoid, max(x, c), leaky and soft shrinking functions by Where, gelu by Tanh. Any other
    where its inputs are all constant, but for those that draw numbers or quantize. Of ai.onnx.ml,
    as skl2onnx writes it: Scaler, LinearRegressor, LinearClassifier, ZipMap, whose classes are the
    network's, and Normalizer behind a softmax.

    Examples
    --------
    >>> from onnx import TensorProto, helper
    >>> x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 2]) for n in "xy")
    >>> nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Neg", ["r"], ["y"])]
    >>> model = helper.make_model(helper.make_graph(nodes, "g", [x], [y]))
    >>> net = from_onnx(model, h=1e-12)
    >>> net([3.0, -1.0]).round(3)
    array([-3., -0.])
    >>> [(one.operator, one.became) for one in net.import_report.operators]
    [('Relu', 'SmoothedReLU: exact but for h'), ('Neg', 'part of weights and biases')]
    """
    options = Options(h, data, max_error, approximation, logits)
    onnx = require("onnx", "onnx")
    require("onnx.reference", "onnx")  # which onnx leaves out until it is asked for
    with reading("the ONNX model" if hasattr(model, "graph") else model):
        proto, name = read_model(onnx, model)
        said = metadata(proto, name)
        graph, classes = _Reader(onnx, proto, name, said.get("activations", {})).graph(output)
    classes = classes or said.get("class_names")
    if inputs is None and input_range is None:
        inputs, input_range = said.get("inputs"), said.get("input_range")
    return to_network(
        graph,
        options,
        inputs,
        input_range,
        said.get("input_names"),
        classes if class_names is None else class_names,
        said.get("task"),
    )


# The graph ---------------------------------------------------------------------------------------


class _Reader:
    """Goes through the nodes of a model in order, with every tensor's shape at hand."""

    def __init__(self, onnx: Any, proto: Any, name: str, exact: Mapping[str, Any]):
        self.onnx, self.name, self.exact = onnx, name, exact
        self.source, self.classes = without_ml(onnx, proto.graph)
        self.version = version_of(proto)
        self.values: dict[str, Value] = {}
        self.types: dict[str, int] = {}
        self.nodes: list[Node] = []
        self.wanted: set[str] = set()
        self.n_folded = 0
        # by the names of values, those of the nodes of ours that make them
        self.named: dict[str, str] = {}
        self.taken: set[str] = set()
        kinds = onnx.TensorProto
        self.floats = {kinds.FLOAT, kinds.DOUBLE, kinds.FLOAT16, kinds.BFLOAT16}

    def graph(self, output: str | None) -> tuple[Graph, list[Any] | None]:
        """The operators that an output needs, and its classes, if it names some."""
        source = self.source
        wanted = self._output(output)
        for tensor in source.initializer:
            self._keep_constant(tensor.name, self._array(tensor), tensor.data_type)
        given = [one for one in source.input if one.name not in self.values]
        inputs = {one.name: self._shape_of_input(one) for one in given}
        if not inputs:
            raise NetworkError(f"{self.name} has no inputs; expected at least one")
        for info in given:
            has_samples = not all(d.HasField("dim_value") for d in info.type.tensor_type.shape.dim)
            self.values[info.name] = Value(info.name, inputs[info.name], None, has_samples)
            self.types[info.name] = info.type.tensor_type.elem_type
            self.named[info.name] = info.name
            self.taken.add(info.name)
        for node, known in self._needed(wanted):
            if known is None:
                self._read(node)
            else:
                self._keep(node, *known)
        if self.values[wanted].constant is not None or not self.nodes:
            raise NetworkError(f"output {wanted!r} is no function of the inputs that is computed")
        return Graph(inputs, tuple(self.nodes), self.named[wanted]), self.classes.get(wanted)

    def _output(self, output: str | None) -> str:
        kinds = {one.name: one.type for one in self.source.output}
        names = list(kinds)
        # scikit-learn's have the label besides, which `predict` gives
        plain = {n for n, one in kinds.items() if one.tensor_type.elem_type in self.floats}
        floats = [n for n, one in kinds.items() if n in plain or one.HasField("sequence_type")]
        if output is None and len(chosen := names if len(names) == 1 else floats) == 1:
            return chosen[0]
        if output is None or output not in names:
            what = "several outputs" if output is None else f"no output {output!r}"
            raise InputError(f"{self.name} has {what}; expected output= one of {some(names)}")
        return output

    def _shape_of_input(self, info: Any) -> tuple[int, ...]:
        kind = info.type.tensor_type
        if kind.elem_type not in self.floats or not kind.HasField("shape"):
            raise NetworkError(
                f"input {info.name!r} is no array of floats of known rank; expected one: categories"
                " and the like have to be numbers before they are concentrations"
            )
        lengths = []
        for axis, dim in enumerate(kind.shape.dim):
            if dim.HasField("dim_value"):
                lengths.append(int(dim.dim_value))
            elif axis == 0:
                lengths.append(1)
            else:
                raise NetworkError(
                    f"input {info.name!r}: axis {axis} has no length ({dim.dim_param!r}); expected"
                    " one for every axis but the first: export the model with it, or set"
                    f" dim[{axis}].dim_value of the input's type.tensor_type.shape"
                )
        shape = tuple(lengths)
        is_small = math.prod(shape) <= MOST_VALUES and len(shape) <= _MOST_AXES
        if min(shape, default=1) < 1 or not is_small:
            raise NetworkError(
                f"input {info.name!r} has shape {shape}; expected 1 to {MOST_VALUES:,} numbers on"
                f" up to {_MOST_AXES} axes"
            )
        return shape

    def _needed(self, output: str) -> list[tuple[Any, Known | None]]:
        """The nodes that an output needs, in order, and what is known of the end of a formula."""
        self.wanted, found = {output}, []
        formulas = Formulas(self.onnx, self.source)
        for node in reversed(self.source.node):
            if results := self.wanted.intersection(node.output):
                known = self._known(min(results), formulas)
                self.wanted.update(node.input if known is None else [known[1]])
                found.append((node, known))
        return found[::-1]

    def _known(self, result: str, formulas: Formulas) -> Known | None:
        """An activation of ours, as `export` noted it, or a function that a formula is."""
        if result not in self.exact:
            written = formulas.at(result)
            return written and (result, written[0], Apply(written[1]), "")
        of, kind, parameters = self.exact[result]
        try:
            return result, of, Keep(BUILT_IN[kind](**parameters)), kind
        except (KeyError, TypeError, ValueError) as error:
            raise self._not_as_written(result, error) from error

    def _not_as_written(self, result: str, why: object) -> FileFormatError:
        return FileFormatError(f"{self.name}: metadata on {result!r} are not as written: {why}")

    def _keep(self, node: Any, result: str, of: str, operator: Operator, kind: str) -> None:
        """What a formula is, whose nodes are not read."""
        x = self.values.get(of)
        if x is None or x.constant is not None:
            raise self._not_as_written(result, repr(of))
        self.values[result] = Value(result, x.shape, None, x.has_samples)
        self.types[result] = self.types[of]
        self.named[result] = free_id(node.name or result, self.taken)
        kind = kind or node.op_type
        self.nodes.append(Node(self.named[result], operator, (self.named[of],), kind))

    def _read(self, node: Any) -> None:
        """A node: as numbers where it has no other inputs, else as one of ours."""
        where = node.name or next(filter(None, node.output), "")
        kind = node.op_type if node.domain in DOMAINS else f"{node.domain}.{node.op_type}"
        if any(one.HasField("g") or one.graphs for one in node.attribute):
            remedy = "it has a graph within; expected one that does not branch or loop"
            raise unsupported(kind, where, remedy)
        inputs = tuple(self.values[name] if name else None for name in node.input)
        variables = [one for one in inputs if one is not None and one.constant is None]
        # shapes and types are known, whatever the numbers are
        is_constant = not variables or kind in ("Shape", "Size")
        is_constant = is_constant or (kind == "CastLike" and inputs[0] not in variables)
        is_known = kind in OPERATORS or (is_constant and kind not in INSTEAD)
        if node.domain not in DOMAINS or not is_known:
            raise unsupported(
                kind, where, INSTEAD.get(kind, "help(from_onnx) lists those that have")
            )
        for one in node.attribute:
            # older versions of onnx divide by them
            if one.name in _POSITIVE and min(*one.ints, one.i or 1, 1) < 1:
                raise refused(kind, where, f"its attribute {one.name} is not positive")
        for name, (type_, shape) in self._inferred(node, where).items():
            if name not in self.wanted:
                continue
            self._check_size(kind, where, shape, is_constant)
            if is_constant:
                check_folded(node, where, self.version, inputs)
                numbers = {one.name: np.zeros(one.shape) for one in variables}
                found = self._evaluated(node, name, numbers, where)
                dtype = self.onnx.helper.tensor_dtype_to_np_dtype(type_)
                self._keep_constant(name, found.astype(dtype, copy=False), type_)
                continue
            self.types[name] = type_
            has_samples = kind not in MOVES and any(one.keeps_samples(shape) for one in variables)
            self.values[name] = Value(name, shape, None, has_samples)
            if name != node.output[0] and kind != "Split":
                raise refused(kind, where, f"its output {name!r} is read; expected its first alone")
            if type_ not in self.floats and kind != "ArgMax":
                known = self.onnx.TensorProto.DataType.Name(type_)
                raise refused(kind, where, f"its values are {known}; expected floats")
            self._add(node, kind, where, name, inputs)

    def _add(
        self, node: Any, kind: str, where: str, name: str, inputs: tuple[Value | None, ...]
    ) -> None:
        def moved(numbers: Array) -> Array:
            (variable,) = (one for one in inputs if one is not None and one.constant is None)
            return self._evaluated(node, name, {variable.name: numbers}, where)

        call = Call(
            where,
            kind,
            self.version,
            inputs,
            self.values[name].shape,
            {one.name: self._attribute(one) for one in node.attribute},
            self._defaults(kind),
            moved,
        )
        try:
            operator = OPERATORS[kind](call)
        except ValueError as error:
            raise refused(kind, where, str(error)) from error
        call.check_attributes()
        present = [one for one in inputs if one is not None]
        read = present if kind in OF_ALL else [one for one in present if one.constant is None]
        reads = tuple(self._as_node(one) for one in read)
        # a node with several results is there once for each
        own = node.name if node.name and len(node.output) == 1 else name
        self.named[name] = free_id(own, self.taken)
        self.nodes.append(Node(self.named[name], operator, reads, kind, call.shape))

    def _as_node(self, value: Value) -> str:
        """The name of the node that has a value, made for it if it is a constant."""
        if value.name not in self.named:
            any_input = next(iter(self.named))
            fill = np.zeros(value.shape) if value.constant is None else value.constant
            self.named[value.name] = own = free_id(value.name, self.taken)
            operator = Arranged(np.full(value.shape, -1), fill)
            self.nodes.append(Node(own, operator, (any_input,), "Constant"))
        return self.named[value.name]

    # What onnx knows -----------------------------------------------------------------------------

    def _keep_constant(self, name: str, array: Array, type_: int) -> None:
        self.values[name] = Value(name, array.shape, array)
        self.types[name] = type_

    def _array(self, tensor: Any) -> Array:
        try:
            return self.onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError) as error:  # of types that nobody knows, the last
            raise FileFormatError(f"{self.name}: tensor {tensor.name!r}: {error}") from error

    def _attribute(self, attribute: Any) -> Any:
        value = self.onnx.helper.get_attribute_value(attribute)
        return value.decode() if isinstance(value, bytes) else value

    def _defaults(self, kind: str) -> dict[str, Any]:
        attributes = self.onnx.defs.get_schema(kind, self.version).attributes
        kinds = self.onnx.AttributeProto
        return {
            name: self._attribute(one.default_value)
            for name, one in attributes.items()
            if one.default_value.type != kinds.UNDEFINED
        } | {name: None for name, one in attributes.items() if not one.default_value.type}

    def _alone(self, node: Any, as_constants: bool) -> Any:
        """A model of one node, with small constants in it if shapes may depend on them."""
        helper = self.onnx.helper
        # shapes depend on small constants alone, and large ones would be copied for nothing
        infos, constants = [], []
        for name in dict.fromkeys(name for name in node.input if name):
            value = self.values[name]
            if as_constants and value.constant is not None and value.constant.size <= _SMALL:
                constants.append(self.onnx.numpy_helper.from_array(value.constant, name))
            else:
                infos.append(helper.make_tensor_value_info(name, self.types[name], value.shape))
        outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        graph = helper.make_graph([node], "alone", infos, outputs, constants)
        version = helper.make_opsetid("", self.version)
        return helper.make_model(graph, opset_imports=[version], ir_version=8)

    def _inferred(self, node: Any, where: str) -> Mapping[str, tuple[int, tuple[int, ...]]]:
        """Type and shape of each result, before anything is computed."""
        try:
            known = self.onnx.shape_inference.infer_shapes(
                self._alone(node, True), strict_mode=True, data_prop=True
            )
        except (self.onnx.shape_inference.InferenceError, ValueError) as error:
            text = str(error).strip().rpartition("] ")[2]
            raise refused(node.op_type, where, text) from error
        found = {}
        for info in known.graph.output:
            kind = info.type.tensor_type
            shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim)
            if not kind.HasField("shape") or min(shape, default=0) < 0:
                why = "the shape of its result depends on values; expected one that is fixed"
                raise refused(node.op_type, where, why)
            found[info.name] = kind.elem_type, shape
        return found

    def _check_size(self, kind: str, where: str, shape: tuple[int, ...], is_folded: bool) -> None:
        """Refuse more numbers than a network may have, before they are computed."""
        size, most = math.prod(shape), MOST_VALUES
        if is_folded:
            self.n_folded += size
            size, most = self.n_folded, _MOST_FOLDED
        if size > most or len(shape) > _MOST_AXES:
            whole = ", with those before," if is_folded else ""
            expected = f"expected{whole} at most {most:,} numbers and {_MOST_AXES} axes"
            raise refused(kind, where, f"its result has shape {shape}; {expected}")

    def _evaluated(self, node: Any, name: str, numbers: Mapping[str, Array], where: str) -> Array:
        """A result by onnx's own evaluator, with numbers in the place of what is no constant."""
        # every input is fed, so that one model serves whatever the numbers are
        known = {one: self.values[one].constant for one in node.input if one}
        feeds = {one: array for one, array in known.items() if array is not None} | dict(numbers)
        if numbers:  # places among them, which halves and singles do not hold
            feeds = {
                one: array.astype(float) if self.types[one] in self.floats else array
                for one, array in feeds.items()
            }
        try:
            with np.errstate(all="ignore"):
                evaluator = self.onnx.reference.ReferenceEvaluator(self._alone(node, False))
                (found,) = evaluator.run([name], feeds)
        except Exception as error:  # whatever an evaluator in Python raises of numbers it is given
            raise refused(node.op_type, where, str(error)) from error
        return np.asarray(found)
