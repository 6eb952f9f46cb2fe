"""docs/importing.md: every figure of its tables is what happens."""

import re
from pathlib import Path

import pytest

from crn_nn_tellurium import operators as ops
from crn_nn_tellurium.operators.pieces import distance, fitted

PAGE = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
FUNCTIONS = {
    "sigmoid": ops.sigmoid(),
    "tanh": ops.tanh(),
    "softplus": ops.softplus(),
    "logsigmoid": ops.log_sigmoid(),
    "silu (swish)": ops.silu(),
    "gelu": ops.gelu(),
    "mish": ops.mish(),
    "elu": ops.elu(),
    "selu": ops.elu(1.6732632423543772, 1.0507009873554805),
    "softsign": ops.softsign(),
    "hardswish": ops.hard_swish(),
    "tanhshrink": ops.tanh_shrink(),
    "erf": ops.erf(),
}
MAX_ERRORS = (0.1, 0.01, 0.001)
PIECES = re.findall(r"^\| ([\w ()]+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.M)
ALGEBRAIC = re.findall(r"^\| (\w+) \| `(\w+\(h=[\d.]+\))` \| ([\d.]+) \|$", PAGE, re.M)


def test_all_functions_are_on_the_page():
    assert {name for name, *_ in PIECES} == FUNCTIONS.keys()
    assert {name for name, *_ in ALGEBRAIC} == {n for n, f in FUNCTIONS.items() if f.algebraic}


@pytest.mark.parametrize("row", PIECES, ids=lambda row: row[0])
def test_species_by_largest_error(row):
    name, *counts = row
    found = [fitted(FUNCTIONS[name], e, (e / 100) ** 2).activation.rails for e in MAX_ERRORS]
    # another version of the solver may need one more
    assert all(abs(len(rails) - int(n)) <= 1 for rails, n in zip(found, counts, strict=True))


@pytest.mark.parametrize("row", ALGEBRAIC, ids=lambda row: row[0])
def test_distance_of_algebraic_counterparts(row):
    name, activation, off = row
    function = FUNCTIONS[name]
    assert repr(function.algebraic) == activation
    assert f"{distance(function, function.algebraic):.3f}" == off
