"""A network, neural or of any reactions, as a tellurium model for notebooks.

`r.simulate`, `r.plot` and the rest are as ever.

What differs from a plain model is `steadyState()`: roadrunner's own recompiles the model in every
call and accepts the negative root of h + z y - y^2; here it integrates first, calls the same
solver without recompiling, and never leaves a concentration that is not positive. Whatever
roadrunner answers at a steady state starts there. Solvers that are wrong here are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from tellurium.roadrunner.extended_roadrunner import ExtendedRoadRunner

from crn_nn_tellurium.basics import FloatArray, some
from crn_nn_tellurium.chemistry import CONCENTRATION, ReactionNetwork, Units, formula
from crn_nn_tellurium.encoding import Form, compact_names, compact_signs, to_antimony, written
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.importers import AnyModel, as_model
from crn_nn_tellurium.networks import Network, other_names
from crn_nn_tellurium.sensitivity import sensitivities
from crn_nn_tellurium.simulation import (
    AFTER_INTEGRATION,
    Outcome,
    boundary_values,
    come_to_rest,
    floating_values,
    new_runner,
    own_solvers,
    parameter_values,
    polish,
    reduced_equations,
    rest,
    selections,
    set_floating_values,
    steady,
    within_reach,
)

REACTIONS_UP_TO = 1_000
"""Reactions up to which a model of anybody's is loaded with each, which takes some seconds."""
_REFUSED = {
    "gillespie": "it takes concentrations for numbers of molecules and rates for propensities; the"
    " stochastic run is Simulator(model).time_course(x, t_end, volume=100), say",
    "rk45": "libroadrunner's own is wrong on any model",
    **dict.fromkeys(("rk4", "euler"), "it takes one step to each point, however stiff a model is"),
}
"""Why simulations are not run by these integrators."""
_CHANGING = """load loadState loadStateS clearModel setKineticLaw setReversible setBoundary
setConstant setHasOnlySubstanceUnits addReaction removeReaction addSpecies addSpeciesAmount
addSpeciesConcentration removeSpecies addCompartment removeCompartment addAssignmentRule addRateRule
removeRules addInitialAssignment removeInitialAssignment removeParameter""".split()
"""Calls after which the reactions would be others; events may be added."""


def _at_rest(name: str) -> Callable[[ChemistryRunner], Any]:
    """A method of roadrunner's as it is, at the steady state of `steadyState`."""

    def method(self: ChemistryRunner) -> Any:
        self.steadyState()
        return getattr(super(ChemistryRunner, self), name)()

    method.__name__, method.__doc__ = name, f"As roadrunner's own {name}, at the steady state."
    return method


def _refused(name: str) -> Callable[..., None]:
    def method(self: ChemistryRunner, *args: Any, **options: Any) -> None:
        """Refused: it would make another model of this one."""
        raise InputError(
            f"{name}: this holds one model; to_roadrunner(other) holds another, and"
            " te.loada(r.getAntimony()) is tellurium's own, to change"
        )

    return method


class _TelluriumsOwn(type):
    """Of a kind that equals tellurium's: `te.getODEsFromModel` takes that alone, no kind of it."""

    def __eq__(cls, other: object) -> bool:
        return cls is other or other is ExtendedRoadRunner

    __hash__ = type.__hash__


