"""How others do it, as their users write it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray
from crn_nn_tellurium.benchmarks.declared import Work
from crn_nn_tellurium.benchmarks.models import (
    Equations,
    boundary_rows,
    inputs,
    network,
    plain_text,
    reactions,
)
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.exporters import export
from crn_nn_tellurium.networks import Network, unit_ids

USUAL = "usual script of tellurium"
SCRIPT_NEEDS, COPASI_NEEDS = ("tellurium",), ("basico",)
NEWTON_STEPS = 60
"""Enough from an upper bound: each step halves a large error, then squares it."""


def sbml_text(crn: ReactionNetwork) -> str:
    """SBML for those who read no Antimony."""
    with tempfile.TemporaryDirectory() as folder:
        return export(crn, Path(folder, "net.xml")).read_text(encoding="utf-8")


# tellurium ---------------------------------------------------------------------------------------


def loaded(text: str) -> Any:
    """tellurium's object for Antimony."""
    import tellurium as te

    return te.loada(text)


def warm_tellurium() -> None:
    """What is made once in a process, LLVM's tables say, is no model's."""
    loaded("A -> B; k*A; k = 1; A = 1")


def outputs_of(net: Network, values: Callable[[str], float]) -> list[float]:
    """Outputs from concentrations by name."""
    last = net.layers[-1]
    found = []
    for unit in range(net.n_out):
        ids = unit_ids(len(net.layers), unit)
        found.append(sum(rail.sign * values(ids(rail.name)) for rail in last.activation.rails))
    return found


def script_steady(case: str, points: int = 1) -> Work:
    """Load once; for every input set values, `steadyState()`, read the outputs."""
    net = network(case)
    warm_tellurium()
    crn = reactions(case)
    runner = loaded(plain_text(crn))
    rows = boundary_rows(case, inputs(case, points)).tolist()

    def run() -> list[list[float]]:
        return [_script_point(runner, net, crn, row) for row in rows]

    return Work(run, points)


def _script_point(runner: Any, net: Network, crn: ReactionNetwork, row: list[float]) -> list[float]:
    for name, value in zip(crn.boundary, row, strict=True):
        runner[name] = value
    try:
        runner.steadyState()
    except RuntimeError:  # its solver gave up, after the time that it took
        return [np.nan] * net.n_out
    return outputs_of(net, runner.__getitem__)


def script_first(case: str) -> Work:
    """From network to first answer."""
    net = network(case)
    warm_tellurium()
    row = boundary_rows(case, inputs(case, 1))[0].tolist()

    def run() -> list[float]:
        crn = reactions(case)
        return _script_point(loaded(plain_text(crn)), net, crn, row)

    return Work(run)


# COPASI ------------------------------------------------------------------------------------------


class Copasi:
    """A model that COPASI has loaded, through basico."""

    def __init__(self, sbml: str) -> None:
        import basico

        self.basico = basico
        self.model = basico.load_model_from_string(sbml)
        table = basico.get_species(model=self.model).reset_index()
        self.names = dict(zip(table["sbml_id"], table["name"], strict=True))

    def steady(self, values: dict[str, float], net: Network) -> list[float]:
        """Set inputs, `run_steadystate`, read the outputs."""
        for name, value in values.items():
            self.basico.set_species(
                self.names[name], initial_concentration=value, exact=True, model=self.model
            )
        self.basico.run_steadystate(model=self.model)
        found = self.basico.get_species(model=self.model).set_index("sbml_id")["concentration"]
        return outputs_of(net, found.__getitem__)

    def close(self) -> None:
        self.basico.remove_datamodel(self.model)


def copasi_steady(case: str) -> Work:
    """Load once; set values, `run_steadystate`, read."""
    net, crn = network(case), reactions(case)
    copasi = Copasi(sbml_text(crn))
    values = dict(zip(crn.boundary, boundary_rows(case, inputs(case, 1))[0].tolist(), strict=True))
    return Work(lambda: [copasi.steady(values, net)])


def copasi_first(case: str) -> Work:
    """From SBML to first answer."""
    net, crn, x = network(case), reactions(case), inputs(case, 1)
    Copasi(sbml_text(reactions("2-2-3"))).close()  # warm
    values = dict(zip(crn.boundary, boundary_rows(case, x)[0].tolist(), strict=True))
    text = sbml_text(crn)

    def run() -> list[float]:
        copasi = Copasi(text)
        try:
            return copasi.steady(values, net)
        finally:
            copasi.close()

    return Work(run)


# Equations that somebody derived by hand ---------------------------------------------------------


def numpy_steady(case: str, points: int = 1) -> Work:
    """The formula of the root, layer by layer."""
    equations, x = Equations.of(network(case)), inputs(case, points)
    return Work(lambda: equations.outputs(x), points)


def scipy_steady(case: str, points: int = 1) -> Work:
    """scipy.optimize.newton over all units and inputs of a layer at once."""
    from scipy import optimize

    equations, x = Equations.of(network(case)), inputs(case, points)

    def run() -> FloatArray:
        value = x
        for weights, bias, h, signs in equations.layers:
            z = (value @ weights.T + bias)[..., None] * signs
            y = optimize.newton(
                lambda y, z, h: h + z * y - y * y,
                np.maximum(z, 0) + np.sqrt(h),
                lambda y, z, h: z - 2 * y,
                args=(z, h),
                tol=1e-13,
                maxiter=NEWTON_STEPS,
            )
            value = y @ signs
        return value

    return Work(run, points)


def jax_outputs(equations: Equations) -> Any:
    """Outputs by Newton's method, which JAX compiles for each number of inputs."""
    import jax

    jax.config.update("jax_enable_x64", True)

    def outputs(value: Any) -> Any:
        for weights, bias, h, signs in equations.layers:
            z = (value @ weights.T + bias)[..., None] * jax.numpy.array(signs)
            start = jax.numpy.maximum(z, 0) + jax.numpy.sqrt(h)

            def goes_on(state: Any) -> Any:
                step, y, number = state
                return (abs(step) > 1e-13 * y).any() & (number < NEWTON_STEPS)

            def newton(state: Any, z: Any = z, h: float = h) -> Any:
                _, y, number = state
                step = (h + z * y - y * y) / (z - 2 * y)
                return step, y - step, number + 1

            state = jax.lax.while_loop(goes_on, newton, (start, start, 0))
            value = state[1] @ jax.numpy.array(signs)
        return value

    return jax.jit(outputs)


def jax_steady(case: str, points: int = 1) -> Work:
    """Newton's method, compiled before."""
    compiled, x = jax_outputs(Equations.of(network(case))), inputs(case, points)
    np.asarray(compiled(x))
    return Work(lambda: np.asarray(compiled(x)), points)


def jax_first(case: str) -> Work:
    """Newton's method, compiled anew: what a first answer takes."""
    import jax

    x = inputs(case, 1)
    np.asarray(jax_outputs(Equations.of(network("2-2-3")))(inputs("2-2-3", 1)))

    def run() -> Any:
        jax.clear_caches()
        return np.asarray(jax_outputs(Equations.of(network(case)))(x))[0]

    return Work(run)


def numpy_first(case: str) -> Work:
    """The formula of the root, with what is laid out for it."""
    net, x = network(case), inputs(case, 1)
    return Work(lambda: Equations.of(net).outputs(x)[0])
