"""What is not mass action, not a model of ours or not there is refused by name."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures
from support.imports import edited, formula

import crn_nn_tellurium as cn
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml

IRIS = load_iris(return_X_y=True)


def classifier(*scalers, **options):
    return make_pipeline(*scalers, MLPClassifier((3,), max_iter=5, random_state=0, **options))


def algebraic_rule(model):
    model.createAlgebraicRule().setMath(formula("A - B"))


def fast(model):
    model.getReaction(0).setFast(True)


def unknown_symbol(model):
    model.getReaction(0).getKineticLaw().setMath(formula("k*A*ghost"))


def stoichiometry_without_end(model):
    reference = model.getReaction(0).getReactant(0)
    reference.setId("n")
    assignment = model.createInitialAssignment()
    assignment.setSymbol("n")
    assignment.setMath(formula("1/(k - 2)"))


def stoichiometry_of_the_time(model):
    stoichiometry_without_end(model)
    model.getInitialAssignment(0).setMath(formula("time"))


def unknown_product(model):
    model.getReaction(0).getProduct(0).setSpecies("ghost")


def rules_in_a_circle(model):
    for name, text in (("k", "m"), ("m", "k")):
        model.getParameter(name).setConstant(False)
        rule = model.createAssignmentRule()
        rule.setVariable(name)
        rule.setMath(formula(text))


def read(importer, name, text):
    """From a file, whose name every refusal has."""
    Path(name).write_text(text, encoding="utf-8")
    try:
        return importer(name)
    except (cn.FileFormatError, cn.ReactionError) as error:
        if name not in str(error):
            raise AssertionError(f"{error} does not name {name}") from error
        raise


def sbml(text):
    return read(import_sbml, "m.xml", text)


def crn(text, line=1):
    """A file with the text in that line."""
    before = "X @initial 1\n# a comment\n" if line == 3 else ""
    return read(import_crn, "m.crn", f"{before}{text}\nX -> Y\n")


REFUSED = [
    # what is not mass action, by the name of the reaction or value
    (
        lambda: import_antimony("A -> B; V*A/(K + A); V = 1; K = 1"),
        cn.ReactionError,
        r"'_J0': V \* A / \(K \+ A\) is not a sum of terms k \* A\^a",
    ),
    (
        lambda: import_antimony("A -> B; k; k = 1"),
        cn.ReactionError,
        "reaction '_J0' takes 'A', but a term of its rate does not depend",
    ),
    (
        lambda: import_antimony("A -> B; k*A - m; k = 1; m = 1"),
        cn.ReactionError,
        "reaction '_J0' runs backwards, where a term is negative, and takes 'B'",
    ),
    (
        lambda: import_antimony("2 A -> B; k*A; k = 1"),
        cn.ReactionError,
        "reaction '_J0' takes 'A', but a term",
    ),
    (
        lambda: import_antimony("A -> B; k*sqrt(A); k = 1"),
        cn.ReactionError,
        r"'_J0': .*concentrations to the powers {'A': 0.5}",
    ),
    (
        lambda: import_antimony("A -> B; k/A; k = 1"),
        cn.ReactionError,
        r"'_J0': .*concentrations to the powers {'A': -1.0}",
    ),
    (
        lambda: import_antimony("A -> B; k*A*(A + B)^10; k = 1"),
        cn.ReactionError,
        r"'_J0': \(A \+ B\)\^10 is not a sum of terms",
    ),
    (
        lambda: import_antimony("A -> B; k*A*time; k = 1"),
        cn.ReactionError,
        "reads the time, a delay or a rate of change; expected mass action",
    ),
    (
        lambda: import_antimony("A -> B; piecewise(k*A, A > 1, 0); k = 1"),
        cn.ReactionError,
        "'_J0': piecewise.* is not a sum of terms",
    ),
    (
        lambda: import_antimony("A -> B; k*A; k = 1; at time > 1: A = 2"),
        cn.ReactionError,
        "has no events; the model has 1",
    ),
    (lambda: import_antimony("A -> B; "), cn.ReactionError, "reaction '_J0' has no kinetic law"),
    (
        lambda: import_antimony("A -> B; k*A"),
        cn.ReactionError,
        "reaction '_J0': parameter 'k' has no value; expected a finite number",
    ),
    (
        lambda: import_antimony("A -> B; k*A; k = inf"),
        cn.ReactionError,
        "reaction '_J0': parameter 'k' has the value inf; expected a finite",
    ),
    (
        lambda: import_antimony("A -> B; k*A; k = 1; k' = -1"),
        cn.ReactionError,
        "the rate rule of 'k' runs backwards, where a term is negative, and takes 'k', but a term",
    ),
    (
        lambda: import_antimony("compartment c = 1; c' = 1; species A in c; A -> ; A"),
        cn.ReactionError,
        "the size of compartment 'c' changes",
    ),
    (
        lambda: import_antimony("compartment c; c := time; species A in c; A -> ; A"),
        cn.ReactionError,
        "the size of compartment 'c' changes",
    ),
    (
        lambda: import_antimony("A -> B; k*A; k = 1; A = -1"),
        cn.ReactionError,
        "species 'A' starts at -1.0; expected a finite number >= 0",
    ),
    (
        lambda: import_antimony("A -> ; ->"),
        cn.ReactionError,
        "libAntimony refuses the model: .*line 1",
    ),
    (
        lambda: import_antimony("A -> B; k^B*A; k = 1"),
        cn.ReactionError,
        r"'_J0': (k\^B|.*exponent)",
    ),
    (lambda: import_antimony("A -> B; ln(k)*A; k = 0"), ValueError, "'_J0'"),
    *(
        (lambda text=text: import_antimony(text), cn.ReactionError, r"'(_J0|c)'")
        for text in (
            "A -> B; kf*A - kf*B/Keq; kf = 1; Keq = 0",
            "A -> B; k^0.5*A; k = -2",
            "A -> B; k^2*A; k = 1e200",
            "A -> B; exp(k)*A; k = 1000",
            "compartment c = 0; species A in c; A -> ; k*A; k = 1",
        )
    ),
    (
        lambda: cn.from_sklearn(Pipeline([])),
        cn.NetworkError,
        "a pipeline without steps; expected a model at its end",
    ),
    (
        lambda: crn("99999999999 A -> B"),
        cn.FileFormatError,
        r"'m.crn', line 1: 99999999999 molecules of 'A'; expected fewer",
    ),
    # SBML
    (
        lambda: sbml(edited("A -> B; k*A; k = 2", algebraic_rule, (3, 1))),
        cn.ReactionError,
        "has no algebraic rules; the model has 1",
    ),
    (
        lambda: sbml(edited("A -> B; k*A; k = 2", fast, (3, 1))),
        cn.ReactionError,
        "has no fast reactions; the model has 1",
    ),
    (
        lambda: sbml(edited("A -> B; k*A; k = 2", unknown_symbol, (3, 2))),
        cn.ReactionError,
        "reaction '_J0' reads 'ghost'; expected species and parameters",
    ),
    *(
        (
            lambda edit=edit: sbml(edited("A -> B; k*A; k = 2", edit)),
            cn.ReactionError,
            f"(reaction '_J0', how many of 'A' it takes or makes|the value of 'n').*{message}",
        )
        for edit, message in (
            (stoichiometry_without_end, "has no finite value"),
            (stoichiometry_of_the_time, "reads the time"),
        )
    ),
    *(
        (
            lambda edit=edit: sbml(edited("A -> B; k*A; k = 2; m = 3", edit)),
            (cn.FileFormatError, cn.ReactionError),
            r"'ghost'|go in a circle: k -> m -> k",
        )
        for edit in (unknown_product, rules_in_a_circle)
    ),
    (lambda: sbml(""), cn.FileFormatError, "not valid SBML"),
    (lambda: sbml("A -> B"), cn.FileFormatError, "not valid SBML, line .*not well-formed"),
    (lambda: sbml("<html/>"), cn.FileFormatError, "not valid SBML"),
    (
        lambda: sbml(
            '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level3/version2/core"'
            ' level="3"'
        ),
        cn.FileFormatError,
        "not valid SBML",
    ),
    (
        lambda: sbml(
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"/>'
        ),
        cn.FileFormatError,
        "holds no model",
    ),
    (
        # a csymbol may have any text: a species t beside it is another thing
        lambda: sbml(
            antimony_to_sbml(
                "A -> ; k*A; k = 2; A = 1; species t = 1; B -> ; B*time; B = 1"
            ).replace("> time <", "> t <")
        ),
        cn.ReactionError,
        "reads the time",
    ),
    (
        lambda: import_sbml("<?xml version='1.0'?><sbml/>"),
        cn.InputError,
        "expected the name of",
    ),
    # files
    *(
        (lambda read=read, name=name: read(name), error, re.escape(repr(name)))
        for read in (import_sbml, import_crn)
        for name, error in (("nothing.xml", FileNotFoundError), (os.curdir, IsADirectoryError))
    ),
    # .crn, RNCRN's own
    *(
        (lambda text=text: read(import_crn, "m.crn", text), cn.FileFormatError, pattern)
        for text, pattern in (
            ("#A=1\n#A=2\nA->B,1", "line 2: the concentration of 'A' is given twice"),
            ("#A=1e999\nA->B,1", "line 1: the concentration 1e999 is too large"),
            ("A->B,", r"line 1: the rate is \[\]; expected"),
            ("A->B,-1", "line 1: the rate is -1; expected a number >= 0"),
            ("#A=1,B=-2\nA->B,1", "line 1: the concentration is -2; expected a number >= 0"),
            ("#A=1,B=x\nA->B,1", "line 1: the comment 'A=1,B=x' .* concentration of 'A', but"),
            ("A->B,1\n# starts: A=1, B=2", "line 2: .* expected nothing but numbers with names"),
            ("A->B,1 # A = nan", "line 1: the comment .* seems to give"),
            ("#A=1 B=2\nA->B,1", "line 1: the comment .* seems to give"),
            ("A+0->B,1", "line 1: '0' is not a species, .* a side without any is empty or 0"),
            ("A->B,k=1,2", "line 1: .* is neither a reaction"),
            ("A -> B\nA → B", "line 2: 'A → B' is neither a reaction"),
        )
    ),
    # .crn
    (lambda: crn("A", line=3), cn.FileFormatError, "line 3: 'A' is neither a reaction"),
    (lambda: crn("A = B", line=3), cn.FileFormatError, "line 3: 'A = B' is neither a reaction"),
    (
        lambda: crn("A -> B -> C", line=3),
        cn.FileFormatError,
        "line 3: 'A -> B -> C' is neither a reaction",
    ),
    (
        lambda: crn("A -> B [k = 1] and so on", line=3),
        cn.FileFormatError,
        "line 3: .* is neither a reaction",
    ),
    (
        lambda: crn("A @initial -1", line=3),
        cn.FileFormatError,
        "line 3: the concentration is -1; expected a number >= 0",
    ),
    (
        lambda: crn("A @initial 1 nM", line=3),
        cn.FileFormatError,
        "line 3: 'A @initial 1 nM' is neither a reaction",
    ),
    (
        lambda: crn("A @start 1", line=3),
        cn.FileFormatError,
        "line 3: 'A @start 1' is neither a reaction",
    ),
    (
        lambda: crn("A B -> C", line=3),
        cn.FileFormatError,
        "line 3: 'A B' is not a species, such as A or 2A",
    ),
    (lambda: crn("A + -> C", line=3), cn.FileFormatError, "line 3: '' is not a species"),
    (
        lambda: crn("-2A -> C", line=3),
        cn.FileFormatError,
        "line 3: '-2A -> C' is neither a reaction",
    ),
    (
        lambda: crn("A -> B [k = -1]", line=3),
        cn.FileFormatError,
        "line 3: the rate is -1; expected a number >= 0",
    ),
    (
        lambda: crn("A -> B [k = x]", line=3),
        cn.FileFormatError,
        r"line 3: the rate is \[k = x\]; expected \[k = 1\], numbers >= 0",
    ),
    (
        lambda: crn("A -> B [kf = 1, kr = 2]", line=3),
        cn.FileFormatError,
        r"line 3: the rate is \[kf = 1, kr = 2\]; expected \[k = 1\], numbers >= 0",
    ),
    (
        lambda: crn("A <=> B [k = 1]", line=3),
        cn.FileFormatError,
        r"line 3: the rate is \[k = 1\]; expected \[kf = 1, kr = 2\] or \[1, 2\]",
    ),
    (
        lambda: crn("X @initial 2", line=3),
        cn.FileFormatError,
        "line 3: the concentration of 'X' is given twice",
    ),
    (
        lambda: crn("X @c 2", line=3),
        cn.FileFormatError,
        "line 3: the concentration of 'X' is given twice",
    ),
    *(
        (lambda rates=rates: crn(f"A <=> B [{rates}]"), cn.FileFormatError, "line 1")
        for rates in ("kf = 1, kf = 2", "kr = 1, kr = 2", "k = 1, k = 2")
    ),
    *(
        (lambda text=text: crn(text), cn.FileFormatError, r"line 1: the .* is too large a number")
        for text in ("A -> B [k = 1e400]", "A @initial 1e400")
    ),
    # scikit-learn
    (lambda: cn.from_sklearn(LogisticRegression()), cn.NetworkError, "not fitted"),
    (lambda: cn.from_sklearn(MinMaxScaler().fit(IRIS[0])), cn.NetworkError, "got a MinMaxScaler"),
    (lambda: cn.from_sklearn(MLPClassifier()), cn.NetworkError, "not fitted"),
    (
        lambda: cn.from_sklearn(make_pipeline(MinMaxScaler(), MLPClassifier())),
        cn.NetworkError,
        "MinMaxScaler is not fitted",
    ),
    (
        lambda: cn.from_sklearn(classifier(PolynomialFeatures()).fit(*IRIS)),
        cn.NetworkError,
        "has a PolynomialFeatures",
    ),
    (
        lambda: cn.from_sklearn(classifier(MinMaxScaler(clip=True)).fit(*IRIS)),
        cn.NetworkError,
        "without clip",
    ),
    (
        lambda: cn.from_sklearn(
            MLPClassifier(hidden_layer_sizes=(3,), max_iter=5).fit(
                IRIS[0], np.eye(3, dtype=int)[IRIS[1]]
            )
        ),
        cn.NetworkError,
        "several labels a sample",
    ),
    (
        lambda: cn.from_sklearn(
            MLPRegressor(hidden_layer_sizes=(4,), max_iter=5).fit([[0.0], [1.0]], [0.0, 1.0]),
            class_names=["off", "on"],
        ),
        cn.NetworkError,
        "expected task='classification'",
    ),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_errors_say_what_is_wrong(call, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        call()
