"""Exported files, read by the parsers of their languages; `readers.py` has the simulators."""

import ast
import csv
import keyword
import os
import re
import subprocess
import sys
from functools import cache
from io import StringIO

import libsbml
import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings, strategies as st
from support.networks import corpus, without_comments

import crn_nn_tellurium as cn
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.reactions import Observable
from crn_nn_tellurium.exporters.exporting import FORMATS
from crn_nn_tellurium.exporters.layered_positions import influences
from crn_nn_tellurium.importers.sbml import import_sbml
from crn_nn_tellurium.simulation.engine import antimony_to_sbml

SBML = ("sbml", "sbml-l3v1", "sbml-l2v4")
WITH_UNITS = (*SBML, "antimony", "omex", "copasi", "petab", "petab-v2")
STRANDS = ("pil", "nupack", "parts")
"""Formats of strand displacement implementations alone."""
GENERAL = tuple(name for name in FORMATS if name not in STRANDS)
WITHOUT_UNITS = tuple(name for name in GENERAL if name not in WITH_UNITS)
NEEDED = {"copasi": "basico"}

BRUSSELATOR = cn.ReactionNetwork(
    [
        cn.Species("A", 1.0, boundary=True),
        cn.Species("B", 3.0, boundary=True),
        cn.Species("X", 1.0),
        cn.Species("Y"),
    ],
    [
        cn.Reaction("feed", ("A",), ("A", "X"), "k1", 1.0),
        cn.Reaction("loop", {"X": 2, "Y": 1}, {"X": 3}, "k2", 0.1),
        cn.Reaction("turn", ("B", "X"), ("B", "Y"), "k3", 2.0),
        cn.Reaction("lose", ("X",), (), "k4", 1.0),
        cn.Reaction("crowd", {"Y": 3}, {"Y": 2}, "k5", 1e-3),
        cn.Reaction("leak", (), ("Y",), "k6", 1 / 3),
    ],
    [
        Observable(
            "ratio",
            Expression((Monomial(2.0, (("X", 1.0),)), Monomial(-1.0, (("Y", 1.0),)))),
            "a read-out",
        )
    ],
    "brusselator",
)


def options(name, model):
    """What a format cannot do without."""
    if name.startswith("petab") and isinstance(model, cn.ReactionNetwork):
        return {"X": np.ones((1, len(model.boundary))), "Y": np.ones((1, len(model.observables)))}
    return {}


def exported(model, folder, name, **more):
    """The files of a format, by what follows the stem in their names."""
    pytest.importorskip(NEEDED.get(name, "numpy"))
    path = cn.export(model, folder / "net.out", format=name, **options(name, model), **more)
    return {
        file.name.removeprefix("net"): file.read_bytes()
        for file in sorted(path.parent.glob("net.*"))
    }


def text_of(model, folder, name, **more):
    return exported(model, folder, name, overwrite=True, **more)[".out"].decode()


@cache
def parsed(text):
    return libsbml.readSBMLFromString(text)


DATES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")


# All formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("model", [cn.load_model("xor"), BRUSSELATOR], ids=["xor", "brusselator"])
def test_every_format_is_written_and_equal_models_are_equal_files(name, model, tmp_path):
    """No dates, no random numbers, no order of sets."""
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        files.append(exported(model, folder, name))
    assert files[0] == files[1]
    assert all(files[0].values())


def test_copasi_files_have_no_dates(tmp_path):
    assert not DATES.search(exported(BRUSSELATOR, tmp_path, "copasi")[".out"])


def test_text_does_not_depend_on_pythons_hashes(tmp_path):
    """Another process has another order of sets."""
    names = [name for name in GENERAL if name not in NEEDED]
    code = (
        "import sys, crn_nn_tellurium as cn\n"
        "net = cn.load_model('xor')\n"
        f"for name in {names}: cn.export(net, f'{{sys.argv[1]}}/{{name}}', format=name)"
    )
    written = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
        )
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]


@pytest.mark.parametrize("ending", [ending for name in GENERAL for ending in FORMATS[name].endings])
def test_the_ending_chooses_whatever_its_case(ending, tmp_path):
    (format,) = (format for format in FORMATS.values() if ending in format.endings)
    pytest.importorskip(NEEDED.get(format.name, "numpy"))
    net = cn.load_model("xor")
    by_ending = cn.export(net, tmp_path / f"net.{ending.upper()}").read_bytes()
    assert by_ending == exported(net, tmp_path, format.name, overwrite=True)[".out"]


