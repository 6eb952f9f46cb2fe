"""%load_ext crn_nn_tellurium: what its cells make, and what they say of what they cannot read.

And a real notebook, in which pictures are shown though tellurium chose a backend that shows none.
"""

import os

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.networks import network_from_text

interactiveshell = pytest.importorskip("IPython.core.interactiveshell")


@pytest.fixture(scope="module")
def shell():
    made = interactiveshell.InteractiveShell()
    made.run_line_magic("load_ext", "crn_nn_tellurium")
    return made


XOR = """\
input a b
layer relu h=0.01   # a comment
1 1 | 0

1 1 | -1
layer linear h=0.02
1 -2
output y
classes no yes
"""


def test_a_network_of_layers_is_made_named_and_shown(shell):
    ran = shell.run_cell(f"%%crn_network net\n{XOR}")
    hidden = cn.Layer([[1, 1], [1, 1]], [0, -1], cn.SmoothedReLU(h=0.01))
    expected = cn.Network(
        [hidden, cn.Layer([[1, -2]], activation=cn.Linear(h=0.02))],
        input_names=["a", "b"],
        output_names=["y"],
        class_names=["no", "yes"],
        name="net",
    )
    assert shell.user_ns["net"] == expected
    assert ran.result is shell.user_ns["net"]  # which is what the cell shows


def test_a_network_of_sizes_is_that_of_its_seed():
    text = "sizes 4 5 3 seed=7 h=0.001 activation=Tanh output=linear inputs=signed task=regression"
    expected = cn.Network.random(
        [4, 5, 3],
        cn.Tanh(h=0.001),
        seed=7,
        output=cn.Linear(h=0.001),
        inputs="signed",
        task="regression",
    )
    assert network_from_text(text) == expected


def test_classes_that_are_numbers_compare_with_labels():
    net = network_from_text("classes 1 0\nlayer relu\n1 | 0\n2 | 0")
    assert net.classes == (1, 0)
    assert net.predict([[1.0]]) == [0]
    assert network_from_text("classes a 0\nlayer relu\n1 | 0\n2 | 0").classes == ("a", "0")


def test_layers_may_read_others_and_have_fields_of_their_own():
    net = network_from_text(
        "input x inputs=scaled input_range=-1,1\n"
        "layer leakyrelu slope=0.2 name=a\n 2 | 0\n 1 | 1\n"
        "layer PiecewiseLinear knots=0,1 slopes=0,1,0 reads=a,input\n 1 1 0 | 0\n"
    )
    assert net.input_coding.low == (-1.0,)
    assert net.layers[0].activation == cn.LeakyReLU(0.2)
    assert net.layers[1].inputs == ("a", "input")
    assert net.layers[1].activation == cn.PiecewiseLinear(knots=(0, 1), slopes=(0, 1, 0))
    of_one_knot = network_from_text("layer piecewiselinear knots=0 slopes=0.1,1\n 1 2 | 0")
    assert of_one_knot.layers[0].activation == cn.PiecewiseLinear((0.0,), (0.1, 1.0))


REACTIONS = {
    "Antimony": "A -> B; k1*A // [k = 1] @i\nA = 1; k1 = 2 # A -> B, 1",
    ".crn": "A -> B [k = 2]\nA @initial 1",
    "RNCRN": "#A=1\nA->B,2",
}


@pytest.mark.parametrize("kind", REACTIONS)
def test_reactions_of_either_language(shell, kind):
    shell.run_cell(f"%%crn decay\n{REACTIONS[kind]}")
    crn = shell.user_ns.pop("decay")
    assert [reaction.equation for reaction in crn.reactions] == ["A => B"]
    np.testing.assert_array_equal(crn.constants, [2.0])
    assert crn.start_values["A"] == 1.0


def test_a_text_is_a_model_wherever_models_are_taken():
    by_text = cn.Simulator("A <=> B [kf = 2, kr = 1]; A @initial 3").steady_state()
    # B / A = 2, A + B = 3; Newton's method ends within 1e-12
    np.testing.assert_allclose(by_text["B"], [2.0], rtol=1e-9)


