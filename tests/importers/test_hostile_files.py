"""Files that strangers made to harm: each is refused in words, in little time and memory.

Those that would end the process, or never end, if they were not looked at before their parsers are:
whoever breaks that sees this process end.
"""

import os
import zlib
from pathlib import Path

import pytest
from support.mutations import YAML

import crn_nn_tellurium as cn
from crn_nn_tellurium.encoding import structure_text
from crn_nn_tellurium.importers import antimony_to_sbml, as_model, check_compiled, sbml_text
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml

_CORE = "http://www.sbml.org/sbml/level3/version1/core"
_COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
_LEVEL_2 = "http://www.sbml.org/sbml/level2"
_XHTML = '<p xmlns="http://www.w3.org/1999/xhtml">'
_LAW = "A -> B; k*A*{}; A = 1; k = 1; B = 0; "
_DECAY = "model part() A -> ; k*A; A = 1; k = 3; end"
_WHOLE = 'import "part.ant"\nmodel whole() P: part(); end'


def sbml(inside, head=""):
    text = f'<?xml version="1.0" encoding="UTF-8"?>{head}<sbml xmlns="{_CORE}" level="3"'
    Path("m.xml").write_text(f'{text} version="1"><model id="m">{inside}</model></sbml>')
    return import_sbml("m.xml")


def level_1():
    law = f'<kineticLaw formula="{"^".join(["A"] * 10_000)}"/>'
    text = '<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model>'
    Path("m.xml").write_text(f"{text}{law}</model></sbml>")
    return import_sbml("m.xml")


def stoichiometry(root):
    """A <stoichiometryMath> of 1 below a root with these attributes."""
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
    once = f"<stoichiometryMath>{math.format('<cn>1</cn>')}</stoichiometryMath>"
    taken = f'<speciesReference species="A">{once}</speciesReference>'
    return as_model(
        f'<sbml {root}><model id="m"><listOfCompartments><compartment id="c" size="1"/>'
        '</listOfCompartments><listOfSpecies><species id="A" compartment="c"'
        ' initialConcentration="1"/></listOfSpecies><listOfReactions><reaction id="J"'
        f' reversible="false"><listOfReactants>{taken}</listOfReactants>'
        f"<kineticLaw>{math.format('<ci>A</ci>')}</kineticLaw></reaction></listOfReactions></model></sbml>",
        "the test",
    )


def rule(inside):
    math = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'
    rules = f'<listOfRules><assignmentRule variable="p">{math}</assignmentRule></listOfRules>'
    parameter = '<parameter id="p" constant="false"/>'
    return f"<listOfParameters>{parameter}</listOfParameters>{rules}"


def doubling(kind):
    """a40 is the sum of 2^40 times a0."""
    return "".join(f"a{i} {kind} a{i - 1} + a{i - 1}; " for i in range(1, 41))


def doubling_functions():
    names = (f"function f{i}(x) f{i - 1}(x) + f{i - 1}(x) end\n" for i in range(1, 41))
    return f"function f0(x) x end\n{''.join(names)}model m() {_LAW.format('f40(A)')} end"


def doubling_models(n):
    names = (f"model m{i}() a: m{i - 1}(); b: m{i - 1}(); end\n" for i in range(1, n))
    return "model m0() A -> ; A; A = 1; end\n" + "".join(names)


def product_of_sums():
    sums = "*".join(f"(A + p{i})" for i in range(40))
    return _LAW.format(sums) + "; ".join(f"p{i} = 1" for i in range(40))


def external_model():
    """An SBML model that is another file's."""
    packages = f'xmlns="{_CORE}" xmlns:comp="{_COMP}" comp:required="true"'
    submodel = '<comp:submodel comp:id="s" comp:modelRef="e"/>'
    definition = '<comp:externalModelDefinition comp:id="e" comp:source="part.xml"/>'
    Path("m.xml").write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><sbml {packages} level="3" version="1"><model'
        f' id="m"><comp:listOfSubmodels>{submodel}</comp:listOfSubmodels></model>'
        "<comp:listOfExternalModelDefinitions>"
        f"{definition}</comp:listOfExternalModelDefinitions></sbml>"
    )
    return "m.xml"


