"""Texts, read by the parsers of their languages; `support/readers.py` has the simulators."""

import csv
import re
from functools import cache

import numpy as np
import pytest
from support.exports import BRUSSELATOR, MODELS, NASTY, chain, exported, text_of, two

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.graph import influences

NAMED = chain([name for name in NASTY if name not in ("_",)])
TEXTS = {
    name: MODELS[name] for name in ("xor", "brusselator", "skip connections", "Swish output")
} | {"names": NAMED}
each_text = pytest.mark.parametrize("crn", TEXTS.values(), ids=TEXTS)


@cache
def julia_parser():
    tree_sitter = pytest.importorskip("tree_sitter")
    return tree_sitter.Parser(
        tree_sitter.Language(pytest.importorskip("tree_sitter_julia").language())
    )


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


@each_text
def test_julia_parses(crn, tmp_path):
    tree = julia_parser().parse(text_of(crn, tmp_path, "catalyst").encode())
    assert not [node for node in nodes(tree.root_node) if node.is_error or node.is_missing]


@pytest.mark.parametrize("species", ["e1", "E2", "f3"])
def test_coefficients_in_julia_are_no_parts_of_numbers(species, tmp_path):
    tree = julia_parser().parse(text_of(two(species), tmp_path, "catalyst").encode())
    assert f"2{species}".encode() not in {
        node.text for node in nodes(tree.root_node) if "float" in node.type
    }


@each_text
@pytest.mark.parametrize("standalone", [True, False])
def test_latex_is_balanced(crn, standalone, tmp_path):
    walker = pytest.importorskip("pylatexenc.latexwalker")
    text = text_of(crn, tmp_path, "latex", standalone=standalone)
    found, _, length = walker.LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    assert length == len(text)
    top = [node.environmentname for node in found if node.isNodeType(walker.LatexEnvironmentNode)]
    assert top == (["document"] if standalone else ["longtable"] * (3 if crn.observables else 2))
    assert text.count(r"\xrightarrow") == len(crn.reactions)


@each_text
@pytest.mark.parametrize("kind", ["influences", "reactions"])
@pytest.mark.filterwarnings("ignore:'.*' deprecated:DeprecationWarning")  # of pyparsing, by pydot
def test_graphviz_parses(crn, kind, tmp_path):
    pydot = pytest.importorskip("pydot")
    (graph,) = pydot.graph_from_dot_data(text_of(crn, tmp_path, "graphviz", nodes=kind))
    drawn = {node.get_name().strip('"') for node in graph.get_nodes()} - {"node"}
    assert drawn == {s.id for s in crn.species} | (
        {r.id for r in crn.reactions} if kind == "reactions" else set()
    )
    sides = (
        [r.substrates + r.products for r in crn.reactions]
        if kind == "reactions"
        else [list(influences(crn))]
    )
    assert len(graph.get_edges()) == sum(map(len, sides))


@each_text
def test_graphml_has_the_stoichiometry(crn, tmp_path):
    networkx = pytest.importorskip("networkx")
    exported(crn, tmp_path, "graphml")
    graph = networkx.read_graphml(tmp_path / "net.out", force_multigraph=True)
    for reaction in crn.reactions:
        before = tuple(
            (s, data["stoichiometry"]) for s, _, data in graph.in_edges(reaction.id, data=True)
        )
        after = tuple(
            (s, data["stoichiometry"]) for _, s, data in graph.out_edges(reaction.id, data=True)
        )
        assert (sorted(before), sorted(after)) == (
            sorted(reaction.substrates),
            sorted(reaction.products),
        )


@each_text
def test_sides_in_kappa_are_aligned(crn, tmp_path):
    """Agent by agent: one that stays is opposite itself, one that comes or goes opposite a dot."""
    rules = re.findall(r"^'\w+' (.*) -> (.*) @ ", text_of(crn, tmp_path, "kappa"), re.MULTILINE)
    assert len(rules) == len(crn.reactions)
    for before, after in rules:
        pairs = list(zip(before.split(", "), after.split(", "), strict=True))
        assert all(left == right or "." in (left, right) for left, right in pairs)


def test_kappas_rates_go_with_the_volume(tmp_path):
    """Three molecules that meet: the number of molecules per unit, squared, below."""
    text = text_of(BRUSSELATOR, tmp_path, "kappa", molecules=100)
    rates = dict(re.findall(r"^'(\w+)' .* @ '\w+'(.*)$", text, re.MULTILINE))
    assert rates["leak"] == " * 100"
    assert (rates["lose"], rates["turn"], rates["loop"]) == ("", " / 100", " / 10000")
    assert "%init: 300 B()" in text