class ChemistryRunner(ExtendedRoadRunner, metaclass=_TelluriumsOwn):  # type: ignore[misc]
    """An ExtendedRoadRunner of a network's chemistry; `to_roadrunner` makes it.

    Of a Network, inputs that are read-outs of two rails or of a scaled species can be set by their
    own name as well: ``r["x0"] = -1`` sets the concentrations that stand for it.

    >>> from crn_nn_tellurium import load_model
    >>> r = to_roadrunner(load_model("xor"), [0, 1])
    >>> residual = r.steadyState()
    >>> round(float(r["y0"]), 3)
    0.954
    """

    def __init__(self, model: Network | ReactionNetwork, crn: ReactionNetwork, form: Form) -> None:
        # numbers as start values: with formulas, roadrunner's getFullJacobian and its like fail
        plain = crn.with_starts()
        text = to_antimony(plain, form=form)
        new_runner(text, lambda: ExtendedRoadRunner.__init__(self) or self)
        self._crn, self._form, self._start = crn, form, plain.start_values
        self._net = model if isinstance(model, Network) else None
        self._inputs = self._net.input_names if self._net else ()
        # rate constants by their names in the model, and the signs that they carry there
        names = compact_names(crn) if form == "compact" else {k: k for k in crn.rate_constants}
        self._constant_of = {name: k for k, name in names.items()}
        self._constant_of |= {parameter.id: parameter.id for parameter in crn.parameters}
        self._inlined = self._constant_of.keys() - {*self.model.getGlobalParameterIds()}
        signs = compact_signs(crn) if form == "compact" else np.ones(len(crn.constant_names))
        self._signs = dict(zip(crn.constant_names, signs.tolist(), strict=True))
        species = (f"[{name}]" for name in crn.floating)
        read = [observable.id for observable in crn.observables]
        if self._net:  # whose observables are its inputs as well
            read = list(self._net.output_names)
        self.timeCourseSelections = ["time", *species, *read]
        self.steadyStateSelections = read or [f"[{name}]" for name in crn.floating]
        # a species named like a method would hide it
        found = selections(self.model).items()
        self._selection = {k: v for k, v in found if not callable(getattr(type(self), k, None))}

    def steadyState(self, dict: Any = None) -> float:  # roadrunner's own signature
        """Bring the model to its steady state; its time and simulation data stay as they are.

        Returns
        -------
        float
            How far from steady, as roadrunner's own.

        Raises
        ------
        ConvergenceError
            If no positive steady state is found; concentrations are then as before the call.
        InputError
            If events were added.
        """
        if self.model.getNumEvents():
            raise InputError("steadyState: events act in simulate(); removeEvent() takes them away")
        before, time = self._state(), self.model.getTime()
        with own_solvers(self):
            try:
                found, outcome = self._rest(before)
            finally:
                self.model.setTime(time)
        self._set_state(before if outcome.failed else found)
        if outcome.failed:
            raise ConvergenceError(
                f"steadyState: {outcome.reason}; are all rate constants and inputs as intended?"
            )
        return float(np.linalg.norm(self.model.getFloatingSpeciesConcentrationRates()))

    def _rest(self, start: FloatArray) -> tuple[FloatArray, Outcome]:
        if self._net:
            return come_to_rest(start, self._advance, self._finish)
        # any other network may conserve something, or have species that vanish
        equations = reduced_equations(self._crn, self._boundary(), self._constants())
        return rest(equations, start, self._advance)

    def _advance(self, state: FloatArray, duration: float) -> FloatArray:
        """The state that much later."""
        self._set_state(state)
        try:
            self.oneStep(0.0, self._crn.units.time(duration), True)
        except RuntimeError as error:
            raise ConvergenceError(f"the integrator failed: {error}") from error
        return self._state()

    def _finish(self, state: FloatArray, _: float) -> tuple[FloatArray, Outcome] | None:
        """The steady state that Newton's method finds from here."""
        boundary, constants = self._boundary(), self._constants()

        def is_steady(x: FloatArray, tolerance: float) -> np.bool_:
            return steady(self._crn.balance(x, boundary, constants), x, tolerance).all()

        found = polish(state, self._newton, is_steady)
        return None if found is None else (found, AFTER_INTEGRATION)

    def _newton(self, state: FloatArray) -> FloatArray | None:
        """Where nleq2 leads; None if it gives up or that is no positive state."""
        self._set_state(state)
        with suppress(RuntimeError):
            if within_reach(state, self._boundary(), self._constants()):
                self.getSteadyStateSolver().solve()
                found = self._state()
                return found if np.all(found > 0) else None
        return None

    mcaSteadyState = steadyState

    def setIntegrator(self, name: str) -> None:
        """As roadrunner's own; an integrator that would be wrong is an InputError."""
        if reason := _REFUSED.get(name):
            raise InputError(f"integrator {name!r}: {reason}; 'cvode' is set already")
        super().setIntegrator(name)

    integrator = property(ExtendedRoadRunner.getIntegrator, setIntegrator)

    def gillespie(self, *args: Any, **kwargs: Any) -> None:
        """Refused: `Simulator.time_course` with a volume is the stochastic run."""
        self.setIntegrator("gillespie")

    # Control coefficients -----------------------------------------------------------------------

    def getuCC(self, variable: str, parameter: str) -> float:
        """d species or output / d rate constant or input species at the steady state.

        Exact, from the Jacobian of the reactions; roadrunner's own, which answers for other names,
        recompiles the model and takes differences.
        """
        name, crn = variable.strip("[]"), self._crn
        self._refuse_other_kind(parameter)
        by = self._constant_of.get(parameter, parameter.strip("[]"))
        known = {*crn.floating, *(o.id for o in crn.observables)}
        every = {*known, *self._selection}
        if name not in every:
            raise InputError(
                f"getuCC of {variable!r}: no variable of this model; expected an output or a"
                f" species: {some(sorted(known))}"
            )
        settable = {*crn.constant_names, *crn.boundary}
        if by not in settable | {*self.model.getGlobalParameterIds()}:
            raise InputError(
                f"getuCC by {parameter!r}: no parameter of this model; expected a rate constant or"
                f" a boundary species: {some(sorted({*self._constant_of, *crn.boundary}))}"
            )
        self.steadyState()
        if name not in known or by not in settable:
            return float(super().getuCC(variable, parameter))
        found = sensitivities(self._now(), self._state(), outputs=[name], parameters=[by])
        return float(found.values[0, 0]) * self._signs.get(by, 1.0)

    def getCC(self, variable: str, parameter: str) -> float:
        """As `getuCC`, relative: d ln variable / d ln parameter."""
        unscaled = self.getuCC(variable, parameter)
        return float(unscaled * self.getValue(parameter) / self.getValue(variable))

    # roadrunner's own solve from where the model is, at worst to a root that is not positive
    getSteadyStateValuesNamedArray = _at_rest("getSteadyStateValuesNamedArray")
    steadyStateNamedArray = getSteadyStateValuesNamedArray
    getScaledConcentrationControlCoefficientMatrix = _at_rest(
        "getScaledConcentrationControlCoefficientMatrix"
    )
    getUnscaledConcentrationControlCoefficientMatrix = _at_rest(
        "getUnscaledConcentrationControlCoefficientMatrix"
    )
    getScaledFluxControlCoefficientMatrix = _at_rest("getScaledFluxControlCoefficientMatrix")
    getUnscaledFluxControlCoefficientMatrix = _at_rest("getUnscaledFluxControlCoefficientMatrix")

    def _now(self) -> ReactionNetwork:
        """The reactions with concentrations of inputs and rate constants as they are now."""
        crn = self._crn
        held = dict(zip(crn.boundary, self._boundary().tolist(), strict=True))
        value = dict(zip(crn.constant_names, self._constants().tolist(), strict=True))
        species = tuple(replace(s, initial=held.get(s.id, s.initial)) for s in crn.species)
        reactions = tuple(replace(r, value=value[r.rate_constant]) for r in crn.reactions)
        parameters = tuple(replace(p, value=value[p.id]) for p in crn.parameters)
        return replace(crn, species=species, reactions=reactions, parameters=parameters)

    def _state(self) -> FloatArray:
        """Concentrations (n_floating,), in the network's order."""
        return floating_values(self.model, self._crn.floating)

    def _set_state(self, values: FloatArray) -> None:
        set_floating_values(self.model, self._crn.floating, values)

    def _boundary(self) -> FloatArray:
        return boundary_values(self.model, self._crn.boundary)

    def _constants(self) -> FloatArray:
        """All constants (n_constants,) as they are now; those written as numbers do not change."""
        now = parameter_values(self.model)
        found = dict(zip(self._crn.constant_names, self._crn.constants.tolist(), strict=True))
        for name, k in self._constant_of.items():
            if name in now:
                found[k] = self._signs[k] * now[name]
        return np.array(list(found.values()))

    def getSteadyStateValues(self) -> FloatArray:
        """Values of `steadyStateSelections` (the outputs) at the steady state."""
        self.steadyState()
        return np.array([self.getValue(selection) for selection in self.steadyStateSelections])

    # Values by name -----------------------------------------------------------------------------

    def __getattribute__(self, name: str) -> Any:
        selection = super().__getattribute__("__dict__").get("_selection", {}).get(name)
        return super().__getattribute__(name) if selection is None else self.getValue(selection)

    def __setattr__(self, name: str, value: Any) -> None:
        selection = self.__dict__.get("_selection", {}).get(name)
        if selection is None:
            self._refuse_other_kind(name)
            super().__setattr__(name, value)
        else:
            self.setValue(name if name in self._inputs else selection, value)

    def _refuse_other_kind(self, name: str) -> None:
        """Name the model's own name of a constant, where somebody gives its weight's or another."""
        # roadrunner sets attributes before this class has any
        known = self.__dict__.get("_constant_of", {})
        if name not in known and (hint := other_names(name, known)):
            raise InputError(f"{name!r}: no parameter of this model{hint}")

    def _refuse_unknown(self, name: str) -> None:
        """Refuse another name of a constant, and one that the text has no name for."""
        self._refuse_other_kind(name)
        if name in self._inlined:
            raise InputError(f"{name!r}: form 'numbers' has it as a number, others by name")

    def getValue(self, name: Any) -> Any:
        """A value by its identifier or selection; the other name of a constant is pointed out."""
        if isinstance(name, str):
            self._refuse_unknown(name)
        return super().getValue(name)

    __getitem__ = getValue

    def simulate(  # roadrunner's own signature
        self,
        start: Any = None,
        end: Any = None,
        points: Any = None,
        selections: Any = None,
        output_file: Any = None,
        steps: Any = None,
        times: Any = None,
    ) -> Any:
        """As roadrunner's; the other name of a constant among the selections is pointed out."""
        for name in selections or ():
            self._refuse_unknown(name)
        return super().simulate(start, end, points, selections, output_file, steps, times)

    def setValue(self, name: str, value: float) -> None:
        """Set a value by its identifier; an input, of either sign, by its own name."""
        net, species = self._net, name.strip("[]")
        if net and name in self._inputs:
            position = net.input_names.index(name)
            units = self._crn.units
            own = units.revert(value, CONCENTRATION)
            coded = units.concentration(net.input_coding.one(position, own)).tolist()
            rails = self._crn.boundary[position * len(coded) :][: len(coded)]
            for rail, concentration in zip(rails, coded, strict=True):
                super().setValue(rail, concentration)
            return
        self._refuse_unknown(name)
        if species in self._crn.boundary and not value >= 0:
            raise InputError(f"{name!r}: {value!r}; a concentration is not negative")
        if formula_of := dict(self._crn.formulas).get(self._constant_of.get(name, "")):
            raise InputError(f"{name!r} follows from {formula(formula_of)}; set what it reads")
        super().setValue(name, value)

    __setitem__ = setValue

    def setValues(self, keysOrDict: Any, values: Any = None) -> None:  # roadrunner's own signature
        """Set several values, as `setValue` does."""
        pairs = keysOrDict.items() if values is None else zip(keysOrDict, values, strict=True)
        for name, value in pairs:
            self.setValue(name, value)

    def reset(self, *args: Any) -> None:
        """As roadrunner's own, with starts for the inputs and rate constants as they are now."""
        super().reset(*args)
        bounds = self._crn.initial_state(self._boundary(), self._constants()).tolist()
        for species, bound in zip(self._crn.floating, bounds, strict=True):
            # not set by the user
            if self.getValue(f"init([{species}])") == self._start[species]:
                super().setValue(f"[{species}]", bound)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._selection})

    def __reduce__(self) -> tuple[Any, ...]:
        # roadrunner's own pickle knows nothing of the network, and holds machine code
        set_by_rule, constant_of = dict(self._crn.formulas), self._constant_of
        own = self.model.getGlobalParameterIds()
        kept = [k for k in own if k in constant_of and constant_of[k] not in set_by_rule]
        kept += [f"[{name}]" for name in (*self._crn.floating, *self._crn.boundary)]
        values = {name: self.getValue(name) for name in kept}
        return _copy, (self._net or self._crn, self._crn, self._form, values)

    def __copy__(self) -> ChemistryRunner:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: Any) -> ChemistryRunner:
        return _copy(*self.__reduce__()[1])

    def __repr__(self) -> str:
        return f"ChemistryRunner({f'{self._net!r}, ' if self._net else ''}{self._crn!r})"

    __str__ = __repr__


