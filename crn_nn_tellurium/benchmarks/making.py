"""Benchmarks of what is made of a network: text, compiled models, files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from crn_nn_tellurium.benchmarks import peers
from crn_nn_tellurium.benchmarks.declared import OURS, Benchmark, Contender, Work
from crn_nn_tellurium.benchmarks.models import (
    LADDER,
    Equations,
    inputs,
    network,
    plain_text,
    reactions,
)
from crn_nn_tellurium.benchmarks.peers import COPASI_NEEDS, SCRIPT_NEEDS
from crn_nn_tellurium.benchmarks.worker import environment
from crn_nn_tellurium.encoding import to_antimony, to_reactions
from crn_nn_tellurium.exporters import export
from crn_nn_tellurium.importers import antimony_to_sbml
from crn_nn_tellurium.simulation import CACHE_VARIABLE, Simulator, clear_cache


@contextmanager
def models_kept(folder: str) -> Iterator[None]:
    """Without what this process has compiled, and with another folder of compiled models."""
    with environment({CACHE_VARIABLE: folder}):
        clear_cache()
        yield


# Text --------------------------------------------------------------------------------------------


def our_text(case: str) -> Work:
    """The whole network as reactions, and these as Antimony."""
    net = network(case)

    def run() -> None:
        to_antimony(to_reactions(net))

    return Work(run)


def text_by_loop(case: str) -> Work:
    """A loop that writes the reactions of each weight, and nothing else."""
    net = network(case)

    def run() -> None:
        "\n".join(_lines(net))

    return Work(run)


def _lines(net: Any) -> Iterator[str]:
    for number, (weights, bias, h, signs) in enumerate(Equations.of(net).layers, 1):
        for unit, (row, shift) in enumerate(zip(weights.tolist(), bias.tolist(), strict=True)):
            for rail, sign in enumerate(signs.tolist()):
                y = f"Y{number}_{unit}_{rail}"
                yield f"{y} = 0; => {y}; {h!r}; {y} => ; {y}^2"
                yield f"=> {y}; {sign * shift!r}*{y}"
                for source, weight in enumerate(row):
                    x = f"V{number - 1}_{source}"
                    yield f"{x} + {y} => {x} + 2 {y}; {sign * weight!r}*{x}*{y}"


# Compiled models ---------------------------------------------------------------------------------


def our_compile(case: str, kept: bool = False) -> Work:
    """Compile what steady states need, with nothing compiled before or all of it by any process."""
    net, folder = network(case), tempfile.mkdtemp() if kept else "off"

    def run() -> None:
        with models_kept(folder):
            Simulator(net).compile()

    if kept:
        run()
    else:
        Simulator(network("2-2-3")).compile()
    return Work(run)


def script_compile(case: str) -> Work:
    """te.loada of a text that is there."""
    peers.warm_tellurium()
    text = plain_text(reactions(case))

    def run() -> None:
        peers.loaded(text)

    return Work(run)


def copasi_compile(case: str) -> Work:
    """COPASI's reading of SBML that is there."""
    text = peers.sbml_text(reactions(case))
    peers.Copasi(peers.sbml_text(reactions("2-2-3"))).close()
    return Work(lambda: peers.Copasi(text).close())


def jax_compile(case: str) -> Work:
    """Newton's method for the equations, compiled for one input, and run."""
    return Work(peers.jax_first(case).run)


def roadrunner_state(case: str) -> Work:
    """roadrunner's own `loadState` of what it saved."""
    import tellurium as te

    path = Path(tempfile.mkdtemp(), "state.rr")
    peers.loaded(plain_text(reactions(case))).saveState(str(path))

    def run() -> None:
        te.tellurium.ExtendedRoadRunner().loadState(str(path))

    return Work(run)


def our_runner(case: str, kept: bool = False) -> Work:
    """`to_roadrunner`: tellurium's object of the whole network."""
    from crn_nn_tellurium.tellurium_model import to_roadrunner

    net, x = network(case), inputs(case, 1)[0]
    peers.warm_tellurium()
    folder = tempfile.mkdtemp() if kept else "off"

    def run() -> None:
        with models_kept(folder):
            to_roadrunner(net, x)

    if kept:
        run()
    return Work(run)


# Files -------------------------------------------------------------------------------------------


def our_file(case: str, name: str) -> Work:
    """From network to a file, whose ending says of which kind: one of COPASI has its tasks."""
    net, path = network(case), Path(tempfile.mkdtemp(), name)

    def run() -> None:
        export(net, path, overwrite=True)

    return Work(run)


def antimony_sbml(case: str) -> Work:
    """libAntimony's translation of the network's text."""
    net = network(case)

    def run() -> None:
        antimony_to_sbml(plain_text(to_reactions(net)))

    return Work(run)