def test_names_and_endings_are_each_one_formats():
    assert all(name == format.name for name, format in FORMATS.items())
    endings = [ending for format in FORMATS.values() for ending in format.endings]
    assert len(endings) == len(set(endings))


@pytest.mark.parametrize("name", [name for name in GENERAL if name not in ("graphviz", "copasi")])
def test_inputs_are_in_the_file(name, tmp_path):
    """All but pictures have concentrations. (COPASI's are numbers of molecules; `readers.py` reads
    them.)
    """
    net = cn.load_model("xor")
    with_x = exported(net, tmp_path, name, x=[0.625, 0.0])
    assert name in ("omex", "kappa") or any(b"0.625" in content for content in with_x.values())
    assert with_x != exported(net, tmp_path, name, overwrite=True)


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_an_unknown_option_is_refused_with_the_formats_own(name, tmp_path):
    known = ", ".join(FORMATS[name].options) or "none"
    with pytest.raises(
        cn.InputError, match=f"format '{name}' has no option 'colour'; it has {known}$"
    ):
        cn.export(cn.load_model("xor"), tmp_path / "net", format=name, colour="red")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["net.doc", "net"])
def test_an_unknown_ending_is_refused_with_all_that_are_known(file, tmp_path):
    with pytest.raises(cn.FileFormatError, match=r"unknown ending '(\.doc)?'; known: ") as caught:
        cn.export(cn.load_model("xor"), tmp_path / file)
    for format in FORMATS.values():
        for ending in format.endings:
            assert f".{ending} ({format.title})" in str(caught.value)
        assert format.endings or repr(format.name) in str(caught.value)


def test_an_unknown_format_is_refused_with_all_that_are_known(tmp_path):
    with pytest.raises(
        cn.FileFormatError, match=f"unknown format 'word'; known: {', '.join(FORMATS)}$"
    ):
        cn.export(cn.load_model("xor"), tmp_path / "net.xml", format="word")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(cn.NetworkError, match="takes a Network or a ReactionNetwork; got str"):
        cn.export("xor", tmp_path / "net.xml")


def test_a_missing_folder_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        cn.export(cn.load_model("xor"), tmp_path / "nowhere" / "net.xml")
    (tmp_path / "net.xml").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        cn.export(cn.load_model("xor"), tmp_path / "net.xml")


@pytest.mark.parametrize("name", ["sbml", "csv", "petab", "petab-v2"])
def test_files_are_kept(name, tmp_path):
    """Each of those that belong together: if one exists, none is written."""
    net = cn.load_model("xor")
    for ending in exported(net, tmp_path, name):
        folder = tmp_path / f"with{ending}"
        folder.mkdir()
        kept = folder / f"net{ending}"
        kept.write_bytes(b"mine")
        with pytest.raises(
            FileExistsError,
            match=f"{re.escape(repr(str(kept)))} exists; overwrite=True replaces it",
        ):
            cn.export(net, folder / "net.out", format=name)
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == {kept.name: b"mine"}
    assert b"mine" not in exported(net, folder, name, overwrite=True).values()


