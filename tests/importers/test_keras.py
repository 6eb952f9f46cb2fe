"""Models of Keras against Keras itself, and as chemistry against the same models smoothed."""

import io
import json
import sys
import warnings
import zipfile

import numpy as np
import pytest
from support import smoothed
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

keras = pytest.importorskip("keras", reason="Keras is what is imported")
h5py = pytest.importorskip("h5py", reason="Keras keeps arrays by it")
L = keras.layers
H = 1e-10
# Keras' own, as it takes torch's tensors to numpy and back
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    """Keras reckons in single precision whatever it is told, but for TensorFlow's backend."""
    from keras.src.backend.common import dtypes

    before = keras.config.floatx(), keras.config.dtype_policy()
    table, single = dtypes.BIT64_TO_BIT32_DTYPE, dtypes.BIT64_TO_BIT32_DTYPE["float64"]
    table["float64"] = "float64"
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    table["float64"] = single
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


class Plain:
    """Activations by name, for the model that is imported."""

    def __call__(self, name):
        return name

    def max_pool(self, x, size):
        return L.MaxPooling1D(size)(x)

    def top(self, a, b):
        return L.Maximum()([a, b])


class Smoothed:
    """What chemistry makes of them: formulas, and the pieces of a network's layers in order."""

    def __init__(self, net):
        fitted = [one.activation for one in net.layers]
        self.pieces = iter([one for one in fitted if isinstance(one, cn.PiecewiseLinear)])

    def __call__(self, name):
        if name in ("linear", "squareplus"):
            return name
        if name == "relu":
            return lambda z: smoothed.relu(z, H)
        if name == "leaky_relu":
            return lambda z: smoothed.relu(z, H) - 0.2 * smoothed.relu(-z, H)
        if name == "relu6":
            return lambda z: smoothed.relu(z, H) - smoothed.relu(z - 6, H)
        if name == "sparse_sigmoid":
            return lambda z: smoothed.relu(z / 2 + 0.5, H) - smoothed.relu(z / 2 - 0.5, H)
        if name == "hard_sigmoid":
            return lambda z: smoothed.relu(z / 6 + 0.5, H) - smoothed.relu(z / 6 - 0.5, H)
        return smoothed.pieces(next(self.pieces))

    def max_pool(self, x, size):
        return smoothed.largest([x[:, k::size] for k in range(size)], H)

    def top(self, a, b):
        return smoothed.largest([a, b], H)


def chain(shape, *layers):
    return lambda: keras.Sequential([keras.Input(shape), *(make() for make in layers)])


def adapted():
    layer = L.Normalization(axis=-1)
    layer.adapt(np.random.default_rng(3).normal(2.0, 3.0, size=(20, 3)))
    return layer


