"""Small ONNX models through every operator, and the same graphs as chemistry has them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

IMAGE = "double[n,2,6,7] x"
_RNG = np.random.default_rng(17)


def numbers(*shape):
    return _RNG.normal(size=shape)


def whole(*values):
    return np.array(values, dtype=np.int64)


def model(nodes, inputs="double[n,4] x", version=17, output="double[a,b] y", **arrays):
    """A model from onnx's own notation, with arrays for initializers."""
    from onnx import numpy_helper, parser

    head = f'<ir_version: 8, opset_import: ["" : {version}]>'
    found = parser.parse_model(f"{head} g ({inputs}) => ({output}) {{ {nodes} }}")
    for name, array in arrays.items():
        found.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    return found


@dataclass(frozen=True)
class Graph:
    """What `model` takes.

    ``like`` is the same graph in words that `smoothed` knows: maxima as a + Relu(b - a), and Pieces
    for what became a function by pieces; None where the nodes themselves are such. ``is_known`` is
    false where it has no such form.
    """

    name: str
    nodes: str
    arrays: dict = field(default_factory=dict)
    inputs: str = "double[n,4] x"
    version: int = 17
    like: str | None = None
    is_known: bool = True
    data: bool = False

    def model(self, nodes=None):
        return model(nodes or self.nodes, self.inputs, self.version, **self.arrays)


def _graphs():
    w, v = numbers(4, 3), numbers(3, 2)
    yield Graph(
        "Gemm",
        "a = Gemm<transB=1>(x, w, b) r = Relu(a) y = Gemm<alpha=0.5, beta=2.0>(r, v, c)",
        {"w": w.T, "b": numbers(3), "v": v, "c": numbers(1, 1)},
    )
    yield Graph(
        "Gemm of the transpose, and from the left",
        "t = Transpose(x) a = Gemm<transA=1>(t, w) r = Relu(a) q = Transpose(r)"
        " y = Gemm<transA=1, transB=1>(v, r, b)",
        {"w": w, "v": v, "b": numbers(2, 1)},
    )
    yield Graph(
        "Gemm with a variable to add",
        "a = Gemm<beta=0.3>(x, w, x) y = Relu(a)",
        {"w": numbers(4, 4)},
    )
    yield Graph(
        "MatMul, Add, Sub, Mul, Div, Neg",
        "a = MatMul(x, w) s = Add(a, b) r = Relu(s) m = Sub(one, r) d = Div(m, two) n = Neg(d)"
        " y = Mul(three, n)",
        {"w": w, "b": numbers(3), "one": 1.0, "two": numbers(3), "three": [3.0]},
    )
    yield Graph(
        "MatMul from the left",
        "r = Relu(x) y = MatMul(a, r)",
        {"a": numbers(5, 4)},
        "double[n,4,3] x",
    )
    yield Graph("a vector", "r = Relu(x) y = MatMul(r, w)", {"w": numbers(4)}, "double[4] x")
    yield Graph(
        "a residual",
        "a = MatMul(x, w) r = Relu(a) s = Add(r, x) t = Add(s, s) y = Sub(t, r)",
        {"w": numbers(4, 4)},
    )
    yield Graph(
        "two inputs",
        "a = Concat<axis=1>(x, z) r = Relu(a) y = MatMul(r, w)",
        {"w": numbers(7, 2)},
        "double[n,4] x, double[n,3] z",
    )
    yield Graph(
        "initializers among the inputs",
        "a = MatMul(x, w) y = Relu(a)",
        {"w": w},
        "double[n,4] x, double[4,3] w",
    )
    yield from _windows()
    yield from _moves()
    yield from _reductions()
    yield from _functions()