@pytest.mark.parametrize("name", GENERAL)
def test_reactions_have_their_inputs_already(name, tmp_path):
    with pytest.raises(
        ValueError, match="x goes with a Network; a ReactionNetwork has its boundary concentrations"
    ):
        exported(BRUSSELATOR, tmp_path, name, x=[1.0, 3.0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "x", [[1.0], [[1.0, 0.0]], [1.0, 0.0, 1.0]], ids=["short", "a batch", "long"]
)
def test_inputs_of_a_wrong_shape_are_refused(x, tmp_path):
    with pytest.raises(cn.InputError, match=r"shape .*; expected \("):
        cn.export(cn.load_model("xor"), tmp_path / "net.xml", x=x)


FOUR = cn.ReactionNetwork(
    [cn.Species("E", 1.0, boundary=True), cn.Species("A", 1.0)],
    [cn.Reaction("J", {"A": 3, "E": 1}, ("E",), "k", 1.0)],
    [Observable("seen", Expression((Monomial(1.0, (("A", 1.0),)),)))],
)


@pytest.mark.parametrize("name", WITH_UNITS)
def test_fourth_order_is_refused_where_units_are_written(name, tmp_path):
    with pytest.raises(
        cn.ReactionError,
        match=r"reaction 'J': 4 molecules meet \(3 A \+ E => E\); expected at most 3",
    ):
        exported(FOUR, tmp_path, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", WITHOUT_UNITS)
def test_fourth_order_is_written_elsewhere(name, tmp_path):
    assert exported(FOUR, tmp_path, name)


SENSELESS = [
    *(("bngl", "t_end", value) for value in ("long", -1.0, float("nan"))),
    *(("catalyst", "t_end", value) for value in ("long", float("nan"))),
    ("bngl", "n_steps", 0),
    ("visual-dsd", "n_steps", 2.5),
    ("latex", "digits", -1),
    ("latex", "digits", 2.5),
    ("omex", "n_points", 0),
    ("petab", "bound", 0.0),
    ("petab-v2", "free_signs", "yes"),
    ("sbml", "layout", 1),
    ("omex", "t_end", True),
]


@pytest.mark.parametrize(("name", "option", "value"), SENSELESS)
def test_options_without_sense_are_refused(name, option, value, tmp_path):
    message = (
        f"format '{name}': option {option} is {value!r}; expected (True or False|a (whole|finite)"
        " number >=? [01])$"
    )
    with pytest.raises(cn.InputError, match=message):
        cn.export(cn.load_model("xor"), tmp_path / "net", format=name, **{option: value})
    assert not list(tmp_path.iterdir())


NUMPY = [
    *(
        ("bngl", "t_end"),
        ("catalyst", "t_end"),
        ("visual-dsd", "t_end"),
        ("petab", "bound"),
        ("petab-v2", "bound"),
    ),
    *(("omex", "t_end"), ("copasi", "n_steps"), ("latex", "digits")),
]


@pytest.mark.parametrize(("name", "option"), NUMPY)
def test_numbers_of_numpy_and_whole_floats_are_numbers(name, option, tmp_path):
    """A value out of an array, or 5.0 for a whole number, is what `Format.check` lets through."""
    whole = FORMATS[name].options[option] is int
    plain, others = (5, [np.int64(5), 5.0]) if whole else (5.0, [np.float64(5), np.float32(5)])
    net = cn.load_model("xor")
    expected = exported(net, tmp_path, name, **{option: plain})
    for value in others:
        assert exported(net, tmp_path, name, overwrite=True, **{option: value}) == expected


@pytest.mark.parametrize("option", ["t_end", "n_steps"])
def test_whole_numbers_beyond_floats_are_refused(option, tmp_path):
    with pytest.raises(cn.InputError, match=option):
        cn.export(cn.load_model("xor"), tmp_path / "net.bngl", **{option: 10**400})


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("kappa", "molecules", 0, "option molecules is 0; expected a whole number >= 1$"),
        ("kappa", "molecules", 2.5, "molecules is 2.5"),
        ("kappa", "molecules", "many", "molecules is 'many'"),
        (
            "graphviz",
            "nodes",
            "genes",
            "nodes is 'genes'; expected one of 'reactions', 'influences'",
        ),
        ("graphml", "nodes", "genes", "nodes is 'genes'"),
        (
            "antimony",
            "form",
            "short",
            "form is 'short'; expected one of 'reactions', 'compact', 'numbers'",
        ),
        ("omex", "vary", "ghost", "vary is 'ghost'; expected a boundary species"),
        ("omex", "low", 3.0, "expected numbers 0 <= low < high"),
    ],
)
def test_options_that_are_checked(name, option, value, message, tmp_path):
    pytest.importorskip(NEEDED.get(name, "numpy"))
    with pytest.raises(ValueError, match=message):
        cn.export(cn.load_model("xor"), tmp_path / "net", format=name, **{option: value})


@pytest.mark.parametrize("name", STRANDS)
def test_formats_of_strands_refuse_other_reactions(name, tmp_path):
    for model in (cn.load_model("xor"), BRUSSELATOR):
        with pytest.raises(
            cn.FileFormatError, match="is no strand displacement implementation; to_strand_displac"
        ):
            cn.export(model, tmp_path / "net", format=name)


# Names -------------------------------------------------------------------------------------------

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
NASTY = (
    *(
        "_",
        "_Y",
        "__init__",
        "Y",
        "y",
        "s_Y",
        "Y_2",
        "lambda",
        "LAMBDA",
        "lambda_",
        "None",
        "if",
        "end",
        "end_",
    ),
    *(
        "i",
        "c",
        "t",
        "D",
        "rn",
        "im",
        "pi",
        "Model",
        "Rule",
        "time",
        "null",
        "new",
        "rec",
        "nothing",
        "sqrt",
    ),
)
IDENTIFIERS = st.one_of(
    st.sampled_from(NASTY), st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,3}", fullmatch=True)
)


