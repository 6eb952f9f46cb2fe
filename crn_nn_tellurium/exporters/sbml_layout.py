"""How to draw an SBML model: the layout and render packages, species in columns, layer by layer.

Catalysts are not aliased: each species is drawn once, and each reaction is a line from what takes
part in it to what it changes, blue where it makes more of that, red where it takes away. Source:
Gauges et al., J. Integr. Bioinform. 12 (2015) 267, doi 10.2390/biecoll-jib-2015-267; Bergmann et
al., ibid. 15 (2018) 20170078, doi 10.1515/jib-2017-0078.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import libsbml

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import Reaction, ReactionNetwork
from crn_nn_tellurium.exporters.graph import COLORS, layered_positions

_COLUMN, _ROW = 220.0, 60.0
"""Distances between columns and rows, in points."""
_WIDTH, _HEIGHT = 80.0, 30.0
_MARGIN = 50.0
_STUB = 16.0
"""How far from its species a reaction of one species stands."""
_ROLE_COLOR = {"activator": "more", "product": "more", "inhibitor": "less", "substrate": "less"}
Point = tuple[float, float]


def add_layout(model: Any, crn: ReactionNetwork) -> None:
    """Add one layout, with its colors, to a model of libSBML that holds the network."""
    compartments = [compartment.getId() for compartment in model.getListOfCompartments()]
    layout = model.getPlugin("layout").createLayout()
    taken = {*crn.identifiers, crn.name, *compartments}
    layout.setId(free_id("layers", taken))
    layout.setName("layer by layer")
    drawing = _Drawing(layout, crn, taken)
    drawing.draw()
    _add_styles(layout.getPlugin("render").createLocalRenderInformation(), crn, drawing.glyphs)


class _Drawing:
    """Fills a layout."""

    def __init__(self, layout: Any, crn: ReactionNetwork, taken: set[str]) -> None:
        self.layout = layout
        self.crn = crn
        self.taken = taken
        self.glyphs = {species.id: free_id(f"glyph_{species.id}", taken) for species in crn.species}
        positions = layered_positions(crn)
        height = Counter(column for column, _ in positions.values())
        tallest = max(height.values(), default=1)
        self.places: dict[str, Point] = {
            name: (
                _MARGIN + column * _COLUMN,
                _MARGIN + (row + (tallest - height[column]) / 2) * _ROW,
            )
            for name, (column, row) in positions.items()
        }
        self.stubs: Counter[str] = Counter()
        self.alone = Counter(
            next(iter(species))
            for r in crn.reactions
            if len(species := {s for s, _ in r.substrates + r.products}) == 1
        )
        dimensions = layout.getDimensions()
        dimensions.setWidth(2 * _MARGIN + max(height, default=0) * _COLUMN + _WIDTH)
        dimensions.setHeight(2 * _MARGIN + tallest * _ROW)

    def draw(self) -> None:
        """Species first, so that lines end at glyphs that exist."""
        for species in self.crn.species:
            glyph = self.layout.createSpeciesGlyph()
            glyph.setId(self.glyphs[species.id])
            glyph.setSpeciesId(species.id)
            self._place(glyph, species.id)
            text = self.layout.createTextGlyph()
            text.setId(free_id(f"text_{species.id}", self.taken))
            text.setGraphicalObjectId(glyph.getId())
            text.setOriginOfTextId(species.id)
            self._place(text, species.id)
        for reaction in self.crn.reactions:
            self._reaction(reaction)

    def _place(self, glyph: Any, species: str) -> None:
        box = glyph.getBoundingBox()
        box.setX(self.places[species][0])
        box.setY(self.places[species][1])
        box.setWidth(_WIDTH)
        box.setHeight(_HEIGHT)

    def _reaction(self, reaction: Reaction) -> None:
        roles = _roles(reaction)
        if not roles:
            return  # nothing becomes nothing
        middle = self._middle(list(roles))
        glyph = self.layout.createReactionGlyph()
        glyph.setId(free_id(f"glyph_{reaction.id}", self.taken))
        glyph.setReactionId(reaction.id)
        _line(glyph, middle, middle)
        for species, role in roles.items():
            reference = glyph.createSpeciesReferenceGlyph()
            reference.setId(free_id(f"glyph_{reaction.id}_{species}", self.taken))
            reference.setSpeciesGlyphId(self.glyphs[species])
            reference.setRole(role)
            edge = self._edge(species, middle)
            _line(reference, *((middle, edge) if role == "product" else (edge, middle)))

    def _middle(self, species: list[str]) -> Point:
        if len(species) == 1:
            (name,) = species
            x, y = self.places[name]
            self.stubs[name] += 1
            return x + _WIDTH * self.stubs[name] / (self.alone[name] + 1), y - _STUB
        centres = [
            (self.places[name][0] + _WIDTH / 2, self.places[name][1] + _HEIGHT / 2)
            for name in species
        ]
        return sum(x for x, _ in centres) / len(centres), sum(y for _, y in centres) / len(centres)

    def _edge(self, species: str, towards: Point) -> Point:
        x, y = self.places[species]
        if towards[1] < y and x < towards[0] < x + _WIDTH:
            return towards[0], y
        return (x if towards[0] < x + _WIDTH / 2 else x + _WIDTH), y + _HEIGHT / 2


def _roles(reaction: Reaction) -> dict[str, str]:
    """What each species does in a reaction: a substrate, a product, or a catalyst of more or of
    less.
    """
    net = reaction.net
    catalyst = "activator" if any(n > 0 for n in net.values()) else "inhibitor"
    order = dict.fromkeys(species for species, _ in reaction.substrates + reaction.products)
    return {s: "product" if net[s] > 0 else "substrate" if net[s] < 0 else catalyst for s in order}


def _line(glyph: Any, start: Point, end: Point) -> None:
    segment = glyph.createLineSegment()
    segment.setStart(*start)
    segment.setEnd(*end)


def _add_styles(render: Any, crn: ReactionNetwork, glyphs: dict[str, str]) -> None:
    render.setId("colors")
    for name, value in COLORS.items():
        color = render.createColorDefinition()
        color.setId(name)
        color.setColorValue(value)
    render.setBackgroundColor("paper")
    for held, fill in ((True, "held"), (False, "moved")):
        names = [glyphs[species.id] for species in crn.species if species.boundary is held]
        if names:
            shape = _style(render, f"species_{fill}", names, "ink", 1.0)
            shape.setFillColor(fill)
            ellipse = shape.createEllipse()
            for put, share in (
                (ellipse.setCX, 50),
                (ellipse.setCY, 50),
                (ellipse.setRX, 50),
                (ellipse.setRY, 50),
            ):
                put(libsbml.RelAbsVector(0, share))
    words = render.createStyle("text")
    words.addType("TEXTGLYPH")
    words.getGroup().setStroke("ink")
    words.getGroup().setFontSize(libsbml.RelAbsVector(11, 0))
    words.getGroup().setTextAnchor("middle")
    words.getGroup().setVTextAnchor("middle")
    for role, color in _ROLE_COLOR.items():
        style = render.createStyle(role)
        style.addRole(role)
        style.getGroup().setStroke(color)
        style.getGroup().setStrokeWidth(1.0)


def _style(render: Any, name: str, glyphs: list[str], stroke: str, width: float) -> Any:
    style = render.createLocalStyle()
    style.setId(name)
    for glyph in glyphs:
        style.addId(glyph)
    style.getGroup().setStroke(stroke)
    style.getGroup().setStrokeWidth(width)
    return style.getGroup()
