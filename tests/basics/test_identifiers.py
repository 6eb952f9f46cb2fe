"""Reserved words, proved against libAntimony itself: every word that stands in it is tried."""

import itertools
import re
import string
from functools import partial
from pathlib import Path

import antimony
import pytest
from support.timing import cpu_seconds

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics.identifiers import (
    OURS,
    RESERVED,
    first_twice,
    free_id,
    headings_by_name,
    suggest_identifiers,
)
from crn_nn_tellurium.chemistry import checking
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.networks.structure import checked_names

AT_A_TIME = 128  # words of one text: libAntimony reads these fastest
ROLES = "species", "rate constant", "reaction", "read-out"
# what no libAntimony refuses, but other readers of formulas take for a function
OF_OTHERS = {"asinh"}


def words_of_libantimony(bare=False):
    """Whatever looks like an identifier among its constants: keywords, functions, units, messages.

    All of them, or the bare ones: words that make up a whole string, or its end, since a linker
    keeps "item" once where a string "xitem" ends in it.
    """
    data = Path(antimony.__file__).with_name("libantimony.so").read_bytes()
    # a million bytes to either side of a keyword: its table of constants, and some machine code
    middle = data.index(b"\0piecewise\0")
    table = data[max(0, middle - 10**6) : middle + 10**6]
    if not bare:
        found = re.findall(rb"(?<![A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]{0,24}(?![A-Za-z0-9_])", table)
        return {word.decode() for word in found}
    whole = re.findall(rb"(?<=\0)[A-Za-z_][A-Za-z0-9_]{0,24}(?=\0)", table)
    ends = {word[i:].decode() for word in whole for i in range(len(word))}
    return {word for word in ends if re.match("[A-Za-z_]", word)}


def all_species(words):
    return cn.ReactionNetwork([cn.Species(word, 1.0) for word in words], [], [], "whole9model")


def turned(turn, words):
    """A network where each word is one thing: which depends on its place, and on the turn."""
    species, reactions, observables = [], [], []
    for i, word in enumerate(words):
        ids = [f"{role[0]}9_{i}" for role in ("s", "k", "j", "o")]
        ids[(i + turn) % len(ROLES)] = word
        s, k, j, o = ids
        species.append(cn.Species(s, 1.0))
        reactions.append(cn.Reaction(j, (s,), (), k, 2.0))
        observables.append(cn.Observable(o, cn.Expression((cn.Monomial(1.0, ((s, 1.0),)),))))
    return cn.ReactionNetwork(species, reactions, observables, "whole9model")


def model_called(words):
    return cn.ReactionNetwork([cn.Species("the9_species", 1.0)], [], [], *words)


def is_read(words, network, units=None):
    """Whether libAntimony reads all of them as what they are, in formulas too."""
    crn = network(words)
    try:
        sbml = antimony_to_sbml(cn.to_antimony(crn, units=units))
    except cn.ReactionError:
        return False
    read = re.findall(r'<(species|parameter|reaction|model) [^>]*?\bid="(\w+)"', sbml)
    observables = [o.id for o in crn.observables]
    expected = {("model", crn.name)}
    expected |= {("species", s.id) for s in crn.species}
    expected |= {("reaction", r.id) for r in crn.reactions}
    expected |= {("parameter", name) for name in (*crn.rate_constants, *observables)}
    in_formulas = set(re.findall(r"<ci> (\w+) </ci>", sbml))
    named = {s for r in crn.reactions for s, _ in r.substrates} | {*crn.rate_constants}
    return expected == {*read} and in_formulas.issuperset(named)


def unreadable(words, network, units=None):
    """Those that are not read, by halves."""
    if is_read(words, network, units):
        return []
    if len(words) == 1:
        return list(words)
    half = len(words) // 2
    return [*unreadable(words[:half], network, units), *unreadable(words[half:], network, units)]


def all_unreadable(words, network, units=None):
    allowed = sorted(word for word in words if word.lower() not in RESERVED)
    parts = [allowed[i : i + AT_A_TIME] for i in range(0, len(allowed), AT_A_TIME)]
    return [bad for part in parts for bad in unreadable(part, network, units)]


def test_there_are_words_of_libantimony_to_try():
    """Its keywords are among those found, so that the tests below try them."""
    found = {word.lower() for word in words_of_libantimony()}
    assert {"maximize", "constraint", "substanceonly", "default_compartment", "mole"} <= found


