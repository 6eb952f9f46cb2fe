"""One unit's reactions, as a diagram and as text."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from crn_nn_tellurium.basics import LESS, MORE, check_choice, whole_number
from crn_nn_tellurium.chemistry import Reaction
from crn_nn_tellurium.encoding import LayerEncoding, Unit, layer_encodings, unit_reactions
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel, as_network
from crn_nn_tellurium.networks import unit_ids
from crn_nn_tellurium.plots.figures import styled
from crn_nn_tellurium.plots.network_layout import Edge, Point, Port, stacked
from crn_nn_tellurium.plots.networks import (
    LETTER,
    LINE,
    canvas,
    draw_edge,
    draw_held,
    draw_local,
    draw_moved,
    text_look,
)

# From what is read to the unit, and from there to the text; width of a letter of the text
_APART, _GAP, _TYPED = 1.8, 0.6, 0.07
_RADIUS = 0.2
# Of reactions that make molecules, that take them, and that do neither
_INKS = {1: MORE, -1: LESS, 0: "0.2"}


@styled
def plot_unit(
    net: AnyModel, layer: str, unit: int = 0, ax: Axes | None = None, *, limit: int = 32
) -> Axes:
    """One unit as chemistry: what acts on its species, and its reactions with their rate constants.

    Parameters
    ----------
    net : Network
        Or whatever one can be made of.
    layer : str
        Its name: ``"layer1"``, if you gave it none.
    unit : int
        From 0, as in ``Y1_0``.
    ax : Axes, default: of a new figure, as large as the unit asks for
    limit : int
        How many reactions are shown: all but those that a weight makes, and of these the fastest.

    Returns
    -------
    Axes
        An arrow, or blue: makes more; a bar, or red: takes away.

    Raises
    ------
    InputError
        If there is no such layer or unit.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> ax = plot_unit(load_model("xor"), "layer1", 0)
    >>> ax.texts[-2].get_text()
    'Y1_0 => 2 Y1_0    kb1_0 = 1.223'
    """
    net = as_network(net, "plot_unit")
    check_choice("layer", layer, tuple(one.name for one in net.layers))
    encoding = next(one for one in layer_encodings(net) if one.layer.name == layer)
    if whole_number("unit", unit, 0) >= encoding.layer.n_out:
        raise InputError(f"unit is {unit}; expected 0 to {encoding.layer.n_out - 1}, of {layer}")
    every = _reactions(encoding, unit)
    shown = _fastest(every, whole_number("limit", limit))
    lines = _lines(shown, len(every))
    own = [unit_ids(encoding.index, unit)(name) for name in encoding.activation.species]
    read = list(dict.fromkeys(s for r in shown for s, _ in r.substrates if s not in own))
    height = max(len(lines) * LINE, 0.5 * len(own))
    begin = _APART + _RADIUS + _GAP
    left = -LETTER * max(map(len, read), default=0) - 3 * _RADIUS
    across = left, begin + _TYPED * max(map(len, lines))
    ax, scale = canvas(across, (-height / 2 - LINE, height / 2 + LINE), ax)
    pitch = min(0.5, height / max(len(read), 1))
    places = _column(0.0, read, pitch) | _column(_APART, own, max(0.5, height / 8))
    _draw_diagram(shown, own, places, min(_RADIUS, 0.4 * pitch), scale, ax)
    inks = [_INKS[(r.gain > 0) - (r.gain < 0)] for r in shown]
    for number, line in enumerate(lines):
        y = LINE * ((len(lines) - 1) / 2 - number)
        ink = inks[number] if number < len(inks) else _INKS[0]
        ax.text(begin, y, line, **text_look(scale, family="monospace", color=ink))
    ax.set_title(f"{net.name}: {layer}, unit {unit}")
    return ax


def _reactions(encoding: LayerEncoding, unit: int) -> list[Reaction]:
    inputs, bias = tuple(encoding.row(unit)), tuple(encoding.rail_bias[unit].tolist())
    n = encoding.layer.n_out
    return list(unit_reactions(Unit(encoding.index, unit, encoding.activation, inputs, bias, n)))


def _fastest(reactions: Sequence[Reaction], limit: int) -> list[Reaction]:
    """All reactions but those of weights, of which the fastest, in their order."""
    by_weights = [r for r in reactions if r.sign and r.order == 2]
    most = sorted(by_weights, key=lambda r: -r.value)
    left_out = {r.id for r in most[max(0, limit - len(reactions) + len(by_weights)) :]}
    return [r for r in reactions if r.id not in left_out]


def _lines(shown: Sequence[Reaction], n: int) -> list[str]:
    """Equations and rate constants, one below the other."""
    width = max(len(r.equation) for r in shown)
    lines = [f"{r.equation:<{width}}   {r.rate_constant} = {r.value:.4g}" for r in shown]
    if n > len(shown):
        lines.append(f"and {n - len(shown)} of smaller weights")
    return lines


def _column(x: float, names: Sequence[str], pitch: float) -> dict[str, Point]:
    return dict(zip(names, stacked(x, len(names), pitch), strict=True))


def _draw_diagram(
    shown: Sequence[Reaction],
    own: Sequence[str],
    places: dict[str, Point],
    radius: float,
    scale: float,
    ax: Axes,
) -> None:
    """What is read on the left, the unit's own species on the right, biases as their rings."""
    most = max((r.value for r in shown if r.sign), default=1.0)
    biases = dict.fromkeys(own, 0.0)
    for reaction in shown:
        changed = [name for name in own if reaction.net.get(name, 0)]
        others = [name for name, _ in reaction.substrates if name not in changed]
        if reaction.sign and not others:
            biases[changed[0]] = reaction.gain * reaction.value
        for start, end in ((start, end) for start in others for end in changed):
            if start in biases:
                (x0, y0), (x1, y1) = places[start], places[end]
                draw_local((x0 + _RADIUS, y0), (x1 + _RADIUS, y1), scale, ax)
                continue
            ports = Port(places[start], radius, (0,)), Port(places[end], _RADIUS, (0,))
            draw_edge(Edge(*ports, reaction.gain, reaction.value), most, scale, ax)
    for name, at in places.items():
        if name in biases:
            draw_moved(name, at, _RADIUS, (biases[name], most), scale, ax)
        else:
            draw_held(name, at, radius, scale, ax)