FIRST = {"data_format": "channels_first"}
AFFINE = {
    "dense": chain((3,), lambda: L.Dense(4), lambda: L.Dense(2, use_bias=False)),
    "normalization": chain((3,), adapted, lambda: L.Rescaling(0.5, offset=-1.0)),
    "inverse": chain((2,), lambda: L.Normalization(mean=[1, 2], variance=[4, 9], invert=True)),
    "batch norms": chain(
        (4, 3),
        lambda: L.BatchNormalization(),
        lambda: L.BatchNormalization(axis=1, center=False, scale=False),
    ),
    "shapes": chain(
        (4, 3, 2),
        lambda: L.Permute((3, 1, 2)),
        lambda: L.Reshape((6, -1)),
        lambda: L.Flatten(),
        lambda: L.Dense(3),
        lambda: L.RepeatVector(2),
    ),
    "flat channels first": chain((2, 3, 2), lambda: L.Flatten(**FIRST)),
    "off": chain(
        (3,),
        lambda: L.Dropout(0.5),
        lambda: L.GaussianNoise(1.0),
        lambda: L.GaussianDropout(0.5),
        lambda: L.AlphaDropout(0.5),
        lambda: L.Identity(),
        lambda: L.Dense(2),
    ),
    "einsum": chain((4, 3), lambda: L.EinsumDense("abc,cd->abd", (4, 5), bias_axes="d")),
    "causal": chain((7, 2), lambda: L.Conv1D(3, 3, padding="causal", dilation_rate=2)),
    "grouped": chain((7, 6, 4), lambda: L.Conv2D(6, 3, groups=2, strides=(2, 1), padding="same")),
    "dilated": chain((6, 5, 2), lambda: L.Conv2D(3, (3, 2), dilation_rate=(1, 2), padding="same")),
    "channels first": chain((2, 6, 5), lambda: L.Conv2D(3, 3, padding="same", **FIRST)),
    "three axes": chain((4, 3, 3, 2), lambda: L.Conv3D(2, 2, padding="same", strides=2)),
    "depthwise": chain(
        (7, 6, 3), lambda: L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)
    ),
    "separable": chain((7, 3), lambda: L.SeparableConv1D(4, 3, strides=2, depth_multiplier=2)),
    "separable in two": chain((5, 4, 2), lambda: L.SeparableConv2D(3, 3, padding="same")),
    "transposed": chain((3, 2), lambda: L.Conv1DTranspose(3, 3, strides=2, padding="same")),
    "transposed, even": chain((3, 4, 2), lambda: L.Conv2DTranspose(2, 2, padding="same")),
    "transposed, ends": chain(
        (3, 2), lambda: L.Conv1DTranspose(2, 3, strides=3, output_padding=1, padding="same")
    ),
    "transposed, far": chain((2, 2, 2, 1), lambda: L.Conv3DTranspose(2, 2, strides=3)),
    "averages": chain(
        (7, 6, 2),
        lambda: L.AveragePooling2D(2, padding="same"),
        lambda: L.AveragePooling2D(3, strides=1, padding="same"),
        lambda: L.GlobalAveragePooling2D(keepdims=True),
    ),
    "adaptive": chain((7, 2), lambda: L.AdaptiveAveragePooling1D(3)),
    "ends": chain(
        (4, 3, 2),
        lambda: L.ZeroPadding2D(((1, 0), (2, 1))),
        lambda: L.Cropping2D(((0, 1), (1, 0))),
        lambda: L.UpSampling2D((2, 1)),
    ),
    "ends of one axis": chain(
        (4, 2), lambda: L.ZeroPadding1D(1), lambda: L.Cropping1D((1, 0)), lambda: L.UpSampling1D(2)
    ),
}


def residual(f):
    x = keras.Input((4,))
    y = L.Dense(4, f("relu"))(x)
    z = L.Subtract()([L.Average()([x, y, y]), L.Add()([x, y])])
    return keras.Model(x, L.Concatenate()([z, y, f.top(x, z)]))