def parameters(write):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install h5py")
    pytest.importorskip("yaml", reason="PyYAML is not installed: pip install pyyaml")
    Path("n.yaml").write_text(YAML)
    with h5py.File("p.h5", "w") as file:
        file["metadata/pytorch_format"] = True
        write(file, h5py)
    return cn.from_petab_sciml("n.yaml", "p.h5")


def nul_in_text():
    cn.export(cn.to_reactions(cn.load_model("xor")), "m.xml")
    text = Path("m.xml").read_text()
    return as_model(text.replace("</listOfReactions>", "\0</listOfReactions>"), "the test")


def fifo(name, call):
    """Of what opens it, nobody ever hears again."""
    os.mkfifo(name)
    return call()


def text_of_crn(text):
    Path("m.crn").write_text(text, encoding="utf-8")
    return import_crn("m.crn")


def number(inside):
    return sbml(rule(f"<cn>{inside}</cn>"))


def weight(values):
    """A network of PEtab SciML whose first weights are others."""

    def write(file, _):
        file["parameters/net/first/weight"] = values
        file["parameters/net/first/bias"] = [0.0, 0.0, 0.0]

    return parameters(write)


def same_array(file, _):
    """One whose chunks are not there, under names enough to fill the memory."""
    first = file.create_dataset("parameters/net/first/w0", (2**24 - 1,), "f8", chunks=(2**10,))
    for number in range(1, 10):
        file[f"parameters/net/first/w{number}"] = first


def packed(content, **kind):
    """An array of six numbers whose chunk is this."""

    def write(file, _):
        kind_of_all = {"shape": (3, 2), "dtype": "f4", "chunks": (3, 2), "compression": "gzip"}
        array = file.create_dataset("parameters/net/first/weight", **kind_of_all | kind)
        array.id.write_direct_chunk((0, 0), content)

    return parameters(write)


def twice():
    pytest.importorskip("yaml", reason="PyYAML is not installed: pip install pyyaml")
    Path("n.yaml").write_text(f"{YAML}nn_model_id: other\n")
    return cn.from_petab_sciml("n.yaml")


