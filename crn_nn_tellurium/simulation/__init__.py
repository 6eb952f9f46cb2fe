"""Who solves it: the engine, steady states, time courses, and what they return."""

from crn_nn_tellurium.simulation.antimony_text import plain_antimony
from crn_nn_tellurium.simulation.assignments import StartValues
from crn_nn_tellurium.simulation.by_differences import engine_equations
from crn_nn_tellurium.simulation.conditions import check_time, fill, start_values, time_grid
from crn_nn_tellurium.simulation.engine import (
    TIGHT,
    CompiledModel,
    Tolerances,
    antimony_to_sbml,
    clear_cache,
    compiled,
    keeping_attributes,
    own_solvers,
)
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.named_values import (
    boundary_values,
    floating_values,
    parameter_values,
    set_floating_values,
)
from crn_nn_tellurium.simulation.outcome import (
    AFTER_INTEGRATION,
    CLOSED_FORM,
    INTEGRATED,
    SOLVED,
    Kind,
    Outcome,
    Outcomes,
    failures,
    outcomes,
    worse,
)
from crn_nn_tellurium.simulation.reduced_system import RateEquations, rate_equations, rest, solved
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse
from crn_nn_tellurium.simulation.sbml_symbols import names_in, own_numbers, per_size
from crn_nn_tellurium.simulation.settle import DURATIONS, come_to_rest, polish, steady
from crn_nn_tellurium.simulation.simulator import OnError, Simulator
from crn_nn_tellurium.simulation.verification import Verification, verify