def test_no_word_of_libantimony_is_missing():
    assert all_unreadable(words_of_libantimony(), all_species) == []


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(len(ROLES)), ids=ROLES)
@pytest.mark.parametrize("units", [None, cn.PhysicalUnits(10, 100)], ids=["plain", "units"])
def test_no_word_is_missing_whatever_it_names(units, turn):
    """In every role, with every unit that we write; and words of up to three letters, which
    compilers hide in instructions.
    """
    letters = string.ascii_lowercase
    short = {"".join(w) for n in (1, 2, 3) for w in itertools.product(letters, repeat=n)}
    words = words_of_libantimony() | words_of_libantimony(bare=True) | short
    assert all_unreadable(words, partial(turned, turn), units) == []


@pytest.mark.slow
def test_no_word_is_missing_for_models():
    words = {w for w in words_of_libantimony() if w.lower() not in RESERVED}
    assert [word for word in words if not is_read([word], model_called)] == []


def test_every_reserved_word_is_one(monkeypatch):
    """In one of its spellings and as one thing, libAntimony takes it for something else, or it is a
    name of ours.
    """
    orders = [("A",) * n for n in range(4)]
    crn = cn.ReactionNetwork(
        [cn.Species("A")], [cn.Reaction(f"J{n}", s, (), f"k{n}", 1.0) for n, s in enumerate(orders)]
    )
    text = cn.to_antimony(crn, units=cn.PhysicalUnits(10, 100))
    ours = {name.lower() for name in re.findall(r"(?:unit|compartment) (\w+) =", text)}
    of_sbml = {"extent", "substance", "time_unit", "volume"}
    assert ours == OURS | of_sbml
    monkeypatch.setattr(checking, "reserved", lambda word: None)
    spellings = {word: {word} for word in RESERVED - ours}
    for word in words_of_libantimony():
        if word.lower() in spellings:
            spellings[word.lower()].add(word)
    things = [*(partial(turned, turn) for turn in range(len(ROLES))), model_called]
    needless = {
        word
        for word, spelled in spellings.items()
        if all(is_read([w], thing) for w in spelled for thing in things)
    }
    assert needless == OF_OTHERS


def test_every_reserved_word_is_refused_at_once():
    """Where a network is made, whatever the word names, in capitals; it says whose it is."""
    for word in (*RESERVED, *(word.upper() for word in RESERVED)):
        whose = "ours, a unit or compartment" if word.lower() in OURS else "Antimony or SBML"
        for thing in (*(partial(turned, turn) for turn in range(len(ROLES))), model_called):
            with pytest.raises(
                cn.ReactionError, match=f"'{word}': .*word of {whose}.* '{word}_' w"
            ):
                thing([word])


@pytest.mark.parametrize(
    "word",
    "item mole litre second eq constraint maximize default_compartment DNA comp nM time".split(),
)
def test_importers_rename_what_is_reserved(word, tmp_path):
    path = tmp_path / "m.crn"
    path.write_text(f"{word} -> B [k = 2]")
    found = cn.import_crn(path)
    assert [s.id for s in found.species] == [f"{word}_", "B"]
    assert found.species[0].name == word
    assert f'id="{word}_"' in antimony_to_sbml(cn.to_antimony(found))


GROWING = {
    "8,000 equal names": lambda n: suggest_identifiers("input", ["a b"] * n),
    "columns that become the same": lambda n: headings_by_name(["a b"] * n),
    "40,000 CSV columns": lambda n: first_twice([f"c{i}" for i in range(n)]),
    "40,000 inputs": lambda n: checked_names("input", [f"i{k}" for k in range(n)], "x", n),
}


@pytest.mark.parametrize("work", GROWING.values(), ids=GROWING.keys())
def test_names_are_checked_in_time_that_grows_with_their_number(work):
    """Quadratic, four times as many took sixteen times as long: 8,000 equal names 16 s."""
    few, many = (cpu_seconds(lambda n=n: work(n)) for n in (2_000, 8_000))
    assert many < 9 * few  # 4 if linear, with room for a busy machine; 16 if quadratic


def test_a_name_that_is_free_is_found_among_many():
    taken = {"a", "a_2", "b", *(f"c_{n}" for n in range(2, 1001)), "c"}
    assert [free_id(name, taken) for name in "aabcd"] == ["a_3", "a_4", "b_2", "c_1001", "d"]
    assert free_id("A", {"a"}, str.lower) == "A_2"