for _name in _CHANGING:
    setattr(ChemistryRunner, _name, _refused(_name))


def _copy(
    model: Network | ReactionNetwork, crn: ReactionNetwork, form: Form, values: dict[str, float]
) -> ChemistryRunner:
    """A runner in the state of another, as pickle and copy make it."""
    runner = ChemistryRunner(model, crn, form)
    runner.setValues(values)
    return runner


def to_roadrunner(
    net: AnyModel,
    x: npt.ArrayLike | None = None,
    form: Form | None = None,
    *,
    units: Units | None = None,
) -> ChemistryRunner:
    """The flat model as tellurium's ExtendedRoadRunner.

    Start values are numbers, which `reset` takes anew from the inputs and rate constants as they
    are then: bounds of the steady state from above.

    Parameters
    ----------
    net : Network, ReactionNetwork, str or path-like
        As `Simulator` takes it.
    x : (n_in,) array_like, optional
        Of a Network, input values; by default the inputs' species are at 0.
    form : {"reactions", "compact", "numbers"}, optional
        How the model is written (see `to_antimony`). ``"reactions"`` shows every reaction;
        ``"compact"`` and ``"numbers"`` load faster. Loading time grows with the square of the size.
        By default ``"reactions"``; ``"compact"`` where a model that is no Network has more than
        1,000.
    units : Units, optional
        What the model's numbers, values of inputs set by name among them, are in: `PhysicalUnits`
        say; by default dimensionless.

    Returns
    -------
    ChemistryRunner
        ``r.simulate``, ``r.plot``, ``r["x0"] = 1`` as ever; ``r.steadyState()`` is fast and never
        ends at concentrations that are not positive. Of a ReactionNetwork it keeps what is
        conserved, and ends where the time course does.

    Examples
    --------
    >>> net = Network.random([2, 3, 1], seed=0)
    >>> r = to_roadrunner(net, [0.0, 1.0])
    >>> r["x0"] = 2.0
    >>> residual = r.steadyState()
    >>> bool(abs(r["y0"] - net([2.0, 1.0])[0]) < 1e-9)
    True
    """
    model = as_model(net, "to_roadrunner")
    crn = written(model, x, units, "formulas")
    if form is None:
        is_large = isinstance(model, ReactionNetwork) and len(crn.reactions) > REACTIONS_UP_TO
        form = "compact" if is_large else "reactions"
    return ChemistryRunner(model, crn, form)