def biocrnpyler_sbml(case: str) -> Work:
    """BioCRNpyler's reactions, and the SBML that it writes."""
    import biocrnpyler as bcp

    path = Path(tempfile.mkdtemp(), "net.xml")
    net = network(case)

    def run() -> None:
        crn = to_reactions(net)
        species = {one.id: bcp.Species(one.id) for one in crn.species}
        made = []
        for reaction in crn.reactions:
            sides = [
                [species[name] for name, count in side for _ in range(int(count))]
                for side in (reaction.substrates, reaction.products)
            ]
            made.append(bcp.Reaction.from_massaction(*sides, k_forward=reaction.value))
        bcp.ChemicalReactionNetwork(list(species.values()), made).write_sbml_file(str(path))

    return Work(run)


def copasi_cps(case: str) -> Work:
    """COPASI's reading of SBML, and its file."""
    import basico

    text = peers.sbml_text(reactions(case))
    path = Path(tempfile.mkdtemp(), "net.cps")

    def run() -> None:
        copasi = peers.Copasi(text)
        basico.save_model(str(path), model=copasi.model)
        copasi.close()

    return Work(run)


MAKING = (
    Benchmark(
        "generation",
        "Text of the whole network",
        "From a network to Antimony with every species, reaction, unit and value.",
        "a network",
        LADDER,
        (
            Contender(OURS, our_text, limit=40.0),
            Contender(
                "a loop that writes strings",
                text_by_loop,
                faster_because="it writes lines for this one activation and makes no reactions that"
                " can be checked, drawn or exported; a bare loop is the limit of what Python does",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "compile",
        "Compile, nothing compiled before",
        "From a network (peers: from their text) to what steady states are solved with.",
        "a network",
        LADDER,
        (
            Contender(OURS, our_compile, ("roadrunner",)),
            Contender(
                "te.loada",
                script_compile,
                SCRIPT_NEEDS,
                "small networks have fewer reactions than the models of eight neurons that are"
                " compiled here for each kind of unit, whatever the size",
            ),
            Contender(
                "COPASI",
                copasi_compile,
                COPASI_NEEDS,
                "it interprets reactions and compiles none",
            ),
            Contender(
                "JAX",
                jax_compile,
                ("jax",),
                "it compiles the equation of one rail, which somebody derived by hand",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "compile_cached",
        "Compile, compiled before by any process",
        "The same from the folder of compiled models; roadrunner from a state that it saved.",
        "a network",
        LADDER,
        (
            Contender(OURS, partial(our_compile, kept=True), ("roadrunner",)),
            Contender(
                "roadrunner's loadState",
                roadrunner_state,
                SCRIPT_NEEDS,
                "its state of a small network is smaller than those of eight neurons for each kind"
                " of unit, which are read here and checked by a digest",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "to_roadrunner",
        "tellurium's object of the whole network",
        "`to_roadrunner(net, x)` beside `te.loada` of the same reactions, nothing compiled before.",
        "a network",
        ("xor", *LADDER[:2], "20-40-5", "digits", *LADDER[3:]),
        (
            Contender(OURS, our_runner, SCRIPT_NEEDS, limit=30.0),
            Contender(
                OURS + ", compiled before",
                partial(our_runner, kept=True),
                SCRIPT_NEEDS,
                limit=30.0,
                is_peer=False,
            ),
            Contender(
                "te.loada",
                script_compile,
                SCRIPT_NEEDS,
                "our object has the network's reactions, Newton's method and units with it, which"
                " costs more than it saves where there are few reactions",
                limit=60.0,
            ),
        ),
        budget=120.0,
        agreement=None,
    ),
    Benchmark(
        "export_sbml",
        "An SBML file",
        "From a network to SBML of all its reactions.",
        "a file",
        LADDER,
        (
            Contender(OURS, partial(our_file, name="net.xml"), ("libsbml",), limit=40.0),
            Contender(
                "libAntimony",
                antimony_sbml,
                ("antimony",),
                "its text has neither units nor annotations, and of few reactions it is read at"
                " once; its time grows with the square of the size",
            ),
            Contender(
                "BioCRNpyler",
                biocrnpyler_sbml,
                ("biocrnpyler",),
                "it writes neither units, annotations nor rules",
            ),
        ),
        agreement=None,
    ),
    Benchmark(
        "export_copasi",
        "A COPASI file",
        "From a network to .cps with steady state, time course and estimation set up; COPASI reads"
        " SBML that is there and saves it.",
        "a file",
        LADDER[:4],
        (
            Contender(OURS, partial(our_file, name="net.cps"), COPASI_NEEDS),
            Contender(
                "COPASI",
                copasi_cps,
                COPASI_NEEDS,
                "it is asked for no tasks, and needs no process of its own, whose start takes a"
                " second here",
            ),
        ),
        agreement=None,
    ),
)