def chain(names):
    """Every name becomes the next, and the last nothing."""
    after = [*((name,) for name in names[1:]), ()]
    reactions = [
        cn.Reaction(f"reaction{i}", (name,), product, f"constant{i}", 1.0)
        for i, (name, product) in enumerate(zip(names, after, strict=True))
    ]
    return cn.ReactionNetwork(
        [cn.Species(name, 1.0) for name in names], reactions, name="chain_model"
    )


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
    names = [*NASTY, *keyword.kwlist, *keyword.softkwlist]
    crn = chain(list(dict.fromkeys(names)))
    tree = ast.parse(text_of(crn, tmp_path, name))
    assert not any(
        isinstance(node, ast.Name) and keyword.iskeyword(node.id) for node in ast.walk(tree)
    )


def two(first, second="Z", constant="k"):
    """2 A -> B, with the names as wanted."""
    return cn.ReactionNetwork(
        [cn.Species(first, 1.0), cn.Species(second)],
        [cn.Reaction("J", {first: 2}, (second,), constant, 1.0)],
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


@pytest.mark.parametrize("name", ["bngl", "pysb"])
def test_no_name_of_bionetgen_begins_a_block(name, tmp_path):
    text = text_of(two("begin"), tmp_path, name)
    assert called(text)
    assert not any(new.startswith("begin") for new in called(text).values())


@pytest.mark.parametrize("species", ["A_", "A__B", "lambda"])
def test_names_of_biocrnpyler_have_single_inner_underscores(species, tmp_path):
    """Its Species raises ValueError for others."""
    text = text_of(two(species), tmp_path, "biocrnpyler")
    new, *_ = re.findall(SPECIES_IN["biocrnpyler"], text, re.MULTILINE)[-2:]
    assert re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*", new)


@pytest.mark.parametrize("species", ["inf", "INF", "do"])
def test_agents_of_kappa_are_no_words_of_it(species, tmp_path):
    """KaSim refuses ``%init: 1 inf()``."""
    assert species in called(text_of(two(species), tmp_path, "kappa"))


@pytest.mark.parametrize("species", ["lambda", "None", "if"])
def test_species_of_crn_are_no_words_of_python(species, tmp_path):
    """crnsimulator then fails with a SympifyError."""
    assert species in called(text_of(two(species), tmp_path, "crn"))


def test_read_outs_of_visual_dsd_read_renamed_rate_constants(tmp_path):
    read = Observable("seen", Expression((Monomial(1.0, (("A", 1.0), ("time", 1.0))),)))
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0)], [cn.Reaction("J", ("A",), (), "time", 1.0)], [read]
    )
    assert "[A]*s_time" in text_of(crn, tmp_path, "visual-dsd")


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
    networkx.read_graphml(cn.export(crn, tmp_path / "net.graphml"))


# SBML --------------------------------------------------------------------------------------------


def complaints(text):
    """Errors and warnings of libSBML, of units, SBO terms and good practice too."""
    document = libsbml.readSBMLFromString(text)
    for category in (
        libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
        libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY,
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MATHML_CONSISTENCY,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
        libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    ):
        document.setConsistencyChecks(category, True)
    document.checkConsistency()
    log = document.getErrorLog()
    return [log.getError(i).getMessage() for i in range(log.getNumErrors())]


MODELS = {case.name: cn.to_reactions(case.net, case.x[0]) for case in corpus()} | {
    "brusselator": BRUSSELATOR
}
each_model = pytest.mark.parametrize("crn", MODELS.values(), ids=MODELS)


@each_model
def test_libsbml_has_nothing_to_say(crn, tmp_path):
    for name in SBML:
        assert complaints(text_of(crn, tmp_path, name)) == []


@each_model
def test_libsbml_has_nothing_to_say_about_layouts(crn, tmp_path):
    assert complaints(text_of(crn, tmp_path, "sbml", layout=True)) == []


def test_level_3_version_1_has_layouts_too(tmp_path):
    assert complaints(text_of(BRUSSELATOR, tmp_path, "sbml-l3v1", layout=True)) == []


@given(names=st.lists(IDENTIFIERS, min_size=1, max_size=8, unique=True))
@settings(max_examples=15)
def test_libsbml_has_nothing_to_say_about_names(names, tmp_path_factory):
    """Identifiers of units and of the compartment that we add give way."""
    names = [
        *names,
        *(name for name in ("comp", "nM", "substance", "number", "avogadro") if name not in names),
    ]
    for name in SBML:
        assert complaints(text_of(chain(names), tmp_path_factory.getbasetemp(), name)) == []


