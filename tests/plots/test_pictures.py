"""Each kind of picture as it was looked at: lines, colours and places, against committed images.

Words are left out: fonts differ between versions of matplotlib, and other tests have them exactly.
`pytest tests/plots/test_pictures.py --mpl-generate-path=tests/plots/baseline` makes the images
anew; look at them.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.text import Text

import crn_nn_tellurium as cn

UNIT = np.linspace(0, 1, 9)


def xor():
    return cn.load_model("xor")


def course(name="xor", x=(0, 1), t_end=20, **how):
    return cn.Simulator(cn.load_model(name)).time_course(x, t_end, n_points=201, **how)


def flower():
    return [5.1, 3.5, 1.4, 0.2]


def digit():
    """A one, drawn by hand: the data's order is scikit-learn's."""
    image = np.zeros((8, 8))
    image[:, 3:5] = 12.0
    return image.ravel()


def scan(*axes, x=None, outputs=("outputs", "class")):
    return cn.scan(xor(), list(axes), x=x, outputs=list(outputs))


def animation():
    # written, it stands still at its last frame, where not all has settled yet
    with tempfile.TemporaryDirectory() as folder:
        cn.animate_layers(course("digits", digit(), t_end=1), f"{folder}/digit.gif", frames=3)


def boundary():
    ds = scan({"x0": UNIT, "x1": UNIT}, outputs=["class", cn.SettlingTime(0.01, bound="cheap")])
    samples = [[0.1, 0.1], [0, 1], [1, 1]], [0, 1, 1]
    return cn.plot_decision_boundary(ds["class"], *samples, contours=ds.settling_time)


def envelope():
    inputs = [[0, 1], [1, 1]]
    certificate = cn.certify(xor(), inputs, tolerance=0.02)
    slowest = inputs[certificate.by_sample.max(axis=1).argmax()]
    return cn.plot_envelope(certificate, course(x=slowest))


def history():
    net = cn.Network.random([2, 3, 1], seed=0, output=cn.Linear(h=0.01))
    x = np.random.default_rng(0).random((40, 2))
    how = {"validation": 0.2, "optimizer": cn.LBFGS(max_iter=6)}
    return cn.plot_history(cn.fit(net, x, x.sum(axis=1), **how))


def reactions():
    made, lost = cn.Reaction("J1", (), ("Y",), "a", 6.0), cn.Reaction("J2", ("Y",), (), "d", 2.0)
    turned = cn.Reaction("J3", ("Y",), ("Y", "Z"), "b", 1.0)
    gone = cn.Reaction("J4", ("Z", "Z"), ("Z",), "c", 1.0)
    species = [cn.Species("Y"), cn.Species("Z", 0.1)]
    crn = cn.ReactionNetwork(species, [made, lost, turned, gone])
    return cn.plot_sensitivities(cn.sensitivities(crn))


def robustness():
    _, x, _, y = cn.model_data("xor")
    return cn.plot_robustness(cn.robustness(xor(), x, y, cn.RateErrors(cv=[0.0, 0.1], draws=5)))


KINDS = {
    "network": lambda: cn.plot_network(cn.load_model("iris")),
    "network_of_images": lambda: cn.plot_network(cn.load_model("digits")),
    "network_of_blocks": lambda: cn.plot_network(cn.Network.random([3, 70, 2], seed=0)),
    "unit": lambda: cn.plot_unit(cn.load_model("moons"), "layer3"),
    "time_course": lambda: cn.plot_time_course(course(steps={10.0: [1, 1]}), ["y0", "x0"]),
    "layers": lambda: cn.plot_layers(course("iris", flower())),
    "animation": animation,
    "decision_boundary": boundary,
    "scan": lambda: cn.plot_scan(
        scan({"h": np.geomspace(1e-4, 1, 3)}, {"x0": UNIT}, x=[0, 1]).outputs
    ),
    "scan_bands": lambda: cn.plot_scan_bands(
        scan({"x0": UNIT}, *cn.lognormal(0.05, draws=8), x=[0, 1]).outputs
    ),
    "scan_map": lambda: cn.plot_scan_map(scan({"x0": UNIT}, {"x1": UNIT}).outputs),
    "scan_surface": lambda: cn.plot_scan_surface(scan({"x0": UNIT}, {"x1": UNIT}).outputs),
    "scan_points": lambda: cn.plot_scan_points(
        scan(cn.sobol({"x0": (0, 1), "h": (1e-4, 1, "log")}, 32), x=[0, 1]).outputs, "x0", "h"
    ),
    "sensitivities": lambda: cn.plot_sensitivities(
        cn.sensitivities(cn.load_model("iris"), flower())
    ),
    "sensitivities_of_images": lambda: cn.plot_sensitivities(
        cn.sensitivities(cn.load_model("digits"), digit())
    ),
    "sensitivities_of_reactions": reactions,
    "envelope": envelope,
    "certified_margins": lambda: cn.plot_certified_margins(
        [0.01, 0.03, 0.02, 0.05], ["b", "b", "b", "a"]
    ),
    "h_choice": lambda: cn.plot_h_choice(
        cn.choose_h(xor(), cn.model_data("xor")[0], max_error=0.1, n_points=5)
    ),
    "read_out_window": lambda: cn.plot_read_out_window(
        cn.read_out_window(xor(), [[0, 1]], n_points=51)
    ),
    "history": history,
    "confusion_matrix": lambda: cn.plot_confusion_matrix(list("aabbc"), list("aabcc")),
    "robustness": robustness,
    "noise": lambda: cn.plot_noise(cn.noise(xor(), [0, 1], volume=1000)),
    "noise_of_samples": lambda: cn.plot_noise(cn.noise(xor(), [[0, 0], [0, 1]], volume=1000)),
    "smallest_volume": lambda: cn.plot_smallest_volume(
        cn.smallest_volume(xor(), cn.model_data("xor")[0])
    ),
}


# Without words and with fixed places, lines of matplotlib 3.10 and 3.11 are equal (2, pytest-mpl's
# own limit, is for other machines); a line in another colour is more than 5. Of images, the edges
# of cells move by a pixel from one version to the other, up to 14 in all; with two colours
# exchanged they are more than 20.
LINES, CELLS = 2, 15
OF_CELLS = {
    "animation",
    "sensitivities",
    "sensitivities_of_images",
    "sensitivities_of_reactions",
    "confusion_matrix",
}


def compared(kind):
    tolerance = CELLS if kind in OF_CELLS else LINES
    how = {"baseline_dir": "baseline", "style": "default", "savefig_kwargs": {"dpi": 40}}
    return pytest.param(kind, marks=pytest.mark.mpl_image_compare(tolerance=tolerance, **how))


@pytest.mark.parametrize("kind", [compared(kind) for kind in KINDS])
def test_picture(kind, monkeypatch):
    # numbers along contours leave gaps as long as words
    monkeypatch.setattr(Axes, "clabel", lambda *_, **__: None)
    KINDS[kind]()
    figure = plt.gcf()
    # places as they are before words need room
    figure.set_layout_engine("none")
    for word in figure.findobj(lambda artist: isinstance(artist, Text | Legend)):
        word.set_visible(False)
    return figure