def _windows():
    kernel, bias = numbers(3, 2, 2, 3), numbers(3)
    for pad in ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"):
        own = pad == "NOTSET"
        yield Graph(
            f"Conv {pad}",
            f'a = Conv<auto_pad="{pad}", strides=[2, 1], dilations=[1, 2]'
            f"{', pads=[1, 0, 2, 1]' if own else ''}>(x, w, b) y = Relu(a)",
            {"w": kernel, "b": bias},
            IMAGE,
        )
        yield Graph(
            f"AveragePool {pad}",
            f'a = AveragePool<auto_pad="{pad}", kernel_shape=[3, 2], strides=[2, 2]'
            f"{', pads=[1, 0, 1, 1]' if own else ''}>(x) y = Relu(a)",
            {},
            IMAGE,
        )
        yield Graph(
            f"ConvTranspose {pad}",
            f'a = ConvTranspose<auto_pad="{pad}", strides=[2, 3]'
            f"{', pads=[1, 0, 1, 1], output_padding=[1, 2]' if own else ''}>(x, w, b) y = Relu(a)",
            {"w": numbers(2, 3, 3, 4), "b": bias},
            "double[n,2,3,4] x",
        )
    yield Graph(
        "ConvTranspose output_shape",
        'a = ConvTranspose<strides=[2, 3], output_shape=[6, 12], auto_pad="SAME_UPPER">(x, w)'
        " y = Relu(a)",
        {"w": numbers(2, 3, 3, 4)},
        "double[n,2,3,4] x",
    )
    yield Graph(
        "Conv in groups", "y = Conv<group=2>(x, w)", {"w": numbers(6, 2, 3)}, "double[n,4,5] x"
    )
    yield Graph(
        "Conv over volumes", "y = Conv(x, w)", {"w": numbers(2, 1, 2, 2, 2)}, "double[n,1,3,4,5] x"
    )
    yield Graph(
        "AveragePool ceil_mode, padding counted",
        "y = AveragePool<kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1, count_include_pad=1,"
        " pads=[1, 0, 1, 0]>(x)",
        {},
        IMAGE,
    )
    yield Graph(
        "AveragePool dilated",
        "y = AveragePool<kernel_shape=[3, 2], dilations=[2, 1]>(x)",
        {},
        IMAGE,
        19,
    )
    yield Graph(
        "MaxPool of two",
        "y = MaxPool<kernel_shape=[2], strides=[2]>(x)",
        {"zero": whole(0), "one": whole(1), "two": whole(2), "end": whole(99)},
        "double[n,1,6] x",
        like="a = Slice(x, zero, end, two, two) b = Slice(x, one, end, two, two) d = Sub(b, a)"
        " r = Relu(d) y = Add(a, r)",
    )
    yield Graph(
        "MaxPool ceil_mode",
        "y = MaxPool<kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1, dilations=[1, 2]>(x)",
        {},
        IMAGE,
        is_known=False,
    )
    yield Graph(
        "MaxPool SAME_UPPER",
        'y = MaxPool<auto_pad="SAME_UPPER", kernel_shape=[3, 2], strides=[2, 2]>(x)',
        {},
        IMAGE,
        is_known=False,
    )
    yield Graph(
        "GlobalAveragePool, GlobalMaxPool",
        "a = GlobalAveragePool(x) b = GlobalMaxPool(x) c = Add(a, b) y = Flatten(c)",
        {},
        "double[n,2,2,3] x",
        is_known=False,
    )
    yield Graph(
        "BatchNormalization",
        "a = BatchNormalization<epsilon=0.01>(x, s, b, m, v) y = Relu(a)",
        {"s": numbers(2), "b": numbers(2), "m": numbers(2), "v": numbers(2) ** 2},
        "double[n,2,3] x",
    )