@pytest.mark.parametrize("other", ["glyph_A", "text_A", "layers", "glyph_J_A", "J_A"])
def test_glyphs_give_way_to_names(other, tmp_path):
    """Layouts share the identifiers of the model: ``glyph_J_A`` is A's end of J's line, or the
    species J_A.
    """
    crn = cn.ReactionNetwork(
        [cn.Species("A", 1.0), cn.Species(other, 1.0)],
        [cn.Reaction("J", ("A",), (other,), "k", 1.0)],
    )
    assert complaints(text_of(crn, tmp_path, "sbml", layout=True)) == []


@pytest.mark.parametrize("name", SBML[1:])
def test_reactions_of_nothing_are_left_out_or_refused(name, tmp_path):
    crn = cn.ReactionNetwork([cn.Species("A", 1.0)], [cn.Reaction("J", (), (), "k", 1.0)])
    try:
        text = text_of(crn, tmp_path, name)
    except cn.FileFormatError:
        return
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("name", "level"), [(SBML[0], (3, 2)), (SBML[1], (3, 1)), (SBML[2], (2, 4))]
)
def test_dialects_are_what_they_say(name, level, tmp_path):
    document = parsed(text_of(BRUSSELATOR, tmp_path, name))
    assert (document.getLevel(), document.getVersion()) == level


SHORT = [
    cn.to_reactions(cn.Network([cn.Layer([[1.5, -0.25], [0.5, 2.0]], [0.1, 0.0], make(h=0.01))]))
    for make in (cn.SmoothedReLU, cn.Tanh, cn.Normalized, cn.HardSigmoid)
]


@pytest.mark.parametrize(
    "crn", [*SHORT, BRUSSELATOR], ids=["relu", "tanh", "normalized", "hardsigmoid", "brusselator"]
)
def test_libantimony_says_the_same(crn, tmp_path):
    """Two writers of SBML; in numbers of a few digits, since libAntimony rounds to 15."""
    if crn is BRUSSELATOR:
        crn = cn.ReactionNetwork(
            crn.species,
            [*crn.reactions[:-1], cn.Reaction("leak", (), ("Y",), "k6", 0.3)],
            crn.observables,
            crn.name,
        )
    theirs = tmp_path / "theirs.xml"
    theirs.write_text(antimony_to_sbml(cn.to_antimony(crn)), encoding="utf-8")
    assert import_sbml(cn.export(crn, tmp_path / "ours.xml")) == crn
    assert import_sbml(theirs) == without_comments(crn)


