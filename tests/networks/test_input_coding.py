"""Codings of inputs: exact round trips, and clear refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from support.tolerances import ROUNDED

import crn_nn_tellurium as cn

values = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2)


def coding(kind, **options):
    return cn.Network([cn.Layer([[1.0, 1.0]])], inputs=kind, **options).input_coding


@pytest.mark.parametrize("kind", ["nonnegative", "signed", "scaled"])
@given(x=values)
def test_read_out_of_the_concentrations_is_the_value(kind, x):
    code = coding(kind, input_range=((-1e3, -2e3), 1e3)) if kind == "scaled" else coding(kind)
    x = np.abs(x) if kind == "nonnegative" else np.array(x)
    concentrations = code.concentrations(x)
    assert np.all(concentrations >= 0)
    for i, row in enumerate(concentrations):
        read_out = code.read_out(i)
        value = read_out.constant + sum(
            c * y for (_, c), y in zip(read_out.terms, row, strict=True)
        )
        np.testing.assert_allclose(value, x[i], atol=ROUNDED * 3e3)


FRAME = pd.DataFrame({"α": [1.0, 2.0], "µ (m)": [10.0, 20.0], "b": [100.0, 200.0]})
NAMED = cn.Network([cn.Layer([[1.0, 1.0, 1.0]])], input_names=["alpha", "mu_m", "b"])


def test_tables_and_series_are_read_by_name_in_any_order():
    """By the inputs' names and by those that they were made of, whatever else is there."""
    check = NAMED.input_coding.check
    other = FRAME[["b", "µ (m)", "α"]].rename(columns={"α": "alpha"}).assign(target=1.0)
    for frame in (FRAME, other):
        np.testing.assert_array_equal(check(frame), FRAME.to_numpy())
        np.testing.assert_array_equal(check(frame.iloc[1]), [2.0, 20.0, 200.0])
        points = cn.scan(NAMED, {"b": [0.0, 1.0]}, x=frame.iloc[0])
        expected = cn.Simulator(NAMED).steady_state([[1, 10, 0], [1, 10, 1]]).outputs
        np.testing.assert_array_equal(points["outputs"], expected)


@pytest.mark.parametrize(
    "frame",
    [FRAME.rename(columns={"α": "β"}), FRAME[["α", "b"]], FRAME.assign(**{"α ": 2})],
)
def test_tables_without_a_name_of_the_inputs_are_refused(frame):
    with pytest.raises(
        cn.InputError, match=r"not one for (alpha|mu_m); expected alpha, mu_m, b in"
    ):
        NAMED(frame)


def test_inputs_without_names_of_their_own_are_read_by_position():
    net = coding("nonnegative")
    x = pd.DataFrame({"right": [1.0], "left": [2.0]})
    np.testing.assert_array_equal(net.check(x), [[1.0, 2.0]])
    np.testing.assert_array_equal(net.check(x.set_axis([1, 0], axis=1)), [[1.0, 2.0]])
    # but by the names that they have, if these are there
    np.testing.assert_array_equal(net.check(x.set_axis(["x1", "x0"], axis=1)), [[2.0, 1.0]])
    with pytest.raises(cn.InputError, match="not one for x0; expected x0, x1 in any order"):
        net.check(x.set_axis(["x1", "x"], axis=1))


def test_an_interval_takes_no_names():
    with pytest.raises(cn.InputError, match=r"lower has names, α, .*to_numpy"):
        cn.Interval(FRAME, FRAME)


def test_starts_are_read_by_name():
    """A series of concentrations, as a mapping."""
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species("B")], [cn.Reaction("J", ("A",), ("B",), "k", 1.0)]
    )
    start = pd.Series({"B": 5.0, "A": 3.0})
    course = cn.Simulator(crn).time_course(t_end=1.0, initial=start)
    assert (course["A"][0], course["B"][0]) == (3.0, 5.0)


def test_targets_are_read_by_the_names_of_outputs_or_of_their_classes():
    net = cn.Network([cn.Layer([[1.0], [-2.0]])], class_names=["no", "yes"])
    x, y = [[1.0], [2.0]], np.array([[1.0, 0.0], [0.25, 0.75]])
    expected = cn.gradient(net, x, y).loss
    for names in (["y0", "y1"], ["no", "yes"], ["of", "ours"]):
        table = pd.DataFrame(y, columns=names)
        tables = [table]
        if "ours" not in names:  # names of nothing here are read by place
            tables.append(table[names[::-1]].assign(more=1.0))
        for targets in tables:
            assert cn.gradient(net, x, targets).loss == expected
    with pytest.raises(cn.InputError, match="targets have the names y1, more, not one for y0"):
        cn.gradient(net, x, pd.DataFrame(y, columns=["y1", "more"]))


@pytest.mark.parametrize("bounds", [(0.0, 4.0), ([0.0, 0.0], [4.0, 4.0])])
def test_a_range_may_be_an_array(bounds):
    layers = [cn.Layer([[1.0, 1.0]])]
    of_array = cn.Network(layers, inputs="scaled", input_range=np.array(bounds))
    assert of_array == cn.Network(layers, inputs="scaled", input_range=bounds)
    assert of_array.input_range == ((0.0, 0.0), (4.0, 4.0))
