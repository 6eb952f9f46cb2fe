"""Visual DSD and Visual CRN (.dsd): their common language of reactions, to paste or open there.

Source: Spaccasassi et al., in Rewriting Logic and Its Applications (2019), and Visual DSD's manual;
Lakin et al., Bioinformatics 27 (2011) 3211, doi 10.1093/bioinformatics/btr543.
"""

from __future__ import annotations

from crn_nn_tellurium.chemistry import formula
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Names, header, side

_RESERVED = """
    directive init new def rec constant if then else in of where and or not module spawn at time exp log min max
""".split()
NAMES = Names("Visual DSD", "//", frozenset(_RESERVED))


def write(source: Source, *, t_end: float | None = None, n_steps: int = 1000) -> str:
    """Concentrations in nM, reactions, and a deterministic simulation from 0 to `t_end`, in s.

    Inputs are catalysts and so stay constant. Read-outs are plotted.
    """
    crn = source.crn
    names = NAMES.of(crn.identifiers)
    start = crn.start_values
    read = names | {species.id: f"[{names[species.id]}]" for species in crn.species}
    plotted = [formula(o.expression, names=read) for o in crn.observables]
    lines = header(
        source,
        NAMES,
        names,
        [f"{o.id} = {text}" for o, text in zip(crn.observables, plotted, strict=True)],
    )
    lines += [
        "directive simulator deterministic",
        (
            f"directive simulation {{ final={source.until(t_end)!r}; points={n_steps};"
            f" plots=[{'; '.join(plotted)}]; }}"
        ),
        "directive units { concentration=nM; time=s; }",
        "directive parameters [",
        "; ".join(f"{names[k]}={v!r}" for k, v in crn.constant_values.items()),
        "]",
    ]
    lines += [f"| {start[species.id]!r} {names[species.id]}" for species in crn.species]
    for reaction in crn.reactions:
        before, after = (side(part, names) for part in crn.catalytic_sides(reaction))
        lines.append(
            f"| {before} ->{{{names[reaction.rate_constant]}}} {after}".rstrip().replace(
                "|  ->", "| ->"
            )
        )
    return "\n".join(lines) + "\n"
