"""ONNX models as networks: against onnx's own evaluator, and against the same graph with smoothed
functions, solved by roadrunner.
"""

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from support.onnx_graphs import GRAPHS, IMAGE, model, numbers, smoothed, whole
from support.tolerances import ROUNDED, SOLVED

import crn_nn_tellurium as cn

# evaluators of old are wrong where padding is asked for by name
onnx = pytest.importorskip("onnx", "1.23", reason="onnx 1.23 or later is not installed")
reference = pytest.importorskip("onnx.reference", reason="onnx is not installed")

VIDEO = "double[n,2,2,2] x"
H = 1e-4
"""Of the networks here: knees are round enough to be seen, and chemistry settles at once."""


def samples(source, n):
    """n samples as onnx takes them, by name, and as networks do."""
    constants = {one.name for one in source.graph.initializer}
    shapes = {
        one.name: [dim.dim_value or 1 for dim in one.type.tensor_type.shape.dim]
        for one in source.graph.input
        if one.name not in constants
    }
    rng = np.random.default_rng(1)
    feeds = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(n)]
    return feeds, np.array([np.concatenate([a.ravel() for a in feed.values()]) for feed in feeds])


def evaluated(source, feeds):
    """Outputs (n, n_out) by onnx's evaluator."""
    evaluator = reference.ReferenceEvaluator(source)
    return np.array([np.ravel(evaluator.run(["y"], feed)[0]) for feed in feeds])


@cache
def case(name):
    """A graph, its network, and samples of both kinds; where a function needs a range, its data."""
    graph = next(graph for graph in GRAPHS if graph.name == name)
    source = graph.model()
    feeds, x = samples(source, 4)
    return graph, cn.from_onnx(source, h=H, data=x if graph.data else None), feeds, x


@pytest.mark.parametrize("name", [graph.name for graph in GRAPHS])
def test_outputs_are_within_the_bound(name):
    graph, net, feeds, x = case(name)
    difference = np.abs(net(x) - evaluated(graph.model(), feeds)).max()
    # what is exact is so up to rounding
    assert difference <= net.import_report.bound * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("name", [graph.name for graph in GRAPHS if graph.is_known])
def test_chemistry_settles_at_the_smoothed_graph(name):
    graph, net, feeds, x = case(name)
    kinds = [layer.activation for layer in net.layers]
    fit = next((kind for kind in kinds if isinstance(kind, cn.PiecewiseLinear)), None)
    expected = evaluated(smoothed(graph.model(graph.like), H, fit), feeds)
    found = cn.Simulator(net).steady_state(x[:2]).outputs
    np.testing.assert_allclose(found, expected[:2], rtol=SOLVED, atol=SOLVED)
    np.testing.assert_allclose(net(x), expected, rtol=SOLVED, atol=SOLVED)


# Where onnx's evaluator is wrong, or a version differs -------------------------------------------


def agree(one, other, h=1e-8):
    """The networks of two models are the same function."""
    _, x = samples(one, 5)
    # both are made of the same sums, in another order
    np.testing.assert_allclose(
        cn.from_onnx(one, h=h)(x), cn.from_onnx(other, h=h)(x), rtol=0, atol=1e-12
    )


def test_padding_that_the_result_asks_for():
    """onnx's evaluator pads MaxPool by the shape of SAME_UPPER, and ConvTranspose not at all;
    onnxruntime agrees with what is here.
    """
    agree(
        model(
            'y = MaxPool<auto_pad="SAME_LOWER", kernel_shape=[2], strides=[1]>(x)',
            "double[n,1,4] x",
        ),
        model("y = MaxPool<pads=[1, 0], kernel_shape=[2], strides=[1]>(x)", "double[n,1,4] x"),
    )
    kernel = {"w": numbers(1, 1, 4)}
    shape = "double[n,1,3] x"
    # 2 (3 - 1) + 4 = 8 elements for 7: the odd one goes before, unless SAME_UPPER says after
    for auto_pad, pads in (("NOTSET", "1, 0"), ("SAME_UPPER", "0, 1")):
        text = f'strides=[2], output_shape=[7], auto_pad="{auto_pad}"'
        agree(
            model(f"y = ConvTranspose<{text}>(x, w)", shape, **kernel),
            model(f"y = ConvTranspose<strides=[2], pads=[{pads}]>(x, w)", shape, **kernel),
        )


