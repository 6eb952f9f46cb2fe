"""Visual DSD and Visual CRN (.dsd): their common language of reactions, to paste or open there.

Reactions are what is written of strands too: their steps, with the rate constants that they have
here. Visual DSD would find reactions of its own from domains, with toeholds' rates that it has to
be told; domains are in .pil files.

Their ordinary equations have k X^2 for ``2X ->{k} Y``, which goes twice a unit of rate; the
stochastic simulator alone would take k X (X - 1) / 2, unless kinetics are deterministic (ode.fs,
reaction.fs and crn.fs of github.com/microsoft/crn-engine).

Source: Spaccasassi et al., in Rewriting Logic and Its Applications (2019), and Visual DSD's manual;
Lakin et al., Bioinformatics 27 (2011) 3211, doi 10.1093/bioinformatics/btr543.
"""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.chemistry import MODEL_UNITS, formula
from crn_nn_tellurium.dna import StrandDisplacement
from crn_nn_tellurium.exporters.writing import Language, Source, counted

_RESERVED = """
    directive new def rec if then else in of where and or not module spawn at time
    exp log min max system inference with init constant
""".split()
_LANGUAGE = Language("Visual DSD", "//", frozenset(_RESERVED))


@dataclass(frozen=True)
class Options:
    """The simulation: its end, in the file's units, and how many points it shows."""

    t_end: float | None = None
    n_steps: int = 1000


def write(source: Source, options: Options) -> str:
    """Concentrations, reactions, and a deterministic simulation.

    Inputs are catalysts and so stay constant. Read-outs are plotted.
    """
    crn = _LANGUAGE.network(source.crn)
    read = {species.id: f"[{species.id}]" for species in crn.species}
    plotted = {o.id: formula(o.expression, names=read) for o in crn.observables}
    notes = [f"{name} = {text}" for name, text in plotted.items()]
    # its concentrations are molar and its times are s, min, h: there is no word for no unit
    has_units = source.crn.units != MODEL_UNITS
    if not has_units:
        notes.append("Visual DSD labels concentrations nM and times s: it has no other words.")
    if isinstance(source.model, StrandDisplacement):
        notes.append(
            "The steps of strands as reactions; their domains are in .pil files (Peppercorn)."
        )
    lines = _LANGUAGE.header(source, crn, notes)
    # a rate constant is that of k X^2 in all of its simulators, and so in the stochastic one
    points = f"final={source.until(options.t_end)!r}; points={options.n_steps}"
    points += "; kinetics=Deterministic"
    lines += [
        "directive simulator deterministic",
        # its own 1e-5 would be seen in small concentrations
        "directive deterministic { stiff=true; reltolerance=1e-9; abstolerance=1e-12 }",
        f"directive simulation {{ {points}; plots=[{'; '.join(plotted.values())}]; }}",
        *(["directive units { concentration=nM; time=s; }"] if has_units else []),
        "directive parameters [",
        "; ".join(f"{k}={v!r}" for k, v in crn.constant_values.items()),
        "]",
    ]
    start = crn.start_values
    lines += [f"| {start[species.id]!r} {species.id}" for species in crn.species]
    for r in crn.reactions:
        before, after = map(counted, r.catalytic_sides(crn.boundary))
        parts = ("|", before, f"->{{{r.rate_constant}}}", after)
        lines.append(" ".join(part for part in parts if part))
    return "\n".join(lines) + "\n"
