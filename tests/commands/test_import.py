"""Networks that were trained elsewhere, from the command line."""

import numpy as np
import pytest
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn


def test_export_and_import(run, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    net = cn.load_model("iris")
    assert run("export iris -o iris.onnx")[0] == 0
    x = cn.model_data("iris")[1]
    np.save(tmp_path / "x.npy", x)
    code, out, err = run("import iris.onnx -o flowers.json --h 0.001 --data x.npy")
    assert code == 0
    assert err.startswith("wrote flowers.json (network, ")
    for text in ("iris.onnx: 4 inputs, classification", "Gemm", "exact but for h"):
        assert text in out
    found = cn.Network.load(tmp_path / "flowers.json")
    assert (found.name, found.class_names) == ("flowers", net.class_names)
    np.testing.assert_allclose(found(x), net(x), rtol=ROUNDED)
    assert run("import iris.onnx -o flowers.json")[0] == 2  # which is there
    assert run("import iris.onnx -o flowers.json --overwrite --class-names a,b,c")[0] == 0
    assert cn.Network.load(tmp_path / "flowers.json").class_names == ("a", "b", "c")


def test_options_reach_the_importer(run, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    from support.onnx_graphs import model

    source = model("a = Tanh(x) y = Softmax(a) z = Neg(x)", output="double[a,b] y, double[a,b] z")
    (tmp_path / "m.onnx").write_bytes(source.SerializeToString())
    (tmp_path / "x.csv").write_text("a,b,c,d\n0,1,0,2\n1,1,-1,-2\n")
    typed = "import m.onnx -o m.json --select y --logits --data x.csv --approximation algebraic"
    assert run(f"{typed} --input-range -2,2")[0] == 0
    found = cn.Network.load(tmp_path / "m.json")
    assert (type(found.layers[0].activation), len(found.layers)) == (cn.Tanh, 1)
    assert found.input_range == ((-2.0,) * 4, (2.0,) * 4)


FILES = {"m.onnx": b"hello", "m.txt": b"", "bad.npy": b"hello", "m.pt": b"", "m.yaml": b""}
REFUSED = [
    ("import m.joblib -o a.json", "to unpickle a file is to run what is in it; in a script"),
    ("import m.pkl -o a.json", "to unpickle a file is to run what is in it"),
    ("import m.txt -o a.json", "unknown ending '.txt'; expected .onnx, .keras"),
    ("import m.pt -o a.json", "holds numbers alone; expected --script FILE.py:Class"),
    ("import m.onnx -o a.json --parameters p.h5", "--parameters has no meaning for .onnx files"),
    ("import m.yaml -o a.json --select y", "--select has no meaning for .yaml files"),
    ("import m.onnx -o a.json --shape 1,b", "--shape is '1,b'; expected whole numbers"),
    ("import m.onnx -o a.json --input-range 0;1", "--input-range is '0;1'"),
    ("import m.onnx -o a.json --data bad.npy", "'bad.npy': not an array of numbers"),
    ("import m.onnx -o a.json --data none.npy", "'none.npy': there is no such file"),
    ("import m.onnx -o no/a.json", "there is no folder"),
]


@pytest.mark.parametrize(("typed", "message"), REFUSED)
def test_what_is_refused_is_one_line(run, tmp_path, typed, message):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    code, out, err = run(typed)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


SCRIPTS = {
    "raises.py": (
        "import math\nmath.sqrt(-1)\n",
        "raises.py, line 2: the script raised ValueError",
    ),
    "lacks.py": ("import no_such_package\n", "lacks.py, line 1: the script raised ModuleNotFound"),
    "made.py": (
        "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        1 / 0\n",
        "made.py, line 4: the script raised ZeroDivisionError",
    ),
    "other.py": ("import torch\nnet = torch.nn.Linear(2, 1)\n", "not the state of this module"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_fails_is_one_line(run, tmp_path, script):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save({"weight": torch.ones(1, 3)}, tmp_path / "m.pt")
    content, message = SCRIPTS[script]
    (tmp_path / script).write_text(content)
    code, out, err = run(f"import m.pt -o a.json --script {script} --shape 3")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    code, _, err = run(f"import m.pt -o a.json --script {script} --shape -3")
    assert (code, "--shape is -3; expected whole numbers >= 1" in err) == (2, True)
    code, _, err = run("import m.pt -o a.json --script none.py --shape 3")
    assert (code, "'none.py': there is no such file" in err) == (2, True)


def test_what_lies_beside_is_named_and_a_shape_is_asked_for(run, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layers = "Conv2d(1, 2, 3), ReLU(), Flatten(), Linear(72, 200)"
    script = f"from torch.nn import *\nnet = Sequential({layers})\n"
    (tmp_path / "conv.py").write_text(script)
    names = {}
    exec(script, names)
    torch.save(names["net"].state_dict(), tmp_path / "m.pt")
    code, _, err = run("import m.pt -o a.json --script conv.py")
    assert (code, "Conv2d, which does not tell" in err, "--shape" in err) == (2, True, True)
    code, _, err = run("import m.pt -o a.json --script conv.py --shape 1,8,8")
    (beside,) = tmp_path.glob("a.*.npz")
    assert (code, f"wrote {beside.name} (network, " in err) == (0, True)


def test_samples_tell_the_shape_of_an_input(run, tmp_path, rng):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    (tmp_path / "conv.py").write_text("from torch.nn import *\nnet = Conv1d(1, 1, 2)\n")
    state = {"weight": torch.tensor([[[1.0, -2.0]]]), "bias": torch.tensor([0.5])}
    torch.save(state, tmp_path / "m.pt")
    np.save(tmp_path / "x.npy", rng.random((5, 1, 3)))
    code, _, err = run("import m.pt -o a.json --script conv.py --data x.npy")
    assert code == 0, err
    assert cn.Network.load(tmp_path / "a.json")([1.0, 2.0, 4.0]).tolist() == [-2.5, -5.5]


def test_a_yaml_file_says_which_of_two_formats_it_is(run):
    pytest.importorskip("h5py", reason="h5py is not installed")
    code, _, err = run("export xor -o a.yaml")
    assert code == 0
    assert err.startswith("wrote a.yaml (PEtab 1, ")
    assert err.endswith("--format petab-sciml writes the neural network alone, in PEtab SciML\n")
    code, _, err = run("import a.yaml -o a.json")
    assert code == 2
    assert "'a.yaml': a PEtab problem, whose files name a model and no layers; expected a" in err
    _, _, err = run("export xor -o b.yaml --format petab-sciml")
    assert err.startswith("wrote b.yaml (PEtab SciML, the neural network, ")
    assert run("import b.yaml -o b.json --parameters b.parameters.hdf5")[0] == 0
    assert "'b.yaml' exists; --overwrite replaces it" in run("export xor -o b.yaml")[2]


def test_a_broken_file_is_one_line(run, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed")
    (tmp_path / "m.onnx").write_bytes(b"hello")
    code, _, err = run("import m.onnx -o a.json")
    assert code == 2
    assert "'m.onnx': not an ONNX model" in err