@given(value=st.floats(0, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_numbers_keep_all_their_digits(value, tmp_path_factory):
    """libSBML itself writes 15 of the 17 that a double may need. (It reads subnormal numbers as
    NaN.)
    """
    start = Expression((Monomial(value, (("k", 1.0),)),))
    crn = cn.ReactionNetwork(
        [cn.Species("A", value), cn.Species("B", start)],
        [cn.Reaction("J", ("A",), ("B",), "k", value)],
    )
    for name in SBML:
        model = parsed(text_of(crn, tmp_path_factory.getbasetemp(), name)).getModel()
        assert model.getParameter("k").getValue() == value
        assert model.getSpecies("A").getInitialConcentration() == value


@pytest.mark.parametrize("name", SBML)
@pytest.mark.parametrize("case", ["xor", "brusselator"])
def test_everything_has_an_sbo_term(name, case, tmp_path):
    """`complaints` has libSBML's own check of which term may stand where."""
    model = parsed(text_of(MODELS[case], tmp_path, name)).getModel()
    elements = [
        *model.getListOfSpecies(),
        *model.getListOfReactions(),
        *model.getListOfCompartments(),
    ]
    elements += [reaction.getKineticLaw() for reaction in model.getListOfReactions()]
    elements += [p for p in model.getListOfParameters() if not p.getId().startswith("number")]
    assert all(element.isSetSBOTerm() for element in elements)


def test_orders_have_terms_of_their_own(tmp_path):
    model = parsed(text_of(BRUSSELATOR, tmp_path, "sbml")).getModel()
    laws = {
        reaction.getId(): reaction.getKineticLaw().getSBOTermID()
        for reaction in model.getListOfReactions()
    }
    # https://www.ebi.ac.uk/ols4/ontologies/sbo: mass action of an irreversible reaction, continuous
    # scheme
    assert laws == {
        "feed": "SBO:0000049",
        "loop": "SBO:0000059",
        "turn": "SBO:0000054",
        "lose": "SBO:0000049",
        "crowd": "SBO:0000057",
        "leak": "SBO:0000047",
    }


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_roadrunner_settles_at_the_networks_outputs(name, tmp_path):
    net = cn.load_model(name)
    x = cn.model_data(name)[1][0]
    runner = roadrunner.RoadRunner(str(cn.export(net, tmp_path / "net.xml", x=x)))
    runner.simulate(0, 5000, 2)
    # CVODE's own tolerance of 1e-6, over sums of a few units
    np.testing.assert_allclose(
        [runner[output] for output in net.output_names], net(x), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("name", SBML)
def test_plain_laws_have_no_volume(name, tmp_path):
    model = parsed(text_of(BRUSSELATOR, tmp_path, name, plain_laws=True)).getModel()
    laws = [reaction.getKineticLaw().getFormula() for reaction in model.getListOfReactions()]
    assert laws == ["k1 * A", "k2 * pow(X, 2) * Y", "k3 * B * X", "k4 * X", "k5 * pow(Y, 3)", "k6"]


def test_the_article_is_cited_for_networks_alone(tmp_path):
    """Where other reactions come from is not known."""
    for model, cited in ((cn.load_model("xor"), True), (BRUSSELATOR, False)):
        assert ("10.1098/rsif.2021.0031" in text_of(model, tmp_path, "sbml")) is cited


# Layout ------------------------------------------------------------------------------------------


def glyphs(crn, folder):
    """The left edge and the top of each species' glyphs."""
    layout = (
        parsed(text_of(crn, folder, "sbml", layout=True))
        .getModel()
        .getPlugin("layout")
        .getLayout(0)
    )
    found = {}
    for glyph in layout.getListOfSpeciesGlyphs():
        box = glyph.getBoundingBox()
        found.setdefault(glyph.getSpeciesId(), []).append((box.getX(), box.getY()))
        assert 0 <= box.getX() <= layout.getDimensions().getWidth() - box.getWidth()
        assert 0 <= box.getY() <= layout.getDimensions().getHeight() - box.getHeight()
    return found


@each_model
def test_each_species_is_drawn_once_at_a_place_of_its_own(crn, tmp_path):
    """Inside the picture, and not left of what acts on it."""
    found = glyphs(crn, tmp_path)
    assert set(found) == {species.id for species in crn.species}
    places = [place for each in found.values() for place in each]
    assert len(places) == len(set(places)) == len(crn.species)
    assert all(found[edge.source][0][0] <= found[edge.target][0][0] for edge in influences(crn))


def test_columns_are_the_layers(tmp_path):
    crn = cn.to_reactions(cn.Network.random([3, 5, 4, 2], seed=0))
    columns = [set() for _ in range(4)]
    for species, ((x, _),) in glyphs(crn, tmp_path).items():
        layer = 0 if species.startswith("x") else int(re.match(r"[A-Za-z]+(\d+)_", species)[1])
        columns[layer].add(x)
    assert [len(column) for column in columns] == [1, 1, 1, 1]
    assert sorted(columns, key=min) == columns


def test_every_reaction_is_a_line_between_glyphs_that_exist(tmp_path):
    layout = (
        parsed(text_of(BRUSSELATOR, tmp_path, "sbml", layout=True))
        .getModel()
        .getPlugin("layout")
        .getLayout(0)
    )
    species = {glyph.getId() for glyph in layout.getListOfSpeciesGlyphs()}
    drawn = {}
    for glyph in layout.getListOfReactionGlyphs():
        ends = list(glyph.getListOfSpeciesReferenceGlyphs())
        assert {end.getSpeciesGlyphId() for end in ends} <= species
        drawn[glyph.getReactionId()] = len(ends)
    assert drawn == {"feed": 2, "loop": 2, "turn": 3, "lose": 1, "crowd": 1, "leak": 1}


# Texts, by their parsers -------------------------------------------------------------------------

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
    """Agent by agent: who stays stands opposite itself, who comes or goes opposite a dot."""
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


@each_text
def test_visual_dsd_has_a_process_per_species_and_reaction(crn, tmp_path):
    text = text_of(crn, tmp_path, "visual-dsd")
    assert len(re.findall(r"^\| .* \w+$", text, re.MULTILINE)) >= len(crn.species)
    assert len(re.findall(r"->\{\w+\}", text)) == len(crn.reactions)


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