def _moves():
    yield Graph(
        "moves",
        "a = Reshape(x, s) b = Transpose<perm=[0, 2, 1]>(a) c = Unsqueeze(b, one)"
        " d = Squeeze(c, one) e = Identity(d) f = Dropout(e) g = Slice(f, one, many, one)"
        " h = Gather<axis=2>(g, i)"
        " k = Expand(h, wide) l = Tile(k, twice) p = Pad(l, pads, fill) y = Relu(p)",
        {
            "s": whole(0, 7, -1),
            "one": whole(1),
            "many": whole(12),
            "i": whole(0, -1, 3),
            "wide": whole(2, 1, 1),
            "twice": whole(1, 1, 2),
            "pads": whole(0, 1, 0, 0, 0, 2),
            "fill": 1.5,
        },
        IMAGE,
    )
    yield Graph(
        "moves by attributes",
        "c = Unsqueeze<axes=[1]>(x) d = Squeeze<axes=[1]>(c) e, f = Split<axis=1, split=[1, 3]>(d)"
        " g = Pad<pads=[0, 1, 0, 0], value=2.0>(f) q = Slice<axes=[1], starts=[1], ends=[9]>(g)"
        " h = Concat<axis=1>(e, q, k) y = Relu(h)",
        {"k": numbers(1, 2)},
        version=9,
    )
    yield Graph(
        "Split",
        "a, b = Split<axis=1>(x) c, d = Split<axis=1>(b, s) e = Sub(a, b) r = Relu(e)"
        " y = Concat<axis=1>(c, r)",
        {"s": whole(1, 1)},
    )
    yield Graph(
        "Split by number",
        "a, b, c = Split<axis=1, num_outputs=3>(x) d = Sub(a, b) r = Relu(d)"
        " y = Concat<axis=1>(c, r)",
        version=18,
    )
    yield Graph(
        "DepthToSpace, Trilu, SpaceToDepth",
        "a = DepthToSpace<blocksize=2>(x) b = Trilu<upper=0>(a) c = SpaceToDepth<blocksize=2>(b)"
        " y = Relu(c)",
        {},
        "double[n,4,2,3] x",
    )
    yield Graph(
        "Where",
        "a = Where(m, x, c) y = Relu(a)",
        {"m": [[True, False, True, False]], "c": numbers(1, 4)},
    )
    yield Graph(
        "GatherElements, GatherND",
        "a = GatherElements<axis=1>(x, i) b = GatherND(x, k)"
        " d = Unsqueeze(b, z) e = Concat<axis=1>(a, d) y = Relu(e)",
        {
            "i": whole([3, 0, 3]),
            "k": whole([0, 2], [0, 1]),
            "z": whole(0),
        },
    )
    yield Graph(
        "Resize",
        'a = Resize<mode="nearest">(x, , s) y = Relu(a)',
        {"s": np.array([1, 1, 2, 3], "f4")},
        "double[n,1,2,2] x",
    )
    yield Graph(
        "Upsample",
        'a = Upsample<mode="nearest">(x, s) y = Relu(a)',
        {"s": np.array([1, 1, 2, 2], "f4")},
        "double[n,1,2,2] x",
        9,
    )
    yield Graph("Cast", "a = Cast<to=11>(x) y = Relu(a)")
    yield Graph(
        "shapes that are computed",
        "s = Shape(x) i = Constant<value_ints=[0]>() z = Gather(s, i)"
        " m = Constant<value_ints=[-1]>() t = Concat<axis=0>(z, m) f = Reshape(x, t)"
        " r = Constant<value_float=0.5>() d = Cast<to=11>(r) a = Mul(f, d) y = Relu(a)",
        {},
        "double[n,2,3] x",
    )
    yield Graph(
        "a Range",
        "a = Range(z, n, o) b = Cast<to=11>(a) c = Add(x, b) y = Relu(c)",
        {"z": np.int64(0), "n": np.int64(4), "o": np.int64(1)},
    )