def test_softmax_before_version_13_is_over_all_that_follows():
    x = np.random.default_rng(0).normal(size=(5, 4))
    for version, axes in ((11, (1, 2)), (13, (1,))):
        net = cn.from_onnx(model("y = Softmax<axis=1>(x)", "double[n,2,2] x", version))
        expected = special.softmax(x.reshape(5, 2, 2), axis=axes).reshape(5, 4)
        assert np.abs(net(x) - expected).max() <= net.import_report.bound


def test_softmax_of_constants_is_folded_where_onnx_evaluates_it():
    c = numbers(1, 2, 2, 2)
    for version, axis in ((9, -1), (11, 3), (13, 1)):
        source = model(f"s = Softmax<axis={axis}>(c) y = Mul(x, s)", VIDEO, version, c=c)
        expected = special.softmax(c, axis=axis).reshape(1, 8)
        np.testing.assert_allclose(cn.from_onnx(source)(np.ones((1, 8))), expected, rtol=ROUNDED)


def test_nearest_neighbours_of_old_versions():
    x = np.arange(6.0).reshape(1, 6)
    scales = np.array([1, 1, 1.5, 2], "f4")
    # place / scale, rounded down
    expected = x.reshape(2, 3)[[0, 0, 1]][:, [0, 0, 1, 1, 2, 2]].reshape(1, 18)
    as_input, shape = {"s": scales}, "float[n,1,2,3] x"
    for text, version, arrays in (
        ("Upsample<scales=[1.0, 1.0, 1.5, 2.0]>(x)", 7, {}),
        ("Upsample(x, s)", 9, as_input),
        ("Resize(x, s)", 10, as_input),
    ):
        source = model(f"y = {text}", shape, version, "float[a,b,c,d] y", **arrays)
        np.testing.assert_array_equal(cn.from_onnx(source)(x), expected)


def test_axes_that_are_given_are_reduced_whatever_none_would_mean():
    x = numbers(3, 4)
    for keeps in (0, 1):
        text = f"y = ReduceSum<noop_with_empty_axes={keeps}>(x, a)"
        found = cn.from_onnx(model(text, version=18, a=whole(1)))(x)
        np.testing.assert_allclose(found, x.sum(axis=1, keepdims=True), rtol=ROUNDED)


def test_functions_that_are_lines():
    for text, slope in (("Swish<alpha=0.0>", 0.5), ("Shrink<lambd=0.0, bias=0.0>", 1.0)):
        x = numbers(2, 4)
        net = cn.from_onnx(model(f"y = {text}(x)", version=24))
        np.testing.assert_allclose(net(x), slope * x, rtol=ROUNDED)


def test_batch_norm_of_version_7():
    s, b, m, v = numbers(2), numbers(2), numbers(2), numbers(2) ** 2
    text = "y = BatchNormalization(x, s, b, m, v)"
    net = cn.from_onnx(model(text, "double[n,2,2] x", 7, s=s, b=b, m=m, v=v))
    x = numbers(3, 4)
    scaled = (x.reshape(3, 2, 2) - m[:, None]) / np.sqrt(v[:, None] + np.float64(np.float32(1e-5)))
    expected = s[:, None] * scaled + b[:, None]
    np.testing.assert_allclose(net(x), expected.reshape(3, 4), rtol=ROUNDED)


@pytest.mark.parametrize("kind", ["float", "float16"])
def test_other_precisions_are_taken_as_they_are(kind):
    """Where, with numbers of the input's type; places beyond 2048 are no halves."""
    dtype = {"float": np.float32, "float16": np.float16}[kind]
    arrays = {"m": np.arange(3000) % 2 == 0, "c": np.full(3000, 0.1, dtype), "i": whole(2998, 5)}
    source = model(
        "a = Where(m, x, c) y = Gather<axis=1>(a, i)",
        f"{kind}[n,3000] x",
        output=f"{kind}[a,b] y",
        **arrays,
    )
    net = cn.from_onnx(source)
    x = np.linspace(0, 1, 3000)
    np.testing.assert_allclose(net(x), [x[2998], float(dtype(0.1))], rtol=ROUNDED)


# What there is besides operators -----------------------------------------------------------------