@each_text
def test_tables_are_the_network(crn, tmp_path):
    exported(crn, tmp_path, "csv")
    with open(tmp_path / "net.out", encoding="utf-8", newline="") as file:
        reactions = list(csv.DictReader(file))
    assert [(row["reaction"], row["equation"], float(row["value"])) for row in reactions] == [
        (r.id, r.equation, r.value) for r in crn.reactions
    ]
    with open(tmp_path / "net.stoichiometry.csv", encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading[1:] == [r.id for r in crn.reactions]
    assert [row[0] for row in rows] == list(crn.floating)
    np.testing.assert_array_equal(
        [[int(n) for n in row[1:]] for row in rows], crn.stoichiometry.toarray()
    )


def test_tables_without_rows_have_their_headings(tmp_path):
    path = cn.export(cn.ReactionNetwork([cn.Species("A", 1.0)], []), tmp_path / "still.csv")
    with path.open(encoding="utf-8") as file:
        (heading,) = csv.reader(file)
    assert heading[:3] == ["reaction", "equation", "substrates"]
    parts = cn.domain_parts(cn.to_strand_displacement(cn.ReactionNetwork([], [])))
    assert list(parts.to_frame().columns)[:2] == ["name", "role"]
    assert parts.strands_to_frame().name.tolist() == ["all"]


def test_an_option_may_be_given_as_its_default(tmp_path):
    xor = cn.load_model("xor")
    plain, told = cn.export(xor, tmp_path / "a.bngl"), tmp_path / "b.bngl"
    cn.export(xor, told, t_end=None)
    assert told.read_bytes() == plain.read_bytes()


@each_text
def test_visual_dsd_has_a_process_per_species_and_reaction(crn, tmp_path):
    text = text_of(crn, tmp_path, "visual-dsd")
    assert len(re.findall(r"^\| .* \w+$", text, re.MULTILINE)) >= len(crn.species)
    assert len(re.findall(r"->\{\w+\}", text)) == len(crn.reactions)


def test_visual_dsd_names_units_where_numbers_have_them_alone(tmp_path):
    """It has no word for dimensionless, and takes nM and s where nothing is said."""
    model_units = text_of(BRUSSELATOR, tmp_path, "visual-dsd")
    assert "directive units" not in model_units
    assert "Numbers are dimensionless (model units)." in model_units
    assert "// Visual DSD labels concentrations nM and times s" in model_units
    physical = text_of(BRUSSELATOR, tmp_path, "visual-dsd", units=cn.PhysicalUnits(10, 100))
    assert "directive units { concentration=nM; time=s; }" in physical
    assert "dimensionless" not in physical
    assert "labels" not in physical


@pytest.mark.parametrize("form", ["reactions", "compact", "numbers"])
def test_antimony_is_to_antimonys(form, tmp_path):
    net = cn.load_model("xor")
    assert text_of(net, tmp_path, "antimony", form=form, x=[1.0, 0.0]) == cn.to_antimony(
        net, form=form, x=[1.0, 0.0]
    )
    assert text_of(BRUSSELATOR, tmp_path, "antimony") == cn.to_antimony(BRUSSELATOR)


@pytest.mark.parametrize("name", ["catalyst", "kappa", "visual-dsd", "biocrnpyler"])
def test_boundary_species_stay_constant_where_no_language_says_so(name, tmp_path):
    """A held species that a reaction takes or makes is a catalyst in the file."""
    crn = cn.ReactionNetwork(
        [cn.Species("E", 1.0, boundary=True), cn.Species("A", 1.0)],
        [
            cn.Reaction("J1", ("E",), ("A",), "k1", 1.0),
            cn.Reaction("J2", {"A": 2}, ("E",), "k2", 1.0),
        ],
    )
    text = text_of(crn, tmp_path, name)
    expected = {
        "catalyst": ["k1, E --> E + A", "k2, 2*A --> ∅"],
        "kappa": ["E(), . -> E(), A()", "A(), A() -> ., ."],
        "visual-dsd": ["E ->{k1} E + A", "2A ->{k2}\n"],
        "biocrnpyler": ["reaction(['E'], ['E', 'A'], 'k1')", "reaction(['A', 'A'], [], 'k2')"],
    }
    assert all(part in text for part in expected[name])