def _reductions():
    for kind in ("ReduceMean", "ReduceSum"):
        by_input = kind == "ReduceSum"
        axes = "" if by_input else ", axes=[1, -1]"
        read = "r, i" if by_input else "r"
        yield Graph(
            kind,
            f"r = Relu(x) y = {kind}<keepdims=0{axes}>({read})",
            {"i": whole(1, -1)},
            "double[n,3,2,2] x",
        )
        yield Graph(f"{kind} of all", f"r = Relu(x) y = {kind}(r)", {}, "double[1,3,2] x", 18)
    yield Graph("no axes, nothing to do", "r = Relu(x) y = ReduceSum<noop_with_empty_axes=1>(r)")
    columns = "a, b, c = Split<axis=1>(x)"
    yield Graph(
        "ReduceMax of three",
        "y = ReduceMax<axes=[1]>(x)",
        {},
        "double[n,3] x",
        like=f"{columns} d = Sub(b, a) e = Relu(d) f = Add(a, e) g = Sub(c, f) h = Relu(g)"
        " y = Add(f, h)",
    )
    yield Graph("ReduceMin", "y = ReduceMin(x, i)", {"i": whole(-1)}, version=18, is_known=False)
    yield Graph(
        "Max with numbers",
        "y = Max(x, c)",
        {"c": numbers(1, 4)},
        like="d = Sub(c, x) e = Relu(d) y = Add(x, e)",
    )
    yield Graph(
        "Max, Min, Sum of several",
        "a = Mul(x, m) b = Max(x, a, t) c = Min(b, q, x) y = Sum(c, a, q)",
        {"m": numbers(4), "t": 0.3, "q": numbers(1, 4)},
        is_known=False,
    )
    yield Graph("Mean", "a = Relu(x) y = Mean(a, x, q)", {"q": numbers(1, 4)})


def _functions():
    weights = {"w": numbers(4, 3), "v": numbers(3, 2)}
    plain = (
        "Relu", "LeakyRelu<alpha=0.2>", "LeakyRelu", "HardSigmoid", "Abs", "Sigmoid", "Tanh",
        "HardSigmoid<alpha=0.16666667, beta=0.5>", "Shrink<lambd=0.3, bias=0.3>", "Softplus",
        "Elu<alpha=1.5>", "Selu", "Celu<alpha=0.7>", "Softsign", "HardSwish", "Erf", "Mish",
        "Gelu", 'Gelu<approximate="tanh">', "Swish", "Swish<alpha=1.7>",
    )  # fmt: skip
    for text in plain:
        version = 24 if text.startswith(("Gelu", "Swish", "Mish")) else 17
        yield Graph(
            text,
            f"a = MatMul(x, w) b = {text}(a) y = MatMul(b, v)",
            weights,
            version=version,
            # of silu, since alpha is a factor before and behind
            is_known=text != "Swish<alpha=1.7>",
        )
    yield Graph(
        "Clip",
        "a = MatMul(x, w) b = Clip(a, lo, hi) c = Clip(a, lo) d = Clip(a, , hi) e = Add(b, c)"
        " y = Add(e, d)",
        {"w": weights["w"], "lo": -0.4, "hi": 0.7},
    )
    yield Graph(
        "Clip by attributes", "a = Clip<min=-0.5, max=1.0>(x) y = Clip<min=0.0>(a)", version=9
    )
    yield Graph(
        "PRelu by channel",
        "y = PRelu(x, s)",
        {"s": numbers(2, 1)},
        "double[n,2,3] x",
        like="p = Relu(x) m = Neg(x) n = Relu(m) f = Mul(s, n) y = Sub(p, f)",
    )
    yield Graph("PRelu of one slope", "y = PRelu(x, s)", {"s": [0.3]})
    yield Graph("Exp", "y = Exp(x)", data=True)
    yield Graph(
        "gelu by Erf",
        "a = Div(x, s) b = Erf(a) c = Add(b, o) d = Mul(x, c) y = Mul(d, h)",
        {"s": 2**0.5, "o": 1.0, "h": 0.5},
        # a (1 + erf a) is what is fitted
        like="a = Div(x, s) p = Pieces(a) y = Mul(p, h)",
    )
    yield Graph(
        "silu by Sigmoid",
        "a = MatMul(x, w) s = Sigmoid(a) y = Mul(a, s)",
        weights,
        like="a = MatMul(x, w) y = Pieces(a)",
    )
    yield Graph("a square", "y = Pow(x, two)", {"two": 2.0}, like="y = Pieces(x)", data=True)
    yield Graph("Softmax", "a = MatMul(x, w) y = Softmax(a)", weights, is_known=False)
    yield Graph(
        "Softmax of two",
        "y = Softmax(x)",
        {"one": 1.0},
        "double[n,2] x",
        like="a, b = Split<axis=1>(x) d = Sub(b, a) p = Pieces(d) q = Sub(one, p)"
        " y = Concat<axis=1>(q, p)",
    )
    yield Graph(
        "Softmax along an axis", "y = Softmax<axis=1>(x)", {}, "double[n,2,2] x", is_known=False
    )
    yield Graph("LogSoftmax", "a = MatMul(x, w) y = LogSoftmax(a)", weights, is_known=False)


