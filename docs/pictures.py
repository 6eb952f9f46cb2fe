"""Draws the pictures of README and of the start page: `python docs/pictures.py`.

Those of the start page are what its own blocks save.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium.plots import STYLE

DOCS = Path(__file__).resolve().parent
IMAGES = DOCS / "images"
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def draw_xor() -> None:
    """XOR as chemistry, and beside it its output on its way, for the four inputs."""
    xor = cn.load_model("xor")
    simulator = cn.Simulator(xor)
    # wide enough on the left for the names of species to be drawn in full size
    figure, (chemistry, courses) = plt.subplots(
        1, 2, figsize=(9, 3.2), layout="constrained", width_ratios=(11, 7)
    )
    cn.plot_network(xor, chemistry).set_title("XOR: nodes are species, lines are reactions")
    for x, style in (([0, 1], "-"), ([1, 0], "--"), ([1, 1], "-"), ([0, 0], "--")):
        cn.plot_time_course(simulator.time_course(x, t_end=40, initial=0.0), ax=courses)
        at_rest = simulator.steady_state(x).outputs.item()
        courses.lines[-1].set(
            linestyle=style,
            color=f"C{len(courses.lines) - 1}",
            label=f"{x[0]}, {x[1]}: to {abs(at_rest):.2f}",
        )
    courses.legend(title="inputs", loc="center right")
    courses.set(title="its output for each input, from empty", ylabel="y0 (model units)")
    figure.savefig(IMAGES / "xor.png", dpi=150)


def draw_few_molecules() -> None:
    """Which flowers are sure, by volume: trained without noise, and for few molecules."""
    x, _, labels, _ = cn.model_data("iris")
    x = x / x.max(axis=0)
    names = sorted(set(labels.tolist()))
    relu, linear = cn.SmoothedReLU(h=0.1), cn.Linear(h=0.1)
    start = cn.Network.random([4, 8, 3], relu, 0, output=linear, class_names=names)
    how = {"loss": "cross_entropy", "constraints": cn.Constraints(l2=1e-3)}
    plain = cn.fit(start, x, labels, **how).network
    figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for volume, style in ((None, "-"), (100, "--"), (30, ":")):
        noise = None if volume is None else cn.Molecules(volume)
        net = plain if noise is None else cn.fit(plain, x, labels, noise=noise, **how).network
        taken = np.sort(cn.smallest_volume(net, x, labels).volumes)
        share = 100 * np.arange(1, len(taken) + 1) / len(taken)
        # flowers of another class without noise are never right
        sure = np.isfinite(taken)
        label = "no noise" if volume is None else f"Molecules({volume})"
        ax.step(taken[sure], share[sure], style, where="post", label=f"trained with {label}")
    ax.set(xscale="log", xlabel="volume (molecules at a concentration of 1)", ylim=(0, 100))
    ax.set_ylabel("flowers whose class is right\n99 times of 100 (%)")
    ax.legend(loc="lower right")
    figure.savefig(IMAGES / "few_molecules.png", dpi=150)


def draw_start_page() -> None:
    """What the blocks of the start page save."""
    blocks = _PYTHON.findall((DOCS / "start.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec("\n".join(blocks), {})
        for picture in Path().glob("*.svg"):
            (IMAGES / picture).write_bytes(picture.read_bytes())


if __name__ == "__main__":
    matplotlib.use("agg")
    # equal pictures are equal files
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    IMAGES.mkdir(exist_ok=True)
    with plt.rc_context(STYLE | {"svg.hashsalt": "crn_nn_tellurium"}):
        draw_xor()
        draw_few_molecules()
        draw_start_page()