def test_one_of_several_outputs():
    source = model("y = Sin(x) z = Neg(x)", output="double[a,b] y, double[a,b] z")
    net = cn.from_onnx(source, output="z")  # without Sin, which only y needs
    np.testing.assert_allclose(net([1.0, 2.0, 3.0, 4.0]), [-1.0, -2.0, -3.0, -4.0], rtol=1e-12)


def test_results_that_nobody_reads_do_not_matter():
    for text in ("y, i = MaxPool<kernel_shape=[2], storage_order=1>(x)", "y, m = Dropout(x)"):
        assert cn.from_onnx(model(text, "double[n,1,4] x")).n_in == 4


def test_classes_and_logits():
    arrays = {"w": numbers(4, 3)}
    text = "a = MatMul(x, w) s = Softmax(a) y = Identity(s)"
    net = cn.from_onnx(model(text, **arrays))
    assert net.task == "classification"
    x = numbers(6, 4)
    np.testing.assert_allclose(net.predict_proba(x).sum(axis=1), 1.0)
    logits = cn.from_onnx(model(text, **arrays), logits=True, class_names=["a", "b", "c"])
    np.testing.assert_allclose(logits(x), x @ arrays["w"], rtol=SOLVED)
    assert logits.predict(x).tolist() == [["a", "b", "c"][k] for k in net.predict(x)]
    by_class = model("a = MatMul(x, w) y = ArgMax<axis=1>(a)", output="int64[a,b] y", **arrays)
    assert cn.from_onnx(by_class).predict(x).tolist() == net.predict(x).tolist()


def test_the_report_names_nodes():
    source = model("a = MatMul(x, w) y = Tanh(a)", w=numbers(4, 2))
    source.graph.node[1].name = "/act/Tanh"
    net = cn.from_onnx(source, data=numbers(20, 4))
    assert [(row.name, row.operator) for row in net.import_report.operators] == [
        ("a", "MatMul"),
        ("/act/Tanh", "Tanh"),
    ]
    assert net.import_report.largest_difference <= net.import_report.bound


def test_weights_beside_the_model(tmp_path):
    weights = numbers(4, 3)
    onnx.save(
        model("a = MatMul(x, w) y = Relu(a)", w=weights),
        tmp_path / "m.onnx",
        save_as_external_data=True,
        location="m.data",
        size_threshold=0,
    )
    assert (tmp_path / "m.data").stat().st_size >= 96
    expected = cn.from_onnx(model("a = MatMul(x, w) y = Relu(a)", w=weights))
    assert cn.from_onnx(tmp_path / "m.onnx") == expected


def test_first_powers_are_what_they_are_of():
    net, x = cn.from_onnx(model("y = Pow(x, c)", c=whole(1, 1, 1, 1))), numbers(2, 4)
    np.testing.assert_array_equal(net(x), x)


def test_weights_beside_the_model_of_no_length(tmp_path, monkeypatch):
    """They are as many bytes as the tensor has, whatever is behind them."""
    monkeypatch.chdir(tmp_path)
    path = elsewhere("w.bin", offset=0)
    with open("m/w.bin", "ab") as file:
        file.write(b"more")
    weights, x = np.fromfile("m/w.bin", count=12).reshape(4, 3), numbers(3, 4)
    net = cn.from_onnx(path, h=1e-12)
    # the knee is off by sqrt(h)
    np.testing.assert_allclose(net(x), np.maximum(x @ weights, 0), rtol=0, atol=2e-6)


def test_shares_of_inputs_have_inputs_for_logits():
    net, x = cn.from_onnx(model("y = Softmax<axis=1>(x)"), logits=True), numbers(2, 4)
    np.testing.assert_array_equal(net(x), x)


# Refused -----------------------------------------------------------------------------------------


def elsewhere(place, **more):
    """A model in the folder m, whose weights are said to be in another file."""
    source = model("a = MatMul(x, w) y = Relu(a)", w=numbers(4, 3))
    tensor = source.graph.initializer[0]
    Path("m").mkdir()
    for file in ("m/w.bin", "secret.bin"):
        Path(file).write_bytes(tensor.raw_data)
    os.symlink(Path("secret.bin").absolute(), "m/link.bin")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": place, **more}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    Path("m/m.onnx").write_bytes(source.SerializeToString())
    return "m/m.onnx"


