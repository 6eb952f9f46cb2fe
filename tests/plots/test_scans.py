"""Lines, bands, maps and surfaces: what is drawn, with labels and units, and what is refused."""

import numpy as np
import pytest
import xarray as xr

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots.scans import is_log

XOR = cn.load_model("xor")
UNIT = np.linspace(0, 1, 9)


@pytest.fixture(scope="module")
def ds():
    return cn.scan(
        XOR, {"h": np.geomspace(1e-4, 1, 5), "x0": UNIT, "x1": UNIT}, outputs=["outputs", "class"]
    )


def test_lines_are_the_values_of_one_dimension(ds):
    ax = cn.plot_scan(ds.outputs.sel(x1=0.0), x="x0")
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "input x0 (model units)",
        "output y0 (model units)",
    )
    for line, h in zip(ax.get_lines(), ds.h.values, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), UNIT)
        np.testing.assert_array_equal(line.get_ydata(), ds.outputs.sel(x1=0.0, h=h).values[:, 0])
    assert ax.get_legend().get_texts()[0].get_text() == "h = 0.0001"
    along_h = cn.plot_scan(ds.outputs.sel(x1=0.0, x0=0.0))
    assert along_h.get_xscale() == "log"
    assert along_h.get_xlabel() == "smoothing h (model units)"


def test_maps_are_the_values_of_two_dimensions(ds):
    ax = cn.plot_scan_map(ds.outputs.isel(h=0))
    mesh = ax.collections[0]
    np.testing.assert_array_equal(
        np.asarray(mesh.get_array()).ravel(), ds.outputs.isel(h=0).values[..., 0].T.ravel()
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "input x0 (model units)",
        "input x1 (model units)",
    )
    assert cn.plot_scan_map(ds.outputs.sel(x1=0.0), x="h").get_xscale() == "log"
    assert cn.plot_scan_map(ds["class"].isel(h=0)).collections
    surface = cn.plot_scan_surface(ds.outputs.sel(x1=0.0))
    assert surface.get_xlabel() == "log10 of smoothing h (model units)"


def test_contours_are_drawn_on_the_scale_of_the_axes_and_not_over_jumps():
    ds = cn.scan(XOR, {"h": np.geomspace(1e-4, 1, 30), "x0": np.linspace(0, 1, 30)}, x=[0, 1])
    ax = cn.plot_scan_map(ds.outputs)
    assert ax.get_xlim()[0] < 1e-4 < 1 < ax.get_xlim()[1]
    contours = ax.collections[1]
    reach = np.concatenate([path.vertices for path in contours.get_paths() if len(path.vertices)])
    assert reach[:, 0].min() < 2e-4  # lines go on to the left edge
    jump = ds.outputs.copy(data=np.round(ds.outputs.values))
    assert len(cn.plot_scan_map(jump).collections) == 1


def test_bands_hold_their_share_of_the_draws():
    ds = cn.scan(XOR, [{"x0": UNIT}, *cn.lognormal([0.02, 0.1], draws=40)], x=[0, 1])
    ax = cn.plot_scan_bands(ds.outputs, level=0.5)
    assert len(ax.get_lines()) == 2
    np.testing.assert_allclose(
        ax.get_lines()[1].get_ydata(), np.median(ds.outputs.sel(cv=0.1).values[..., 0], axis=1)
    )
    inside = [path.get_paths()[0].get_extents() for path in ax.collections]
    assert inside[0].height < inside[1].height


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (np.geomspace(1e-4, 1, 5), True),
        (np.geomspace(1, 30, 40), True),
        (np.geomspace(1, 10, 40), False),  # too short
        (np.linspace(0.01, 1, 30), False),
        (np.linspace(0.05, 1, 3), False),
        (np.linspace(0, 1, 9), False),  # there is no logarithm of 0
        (np.array([1e-3, 1.0]), False),  # two points are even on any scale
        (np.array([1, 10, 100, 1000]), True),
        (10 ** RNG.uniform(-4, 0, 64), True),
        (RNG.uniform(0.01, 1, 64), False),
        (np.array(["a", "b", "c"]), False),
    ],
)
def test_axes_are_logarithmic_for_points_that_are_even_on_them(points, expected):
    assert is_log(points) is expected


def test_a_band_has_a_gap_where_all_failed():
    grid = {"h": np.geomspace(1e-3, 1, 3), "x0": np.linspace(0, 1, 4)}
    data = cn.scan(cn.load_model("xor"), grid, x=[0, 1]).outputs.sel(output="y0")
    ax = cn.plot_scan_bands(data.where(data.h > 0.01), over="x0")  # without a warning
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [True, False, False]


@pytest.mark.parametrize("places", [np.zeros((3, 3)), np.eye(2), np.full((3, 3), np.nan)])
def test_values_without_a_shape_have_no_contours(places):
    """All are the same, or too few, or none."""
    x = np.arange(len(places))
    data = xr.DataArray(places, {"a": x, "b": x}, name="outputs")
    assert len(cn.plot_scan_map(data).collections) == 1