GRAPHS = list(_graphs())


# The same with smoothed functions ----------------------------------------------------------------


def _pieces(node, constants, fit):
    """(factor of z, shift, coefficient) of each rail, and a number, for what stands in for it."""
    from onnx import helper

    given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    numbers = [float(constants[name].ravel()[0]) if name else None for name in node.input[1:]]
    if node.op_type == "Relu":
        return [(1, 0, 1)], 0
    if node.op_type == "Abs":
        return [(1, 0, 1), (-1, 0, 1)], 0
    if node.op_type in ("LeakyRelu", "PRelu"):
        slope = numbers[0] if numbers else given.get("alpha", np.float64(np.float32(0.01)))
        return [(1, 0, 1), (-1, 0, -slope)], 0
    if node.op_type == "HardSigmoid":
        a = given.get("alpha", float(np.float32(0.2)))
        b = given.get("beta", 0.5)
        return [(a, b, 1), (a, b - 1, -1)], 0
    if node.op_type == "Shrink":
        width = given["lambd"]
        return [(1, -width, 1), (-1, -width, -1)], 0
    if node.op_type == "Clip":
        low = given.get("min", numbers[0] if numbers else None)
        high = given.get("max", numbers[1] if len(numbers) > 1 else None)
        if low is None:
            return [(-1, high, -1)], high
        return [(1, -low, 1)] + ([(1, -high, -1)] if high is not None else []), low
    first, *_ = fit.knots
    changes = np.diff(fit.slopes[1:], prepend=0.0)
    rails = [(1, -knot, change) for knot, change in zip(fit.knots, changes, strict=True)]
    return [(-1, first, -fit.slopes[0]), *rails], fit.offset


SMOOTHED = (
    "Relu Abs LeakyRelu PRelu HardSigmoid Shrink Clip Sigmoid Tanh Softplus Elu Selu Celu Softsign"
    " HardSwish Erf Mish Gelu Swish Exp Pieces"
).split()


def smoothed(source, h, fit):
    """The model with each of these functions written as its sum of (u + Sqrt(u u + 4 h)) / 2; `fit`
    is what stands in for those that are not piecewise linear.
    """
    from onnx import ModelProto, helper, numpy_helper

    found = ModelProto()
    found.CopyFrom(source)
    constants = {one.name: numpy_helper.to_array(one) for one in source.graph.initializer}
    del found.graph.node[:]
    count = iter(range(10**6))

    def number(value):
        name = f"number{next(count)}"
        found.graph.initializer.append(numpy_helper.from_array(np.float64(value), name))
        return name

    def add(kind, *reads, name=None):
        name = name or f"made{next(count)}"
        found.graph.node.append(helper.make_node(kind, reads, [name]))
        return name

    for node in source.graph.node:
        if node.op_type not in SMOOTHED:
            found.graph.node.append(node)
            continue
        rails, constant = _pieces(node, constants, fit)
        total = number(constant)
        for factor, shift, coefficient in rails:
            u = add("Add", add("Mul", node.input[0], number(factor)), number(shift))
            root = add("Sqrt", add("Add", add("Mul", u, u), number(4 * h)))
            y = add("Mul", add("Add", u, root), number(coefficient / 2))
            total = add("Add", total, y)
        add("Add", total, number(0.0), name=node.output[0])
    return found