def many_times_one_file():
    """Tensors that are the same bytes of a file which takes no room on the disk."""
    source = onnx.load(elsewhere("w.bin"), load_external_data=False)
    os.truncate("m/w.bin", 2**27)
    source.graph.initializer[0].dims[:] = [2**24]
    source.graph.initializer.extend([source.graph.initializer[0]] * 2)
    Path("m/m.onnx").write_bytes(source.SerializeToString())
    return "m/m.onnx"


def written(content):
    Path("m.onnx").write_bytes(content)
    return "m.onnx"


def long_file():
    """One that takes no room on the disk."""
    with open("m.onnx", "wb") as file:
        file.truncate(2**28 + 1)
    return "m.onnx"


def edited(edit, nodes="a = MatMul(x, w) y = Relu(a)"):
    source = model(nodes, w=numbers(4, 3))
    edit(source)
    return source


def with_dims(*dims):
    def edit(source):
        del source.graph.initializer[0].dims[:]
        source.graph.initializer[0].dims.extend(dims)

    return lambda: edited(edit)


def with_metadata(name, value):
    entry = onnx.StringStringEntryProto(key=f"crn_nn_tellurium.{name}", value=value)
    return lambda: edited(lambda source: source.metadata_props.append(entry))


def with_version(version):
    return lambda: edited(lambda source: setattr(source.opset_import[0], "version", version))


def with_two_versions(source):
    source.opset_import.append(onnx.helper.make_opsetid("", 13))


def with_sparse_numbers(source):
    values = onnx.numpy_helper.from_array(np.ones(1), "w")
    at = onnx.numpy_helper.from_array(whole(2), "at")
    source.graph.sparse_initializer.append(onnx.helper.make_sparse_tensor(values, at, [4, 3]))
    del source.graph.initializer[:]


def with_branches(source):
    output = [onnx.helper.make_tensor_value_info("z", onnx.TensorProto.DOUBLE, None)]
    inner = [onnx.helper.make_node("Relu", ["x"], ["z"])]
    branch = onnx.helper.make_graph(inner, "branch", [], output)
    source.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "c"))
    source.graph.node[1].CopyFrom(
        onnx.helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    )


def with_a_function_of_itself(source):
    domain = [onnx.helper.make_opsetid("mine", 1)]
    source.opset_import.extend(domain)
    inner = [onnx.helper.make_node("F", ["a"], ["b"], domain="mine")]
    source.functions.append(onnx.helper.make_function("mine", "F", ["a"], ["b"], inner, domain))
    source.graph.node[1].domain, source.graph.node[1].op_type = "mine", "F"


def with_a_constant_elsewhere(source):
    tensor = onnx.TensorProto(name="t", dims=[3], data_type=onnx.TensorProto.DOUBLE)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    source.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["t"], value=tensor))


def of(nodes, inputs="double[n,4] x", version=17, output="double[a,b] y", **arrays):
    return lambda: model(nodes, inputs, version, output, **arrays)