SLIPS = [
    ("%%crn_network\nsizes 2 1", "%%crn_network: '' is no name for a variable; expected one"),
    ("%%crn_network a b\nsizes 2 1", "'a b' is no name for a variable"),
    ("%%crn class\nA -> B [k=1]", "%%crn: 'class' is no name for a variable"),
    ("%%crn_network n\nsizes 2 x", "line 1, 'sizes 2 x': 'x' is not a whole number"),
    ("%%crn_network n\nsizes 2", r"sizes are \[2\]; expected at least two whole numbers"),
    ("%%crn_network n\nsizes 2 1 sede=0", "'sede' is not known here; expected seed, density"),
    ("%%crn_network n\nlayer gelu\n1 | 0", "activation 'gelu' is not known; expected relu"),
    ("%%crn_network n\nlayer relu tanh\n1 | 0", "expected one activation: relu"),
    ("%%crn_network n\nlayer relu h=-1\n1 | 0", "line 1, 'layer relu h=-1': SmoothedReLU: h is"),
    ("%%crn_network n\nlayer relu q=1\n1 | 0", "'q' is not known here; expected name, reads, h"),
    ("%%crn_network n\nlayer relu\n1 1 | 0\n1 | 0", "line 3, '1 | 0': 1 weights; expected 2"),
    ("%%crn_network n\nlayer relu\n1 a | 0", "line 2, '1 a | 0': 'a' is not a number"),
    ("%%crn_network n\nlayer relu\n1 |", "expected the weights of a unit and its bias"),
    ("%%crn_network n\nlayer relu", "layer 1 has no units; expected a row for each"),
    ("%%crn_network n\nlayers relu", "expected a line that begins with input, layer"),
    ("%%crn_network n\n# nothing", r"expected layers \(layer relu h=0.01, with a row"),
    ("%%crn_network n\nlayer relu h=1 h=2\n1 | 0", "line 1, .*: 'h' is there twice"),
    ("%%crn_network n\nsizes 2 1\nsizes 3 1", "line 2, 'sizes 3 1': .* sizes is there already"),
    ("%%crn_network n\ninput a\ninput b\nlayer relu\n1", "line 2, 'input b': .* is there already"),
    ("%%crn_network n\nsizes 2 1 seed=-1", "seed is -1; expected a whole number, 0 or more"),
    ("%%crn n\n  \n", "%%crn: %%crn takes a model, its text or its file; got"),
    ("%%crn n\nA -> B; k*A^", "%%crn: libAntimony refuses the model"),
    ("%%crn n\nA -> B [k = x]", r"%%crn: the .crn text, line 1: the rate is \[k = x\]; expected"),
]


@pytest.mark.parametrize(("cell", "said"), SLIPS)
def test_slips_are_told_in_one_line_without_a_traceback(shell, capsys, cell, said):
    ran = shell.run_cell(cell)
    # what IPython tells of its own UsageError is that line alone
    assert type(ran.error_in_exec).__name__ == "UsageError"
    assert "\n" not in str(ran.error_in_exec)
    with pytest.raises(type(ran.error_in_exec), match=said):
        raise ran.error_in_exec
    assert "n" not in shell.user_ns


CELLS = [
    "import tellurium as te, crn_nn_tellurium as cn, matplotlib\nprint(matplotlib.get_backend())",
    "course = cn.Simulator(cn.load_model('xor')).time_course([0, 1])",
    "ax = cn.plot_time_course(course)",
    "course",
    "matplotlib.use('agg')\nax = cn.plot_time_course(course)",
]


@pytest.mark.slow  # starts a kernel, which imports tellurium
def test_pictures_are_shown_though_tellurium_chose_agg(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    # by this tellurium knows IPython, and chooses Agg
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    chosen, _, drawn, shown, wanted = (
        {kind: text for out in cell.outputs for kind, text in out.get("data", out).items()}
        for cell in notebook.cells
    )
    assert chosen["text"] == f"Agg{os.linesep}"
    assert "image/png" in drawn
    assert "text/html" in shown
    assert "image/png" not in wanted  # whoever chooses Agg has it
