"""Boundaries refined where they lie, against the closed form and against grids."""

import numpy as np
import pytest
from scipy.optimize import brentq

import crn_nn_tellurium as cn
from crn_nn_tellurium.scans.workers import own_pool

XOR = cn.load_model("xor")


def test_a_boundary_of_one_number_is_found_to_the_points_distance():
    ds = cn.refine(XOR, {"x0": (0, 1)}, x=[0, 1], outputs="outputs", limit=0.5, n=60)
    expected = brentq(lambda x0: XOR([x0, 1.0])[0] - 0.5, 0, 1)
    # a line between the last points on both sides: 1e-5 with 60 of them
    assert ds.boundary_x0.values == pytest.approx([expected], abs=1e-4)
    assert ds.sizes["point"] == 60


def test_most_points_lie_along_the_boundary():
    """The boundary of classes: each of its points is nearer to the true one than a grid of as many
    could be.
    """
    ds = cn.refine(XOR, {"x0": (0, 1), "x1": (0, 1)}, n=600)
    found = np.column_stack([ds.boundary_x0, ds.boundary_x1])
    assert len(found) > 100
    # the distance to where the output is at the threshold, to first order: by its slope
    off = XOR(found)[:, 0] - XOR.layers[-1].activation.threshold
    step = 1e-5
    slope = np.column_stack(
        [
            (XOR(found + step * e) - XOR(np.maximum(found - step * e, 0)))[:, 0] / (2 * step)
            for e in np.eye(2)
        ]
    )
    distance = np.abs(off) / np.linalg.norm(slope, axis=1)
    grid = 1 / np.sqrt(600)
    assert np.median(distance) < grid / 8
    near = (
        np.min(
            np.linalg.norm(np.column_stack([ds.x0, ds.x1])[:, None] - found[None], axis=-1), axis=1
        )
        < grid
    )
    assert near.mean() > 0.6


def test_settling_time_past_a_limit_on_a_logarithmic_axis():
    ranges = {"h": (1e-4, 1, "log"), "x0": (0, 1)}
    ds = cn.refine(XOR, ranges, x=[0, 1], outputs=cn.SettlingTime(bound="cheap"), limit=60.0, n=300)
    assert ds.attrs["limit"] == 60.0
    points = zip(ds.boundary_h.values, ds.boundary_x0.values, strict=True)
    times = [cn.settling_time(XOR.with_h(h), [x0, 1], bound="cheap") for h, x0 in points]
    # but for neighbours far apart along the edge of the ranges
    assert np.quantile(np.abs(np.log(times) - np.log(60)), 0.9) < 0.2


@pytest.mark.slow
def test_any_executor_finds_the_same():
    options = {"ranges": {"x0": (0, 1), "x1": (0, 1)}, "n": 150}
    with own_pool(2) as pool:
        assert cn.refine(XOR, **options).identical(cn.refine(XOR, **options, executor=pool))


def test_failures_are_a_side_of_their_own():
    def part(result):
        return np.nan if result.outputs[0, 0] > 0.7 else 1.0

    ds = cn.refine(XOR, {"x0": (0, 1)}, x=[0, 1], outputs={"part": part}, n=40)
    expected = brentq(lambda x0: XOR([x0, 1.0])[0] - 0.7, 0, 1)
    # halfway between the last points on both sides: 1e-5 with 40 of them
    assert ds.boundary_x0.values == pytest.approx([expected], abs=1e-4)


def test_three_numbers_and_other_models():
    ds = cn.refine(XOR, {"x0": (0, 1), "x1": (0, 1), "h": (1e-3, 1, "log")}, n=200)
    assert set(ds.variables) >= {"boundary_x0", "boundary_x1", "boundary_h", "class"}
    text = "model m() => X; a; X => ; d*X; a = 1; d = 1; X = 0; end"
    ds = cn.refine(text, {"a": (0.1, 10, "log")}, outputs={"end": "X"}, limit=2.0, n=40)
    # 4e-5 with 40 points over two decades
    assert ds.boundary_a.values == pytest.approx([2.0], rel=4e-4)