W = numbers(4, 3)
LINE = "double[n,1,10] x"
FILES = [
    (lambda: written(b"hello world"), "not an ONNX model"),
    (lambda: written(b""), "not an ONNX model, or one without operators"),
    (lambda: written(model("y = Relu(x)").SerializeToString()[:40]), "not an ONNX model"),
    (long_file, "268,435,457 bytes; expected at most"),
    (lambda: elsewhere("../secret.bin"), "expected a file in the model's own folder"),
    (lambda: elsewhere(str(Path("secret.bin").absolute())), "expected a file in the model's own"),
    (lambda: elsewhere("link.bin"), "expected a file in the model's own folder"),
    (lambda: elsewhere("w\0.bin"), "expected a file in the model's own folder"),
    (lambda: elsewhere("none.bin"), "expected a file in the model's own folder"),
    (lambda: elsewhere("w.bin", offset=10**6), "which does not hold it"),
    (lambda: elsewhere("w.bin", length=8), "which does not hold it"),
    (lambda: elsewhere("w.bin", offset=-8), "which does not hold its"),
    (lambda: elsewhere("w.bin", length=10**12), "which does not hold its"),
    (many_times_one_file, "tensors in other files hold 402,653,184 bytes; expected at most"),
    (lambda: onnx.load(elsewhere("w.bin"), load_external_data=False), "give the model's path"),
    (lambda: edited(with_a_constant_elsewhere), "attribute 'value' holds .* in another file"),
    (with_dims(10**6, 10**6), r"tensor 'w' has shape \(1000000, 1000000\); expected at most"),
    (with_dims(-4, -3), "not well formed: Negative dimension"),
    (with_dims(4, 5), "onnx finds it not well formed"),
    (with_version(99), "version 99 of ONNX's operators; .* pip install -U onnx"),
    (lambda: edited(with_two_versions), r"versions \[13, 17\] of ONNX's operators; expected one"),
    (lambda: edited(lambda source: source.graph.ClearField("output")), "it has no outputs"),
    (lambda: edited(lambda source: setattr(source.graph.initializer[0], "data_type", 99)),
     "tensor 'w': 99"),
    (with_version(6), "version 6 of ONNX's operators; .*convert_version"),
    (lambda: edited(lambda source: source.ClearField("opset_import")), "version 1 of"),
    (lambda: edited(with_a_function_of_itself), r"functions of its own \(F\)"),
    (lambda: edited(with_sparse_numbers), "it has sparse initializers; expected dense ones"),
    (of("a = Add(x, y) y = Relu(a)"), "Nodes in a graph must be topologically sorted"),
    (of("y = Clip( , a)", a=1.0), "input 0 is marked single but has an empty string"),
    (of("y = Pow(x, )"), "input size 1 not in range"),
    (of("y = Foo(x)"), "No Op registered for Foo"),
    (with_metadata("task", "{"), "metadata 'crn_nn_tellurium.task' are no JSON"),
    (with_metadata("activations", "[" * 10**5), "are no JSON"),
    (with_metadata("inputs", "3"), "are not as written: 3"),
    (with_metadata("activations", '{"y": 3}'), "metadata on 'y' are not as written: 3"),
    (with_metadata("activations", '{"y": ["a", "Foo", {}]}'), "are not as written: 'Foo'"),
    (with_metadata("activations", '{"y": ["y", "Tanh", {}]}'), "are not as written: 'y'"),
    (with_metadata("activations", '{"y": ["w", "Tanh", {}]}'), "are not as written: 'w'"),
]  # fmt: skip
OPERATORS = [
    (of("y = Sin(x)"), "operator 'Sin' at 'y': it has no counterpart"),
    (of("y = LayerNormalization(x, c)", c=numbers(4)), "BatchNormalization has numbers of its own"),
    (lambda: edited(with_branches), "operator 'If' at 'y': .* it has a graph within"),
    (of("s = SequenceConstruct(x) y = ConcatFromSequence<axis=0>(s)"), "'SequenceConstruct'"),
    # more than a network has
    (of("c = ConstantOfShape(s) d = Cast<to=11>(c) m = ReduceSum(d) y = Add(x, m)",
        s=whole(2**20, 2**20)), "'ConstantOfShape' at 'c': its result has shape"),
    (of("c = Range(s, e, o) m = ReduceSum(c) y = Add(x, m)", s=0.0, e=1e12, o=1.0),
     "'Range' at 'c': its result has shape"),
    (of("c = Tile(x, s) y = Relu(c)", s=whole(2**20, 2**10)), "'Tile' at 'c': its result has"),
    (of("c = Pad(x, s) y = Relu(c)", s=whole(0, 2**40, 0, 0)), "'Pad' at 'c': its result has"),
    (of(" ".join(f"c{k + 1} = Concat<axis=1>(c{k}, c{k})" for k in range(60)) + " y = Relu(c60)",
        "double[n,4] c0"), "'Concat' at 'c19': its result has shape"),
    (of("a = Reshape(x, s) y = Relu(a)", s=whole(*[1] * 20, 4)), "at most .* 16 axes"),
    (of("y = Conv<pads=[500, 500, 500, 500]>(x, w)", "double[n,1,1000,1000] x",
        w=np.ones((1, 1, 1000, 1000))), "'Conv' at 'y': it unrolls to"),
    (of("y = MaxPool<kernel_shape=[1000, 1000]>(x)", "double[n,1,1020,1020] x"), "it unrolls to"),
    (of("m = ReduceMean<axes=[1]>(x) y = Sub(x, m)", "double[n,300000] x"),
     "'Sub' at 'y': it unrolls to up to 90,000,000,000 weights"),
    # inputs and outputs
    (of("y = Relu(x)", "double[n,2,height] x"), r"input 'x': axis 2 has no length \('height'\)"),
    (of("y = Relu(x)", "double[n,10000,10000] x"), "expected 1 to 1,048,576 numbers"),
    (of("y = Relu(x)", "double[n,0] x"), r"input 'x' has shape \(1, 0\)"),
    (of("y = Cast<to=11>(x)", "int64[n,2] x"), "input 'x' is no array of floats"),
    (of("y = Relu(c)", "", c=numbers(1, 2)), "has no inputs"),
    (of("a = Relu(x) y = Relu(c)", c=numbers(1, 2)), "output 'y' is no function of the inputs"),
    # attributes and inputs that would change the result
    (of("y = Conv<strides=[0]>(x, w)", LINE, w=numbers(1, 1, 2)), "strides is not positive"),
    (of("y = Conv<group=5>(x, w)", "double[n,5,9] x", w=numbers(7, 1, 2)), "'Conv' at 'y'"),
    (of("y = Conv<kernel_shape=[3]>(x, w)", LINE, w=numbers(1, 1, 2)), "'Conv' at 'y'"),
    (of("y = Conv(x, x)", "double[1,1,3] x"), "its input 'x' depends on the network's"),
    (of("y, q, w = BatchNormalization<training_mode=1>(x, s, s, s, s)", IMAGE, s=numbers(2) ** 2),
     "training_mode is 1"),
    (of("y = BatchNormalization<spatial=0>(x, s, s, s, s)", "double[n,2,3] x", 7,
        s=numbers(2, 3) ** 2), "its attribute spatial=0 is not known here"),
    (of("y = Dropout(x, r, t)", r=0.5, t=True), "training_mode is true"),
    (of('y = Resize<mode="linear">(x, , s)', "double[n,1,2,2] x",
        s=np.array([1, 1, 2, 2], "f4")), "mode is 'linear'; expected 'nearest'"),
    (of("a, i = MaxPool<kernel_shape=[2]>(x) y = Cast<to=11>(i)", LINE), "its output 'i' is read"),
    (of("i = ArgMax<axis=1>(x) f = Cast<to=11>(i) y = Neg(f)"), "it gives a class, which others"),
    (of("y = ArgMax<axis=1, select_last_index=1>(x)", output="int64[a,b] y"),
     "its attribute select_last_index=1 is not known"),
    (of("y = Pad(x, s, v)", s=whole(0, 1, 0, 0), v=-np.inf), "numbers that are not finite"),
    (of("y = Clip(x, a)", a=numbers(4)), "its min and max are arrays"),
    (of("y = MatMul(x, w)", w=numbers(4, 3) * 1j), "its input 2 holds complex128"),
    (of("y = MaxPool<kernel_shape=[2], pads=[2, 2]>(x)", LINE), "which reads nothing there"),
    (of("y = BatchNormalization(x, s, s, s, v)", IMAGE, s=numbers(2), v=[-1.0, 1.0]),
     "variance \\+ epsilon is -0.9"),
    # of other numbers each time, and of whole ones
    (of("r = RandomNormal<shape=[1, 4], dtype=11>() y = Add(x, r)"), "it draws numbers"),
    (of("q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z)", "float[n,4] x",
        s=np.float32(0.1), z=np.uint8(3)), "'QuantizeLinear' at 'q': .*of a quantized network"),
    (of("y = Clip(x, a, b)", a=1.0, b=0.0), "min is 1 and max 0; expected min < max"),
    (of("y = Shrink<lambd=0.5>(x)"), "it jumps: lambd is 0.5 and bias 0"),
    (of("y = Pow(x, c)", c=3.0), r"its exponent is \[3.0\]; expected 1 or 2"),
    (of("y = Div(x, c)", c=np.zeros(4)), "it divides by 0"),
    (of("y = Div(c, x)", c=numbers(1, 4)), "its input 'x' depends on the network's"),
    (of("y = Mul(x, c)", c=np.full(4, np.nan)), "its input 2 holds numbers that are not finite"),
    (of("t = Transpose(x) y = MatMul(x, t)"), "both factors depend on the inputs"),
    (of("a = MatMul(x, w) b = MatMul(x, v) y = Mul(a, b)", w=W, v=-W[::-1]),
     "the product of two tensors that both depend on the inputs"),
    (of("i = ArgMax<axis=1>(x) y = Gather<axis=1>(x, i)"), r"\['x', 'i'\] depend on the network's"),
    (of("i = NonZero(c) f = Cast<to=11>(i) s = ReduceSum(f) y = Add(x, s)", c=W),
     "the shape of its result depends on values"),
    (of("y = Exp(x)"), "give data="),
    # whose value is its first input's, however many depend on the network's
    (of("y = CastLike(c, x)", c=np.float32(1)), "output 'y' is no function of the inputs"),
    (of("y = Gemm(a, a, x)", "double[4,4] x", a=numbers(4, 4)), "both factors are constant"),
    (of("s = Softmax(c) y = Mul(x, s)", VIDEO, 12, c=numbers(1, 2, 2, 2)),
     "'Softmax' at 's': it is of constants and of version 12; expected 13 or later"),
    (of("s = BatchNormalization(c, v, v, v, v) y = Mul(x, s)", version=9, c=numbers(1, 4),
        v=numbers(4) ** 2), "it is of constants and of version 9; expected 14 or later"),
    (of("y = Pow(c, x)", c=2.0), "its input 'x' depends on the network's"),
    (of("y = MatMul(x, w)", "double[n,3,4] x", w=numbers(2, 4, 3)),
     r"its constant factor has shape \(2, 4, 3\); expected a matrix"),
    (of("a = Relu(x) y = Div(a, x)"), "the quotient of two tensors"),
    (of("y = ConvTranspose<output_shape=[30]>(x, w)", LINE, w=numbers(1, 1, 2)),
     "its output_shape is larger than all that is read; give output_padding"),
    (of("a = Cast<to=7>(x) b = Add(a, c) y = Cast<to=11>(b)", c=whole(1)),
     "'Cast' at 'a': its values are INT64; expected floats"),
    (of("y = PRelu(c, x)", c=numbers(1, 4)), "its input 'x' depends on the network's"),
    *((of(f"r = Gemm(x, w) s = Relu(r) y = {over}", w=W),
       "it is over axis 0, that of samples, so that each depends on those beside it; expected op")
      for over in ("ReduceMean<axes=[0]>(s)", "ReduceMax(s)", "Softmax<axis=-2>(s)",
                   "ArgMax<axis=0>(s)", "Concat<axis=0>(s, r)")),
    (of("f = Gather<axis=0>(x, c) y = Relu(f)", c=whole(0)), "'Gather' at 'f': it is over axis 0"),
]  # fmt: skip


