"""Names that a language has not: mapped one to one, and quoted where they are read by people."""

import ast
import csv
import importlib.util
import keyword
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support.exports import (
    GENERAL,
    IDENTIFIERS,
    NASTY,
    SBML,
    chain,
    exported,
    run_reader,
    text_of,
    two,
)
from support.tolerances import IN_TIME, INTEGRATED

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import RESERVED
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.importers.sbml import import_sbml

SPECIES_IN = {
    "bngl": r"^  (\w+)\(\)$",
    "pysb": r"^Monomer\('(\w+)'\)$",
    "kappa": r"^%agent: (\w+)\(\)$",
    "catalyst": r"^        (\w+)\(t\) = ",
    "crn": r"^(\w+) @(?:initial|constant) ",
    "visual-dsd": r"^\| [-+.e\d]+ (\w+)$",
    "biocrnpyler": r"^    '(\w+)': .*,$",
}
"""Where a language declares species, one a line."""
CONSTANTS_IN = {
    "bngl": r"^  (\w+) [-+.e\d]+$",
    "pysb": r"^Parameter\('(\w+)', ",
    "kappa": r"^%var: '(\w+)'",
}
FOLD = ("bngl", "pysb", "biocrnpyler")
"""Names that differ in case alone are one there, or in what they call."""


def called(text):
    """The map that the comments give."""
    return dict(re.findall(r"^(?:#|//) (\w+) is called (\w+): ", text, re.MULTILINE))


@pytest.mark.parametrize("name", SPECIES_IN)
@given(names=st.lists(IDENTIFIERS, min_size=1, max_size=8, unique=True))
@settings(max_examples=20)
def test_names_are_mapped_one_to_one_and_the_map_is_a_comment(name, names, tmp_path_factory):
    text = text_of(chain(names), tmp_path_factory.getbasetemp(), name)
    declared = re.findall(SPECIES_IN[name], text, re.MULTILINE)
    declared = declared[-len(names) :]  # BioCRNpyler's rate constants stand before
    map_ = called(text)
    assert declared == [map_.get(species, species) for species in names]
    assert all(new[0] != "_" for new in declared)
    different = {new.lower() for new in declared} if name in FOLD else set(declared)
    assert len(different) == len(names)


@pytest.mark.parametrize("name", SPECIES_IN)
def test_names_that_a_language_allows_are_kept(name, tmp_path):
    """Whatever comes before them: those that are renamed give way."""
    names = ["_Y", "s_Y", "Y1_0", "weight", "Glucose"]
    text = text_of(chain(names), tmp_path, name)
    assert called(text) == {"_Y": "s_Y_2"}


@pytest.mark.parametrize("name", ["pysb", "biocrnpyler"])
def test_python_can_compile_any_names(name, tmp_path):
    names = unreserved([*NASTY, *keyword.kwlist, *keyword.softkwlist])
    crn = chain(list(dict.fromkeys(names)))
    tree = ast.parse(text_of(crn, tmp_path, name))
    assert not any(
        isinstance(node, ast.Name) and keyword.iskeyword(node.id) for node in ast.walk(tree)
    )


def pysb_components(text):
    return re.findall(r"(?:Monomer|Parameter|Observable|Rule|Expression)\('(\w+)'", text)


@pytest.mark.parametrize(
    "names", [("Y", "Y_c", "k"), ("Y", "Z", "Y_c"), ("Y", "Z", "Y_start")], ids="-".join
)
def test_components_of_pysb_have_different_names(names, tmp_path):
    """PySB raises ComponentDuplicateNameError."""
    found = pysb_components(text_of(two(*names), tmp_path, "pysb"))
    assert len({name.lower() for name in found}) == len(found)


def test_observables_of_bionetgen_are_no_parameters(tmp_path):
    """BNG2.pl aborts: Observable name Y_c matches previously defined Observable or Parameter."""
    text = text_of(two("Y", constant="Y_c"), tmp_path, "bngl")
    observables = re.findall(r"Molecules (\w+)", text)
    assert not set(observables) & set(re.findall(CONSTANTS_IN["bngl"], text, re.MULTILINE))


@pytest.mark.parametrize("word", ["begin", "beginning", "Begin_model"])
@pytest.mark.parametrize("name", ["bngl", "pysb"])
def test_no_name_of_bionetgen_begins_a_block(name, word, tmp_path):
    text = text_of(two(word), tmp_path, name)
    assert word in called(text)
    assert not any(new.startswith("begin") for new in called(text).values())


