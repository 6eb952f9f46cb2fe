"""A network's reactions, written as displacement steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy.typing as npt

from crn_nn_tellurium.basics import check_kind, free_id
from crn_nn_tellurium.chemistry import (
    NANOMOLAR_PER_MOLAR,
    Expression,
    Monomial,
    Observable,
    PhysicalUnits,
    Reaction,
    ReactionNetwork,
    Species,
)
from crn_nn_tellurium.dna.strand_displacement import Buffer, Module, StrandDisplacement
from crn_nn_tellurium.dna.time_scales import DEFAULTS, StrandOptions, TimeScales
from crn_nn_tellurium.encoding import reactions_at
from crn_nn_tellurium.errors import ReactionError
from crn_nn_tellurium.importers import AnyModel, as_model


def to_strand_displacement(
    model: AnyModel,
    x: npt.ArrayLike | None = None,
    options: StrandOptions = DEFAULTS,
) -> StrandDisplacement:
    """A mass-action network as DNA strand displacement.

    Parameters
    ----------
    model : Network, ReactionNetwork, str or path-like
        As `Simulator` takes it, with reactions of at most two molecules. What is held constant is a
        catalyst: reactions that take it give it back.
    x : (n_in,) array_like, optional
        For a Network, its input values.
    options : StrandOptions
        What the tube can do, the fuel, and the units.

    Returns
    -------
    StrandDisplacement
        A ReactionNetwork in nM and s. Signals keep their identifiers, boundary species are signals
        too. Its observables are those of the model times c0, in nM.

    Raises
    ------
    ReactionError
        If more than two molecules meet in a reaction, or the given units need a larger rate
        constant than `q_max`; the message names the reaction and a tau that would do.
    InputError
        If a signal is above `c_max`, the model is in nM and s already, or options are none.

    Examples
    --------
    >>> crn = ReactionNetwork(
    ...     [Species("A", 1.0), Species("B")], [Reaction("J", ("A",), ("B",), "k", 2.0)]
    ... )
    >>> options = StrandOptions(units=PhysicalUnits(c0=10, tau=100))
    >>> dna = to_strand_displacement(crn, options=options)
    >>> for reaction in dna.reactions:
    ...     print(reaction.equation)
    A + G_J => O_J
    O_J + T_J => B
    """
    model = as_model(model, "to_strand_displacement")
    check_kind("options", options, StrandOptions, "StrandOptions(units=...), say")
    formal = reactions_at(model, x)
    for reaction in formal.reactions:
        if reaction.order > 2:
            raise ReactionError(
                f"reaction {reaction.id!r}: {reaction.order} molecules meet ({reaction.equation});"
                " strand displacement takes at most 2; split it into steps"
            )
    scales = TimeScales(formal, options.amount, options.q_max / NANOMOLAR_PER_MOLAR)
    units = scales.units(options)
    return _Tube(scales, units, units.of(formal)).implementation(float(options.q_max))


@dataclass(frozen=True)
class _Tube:
    """Collects strands and steps, in nM and s."""

    scales: TimeScales
    units: PhysicalUnits
    in_tube: ReactionNetwork
    species: list[Species] = field(default_factory=list)
    steps: list[Reaction] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    tuned: dict[str, str] = field(default_factory=dict)
    """By rate constant of the formal network, that of the step that starts its reactions."""

    def implementation(self, q_max: float) -> StrandDisplacement:
        """All of it; q_max in 1/M/s."""
        scales, units = self.scales, self.units
        formal, share = scales.formal, scales.free_share(units)
        self.taken.update(formal.identifiers)
        full = free_id("q_max", self.taken)
        # only the free share of a signal reacts, so more is put in, and steps are that much faster
        for species, value in formal.start_values.items():
            put_in = units.concentration(value) / share
            self.species.append(Species(species, put_in, name=f"signal_{species}"))
        modules = tuple(self._module(reaction, full, share) for reaction in formal.reactions)
        buffers = tuple(self._buffers(full, share))
        return StrandDisplacement(
            tuple(self.species),
            tuple(self.steps),
            tuple(self._observables()),
            free_id(f"{formal.name}_dna", self.taken),
            formal=formal,
            units=units,
            q_max=q_max,
            fuel=scales.fuel,
            free_share=share,
            modules=modules,
            buffers=buffers,
        )

    def _add(self, letter: str, owner: str, what: str, concentration: float = 0.0) -> str:
        name = free_id(f"{letter}_{owner}", self.taken)
        self.species.append(Species(name, concentration, name=f"{what}_of_{owner}"))
        return name

    def _fuel(self, letter: str, owner: str, what: str) -> str:
        return self._add(letter, owner, what, self.scales.fuel)

    def _step(
        self,
        name: str,
        before: tuple[str, ...],
        after: tuple[str, ...],
        constant: str,
        value: float | None = None,
    ) -> None:
        """One step; with a full toehold unless a rate constant's value is given."""
        rate = self.scales.q_max if value is None else value
        self.steps.append(Reaction(free_id(name, self.taken), before, after, constant, rate))

    def _module(self, reaction: Reaction, full: str, share: float) -> Module:
        # what is held constant is no different from other signals here: reactions give it back
        before, after = reaction.catalytic_sides(self.scales.formal.boundary)
        reaction = replace(reaction, substrates=before, products=after)
        name = reaction.id
        products = tuple(species for species, n in reaction.products for _ in range(n))
        # reactions that shared a rate constant do so again
        if reaction.rate_constant not in self.tuned:
            self.tuned[reaction.rate_constant] = free_id(f"q_{reaction.rate_constant}", self.taken)
        q, value = self.tuned[reaction.rate_constant], self.scales.tuned(reaction, self.units)
        translator = self._fuel("T", name, "translator") if products else ""
        module = Module(reaction, products, translator=translator)
        if reaction.order == 2:
            module = self._bimolecular(module, q, value / share, full)
        else:
            trigger = self._fuel("I", name, "trigger") if reaction.order == 0 else ""
            first = trigger or reaction.substrates[0][0]
            gate = self._fuel("G", name, "gate")
            output = self._add("O", name, "output") if products else ""
            after_gate = (output,) if output else ()
            self._step(f"{name}_1", (first, gate), after_gate, q, value / share)
            module = replace(module, first=first, gate=gate, output=output, trigger=trigger)
        if products:
            self._step(f"{name}_9", (module.output, module.translator), products, full)
        return module

    def _bimolecular(self, module: Module, q: str, value: float, full: str) -> Module:
        reaction = module.reaction
        name, first = reaction.id, self.scales.firsts[reaction.id]
        second = next((s for s, _ in reaction.substrates if s != first), first)
        # the first signal opens the linker, which closes again unless the second one comes
        linker = self._fuel("L", name, "linker")
        half = self._add("H", name, "half_opened_linker")
        backward = self._fuel("B", name, "backward_strand")
        output = self._add("O", name, "output") if module.products else ""
        self._step(f"{name}_1", (first, linker), (half, backward), q, value)
        self._step(f"{name}_2", (half, backward), (first, linker), full)
        self._step(f"{name}_3", (second, half), (output,) if output else (), full)
        module = replace(module, first=first, second=second, output=output)
        return replace(module, linker=linker, half=half, backward=backward)

    def _buffers(self, full: str, share: float) -> Iterator[Buffer]:
        """Linkers that end nothing, so that each signal is bound as much as the most bound one."""
        for signal, load in self.scales.load.items():
            missing = self.scales.sigma - load
            # what rounding leaves between equal sums is no load
            if missing <= 1e-12 * self.scales.sigma:
                continue
            linker = self._fuel("LS", signal, "buffer")
            half = self._add("HS", signal, "bound_signal")
            backward = self._fuel("BS", signal, "backward_strand")
            constant = free_id(f"q_buffer_{signal}", self.taken)
            value = float(self.units.rate_constant(missing, 2)) / share
            self._step(f"buffer_{signal}_1", (signal, linker), (half, backward), constant, value)
            self._step(f"buffer_{signal}_2", (half, backward), (signal, linker), full)
            yield Buffer(signal, linker, half, backward)

    def _observables(self) -> Iterator[Observable]:
        """Read-outs in nM. The tube has none of the formal rate constants, so they are numbers."""
        values = self.in_tube.constant_values
        for observable in self.in_tube.observables:
            terms = []
            for term in observable.expression.terms:
                number = Monomial(term.coefficient)
                for symbol, power in term.powers:
                    read = Monomial(1.0, ((symbol, 1.0),))
                    factor = Monomial(values[symbol]) if symbol in values else read
                    number *= factor**power
                terms.append(number)
            yield replace(observable, expression=Expression(tuple(terms)))
