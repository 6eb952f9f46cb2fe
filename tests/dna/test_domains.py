"""Strands: what their domains do is what the steps say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.formal import FORMAL, _molecules, network

import crn_nn_tellurium as cn


@pytest.mark.parametrize("name", [name for name in FORMAL if name != "smoothed ReLU"])
def test_domains_do_what_the_steps_say(name, tmp_path):
    """Peppercorn enumerates what the strands do to one another; condensed, it is our steps and no
    other.

    Strands that differ in their history are one signal. Remote toeholds are left out: where two of
    one signal meet and make it again, they rearrange complexes at rates some thousand times
    smaller.
    """
    pytest.importorskip("peppercornenumerator")
    formal = network(FORMAL[name])
    dna = cn.to_strand_displacement(formal)
    path = cn.export(dna, tmp_path / "net.pil")
    command = shutil.which("peppercorn") or str(Path(sys.executable).with_name("peppercorn"))
    options = [
        "--condensed",
        "--release-cutoff",
        "8",
        "--max-complex-size",
        "10",
        "--reject-remote",
    ]
    done = subprocess.run(
        [command, str(path), *options], capture_output=True, text=True, check=True, timeout=120
    )
    kernels = {}
    reactions = []
    for line in done.stdout.splitlines():
        if line.startswith("reaction"):
            before, after = line.partition("]")[2].split("->")
            reactions.append(
                tuple(tuple(part.strip() for part in side.split("+")) for side in (before, after))
            )
        elif "=" in line and not line.startswith(("length", "macrostate", "#")):
            species, _, kernel = line.partition("=")
            kernels[species.strip()] = kernel.partition("@")[0].strip()
    known = {s.id for s in formal.species} | set(dna.fuels)
    found = set()
    for before, after in reactions:
        sides = [
            tuple(sorted(filter(None, (_species(s, kernels, known) for s in side))))
            for side in (before, after)
        ]
        found.add(tuple(sides))
    wanted = set()
    for r in dna.reactions:
        sides = []
        for side in (r.substrates, r.products):
            sides.append(tuple(sorted(s for s in _molecules(side) if s in known)))
        wanted.add(tuple(sides))
    assert found == wanted


def _species(name, kernels, known):
    """A signal whatever its history, a fuel by its name, "" for what the steps make on the way and
    for waste.
    """
    if name in known:
        return name
    domains = kernels[name].split()
    if "+" not in domains and len(domains) == 4 and domains[1].startswith("t_"):
        signal = domains[1].removeprefix("t_")
        return signal if domains[1:] == [f"t_{signal}", f"d_{signal}", f"u_{signal}"] else ""
    return ""


def test_strands_pair_with_their_complements():
    parts = cn.domain_parts(cn.to_strand_displacement(cn.load_model("xor")), toehold=5, long=17)
    for part in parts.complexes:
        stack = []
        flat = [
            (domain, mark)
            for strand, marks in zip(part.strands, part.pairs, strict=True)
            for domain, mark in zip(strand.domains, marks, strict=True)
        ]
        for domain, mark in flat:
            if mark == "(":
                stack.append(domain)
            elif mark == ")":
                assert domain == f"{stack.pop()}*", part.kernel
        assert not stack
        if len(part.strands) > 1:
            assert flat[-1][1] == "."  # one toehold is open
    assert set(parts.lengths.values()) == {5, 17}
    assert parts.total_length == sum(map(parts.length, parts.strands))


def test_parts_and_designs_are_written(tmp_path):
    dna = cn.to_strand_displacement(cn.load_model("xor"), [0, 1])
    parts = cn.domain_parts(dna)
    path = cn.export(dna, tmp_path / "order.csv", "parts")
    rows = path.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(parts.complexes)
    assert rows[0].split(",") == list(parts.to_frame().columns)
    strands = (tmp_path / "order.strands.csv").read_text(encoding="utf-8").splitlines()
    assert strands[-1].split(",")[:2] == ["all", str(parts.total_length)]
    design = cn.export(dna, tmp_path / "net.np", toehold=5).read_text(encoding="utf-8")
    for line in design.splitlines():
        if line.startswith("structure"):
            marks = line.partition("=")[2]
            assert marks.count("(") == marks.count(")")
    with pytest.raises(
        cn.FileFormatError,
        match="no strand displacement implementation; to_strand_displacement makes",
    ):
        cn.export(cn.load_model("xor"), tmp_path / "net.pil")


def test_names_of_domains_and_strands_give_way_to_the_models(tmp_path):
    """Species that are called like our domains and strands, and an owner that two domains could
    have.
    """
    reactions = [cn.Reaction("J", ("A",), ("J_1", "d_A"), "k", 1.0)]
    crn = cn.ReactionNetwork(
        [cn.Species(name) for name in ("A", "J_1", "d_A", "strand_0")], reactions
    )
    dna = cn.to_strand_displacement(crn)
    parts = cn.domain_parts(dna)
    signals = {
        part.name: part.strands[0].domains for part in parts.complexes if part.role == "signal"
    }
    flat = [domain for domains in signals.values() for domain in domains]
    assert len(flat) == len(set(flat)) == 16
    assert not set(parts.lengths) & {part.name for part in parts.complexes}
    (translator,) = (part for part in parts.complexes if part.role == "translator")
    histories = {strand.domains[0] for strand in translator.strands[:-1]}
    assert len(histories) == 2
    assert not histories & set(flat)
    design = cn.export(dna, tmp_path / "net.np").read_text(encoding="utf-8").splitlines()
    names = [
        line.split()[1] for line in design if line.split()[0] in ("domain", "strand", "structure")
    ]
    assert len(names) == len(set(names))