def home_of_bionetgen():
    """The folder of BNG2.pl, without importing the package."""
    spec = importlib.util.find_spec("bionetgen")
    if spec is None:
        pytest.skip("bionetgen is not installed")
    return Path(spec.origin).parent / "bng-linux" / "Perl2"


def read_by(reader, crn, path, **options):
    (found,) = run_reader(reader, [cn.export(crn, path, **options)], 1.0)
    return found


def constants_called(words):
    """Species that are lost, each with a rate constant that is called by a word."""
    species = [cn.Species(f"zz_{i}", 1.0) for i in range(len(words))]
    reactions = [
        cn.Reaction(f"zz_r{i}", (s.id,), (), word, 0.5)
        for i, (s, word) in enumerate(zip(species, words, strict=True))
    ]
    return cn.ReactionNetwork(species, reactions, name="zz_net")


def unreserved(words):
    """Those that a reaction network may have for names."""
    return [word for word in words if word.lower() not in RESERVED]


def species_called(words):
    """Species that are called by words, and lost."""
    species = [cn.Species(word, 1.0) for word in words]
    reactions = [
        cn.Reaction(f"zz_r{i}", (word,), (), f"zz_k{i}", 0.5) for i, word in enumerate(words)
    ]
    return cn.ReactionNetwork(species, reactions, name="zz_net")


def test_every_function_of_bionetgen_can_be_a_name(tmp_path):
    """All that BNG2.pl's own table lists, in any role, are renamed or kept so that it is right."""
    source = (home_of_bionetgen() / "Expression.pm").read_text(encoding="utf-8")
    words = re.findall(r'^\s*"(\w+)"\s*=> \{ FPTR', source, re.MULTILINE)
    assert {"mratio", "TFUN", "_pi", "sqrt"} <= set(words)
    words = unreserved(words)
    for network in (constants_called(words), species_called(words)):
        found = read_by("bionetgen", network, tmp_path / "net.bngl", overwrite=True, t_end=1.0)
        amounts = [value for name, value in found.items() if name != "time"]
        # every species is lost at a rate of 0.5; BNG2.pl integrates at 1e-10
        assert amounts == pytest.approx([np.exp(-0.5)] * len(words), rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("role", [constants_called, species_called])
def test_every_word_of_bionetgen_can_be_a_name(role, tmp_path):
    """Words of its sources and of its parser of formulas, one of those that differ in case."""
    words = {}
    for file in sorted(home_of_bionetgen().glob("*.pm")):
        text = file.read_text(encoding="utf-8", errors="replace")
        for word in re.findall(r"\b[A-Za-z]\w*\b", text, re.ASCII):
            words.setdefault(word.lower(), word)
    network = role(sorted(unreserved(words.values()))[::12])  # some 400 of them: more take minutes
    found = read_by("bionetgen", network, tmp_path / "net.bngl", t_end=1.0)
    amounts = [value for name, value in found.items() if name != "time"]
    assert amounts == pytest.approx([np.exp(-0.5)] * len(network.species), rel=INTEGRATED)


@pytest.mark.parametrize("role", [constants_called, species_called])
@pytest.mark.parametrize("format", ["biocrnpyler", pytest.param("pysb", marks=pytest.mark.slow)])
def test_words_of_sbml_and_python_can_be_names(format, role, tmp_path):
    """Their models go through libSBML's formulas, and through Python's names and sympy's."""
    pytest.importorskip(format)
    words = [
        *(f"{word}_" for word in sorted(RESERVED)),
        *keyword.kwlist,
        "numpy",
        "Symbol",
        "Add",
        "parameters",
    ]
    words += ["r0", "umol", "default", "square_metre", "uM", "second", "Compartment", "CRN"]
    words = unreserved({word.lower(): word for word in words}.values())
    found = read_by(format, role(words), tmp_path / "net.py", format=format)
    lost = [name for name in found if "zz_k" not in name]
    amounts = [found[name] for name in lost if found[name] != 0.5]  # constants are 0.5
    assert amounts == pytest.approx([np.exp(-0.5)] * len(words), rel=1e-7)


def test_words_of_julia_and_catalyst_are_no_names(tmp_path):
    """Julia's keywords (Base.isreserved), and what Catalyst's source forbids as symbols."""
    julia = """
        baremodule begin break catch const continue do else elseif end export false finally for
        function global if import let local macro module quote return struct true try using while
    """.split()
    words = unreserved([*julia, "im", "nothing", "t"])
    assert set(called(text_of(species_called(words), tmp_path, "catalyst"))) == {*words}


def test_names_of_crnsimulators_own_are_not_overwritten(tmp_path):
    """It calls the change of A dAdt, its rates r, and reads formulas by sympy."""
    pytest.importorskip("crnsimulator")
    words = ["A", "dAdt", "r", "Float", "S", "k0", "p0"]
    found = read_by("crnsimulator", species_called(words), tmp_path / "net.crn")
    assert list(found.values()) == pytest.approx([np.exp(-0.5)] * len(words), rel=IN_TIME)


@pytest.mark.parametrize("species", ["A_", "A__B", "lambda"])
def test_names_of_biocrnpyler_have_single_inner_underscores(species, tmp_path):
    """Its Species raises ValueError for others."""
    text = text_of(two(species), tmp_path, "biocrnpyler")
    new, *_ = re.findall(SPECIES_IN["biocrnpyler"], text, re.MULTILINE)[-2:]
    assert re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", new)


@pytest.mark.parametrize("species", ["do", "repeat", "alarm"])
def test_agents_of_kappa_are_no_words_of_it(species, tmp_path):
    """KaSim refuses ``%init: 1 do()``."""
    assert species in called(text_of(two(species), tmp_path, "kappa"))


@pytest.mark.parametrize("species", ["lambda", "None", "if"])
def test_species_of_crn_are_no_words_of_python(species, tmp_path):
    """crnsimulator then fails with a SympifyError."""
    assert species in called(text_of(two(species), tmp_path, "crn"))


def test_read_outs_of_visual_dsd_read_renamed_rate_constants(tmp_path):
    read = Observable("seen", Expression((Monomial(1.0, (("A", 1.0), ("rec", 1.0))),)))
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0)], [cn.Reaction("J", ("A",), (), "rec", 1.0)], [read]
    )
    assert "[A]*s_rec" in text_of(crn, tmp_path, "visual-dsd")