def in_words(value):
    """Messages; functions have no names that two processes agree on."""
    return value[:40] if isinstance(value, str) else ""


@pytest.mark.parametrize(("make", "message"), FILES, ids=in_words)
def test_files_that_are_refused(make, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cn.FileFormatError, match=message):
        cn.from_onnx(make())


@pytest.mark.parametrize(("make", "message"), OPERATORS, ids=in_words)
def test_graphs_that_are_refused(make, message):
    with pytest.raises(cn.NetworkError, match=message) as refusal:
        cn.from_onnx(make())
    # which, and where, is said once
    assert str(refusal.value).count("operator '") <= 1


def test_arguments_that_are_refused(tmp_path):
    two = model("y = Relu(x) z = Neg(x)", output="double[a,b] y, double[a,b] z")
    for source, options, error, message in (
        (two, {}, cn.InputError, "has several outputs; expected output= one of y, z"),
        (two, {"output": "q"}, cn.InputError, "has no output 'q'; expected"),
        (two, {"output": "y", "data": [[1.0]]}, cn.InputError, r"data have shape \(1, 1\)"),
        (two, {"output": "y", "h": -1}, cn.InputError, "h is -1"),
        (3, {}, cn.InputError, "model is a int; expected a file or onnx.ModelProto"),
        ("a\0b", {}, FileNotFoundError, "no file has such a name"),
        (tmp_path / "none.onnx", {}, FileNotFoundError, "there is no such file"),
        (tmp_path, {}, IsADirectoryError, "a folder"),
    ):
        with pytest.raises(error, match=message):
            cn.from_onnx(source, **options)