def two_inputs(f):
    """Two inputs and two outputs, a layer that both share, and a model within the model."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = L.Dense(2, f("relu"))
    inner_in = keras.Input((2,))
    inner = keras.Model(inner_in, L.Dense(3, f("relu"))(inner_in), name="inner")
    left, right = inner(shared(a)), inner(shared(b))
    return keras.Model([a, b], [L.Add()([left, right]), L.Dense(1)(left)])


def of_taken_names(f):
    """Several inputs of a model within, and names that several outputs would get."""
    a, b = keras.Input((2,)), keras.Input((2,))
    inner = keras.Model([a, b], L.Subtract()([L.Dense(2, f("relu"))(a), b]))
    x, y = keras.Input((2,)), keras.Input((2,), name="outputs")
    return keras.Model([x, y], [L.Dense(2, name="output 1")(inner([y, x])), L.Dense(1)(y)])


def convolutional(f):
    return keras.Sequential(
        [
            keras.Input((6, 5, 1)),
            L.Conv2D(2, 3, activation=f("relu"), padding="same"),
            L.BatchNormalization(),
            L.AveragePooling2D(2),
            L.Flatten(),
            L.Dense(3, f("leaky_relu")),
        ]
    )


def pooled(f):
    x = keras.Input((6, 2))
    y = f.max_pool(L.Conv1D(3, 3, activation=f("relu"), padding="same")(x), 2)
    return keras.Model(x, L.Dense(2)(L.Flatten()(y)))


def of_one(name):
    def build(f):
        return keras.Sequential([keras.Input((3,)), L.Dense(4, f(name)), L.Dense(2)])

    return build


# each smoothed by its counterpart
EXACT = "hard_sigmoid hard_tanh leaky_relu linear relu relu6 soft_shrink sparse_sigmoid squareplus"
FITTED = """celu elu gelu hard_silu log_sigmoid mish selu sigmoid silu softplus softsign swish tanh
tanh_shrink"""
GRAPHS = {
    "residual": residual,
    "two inputs": two_inputs,
    "of taken names": of_taken_names,
    "convolutional": convolutional,
    "pooled": pooled,
} | {name: of_one(name) for name in (EXACT + " " + FITTED).split()}


def with_numbers(model):
    """Weights of both signs, none of them special."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if "seed" not in variable.path:
            values = rng.normal(scale=0.5, size=variable.shape)
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def inputs_of(model, n=4):
    """Samples for Keras and for the network."""
    rng = np.random.default_rng(1)
    x = [rng.normal(size=(n, *tensor.shape[1:])) for tensor in model.inputs]
    return x, np.concatenate([one.reshape(n, -1) for one in x], axis=1)


def by_keras(model, x):
    made = model(x if len(x) > 1 else x[0], training=False)
    made = made if isinstance(made, list) else [made]
    flat = [keras.ops.convert_to_numpy(one).reshape(len(x[0]), -1) for one in made]
    return np.concatenate(flat, axis=1)


