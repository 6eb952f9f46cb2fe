"""What cannot be drawn is refused."""

from functools import cache

import numpy as np
import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots.figures import save_figure

XOR = cn.load_model("xor")
UNIT = np.linspace(0, 1, 9)


@cache
def scan():
    return cn.scan(
        XOR, {"h": np.geomspace(1e-4, 1, 5), "x0": UNIT, "x1": UNIT}, outputs=["outputs", "class"]
    )


def classes():
    return scan()["class"].isel(h=0)


@cache
def design():
    return cn.scan(XOR, cn.sobol({"x0": (0, 1), "h": (1e-4, 1, "log")}, 32), x=[0, 1])


@cache
def certificate():
    return cn.certify(XOR, [0, 1], tolerance=0.1)


@cache
def course():
    return cn.Simulator(XOR).time_course([0, 1], t_end=20)


@cache
def ranked():
    return cn.sensitivities("A -> B; k*A; B -> ; q*B; -> A; j; A = 1; B = 2; k = 1; q = 2; j = 1")


REFUSED = [
    (
        lambda: cn.plot_time_course(course(), names=[]),
        cn.InputError,
        "names are none; expected one or more",
    ),
    *(
        (
            lambda plot=plot, along=along: plot(scan().status.isel(**along)),
            cn.InputError,
            "'status' holds texts; expected numbers, or classes for plot_scan_map",
        )
        for plot, along in ((cn.plot_scan_map, {"h": 0}), (cn.plot_scan, {"h": 0, "x0": 0}))
    ),
    # noise
    (
        lambda: cn.plot_noise(cn.noise(cn.load_model("xor"), [0, 1], volume=10), None),
        cn.InputError,
        "runs: got NoneType; expected TimeCourse",
    ),
    (
        lambda: cn.plot_noise(cn.noise(cn.load_model("xor"), [0, 1], volume=10), volumes="few"),
        cn.InputError,
        "volumes: 'few' cannot be read as numbers",
    ),
    (
        lambda: cn.plot_noise(3),
        cn.InputError,
        "noise: got int; expected Noise, the result of noise",
    ),
    (
        lambda: cn.plot_noise(cn.noise(XOR, [0, 1], volume=9), course()),
        cn.InputError,
        r"expected one of several draws, time_course\(..., volume=1000, draws=50\)",
    ),
    (
        lambda: cn.plot_noise(
            cn.noise(XOR, [[0, 1], [1, 1]], volume=9),
            cn.Simulator(XOR).time_course([0, 1], 1, 2, volume=9, draws=2, seed=0),
        ),
        cn.InputError,
        "expected the noise's 2 samples and outputs: y0",
    ),
    (
        lambda: cn.plot_noise(cn.noise(XOR, [0, 1], volume=9), volumes=[3, 1]),
        cn.InputError,
        r"volumes are \[3, 1\]; expected two or more rising numbers",
    ),
    (lambda: cn.plot_smallest_volume(3), cn.InputError, "found: got int; expected SmallestVolume"),
    (
        lambda: cn.plot_smallest_volume(cn.smallest_volume(XOR, [[0, 1]], [0])),
        cn.InputError,
        "no sample is right at any volume",
    ),
    # scans
    (
        lambda: cn.plot_scan(scan()),
        cn.InputError,
        "is a Dataset; expected one of its variables: outputs, class, status",
    ),
    (lambda: cn.plot_scan(3), cn.InputError, "is a int"),
    (
        lambda: cn.plot_scan(scan().outputs),
        cn.InputError,
        r"dimensions h 5, x0 9, x1 9; expected 1 or 2.*choose with .sel",
    ),
    (
        lambda: cn.plot_scan(scan().outputs.sel(x0=0.0), x="x9"),
        cn.InputError,
        "no dimension 'x9'; it has h, x1",
    ),
    (
        lambda: cn.plot_scan_map(scan().outputs.isel(h=0, x0=0)),
        cn.InputError,
        "expected 2 longer than 1",
    ),
    (lambda: cn.plot_scan_bands(scan().outputs, level=1.0), cn.InputError, "level is 1.0"),
    (lambda: cn.plot_scan_bands(scan().outputs.isel(h=0)), cn.InputError, "no dimension 'draw'"),
    (
        lambda: cn.plot_scan(
            cn.scan(XOR, {"x0": np.linspace(0, 1, 12), "x1": np.linspace(0, 1, 13)}).outputs
        ),
        cn.InputError,
        "12 lines along 'x0'; expected 10 at most",
    ),
    *(
        (lambda call=call: call(design().outputs), cn.InputError, "have no order: plot_scan_points")
        for call in (cn.plot_scan, cn.plot_scan_map)
    ),
    (
        lambda: cn.plot_scan_points(design().outputs, "x0", "x1"),
        cn.InputError,
        "'x1' is not varied along 'point'; expected two of x0, h",
    ),
    (
        lambda: cn.plot_decision_boundary(classes(), [[0, 0, 0]], None),
        cn.InputError,
        r"X has shape \(1, 3\); expected .*, the inputs x0 and x1",
    ),
    (
        lambda: cn.plot_scan_map(classes().where(False)),
        cn.InputError,
        "'class' has no class at any point, since all failed",
    ),
    (
        lambda: cn.plot_decision_boundary(classes(), [[0, 0]], [0, 1]),
        cn.InputError,
        r"y has shape \(2,\); expected \(1,\), a class for each sample",
    ),
    # certificates
    (
        lambda: cn.plot_envelope(cn.certify(XOR, [0, 1], bound="cheap")),
        cn.InputError,
        r"by 'cheap'; expected one by bound='envelope'",
    ),
    (
        lambda: cn.plot_envelope(
            certificate().in_units(cn.PhysicalUnits(c0=10, tau=100)),
            units=cn.PhysicalUnits(c0=10, tau=200),
        ),
        cn.InputError,
        "already; expected model units",
    ),
    (
        lambda: cn.plot_envelope(
            certificate(),
            cn.Simulator(cn.load_model("iris")).time_course([5.1, 3.5, 1.4, 0.2], n_points=11),
        ),
        cn.InputError,
        r"a trajectory has outputs y0, y1, y2; expected the certificate's: y0",
    ),
    (
        lambda: cn.plot_envelope(certificate(), names=["y0", "y1"]),
        KeyError,
        r"'y1' is no output; there are y0",
    ),
    (
        lambda: cn.plot_certified_margins([0.1], [0, 1]),
        cn.InputError,
        r"shapes \(1,\) and \(2,\)",
    ),
    (lambda: cn.plot_certified_margins([], []), cn.InputError, r"shapes \(0,\)"),
    (
        lambda: cn.plot_certified_margins([0.1, 0.2], [0, 1], order=["0", "1"]),
        cn.InputError,
        "order lacks 0, 1; expected all classes that occur",
    ),
    (
        lambda: cn.plot_certified_margins([0.1], np.ma.array([0], mask=[True])),
        cn.InputError,
        "some of them are masked",
    ),
    (lambda: cn.plot_confusion_matrix([], []), cn.InputError, r"shapes \(0,\) and \(0,\)"),
    (lambda: cn.plot_sensitivities(ranked(), "typo"), KeyError, "'typo' is no output"),
    (lambda: cn.plot_sensitivities(ranked(), limit=0), cn.InputError, "limit is 0"),
    (
        lambda: cn.plot_sensitivities(ranked(), axes=[None, None]),
        cn.InputError,
        "axes are 2; expected 1: parameters",
    ),
    (lambda: cn.plot_certified_margins([0.1, np.nan], [0, 1]), cn.InputError, "a margin is nan"),
    (lambda: cn.plot_certified_margins([0.1, 5.0], [0, 1]), cn.InputError, "a margin is 5.0"),
    # other results
    (lambda: cn.plot_robustness(3), cn.InputError, "got int; expected Robustness"),
    (
        lambda: cn.plot_sensitivities(cn.sensitivities(XOR, [[0.5, 1.0]])),
        cn.InputError,
        "several samples",
    ),
    (
        lambda: cn.plot_time_course(cn.Simulator(XOR).time_course([[0, 1], [1, 1]])),
        cn.InputError,
        r"2 samples.* shows one sample; give its .sample\(0\)",
    ),
    (
        lambda: cn.plot_sensitivities(cn.sensitivities(XOR, [0.5, 1.0]), "y7"),
        KeyError,
        "'y7' is no output; there are y0",
    ),
    # networks and layers
    (
        lambda: cn.plot_network(cn.to_reactions(XOR)),
        cn.NetworkError,
        "plot_network needs a Network",
    ),
    (
        lambda: cn.plot_network(XOR, image=(3, 3)),
        cn.InputError,
        r"image is \(3, 3\); expected rows and columns of 2 inputs in all",
    ),
    (
        lambda: cn.plot_unit(XOR, "layer 1"),
        cn.InputError,
        "layer is 'layer 1'; expected one of 'layer1', 'layer2'",
    ),
    (
        lambda: cn.plot_unit(XOR, "layer1", 2),
        cn.InputError,
        "unit is 2; expected 0 to 1, of layer1",
    ),
    (
        lambda: cn.plot_layers(cn.Simulator("-> A; k\nA = 0; k = 1").time_course(n_points=3)),
        cn.InputError,
        "plot_layers draws the layers of a Network; 'A' is of no layer",
    ),
    (
        lambda: cn.plot_layers(course(), axes=[None]),
        cn.InputError,
        "axes are 1; expected 3: layer 1, layer 2, outputs",
    ),
    (
        lambda: cn.animate_layers(course(), "a.avi"),
        cn.FileFormatError,
        "'a.avi': no animation has the ending '.avi'; known: .gif, .mp4, .html",
    ),
    (
        lambda: cn.plot_decision_boundary(classes(), contours=scan().outputs.isel(h=0, x0=[0, 1])),
        cn.InputError,
        "contours are over {'x0': 2, 'x1': 9}; expected {'x0': 9, 'x1': 9}",
    ),
    (lambda: cn.plot_time_course(course(), ["z"]), KeyError, "'z' is not in this result"),
    (
        lambda: cn.plot_time_course(course(), units=10.0),
        cn.InputError,
        "units: got float; expected PhysicalUnits",
    ),
    (lambda: cn.plot_confusion_matrix([0, 1, 1, 0], [0]), cn.InputError, "labels have shapes"),
    (
        lambda: cn.plot_confusion_matrix([0, 1, 2], [0, 1, 1], labels=[0, 1]),
        cn.InputError,
        "1 of 3 samples have labels other than 0, 1",
    ),
    (
        lambda: cn.plot_confusion_matrix([0, 1], ["setosa", "virginica"]),
        cn.InputError,
        "2 of 2 samples have labels other than 0, 1, setosa, virginica; expected true ones",
    ),
    (
        lambda: cn.plot_decision_boundary(classes(), [[0, 0], [0, 1]], ["0", "1"]),
        cn.InputError,
        "y has '0'; expected classes as the map has them: 0, 1",
    ),
    (
        lambda: save_figure(cn.plot_confusion_matrix([0, 1], [0, 1]).figure, "a.doc"),
        cn.FileFormatError,
        "known: ",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
