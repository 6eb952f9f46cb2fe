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
from crn_nn_tellurium.exporters.sbml_elements import assign

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
    taken = {*crn.identifiers, crn.name, *compartments}
    layout = model.getPlugin("layout").createLayout()
    assign(layout, Id=free_id("layers", taken), Name="layer by layer")
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
        self.places: dict[str, Point] = {}
        for name, (column, row) in positions.items():
            down = row + (tallest - height[column]) / 2  # columns are centred on the tallest
            self.places[name] = _MARGIN + column * _COLUMN, _MARGIN + down * _ROW
        # reactions of one species stand side by side above it: how many there are, and are drawn
        self.stubs: Counter[str] = Counter()
        self.alone = Counter(
            next(iter(species))
            for r in crn.reactions
            if len(species := {s for s, _ in r.substrates + r.products}) == 1
        )
        width = 2 * _MARGIN + max(height, default=0) * _COLUMN + _WIDTH
        assign(layout.getDimensions(), Width=width, Height=2 * _MARGIN + tallest * _ROW)

    def draw(self) -> None:
        """Species first, so that lines end at glyphs that exist."""
        for species in self.crn.species:
            name, glyph = species.id, self.glyphs[species.id]
            drawn = assign(self.layout.createSpeciesGlyph(), Id=glyph, SpeciesId=name)
            self._place(drawn, name)
            text = assign(self.layout.createTextGlyph(), Id=free_id(f"text_{name}", self.taken))
            assign(text, GraphicalObjectId=glyph, OriginOfTextId=name)
            self._place(text, name)
        for reaction in self.crn.reactions:
            self._reaction(reaction)

    def _place(self, glyph: Any, species: str) -> None:
        x, y = self.places[species]
        assign(glyph.getBoundingBox(), X=x, Y=y, Width=_WIDTH, Height=_HEIGHT)

    def _reaction(self, reaction: Reaction) -> None:
        roles = _roles(reaction)
        if not roles:
            return  # nothing becomes nothing
        middle = self._middle(list(roles))
        name = free_id(f"glyph_{reaction.id}", self.taken)
        glyph = assign(self.layout.createReactionGlyph(), Id=name, ReactionId=reaction.id)
        # the node of a reaction is a point
        _line(glyph, middle, middle)
        for species, role in roles.items():
            name = free_id(f"glyph_{reaction.id}_{species}", self.taken)
            reference = assign(glyph.createSpeciesReferenceGlyph(), Id=name, Role=role)
            assign(reference, SpeciesGlyphId=self.glyphs[species])
            edge = self._edge(species, middle)
            _line(reference, *((middle, edge) if role == "product" else (edge, middle)))

    def _middle(self, species: list[str]) -> Point:
        if len(species) == 1:
            (name,) = species
            x, y = self.places[name]
            self.stubs[name] += 1
            return x + _WIDTH * self.stubs[name] / (self.alone[name] + 1), y - _STUB
        corners = [self.places[name] for name in species]
        across = sum(x + _WIDTH / 2 for x, _ in corners) / len(corners)
        return across, sum(y + _HEIGHT / 2 for _, y in corners) / len(corners)

    def _edge(self, species: str, towards: Point) -> Point:
        """Where a line from there meets the species: above, or at the nearer side."""
        x, y = self.places[species]
        # a stub stands above its species, all else beside
        if towards[1] < y and x < towards[0] < x + _WIDTH:
            return towards[0], y
        return (x if towards[0] < x + _WIDTH / 2 else x + _WIDTH), y + _HEIGHT / 2


def _roles(reaction: Reaction) -> dict[str, str]:
    """What each species does in a reaction."""
    net = reaction.net
    # what is neither made nor taken is a catalyst, of more or of less
    catalyst = "activator" if any(n > 0 for n in net.values()) else "inhibitor"
    order = dict.fromkeys(species for species, _ in reaction.substrates + reaction.products)
    return {s: "product" if net[s] > 0 else "substrate" if net[s] < 0 else catalyst for s in order}


def _line(glyph: Any, start: Point, end: Point) -> None:
    segment = glyph.createLineSegment()
    segment.setStart(*start)
    segment.setEnd(*end)


def _add_styles(render: Any, crn: ReactionNetwork, glyphs: dict[str, str]) -> None:
    assign(render, Id="colors", BackgroundColor="paper")
    for name, value in COLORS.items():
        assign(render.createColorDefinition(), Id=name, ColorValue=value)
    half = libsbml.RelAbsVector(0, 50)
    for held, fill in ((True, "held"), (False, "moved")):
        names = [glyphs[species.id] for species in crn.species if species.boundary is held]
        if names:
            style = assign(render.createLocalStyle(), Id=f"species_{fill}")
            for name in names:
                style.addId(name)
            shape = assign(style.getGroup(), Stroke="ink", StrokeWidth=1.0, FillColor=fill)
            assign(shape.createEllipse(), CX=half, CY=half, RX=half, RY=half)
    words = render.createStyle("text")
    words.addType("TEXTGLYPH")
    size = libsbml.RelAbsVector(11, 0)
    assign(words.getGroup(), Stroke="ink", FontSize=size, TextAnchor="middle", VTextAnchor="middle")
    for role, color in _ROLE_COLOR.items():
        style = render.createStyle(role)
        style.addRole(role)
        assign(style.getGroup(), Stroke=color, StrokeWidth=1.0)
