"""Independent readers of exported files, each in a process of its own: they share libraries that
clash.

    echo '{"reader": "copasi", "paths": ["xor.cps"], "t_end": 2000}' |
        python tests/support/readers.py

prints a list with, per file, the values at `t_end` by name: species, and read-outs where the format
has them. Nothing of crn_nn_tellurium is used here.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def roadrunner(path, t_end):
    """libRoadRunner: CVODE to the end of time."""
    import roadrunner as engine

    r = engine.RoadRunner(str(path))
    r.integrator.relative_tolerance, r.integrator.absolute_tolerance = 1e-10, 1e-14
    r.integrator.maximum_num_steps = 200_000
    r.simulate(0, t_end, 2)
    # r.model is the species, where one is called so
    model = r.getModel()
    names = [*model.getFloatingSpeciesIds(), *model.getBoundarySpeciesIds()]
    values = {name: r[f"[{name}]"] for name in names}
    return values | {name: r[name] for name in model.getGlobalParameterIds()}


def copasi(path, t_end):
    """COPASI: its steady-state task."""
    import basico

    model = basico.load_model(str(path))
    if (found := basico.run_steadystate(model=model)) != 1:
        raise RuntimeError(f"COPASI's steady state ends with {found}")
    values = {}
    for column, table in (
        ("concentration", basico.get_species(model=model)),
        ("value", basico.get_parameters(model=model)),
    ):
        if table is not None:
            # a .cps has names alone, which are the identifiers
            names = [
                own or name
                for own, name in zip(table["sbml_id"].tolist(), table.index.tolist(), strict=True)
            ]
            values |= dict(zip(names, table[column].tolist(), strict=True))
    basico.remove_datamodel(model)
    return values


def copasi_course(path, t_end):
    """COPASI: its time course, by LSODA."""
    import basico

    model = basico.load_model(str(path))
    basico.run_time_course(0, t_end, 10, model=model, r_tol=1e-10, a_tol=1e-14, automatic=False)
    table = basico.get_species(model=model)
    names = [
        own or name
        for own, name in zip(table["sbml_id"].tolist(), table.index.tolist(), strict=True)
    ]
    return dict(zip(names, table["concentration"].tolist(), strict=True))


def antimony(path, t_end):
    """libAntimony and libRoadRunner."""
    import antimony as language

    if language.loadAntimonyFile(str(path)) < 0:
        raise RuntimeError(language.getLastError())
    with tempfile.TemporaryDirectory() as folder:
        sbml = Path(folder, "model.xml")
        sbml.write_text(language.getSBMLString(language.getMainModuleName()), encoding="utf-8")
        return roadrunner(sbml, t_end)


def petab(path, t_end):
    """The model that petab's problem has, by libRoadRunner."""
    import warnings

    warnings.simplefilter("ignore")
    import libsbml
    from petab import v1

    problem = v1.Problem.from_yaml(str(path))
    with tempfile.TemporaryDirectory() as folder:
        sbml = Path(folder, "model.xml")
        sbml.write_text(libsbml.writeSBMLToString(problem.model.sbml_document), encoding="utf-8")
        return roadrunner(sbml, t_end)


def gillespy2(path, t_end):
    """GillesPy2: its ODE solver. It has no steady-state method and reads no assignment rules of
    parameters.
    """
    from gillespy2 import ODESolver, TimeSpan, import_SBML

    model, problems = import_SBML(str(path))
    if model is None:
        raise RuntimeError(f"GillesPy2 reads nothing: {problems}")
    model.timespan(TimeSpan([0.0, t_end / 2, t_end]))
    result = ODESolver(model=model).run(
        integrator="lsoda", integrator_options={"rtol": 1e-9, "atol": 1e-12, "nsteps": 10**6}
    )
    return {name: float(result[name][-1]) for name in model.listOfSpecies}


def bionetgen(path, t_end):
    """BNG2.pl, as the bionetgen package brings it: CVODE to the time that the file says."""
    with tempfile.TemporaryDirectory() as folder:
        _bng(path, folder)
        (table,) = Path(folder).glob("*.gdat")
        heading, *rows = table.read_text(encoding="utf-8").splitlines()
    names = heading.lstrip("#").split()
    return {
        n.removesuffix("_c"): v for n, v in zip(names, map(float, rows[-1].split()), strict=True)
    }


