"""A Julia script (.jl) with a reaction system of Catalyst.jl.

Source: Loman et al., PLoS Comput. Biol. 19 (2023) e1011530, doi 10.1371/journal.pcbi.1011530. Its
laws have k Y^2 / 2 for ``2Y --> Y`` unless combinatoric rate laws are turned off, as they are here.
"""

from __future__ import annotations

from collections.abc import Mapping

from crn_nn_tellurium.chemistry import Side, formula
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Names, header

_RESERVED = """
    t D im nothing pi Inf NaN missing rn problem solution
    baremodule begin break catch const continue do else elseif end export false finally for function global if import in
    isa let local macro module quote return struct true try using where while abstract mutable primitive type
    exp log sqrt abs min max sin cos tan mm mmr hill hillr hillar
""".split()
NAMES = Names("Catalyst", "#", frozenset(_RESERVED))


def write(source: Source, *, t_end: float | None = None) -> str:
    """The system ``rn`` and its solution from 0 to `t_end`, in s; inputs are catalysts and so stay
    constant.
    """
    crn = source.crn
    names = NAMES.of(crn.identifiers)
    start = crn.start_values
    constants = crn.constant_values.items()
    lines = header(source, NAMES, names)
    lines += [
        "using Catalyst, OrdinaryDiffEq",
        "",
        "rn = @reaction_network begin",
        "    @combinatoric_ratelaws false",
        "    @parameters begin",
        *(f"        {names[k]} = {value!r}" for k, value in constants),
        "    end",
        "    @species begin",
        *(f"        {names[s.id]}(t) = {start[s.id]!r}" for s in crn.species),
        "    end",
    ]
    if crn.observables:
        read = [
            f"        {names[o.id]} ~ {formula(o.expression, names=names)}" for o in crn.observables
        ]
        lines += ["    @observables begin", *read, "    end"]
    for r in crn.reactions:
        before, after = (_side(side, names) for side in crn.catalytic_sides(r))
        lines.append(f"    {names[r.rate_constant]}, {before} --> {after}  # {r.id}")
    lines += [
        "end",
        "",
        f"problem = ODEProblem(rn, [], (0.0, {source.until(t_end)!r}), [])",
        "solution = solve(problem, Rodas5P(); abstol = 1e-12, reltol = 1e-9)",
    ]
    if crn.observables:
        outputs = ", ".join(f"rn.{names[o.id]}" for o in crn.observables)
        lines.append(f"println(solution(problem.tspan[2]; idxs = [{outputs}]))")
    return "\n".join(lines) + "\n"


def _side(side: Side, names: Mapping[str, str]) -> str:
    # 2e1 would be a number
    return (
        " + ".join(
            f"{count}*{names[species]}" if count > 1 else names[species] for species, count in side
        )
        or "∅"
    )
