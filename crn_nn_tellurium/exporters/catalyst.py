"""A Julia script (.jl) with a reaction system of Catalyst.jl.

Source: Loman et al., PLoS Comput. Biol. 19 (2023) e1011530, doi 10.1371/journal.pcbi.1011530. Its
laws have k Y^2 / 2 for ``2Y --> Y`` unless combinatoric rate laws are turned off, as they are here.
"""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.chemistry import formula
from crn_nn_tellurium.exporters.writing import Language, Source, counted

_RESERVED = """
    t D im nothing pi Inf NaN missing rn problem solution baremodule begin break catch const
    continue do else elseif end export false finally for function global if import in isa let
    local macro module quote return struct true try using where while abstract mutable primitive
    type exp log sqrt abs min max sin cos tan mm mmr hill hillr hillar
""".split()
_LANGUAGE = Language("Catalyst", "#", frozenset(_RESERVED))


@dataclass(frozen=True)
class Options:
    """The end of the simulation, in the file's units."""

    t_end: float | None = None


def write(source: Source, options: Options) -> str:
    """The system ``rn`` and its solution; inputs are catalysts and so stay constant."""
    crn = _LANGUAGE.network(source.crn)
    start = crn.start_values
    lines = _LANGUAGE.header(source, crn)
    lines += [
        "using Catalyst, OrdinaryDiffEq",
        "",
        "rn = @reaction_network begin",
        "    @combinatoric_ratelaws false",
        "    @parameters begin",
        *(f"        {k} = {value!r}" for k, value in crn.constant_values.items()),
        "    end",
        "    @species begin",
        *(f"        {s.id}(t) = {start[s.id]!r}" for s in crn.species),
        "    end",
    ]
    if crn.observables:
        read = [f"        {o.id} ~ {formula(o.expression)}" for o in crn.observables]
        lines += ["    @observables begin", *read, "    end"]
    for r in crn.reactions:
        # 2e1 would be a number, so coefficients have a sign
        before, after = (counted(side, "∅", "*") for side in r.catalytic_sides(crn.boundary))
        lines.append(f"    {r.rate_constant}, {before} --> {after}  # {r.id}")
    lines += [
        "end",
        "",
        f"problem = ODEProblem(rn, [], (0.0, {source.until(options.t_end)!r}), [])",
        # a stiff solver: with small h, fast and slow rates are 1/sqrt(h) apart
        "solution = solve(problem, Rodas5P(); abstol = 1e-12, reltol = 1e-9)",
    ]
    if crn.observables:
        outputs = ", ".join(f"rn.{o.id}" for o in crn.observables)
        lines.append(f"println(solution(problem.tspan[2]; idxs = [{outputs}]))")
    return "\n".join(lines) + "\n"