HOSTILE = {
    "nested minus signs": (
        lambda: sbml(rule("<apply><minus/>" * 10_000 + "<cn>1</cn>" + "</apply>" * 10_000)),
        "nested more than 20.. deep",
    ),
    "nested notes": (
        lambda: sbml(f"<notes>{_XHTML * 100_000}{'</p>' * 100_000}</notes>"),
        "nested more than 100 deep",
    ),
    "entities of entities": (
        lambda: sbml("<notes>&a;</notes>", '<!DOCTYPE s [<!ENTITY a "x">]>'),
        "it has a document type",
    ),
    "nested brackets": (
        lambda: import_antimony(_LAW.format("-(" * 3000 + "1" + ")" * 3000)),
        "nested 3000 deep",
    ),
    "minus signs": (
        lambda: import_antimony(_LAW.format("-" * 10_000 + "1")),
        "nested 10000 deep",
    ),
    "a tower of powers": (
        lambda: import_antimony(_LAW.format("^".join(["A"] * 10_000))),
        "nested 9999 deep",
    ),
    "a tower of powers of brackets": (
        lambda: import_antimony(_LAW.format("^-".join(["(A)"] * 1000))),
        "nested 1000 deep",
    ),
    "a tower of powers of numbers": (
        lambda: import_antimony(_LAW.format("**".join(["2e-1"] * 1000))),
        "nested 999 deep",
    ),
    "signs with spaces": (
        lambda: import_antimony(_LAW.format("- /* */" * 600 + "1")),
        "nested 600 deep",
    ),
    "a long sum": (
        lambda: import_antimony(_LAW.format("1" + "+A" * 500_000)),
        "has 500,002 operators; expected at most 5,000",
    ),
    "a long list of arguments": (
        lambda: import_antimony(_LAW.format(f"max(1{',A' * 100_000})")),
        "has 100,002 operators; expected at most 5,000",
    ),
    "a comment without end": (
        lambda: import_antimony("A -> ; k*A; A = 1; k = 1\n" + "/* " * 100_000),
        "line 2: the comment /. has no end",
    ),
    "joined lines": (
        lambda: import_antimony("A -> ; " + "\\\n" * 20_000 + "k*A; A = 1; k = 1"),
        "20,000 backslashes join lines; expected at most 5,000",
    ),
    "digits without end": (lambda: number("1" * 400_000 + "x"), "<cn> holds '1111"),
    "digits of a rate": (lambda: text_of_crn(f"A -> B [k = {'1' * 100_000}x]"), "the rate is"),
    "spaces behind a reaction": (
        lambda: text_of_crn(f"A -> B{' ' * 100_000}]"),
        "is neither a reaction",
    ),
    "arrows": (lambda: text_of_crn("->" * 100_000), "is neither a reaction"),
    "arrows and brackets": (
        lambda: as_model("->A[" * 100_000 + "\n", "the test"),
        "has 200,000 operators; expected at most 5,000",
    ),
    "a long word in a comment": (
        lambda: text_of_crn(f"A->B,1 #{'a' * 100_000} A=x"),
        "seems to give the concentration of 'A'",
    ),
    "a wide sum": (
        lambda: sbml(rule(f"<apply><plus/>{'<cn>1</cn>' * 300_000}</apply>")),
        "an operator has more than 3000 operands",
    ),
    "an attribute without measure": (
        lambda: sbml(f'<notes><p a="{"x" * 2_000_000}"/></notes>'),
        "or one beyond 1,048,576 characters",
    ),
    "attributes without number": (
        lambda: sbml("<notes><p " + " ".join(f"a{i}=''" for i in range(100_000)) + "/></notes>"),
        "an element has 100,000 attributes",
    ),
    "a tower of powers in Level 1": (level_1, "nested more than 500 deep"),
    "doubling rules": (
        lambda: import_antimony(_LAW.format("a40") + "a0 := A; " + doubling(":=")),
        "formulas grow by more than 16,777,216 parts",
    ),
    "doubling assignments": (
        lambda: import_antimony(_LAW.format("a40") + "a0 = 1; " + doubling("=")),
        "formulas grow by more than 16,777,216 parts",
    ),
    "doubling rules to be compiled": (
        lambda: cn.scan(_LAW.format("a40") + "a0 := A; " + doubling(":="), {"k": [1.0]}),
        "formulas grow by more than 16,777,216 parts",
    ),
    "a wide sum to be compiled": (
        lambda: check_compiled(
            antimony_to_sbml(f"p := {' + '.join(['A'] * 3001)}; A -> ; A; A = 1"), "the model"
        ),
        "an operator has more than 3000 operands",
    ),
    "doubling functions": (
        lambda: import_antimony(doubling_functions()),
        "formulas grow by .* parts; expected at most 524,288",
    ),
    "doubling submodels": (
        lambda: import_antimony(doubling_models(41)),
        r"model 'm13' has 16,383 submodels",
    ),
    "a product of sums": (lambda: import_antimony(product_of_sums()), "a product of sums has"),
    "molecules": (
        lambda: import_antimony("A => 2000000000 B; k*A; A = 1; k = 1; B = 0"),
        "'B' is taken 2000000000 times; expected at most 10000",
    ),
    "molecules that meet": (
        lambda: import_antimony("2000000000 A => B; k*A^2000000000; A = 1; k = 1; B = 0"),
        "'A' is taken 2000000000 times; expected at most 10000",
    ),
    "a NUL in SBML": (nul_in_text, r"line \d+: the XML is not well-formed"),
    "digits of any script": (lambda: text_of_crn("A -> B [k = \uff11]"), "the rate is"),
    "a number that goes on": (lambda: number("1_0"), "<cn> holds '1_0'; expected a number"),
    "a number of base 16": (lambda: number("0x10"), "<cn> holds '0x10'; expected a number"),
    "half a fraction": (
        lambda: number('<sep type="rational"/>3'),
        "<cn> holds ''; expected a number",
    ),
    "factors without number": (
        lambda: import_antimony(_LAW.format("factorial(1000000000)")),
        "has the coefficient inf; expected finite",
    ),
    "weights that are texts": (
        lambda: weight([[b"1_0", b"2"], [b"1", b"2"], [b"3", b"4"]]),
        "cannot be read as numbers",
    ),
    "weights that are complex": (
        lambda: weight([[1j, 2], [1, 2], [3, 4]]),
        "complex numbers.; expected numbers",
    ),
    "a name twice in YAML": (twice, "'nn_model_id' is there twice, line 2"),
    "a file of Antimony": (
        lambda: fifo("part.ant", lambda: import_antimony(_WHOLE)),
        "takes a model from another file",
    ),
    "a file behind a comment": (
        lambda: fifo("p", lambda: import_antimony('import /* "a */ "p"\nmodel m() P: part(); end')),
        "takes a model from another file",
    ),
    "a file on the next line": (
        lambda: fifo("f", lambda: import_antimony(f'import\\\n "f"\n{_DECAY}')),
        "takes a model from another file",
    ),
    "a file behind the line of a comment": (
        lambda: fifo("f", lambda: import_antimony(f'// aside\rimport "f"\r{_DECAY}')),
        "takes a model from another file",
    ),
    "a file of SBML": (
        lambda: fifo("part.xml", lambda: import_sbml(external_model())),
        "takes a model from the file 'part.xml'",
    ),
    "an array by its header alone": (
        lambda: parameters(
            lambda file, _: file.create_dataset(
                "parameters/net/first/weight", (10**5, 10**5), "f8", chunks=(100, 100)
            )
        ),
        "arrays of 80,000,000,000 bytes",
    ),
    "an array under many names": (
        lambda: parameters(same_array),
        "arrays of 1,207,959,480 bytes",
    ),
    "a chunk that unpacks to more than its array": (
        lambda: packed(zlib.compress(bytes(2**26))),
        "a chunk of 'weight' unpacks to more than 24 bytes",
    ),
    "a chunk that is not packed": (
        lambda: packed(bytes(24)),
        "a chunk of 'weight' is damaged",
    ),
    "a chunk larger than its array": (
        lambda: packed(b"x", chunks=(2**15, 2**14), maxshape=(None, None)),
        "arrays of 2,147,483,648 bytes",
    ),
    "an array of a filter without bound": (
        lambda: packed(bytes(24), compression="lzf"),
        "packed by HDF5's filter 32000; expected gzip, or none",
    ),
    "a group in itself": (
        lambda: parameters(lambda file, _: file.update({"parameters/net/first/again": file["/"]})),
        "it has more than 20,000 links",
    ),
    "an array of another file": (
        lambda: parameters(
            lambda file, h5py: file.update({"parameters/net/first": h5py.ExternalLink("o.h5", "/")})
        ),
        "is a link to elsewhere",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, message = HOSTILE[name]
    refusals = (cn.FileFormatError, cn.ReactionError, cn.NetworkError)
    with pytest.raises(refusals, match=message):
        call()


@pytest.mark.parametrize(
    "root",
    [
        f'xmlns="{_LEVEL_2}/version4" level="2" version="3"',
        f'xmlns="{_LEVEL_2}/version4" level="2" version="x"',
        f'xmlns="{_LEVEL_2}/version6" level="2" version="6"',
        f'xmlns="{_LEVEL_2}" xmlns:a="a" level="2" version="1" a:version="2"',
        'level="2" version="4"',
    ],
)
def test_stoichiometries_of_no_one_version_of_level_2_are_refused(root):
    """libSBML ends the process, and reads it where all is of one version."""
    with pytest.raises(cn.FileFormatError, match="line 1: <stoichiometryMath> is of Level 2, and"):
        stoichiometry(root)


def test_namespaces_of_two_versions_of_sbml_are_refused():
    """libSBML ends the process, as it puts parameters of laws into the model, or reads others."""
    with pytest.raises(cn.FileFormatError, match="line 1: <sbml> has namespaces of several"):
        stoichiometry(f'xmlns="{_LEVEL_2}/version4" xmlns:a="{_CORE}" level="2" version="4"')
    text = antimony_to_sbml(_DECAY).replace("<sbml ", f'<sbml xmlns:a="{_LEVEL_2}" ', 1)
    with pytest.raises(cn.FileFormatError, match="expected one"):
        cn.Simulator(text)


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_stoichiometries_of_level_2_are_read(version):
    space = _LEVEL_2 if version == 1 else f"{_LEVEL_2}/version{version}"
    (reaction,) = stoichiometry(f'xmlns="{space}" level="2" version="{version}"').reactions
    assert (reaction.substrates, reaction.products) == ((("A", 1),), ())


def test_other_files_are_read_where_that_is_allowed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("part.ant").write_text(_DECAY)
    (reaction,) = import_antimony(_WHOLE, allow_files=True).reactions
    assert reaction.value == 3.0
    # a word in a name or a comment is no file
    text = 'A -> ; k*A; A = 1; k = 1; // import "x"\nA is "nuclear import"; k is "rate"'
    assert import_antimony(text).species[0].name == "nuclear import"


def test_another_file_of_sbml_is_read_where_that_is_allowed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cn.export(import_antimony("A -> ; k*A; A = 1; k = 3"), "part.xml", format="sbml-l3v1")
    external_model()
    monkeypatch.chdir(tmp_path.parent)
    for path in (tmp_path / "m.xml", Path(tmp_path.name, "m.xml")):
        (reaction,) = import_sbml(path, allow_files=True).reactions
        assert reaction.value == 3.0


@pytest.mark.parametrize("allow_files", [False, True])
def test_what_libsbml_sees_is_what_was_looked_at(allow_files, tmp_path, monkeypatch):
    """Another has put a file there in between, as a stream is at its end in between."""
    path = cn.export(cn.import_antimony(_DECAY), tmp_path / "m.xml")
    before = import_sbml(path)
    look = sbml_text.check_sbml

    def check(*given):
        look(*given)
        path.write_text("<sbml/>", encoding="utf-8")

    monkeypatch.setattr("crn_nn_tellurium.importers.sbml.check_sbml", check)
    assert import_sbml(path, allow_files=allow_files) == before


def test_what_libantimony_sees_is_what_was_looked_at():
    # a line ends at either sign, and a comment with it; what a comment holds is none of the model
    crn = import_antimony('A -> ; k*A; A = 1 // A = 2\rk = 3\r\n/* k = 4 */ # k = 5\nA is "/* x"')
    assert (crn.reactions[0].value, crn.species[0].initial, crn.species[0].name) == (3, 1, "/* x")
    # long words take the time that they are long
    long = "A" * 200_000
    assert import_antimony(f"{long} -> ; k*{long}; k = 1").species[0].id == long


def test_sums_as_deep_as_they_look_are_read():
    powers = " + ".join(f"{i}e-1*A^2" for i in range(1, 900))
    crn = import_antimony(f"2 A -> A; {powers}; A = 1")
    assert sum(reaction.value for reaction in crn.reactions) == pytest.approx(0.1 * 899 * 450)


def test_laws_that_count_many_molecules_are_read():
    counted = "*".join(f"(P - {i})" for i in range(1, 12))
    with pytest.warns(UserWarning, match="counts molecules"):
        (reaction,) = import_antimony(f"12 P -> Q; k*P*{counted}; P = 20; k = 2").reactions
    assert (reaction.order, reaction.value) == (12, 2.0)


# What is compiled: formulas that cannot grow need no trees ---------------------------------------


def rule_read(times: int) -> str:
    """A rule of 2000 parts, that laws read so often."""
    laws = "".join(f"J{i}: A -> ; p*A; " for i in range(times))
    return antimony_to_sbml(f"{laws} p := {'+'.join(['A'] * 1000)}; A = 1")


XOR = cn.load_model("xor")
COMPILED = {
    "our reactions": (
        lambda: antimony_to_sbml(structure_text(cn.to_reactions(XOR, [0, 1]))),
        False,
    ),
    "our model": (lambda: antimony_to_sbml(cn.to_antimony(XOR)), False),
    "no rule": (lambda: antimony_to_sbml(_DECAY), False),
    "a rule read a little": (lambda: rule_read(10), False),
    "a rule read often": (lambda: rule_read(600), True),
    "a rule that reads a rule": (
        lambda: antimony_to_sbml("q := 2*p; p := 2*A; A -> ; q*A; A = 1"),
        True,
    ),
    "a function": (
        lambda: antimony_to_sbml("function f(x)\n x + x\nend\nmodel m()\n A -> ; f(A); A = 1\nend"),
        True,
    ),
}


@pytest.mark.parametrize("name", COMPILED)
def test_trees_are_looked_at_where_formulas_may_grow(name, monkeypatch):
    text, grows = COMPILED[name]
    sbml, looked = text(), []
    monkeypatch.setattr(sbml_text, "check_formulas", lambda *_: looked.append(True))
    check_compiled(sbml, "the model")
    assert looked == [True] * grows


def test_a_rule_that_is_read_often_is_refused():
    with pytest.raises(cn.FileFormatError, match="formulas grow by"):
        check_compiled(rule_read(600), "the model")