@pytest.mark.parametrize("name", ["petab", "petab-v2"])
@pytest.mark.parametrize("stem", ["a, b", "my: net", "net [1]"])
def test_petab_names_its_files_whatever_they_are_called(name, stem, tmp_path):
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(
        cn.export(cn.load_model("xor"), tmp_path / f"{stem}.yaml", format=name).read_bytes()
    )
    assert f"'{stem}.conditions.tsv'" in str(content)


READABLE = [
    "a, b",
    'say "hi"',
    "<b> & c",
    "β → γ",
    "100 %",
    "back\\slash",
    "{brace",
    "two\nlines",
    "*/ end",
    "$x_1$",
]
QUOTABLE = [re.sub(r'["\\\n]', "", text) for text in READABLE]
"""What stands between double quotes in any language; the rest is left out of all of them."""


@pytest.mark.parametrize("name", GENERAL)
def test_readable_names_break_no_format(name, tmp_path):
    """They are free text; here each ends up where it can do harm."""
    species = [cn.Species(f"S{i}", 1.0, name=text) for i, text in enumerate(READABLE)]
    reactions = [
        cn.Reaction(f"J{i}", (s.id,), (), f"k{i}", 1.0, s.name) for i, s in enumerate(species)
    ]
    reads = [
        Observable(f"o{i}", Expression((Monomial(1.0, ((s.id, 1.0),)),)), s.name)
        for i, s in enumerate(species)
    ]
    crn = cn.ReactionNetwork(species, reactions, reads)
    text = next(iter(exported(crn, tmp_path, name).values()))
    if name in SBML:
        assert import_sbml(tmp_path / "net.out").floating == crn.floating
    elif name == "csv":
        rows = list(
            csv.DictReader(StringIO((tmp_path / "net.species.csv").read_text(encoding="utf-8")))
        )
        assert [row["name"] for row in rows] == QUOTABLE * 2
    elif name == "graphml":
        graph = pytest.importorskip("networkx").read_graphml(tmp_path / "net.out")
        assert [graph.nodes[s.id]["name"] for s in species] == QUOTABLE
    else:
        assert text


def test_control_characters_in_names_leave_graphml_well_formed(tmp_path):
    networkx = pytest.importorskip("networkx")
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0, name="a\x01b")], [cn.Reaction("J", ("A",), (), "k", 1.0)]
    )
    graph = networkx.read_graphml(cn.export(crn, tmp_path / "net.graphml"))
    assert graph.nodes["A"]["name"] == "ab"