def _bng(path, folder):
    home = Path(importlib.util.find_spec("bionetgen").origin).parent / "bng-linux"
    done = subprocess.run(
        ["perl", str(home / "BNG2.pl"), "--outdir", folder, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])


def pysb(path, t_end):
    """PySB: BioNetGen makes the network, scipy's LSODA integrates it."""
    home = Path(importlib.util.find_spec("bionetgen").origin).parent / "bng-linux"
    os.environ["BNGPATH"] = str(home)
    from pysb.simulator import ScipyOdeSimulator

    model = _module(path).model
    options = {"rtol": 1e-10, "atol": 1e-13, "mxstep": 200_000}
    simulator = ScipyOdeSimulator(
        model, [0, t_end], integrator="lsoda", integrator_options=options, compiler="python"
    )
    last = simulator.run().all[-1]
    return {
        name.removesuffix("_c"): float(last[name])
        for name in last.dtype.names
        if not name.startswith("__")
    }


def _module(path):
    spec = importlib.util.spec_from_file_location("exported_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["exported_model"] = module
    spec.loader.exec_module(module)
    return module


def crnsimulator(path, t_end):
    """crnsimulator: its parser and its ODE system, integrated by its own template."""
    from crnsimulator import ReactionGraph, get_integrator, parse_crn_file

    network, species = parse_crn_file(str(path))
    graph = ReactionGraph(network)
    names = sorted(graph.species)
    with tempfile.TemporaryDirectory() as folder:
        start = {s: species[s] for s in names}
        filename, _ = graph.write_ODE_lib(
            sorted_vars=names,
            concvect=[start[s][1] for s in names],
            const=[start[s][0] == "constant" for s in names],
            jacobian=True,
            filename=f"{folder}/odes.py",
        )
        integrate = get_integrator(filename)
        import argparse

        from crnsimulator.odelib_template import add_integrator_args

        parser = argparse.ArgumentParser()
        add_integrator_args(parser)
        args = parser.parse_args(
            [
                "--t8",
                str(t_end),
                "--t-lin",
                "3",
                "--atol",
                "1e-12",
                "--rtol",
                "1e-9",
                "--mxstep",
                "200000",
            ]
        )
        rows = [list(row) for row in integrate(args)]
    return dict(zip(names, map(float, rows[-1][1:]), strict=True))


def biocrnpyler(path, t_end):
    """BioCRNpyler compiles the script to SBML of its own, libRoadRunner integrates that."""
    crn = _module(path).CRN
    with tempfile.TemporaryDirectory() as folder:
        crn.write_sbml_file(f"{folder}/crn.xml")
        return roadrunner(f"{folder}/crn.xml", t_end)


def bioscrape(path, t_end):
    """bioscrape: its deterministic simulator."""
    from bioscrape.simulator import py_simulate_model
    from bioscrape.types import Model

    model = Model(sbml_filename=str(path), sbml_warnings=False)
    table = py_simulate_model(np.linspace(0, t_end, 1000), Model=model, stochastic=False)
    return {name: float(table[name].iloc[-1]) for name in table.columns if name != "time"}


def kasim(path, t_end):
    """KaSim, as kappy brings it: one stochastic run, the mean of its second half."""
    names, runs = _kasim(path, t_end, t_end / 200, 1)
    rows = np.array([row for row in runs[0] if row[0] > t_end / 2], dtype=float)
    return dict(zip(names, rows.mean(axis=0).tolist(), strict=True))


def kasim_ends(path, t_end, n_runs=4):
    """KaSim: the mean of the ends of some runs."""
    names, runs = _kasim(path, t_end, t_end, n_runs)
    ends = [max(rows, key=lambda row: row[0]) for rows in runs]
    return dict(zip(names, np.mean(ends, axis=0).tolist(), strict=True))


def _kasim(path, t_end, step, n_runs):
    import kappy

    client, runs = kappy.KappaStd(), []
    try:
        client.add_model_string(Path(path).read_text(encoding="utf-8"))
        client.project_parse()
        for seed in range(1, n_runs + 1):
            setting = kappy.SimulationParameter(step, f"[T] > {t_end}", seed=seed)
            client.simulation_start(setting)
            client.wait_for_simulation_stop()
            plot = client.simulation_plot()
            runs.append(plot["series"])
            client.simulation_delete()
    finally:
        client.shutdown()
    return [name.strip("'") for name in plot["legend"]], runs


def catalyst(path, t_end):
    """Catalyst's rules, by scipy, for there is no Julia here: with combinatoric rate laws a rate
    is divided by the factorials of its substrates' numbers.
    """
    text = Path(path).read_text(encoding="utf-8")
    values = dict(re.findall(r"^        (\w+) = (\S+)$", text, re.MULTILINE))
    start = dict(re.findall(r"^        (\w+)\(t\) = (\S+)$", text, re.MULTILINE))
    rules = re.findall(r"^    (\w+), (.*) --> (.*)  #", text, re.MULTILINE)
    divided = "@combinatoric_ratelaws false" not in text
    return _by_rules(start, [(values[k], *sides) for k, *sides in rules], t_end, divided)


def visual_dsd(path, t_end):
    """Visual DSD's rules, by scipy: its deterministic simulators divide a rate by the factorials
    of its reactants' numbers where kinetics are stochastic alone.
    """
    text = Path(path).read_text(encoding="utf-8")
    values = dict(re.findall(r"(\w+)=([-+.e\d]+)(?=;|\n\])", text.partition("parameters [")[2]))
    start = {name: x for x, name in re.findall(r"^\| ([-+.e\d]+) (\w+)$", text, re.MULTILINE)}
    rules = re.findall(r"^\|(.*)->\{(\w+)\}(.*)$", text, re.MULTILINE)
    divided = "kinetics=Stochastic" in text
    return _by_rules(start, [(values[k], a, b) for a, k, b in rules], t_end, divided)


def latex(path, t_end):
    """The tables as they are printed, and mass action, by scipy."""
    text = re.sub(r"\\mathrm\{(.*?)\}", r"\1", Path(path).read_text(encoding="utf-8"))
    text = text.replace("\\_", "_").replace("\\varnothing", "")
    text = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", text)
    rules = re.findall(r"^\$(.*?) \\xrightarrow\{\w+\} (.*?)\$ & \$(.*?)\$", text, re.MULTILINE)
    rows = re.findall(r"^\$(\w+)\$ & \$(\S+)\$ & (.*?) ?\\\\$", text, re.MULTILINE)
    start = {name: value for name, value, _ in rows}
    held = [name for name, _, is_held in rows if is_held]
    return _by_rules(start, [(k, a, b) for a, b, k in rules], t_end, held=held)


def _by_rules(start, rules, t_end, divided=False, held=()):
    """Rules (constant, before, after) as texts: ``X + 2Y``, or ``X + 2*Y``."""
    names = list(start)
    net = np.zeros((len(names), len(rules)))
    values, substrates = [], []
    for j, (value, *sides) in enumerate(rules):
        before, after = (
            {name: int(n or 1) for n, name in re.findall(r"(?:\b(\d+)\*?)?([A-Za-z]\w*)", side)}
            for side in sides
        )
        for side, sign in ((before, -1), (after, 1)):
            for name, n in side.items():
                net[names.index(name), j] += sign * n
        twins = math.prod(math.factorial(n) for n in before.values()) if divided else 1
        values.append(float(value) / twins)
        substrates.append(before)
    fixed = [name in held for name in names]
    return _integrate(
        names, [float(start[n]) for n in names], fixed, net, values, substrates, t_end
    )


def tables(path, t_end):
    """csv and scipy: the reactions as the tables have them."""
    import csv

    with open(path, encoding="utf-8", newline="") as file:
        reactions = list(csv.DictReader(file))
    beside = Path(path)
    with open(beside.with_name(f"{beside.stem}.species.csv"), encoding="utf-8", newline="") as file:
        species = [row for row in csv.DictReader(file) if row["kind"] == "species"]
    with open(
        beside.with_name(f"{beside.stem}.stoichiometry.csv"), encoding="utf-8", newline=""
    ) as file:
        _, *rows = list(csv.reader(file))

    def side(text):
        parts = [part.split() for part in text.split(" + ")] if text else []
        return {name: int(count) for count, name in parts}

    names = [row["species"] for row in species]
    place = {name: i for i, name in enumerate(names)}
    net = np.zeros((len(names), len(reactions)))
    for row in rows:
        net[place[row[0]]] = [int(n) for n in row[1:]]
    held = [row["held_constant"] == "true" for row in species]
    return _integrate(
        names,
        [float(row["initial"]) for row in species],
        held,
        net,
        [float(row["value"]) for row in reactions],
        [side(row["substrates"]) for row in reactions],
        t_end,
    )


def graphml(path, t_end):
    """networkx and scipy: the reactions as the nodes and edges have them, from ones."""
    import networkx

    graph = networkx.read_graphml(path, force_multigraph=True)
    names = [n for n, data in graph.nodes(data=True) if data["kind"] == "species"]
    reactions = [n for n, data in graph.nodes(data=True) if data["kind"] == "reaction"]
    place = {name: i for i, name in enumerate(names)}
    net = np.zeros((len(names), len(reactions)))
    substrates = []
    for j, reaction in enumerate(reactions):
        before = {s: data["stoichiometry"] for s, _, data in graph.in_edges(reaction, data=True)}
        for s, n in before.items():
            net[place[s], j] -= n
        for _, s, data in graph.out_edges(reaction, data=True):
            net[place[s], j] += data["stoichiometry"]
        substrates.append(before)
    values = [graph.nodes[r]["value"] for r in reactions]
    held = [graph.nodes[n]["boundary"] for n in names]
    start = [graph.nodes[n]["initial"] for n in names]
    return _integrate(names, start, held, net, values, substrates, t_end)


def _integrate(names, start, held, net, values, substrates, t_end):
    from scipy.integrate import solve_ivp

    net = net * ~np.array(held)[:, None]
    one = len(names)
    order = max(sum(side.values()) for side in substrates)
    factors = np.full((len(values), order), one)
    for j, side in enumerate(substrates):
        molecules = [names.index(s) for s, n in side.items() for _ in range(n)]
        factors[j, : len(molecules)] = molecules

    def rhs(_, y):
        return net @ (np.array(values) * np.append(y, 1.0)[factors].prod(axis=1))

    solution = solve_ivp(rhs, (0, t_end), start, method="LSODA", rtol=1e-9, atol=1e-13)
    return dict(zip(names, solution.y[:, -1].tolist(), strict=True))


def sedml(path, t_end):
    """Tellurium's executor of COMBINE archives: what its steady-state task reports."""
    return _report(path, "steady.")


def sedml_course(path, t_end):
    """The same: the end of its time course."""
    return _report(path, "course.")


def _report(path, task):
    import warnings

    warnings.simplefilter("ignore")
    import matplotlib

    matplotlib.use("agg")
    from tellurium.sedml import tesedml

    with tempfile.TemporaryDirectory() as folder:
        tesedml.executeCombineArchive(
            str(path), workingDir=folder, createOutputs=True, saveOutputs=True, outputDir=folder
        )
        texts = [file.read_text(encoding="utf-8") for file in Path(folder).rglob("*report_*.csv")]
    (rows,) = [text.splitlines() for text in texts if text.startswith(task)]
    names = [name.removeprefix(task) for name in rows[0].split(",")]
    return dict(zip(names, map(float, rows[-1].split(",")), strict=True))


READERS = {
    function.__name__: function
    for function in (
        roadrunner,
        copasi,
        copasi_course,
        antimony,
        petab,
        gillespy2,
        bionetgen,
        pysb,
        crnsimulator,
        biocrnpyler,
        bioscrape,
        kasim,
        kasim_ends,
        catalyst,
        visual_dsd,
        latex,
        tables,
        graphml,
        sedml,
        sedml_course,
    )
}


def main():
    task = json.load(sys.stdin)
    answers = sys.stdout
    sys.stdout = sys.stderr  # readers print
    read = READERS[task["reader"]]
    results = [read(path, task["t_end"]) for path in task["paths"]]
    json.dump(results, answers)


if __name__ == "__main__":
    main()