@pytest.mark.parametrize("name", AFFINE)
def test_what_is_affine_is_exact(name):
    model = AFFINE[name]()
    if "normalization" not in name:
        with_numbers(model)
    net = cn.from_keras(model)
    x, flat = inputs_of(model)
    assert net.import_report.bound == 0
    found = cn.Simulator(net).steady_state(flat).outputs
    # roots of the rate equations to rounding, times weights of order one
    np.testing.assert_allclose(found, by_keras(model, x), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_model_is_within_its_bound_and_as_chemistry_the_model_smoothed(name):
    model = with_numbers(GRAPHS[name](Plain()))
    net = cn.from_keras(model, H)
    x, flat = inputs_of(model)
    expected = by_keras(model, x)
    assert np.abs(net(flat) - expected).max() <= net.import_report.bound + ROUNDED
    assert net.import_report.bound <= (0.05 if name in FITTED.split() else 1e-3)
    smooth = GRAPHS[name](Smoothed(net))
    for ours, theirs in zip(smooth.weights, model.weights, strict=True):
        ours.assign(theirs)
    found = cn.Simulator(net).steady_state(flat).outputs
    # roots of the rate equations to rounding, times weights of order one
    np.testing.assert_allclose(found, by_keras(smooth, x), rtol=0, atol=1e-9)


LAYERS = {
    "ReLU": lambda: L.ReLU(),
    "ReLU6": lambda: L.ReLU(max_value=6.0),
    "ReLU with all": lambda: L.ReLU(negative_slope=0.2, max_value=0.7),
    "LeakyReLU": lambda: L.LeakyReLU(0.1),
    "PReLU": lambda: L.PReLU(shared_axes=[1]),
    "ELU": lambda: L.ELU(0.5),
    "Softmax": lambda: L.Softmax(axis=1),
    "Activation": lambda: L.Activation("softplus"),
    "activation of Dense": lambda: L.Dense(3, activation=L.LeakyReLU(0.5)),
    "softmax of Dense": lambda: L.Dense(3, activation="softmax"),
    "log softmax of Dense": lambda: L.Dense(2, activation="log_softmax"),
    "MaxPooling1D": lambda: L.MaxPooling1D(2, padding="same"),
    "GlobalMaxPooling1D": lambda: L.GlobalMaxPooling1D(),
    "AdaptiveMaxPooling1D": lambda: L.AdaptiveMaxPooling1D(2),
    "SeparableConv1D": lambda: L.SeparableConv1D(2, 2, activation="relu"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_its_own_is_within_its_bound(name):
    model = with_numbers(chain((5, 3), LAYERS[name])())
    x, flat = inputs_of(model)
    net = cn.from_keras(model, H)
    found = cn.Simulator(net).steady_state(flat).outputs
    # roots of the rate equations to rounding
    bound = net.import_report.bound + 1e-9
    assert 0 < bound < 0.5
    assert np.abs(found - by_keras(model, x)).max() <= bound


def test_the_largest_of_two_axes_with_steps_and_ends():
    model = chain((5, 4, 2), lambda: L.MaxPooling2D(3, strides=2, padding="same"))()
    x, flat = inputs_of(model)
    net = cn.from_keras(model, H)
    assert np.abs(net(flat) - by_keras(model, x)).max() <= net.import_report.bound


def test_products_of_a_function_and_what_it_reads():
    x = keras.Input((3,))
    z = L.Dense(4)(x)
    model = with_numbers(keras.Model(x, L.Multiply()([z, L.Activation("sigmoid")(z)])))
    given, flat = inputs_of(model)
    net = cn.from_keras(model)
    # a sigmoid is asked for within 0.01, and the product adds a little
    assert np.abs(net(flat) - by_keras(model, given)).max() <= net.import_report.bound <= 0.011


def test_classes_and_logits():
    model = with_numbers(chain((3,), lambda: L.Dense(3), lambda: L.Softmax())())
    x, flat = inputs_of(model)
    shares = by_keras(model, x)
    net = cn.from_keras(model, class_names=["a", "b", "c"], logits=True)
    assert net.predict(flat).tolist() == [net.class_names[k] for k in shares.argmax(axis=1)]
    assert net.import_report.bound == 0
    assert cn.from_keras(model).task == "classification"
    assert [one.operator for one in net.import_report.operators] == ["Dense"]


@pytest.mark.parametrize("ending", ["keras", "h5"])
# Keras' own word on the .h5 format
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_files(ending, tmp_path):
    model = with_numbers(convolutional(Plain()))
    path = tmp_path / f"model.{ending}"
    model.save(path)
    x, flat = inputs_of(model)
    net = cn.from_keras(path, H)
    assert np.abs(net(flat) - by_keras(model, x)).max() <= net.import_report.bound
    unsafe = keras.Sequential([keras.Input((3,)), L.Lambda(lambda z: z + 1)])
    unsafe.save(path)
    with pytest.raises(cn.NetworkError, match=f"operator 'Lambda' at '.*model.{ending}': .*code"):
        cn.from_keras(path)
    path.write_bytes(b"no")
    with pytest.raises(cn.FileFormatError, match="no model of Keras; expected"):
        cn.from_keras(path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        cn.from_keras(path)


class Own(L.Layer):
    def call(self, x):
        return x + 1


class Dense(L.Dense):
    """Own code under a name of Keras'."""


class NoGraph(keras.Model):
    def call(self, x):
        return x


def calling(layer, **kwargs):
    x = keras.Input((3,))
    return keras.Model(x, layer(x, **kwargs))


def with_mask():
    x, mask = keras.Input((3,)), keras.Input((3,))
    return keras.Model([x, mask], L.Softmax()(x, mask))


class Doubled(keras.Model):
    """A graph, and a call of its own that does something else."""

    def call(self, x):
        return 2 * super().call(x)


def doubled():
    x = keras.Input((3,))
    return Doubled(x, L.Dense(2)(x))


def within(model, **kwargs):
    x = keras.Input((3,))
    return keras.Model(x, model(x, **kwargs))


def all_samples_in_one():
    x = keras.Input((3,))
    return keras.Model(x, L.Concatenate(axis=0)([x, x]))


def product_of_inputs():
    x = keras.Input((3,))
    return keras.Model(x, L.Multiply()([L.Dense(3, "relu")(x), L.Dense(3)(x)]))


def quantized():
    model = chain((3,), lambda: L.Dense(2))()
    model.layers[0].quantize("int8")
    return model


REFUSED = [
    (lambda: chain((3,), Own)(), "operator 'Own' at 'own.*Keras' own layers"),
    (lambda: chain((3,), lambda: Dense(2))(), "operator 'Dense' at 'dense.*Keras' own layers"),
    (lambda: chain((3,), lambda: L.Lambda(abs))(), "'Lambda' at 'lambda.*it holds Python code"),
    (lambda: chain((3,), lambda: L.LayerNormalization())(), "'LayerNormalization' .*batch norm's"),
    (lambda: chain((3, 2), lambda: L.LSTM(2))(), "operator 'LSTM' at "),
    (lambda: chain((3,), lambda: L.Dense(2, abs))(), "operator 'abs' at 'dense"),
    (lambda: chain((4,), lambda: L.Dense(4, "glu"))(), "operator 'glu' at 'dense"),
    (lambda: chain((3,), lambda: L.ReLU(threshold=1))(), "'ReLU' at .*threshold=1.*it jumps"),
    (lambda: chain((3, 2), lambda: L.Softmax(axis=[1, 2]))(), r"axis=\[1, 2\]; expected one"),
    (
        lambda: chain((3, 2, 1), lambda: L.UpSampling2D(interpolation="bilinear"))(),
        "interpolation='bilinear'; expected 'nearest'",
    ),
    (lambda: calling(L.Dropout(0.5), training=True), "'Dropout' at .*called with training="),
    (lambda: chain((None, 2), lambda: L.Conv1D(1, 2))(), r"has shape \(None, None, 2\); expected"),
    (lambda: keras.Sequential([L.Dense(2)]), "the model is not built; give it a keras.Input"),
    (NoGraph, "operator 'NoGraph' at 'the model': .*it has no graph"),
    (lambda: L.Dense(2), "got a Dense; expected a model of Keras, or its file"),
    (doubled, "operator 'Doubled' at 'the model': .*it has no graph"),
    (lambda: within(doubled()), "operator 'Doubled' at 'doubled.*it has no graph"),
    (
        lambda: within(chain((3,), L.BatchNormalization)(), training=True),
        "operator 'Sequential' at 'sequential.*called with training=, which has no counterpart",
    ),
    (with_mask, "operator 'Softmax' at .*called with a second argument"),
    (all_samples_in_one, r"'Concatenate' at .* shape \(1, 3\) in the source and \(2, 3\) here"),
    (
        lambda: chain((3,), lambda: L.Activation(L.PReLU()))(),
        "operator 'PReLU' at 'activation.*: it is not built; call the model on inputs first",
    ),
    (quantized, "operator 'quantized Dense' at 'dense.*its weights before are what is trained"),
    (product_of_inputs, "operator 'Multiply' at 'multiply.*: the product of two tensors"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_has_no_counterpart_is_refused_by_name(make, message):
    with pytest.raises(cn.NetworkError, match=message):
        cn.from_keras(make())


def test_a_missing_package_says_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(cn.MissingPackageError, match=r"pip install 'crn_nn_tellurium\[keras\]'"):
        cn.from_keras("model.keras")


@pytest.mark.parametrize(
    "edit",
    [
        {"module": "keras.optimizers", "class_name": "Adam", "config": {}},  # an AttributeError
        {"config": {"layers": [{"module": "os", "class_name": "system", "config": {}}]}},
        {"config": None},
    ],
)
def test_a_description_that_is_none_of_a_model_is_refused(edit, tmp_path):
    path, other = tmp_path / "model.keras", tmp_path / "other.keras"
    chain((3,), lambda: L.Dense(2))().save(path)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(other, "w") as written:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                content = json.dumps(json.loads(content) | edit)
            written.writestr(name, content)
    with pytest.raises(cn.FileFormatError, match=r"other\.keras': it cannot be read"):
        cn.from_keras(other)


@pytest.mark.parametrize("text", ["[" * 200_000, " " * (2**24 + 1)], ids=["deep", "long"])
def test_a_description_that_fills_memory_is_refused(text, tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", text)
    with pytest.raises(cn.FileFormatError, match="no model of Keras"):
        cn.from_keras(path)


def edited_file(path, edit_config, edit_weights=None):
    """A file of Keras with another configuration, or other arrays."""
    small = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="first")])
    small.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    edit_config(config["config"]["layers"])
    members["config.json"] = json.dumps(config).encode()
    if edit_weights is not None:
        stream = io.BytesIO(members["model.weights.h5"])
        with h5py.File(stream, "r+") as file:
            edit_weights(file)
        members["model.weights.h5"] = stream.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("units", [10**9, 3 * 10**8, 10**18])
def test_weights_beyond_number_are_refused_before_they_are_made(units, tmp_path):
    path = edited_file(tmp_path / "m.keras", lambda layers: layers[1]["config"].update(units=units))
    with pytest.raises(cn.FileFormatError, match=f"it has {3 * units:,} weights; expected"):
        cn.from_keras(path)


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((2,), lambda: keras.layers.RepeatVector(10**9, name="grown")),
        ((1, 3), lambda: keras.layers.UpSampling1D(10**9, name="grown")),
        ((1, 3), lambda: keras.layers.ZeroPadding1D((0, 2**20), name="grown")),
        ((10**9, 1), lambda: keras.layers.Flatten(name="later")),
    ],
)
def test_numbers_beyond_number_are_refused_before_they_are_made(shape, layer, tmp_path):
    """A file of 10 kB took all memory."""
    model = keras.Sequential([keras.Input(shape, name="given"), layer()])
    model.save(tmp_path / "m.keras")
    with pytest.raises(cn.NetworkError, match=r"'(given|grown)' has .*; expected at most"):
        cn.from_keras(tmp_path / "m.keras")


def test_weights_in_another_file_are_refused(tmp_path):
    def link(file):
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/")

    path = edited_file(tmp_path / "m.keras", lambda layers: None, link)
    with pytest.raises(cn.FileFormatError, match="'elsewhere' is a link to elsewhere"):
        cn.from_keras(path)


def stored_elsewhere(file):
    file.create_dataset("elsewhere", (3,), "f8", external=[("other.bin", 0, 24)])


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "w", (3,))
    file.create_virtual_dataset("elsewhere", layout)


@pytest.mark.parametrize("write", [stored_elsewhere, virtual])
def test_numbers_in_another_file_are_refused(write, tmp_path):
    path = edited_file(tmp_path / "m.keras", lambda layers: None, write)
    with pytest.raises(cn.FileFormatError, match="the numbers of 'elsewhere' are in another file"):
        cn.from_keras(path)


def test_a_named_type_among_the_weights_changes_nothing(tmp_path):
    def with_type(file):
        file["double"] = np.dtype("f8")

    plain = edited_file(tmp_path / "m.keras", lambda layers: None)
    # each file has random weights of its own
    path = edited_file(tmp_path / "n.keras", lambda layers: None, with_type)
    assert cn.from_keras(path).n_weights == cn.from_keras(plain).n_weights


def h5_file(path):
    """A small model in Keras' older format."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain((4,), lambda: L.Dense(3))().save(path)
    return path


def test_weights_of_an_h5_file_are_those_described_before_any_is_made(tmp_path):
    path = h5_file(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][-1]["config"]["units"] = 10**18
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(cn.FileFormatError, match=r"expects shape \(4, 10{18}\)"):
        cn.from_keras(path)


def test_a_zip_behind_hdf5_hides_no_link(tmp_path):
    path, innocent = h5_file(tmp_path / "m.h5"), tmp_path / "m.keras"
    chain((4,), lambda: L.Dense(3))().save(innocent)
    with h5py.File(path, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/")
    with zipfile.ZipFile(innocent) as source, zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", source.read("config.json"))
    with pytest.raises(cn.FileFormatError, match="'elsewhere' is a link to elsewhere"):
        cn.from_keras(path)
