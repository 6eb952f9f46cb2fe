"""Who solves it: the engine, steady states, time courses, and what they return."""

from crn_nn_tellurium.simulation.engine import (
    CVODE,
    RELATIVE_TOLERANCE,
    STEADY_STATE_TOLERANCE,
    CompiledModel,
    antimony_to_sbml,
    clear_cache,
    compiled,
    keeping_attributes,
)
from crn_nn_tellurium.simulation.layer_solver import worse
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse
from crn_nn_tellurium.simulation.settle import INTEGRATED, SOLVED, steady
from crn_nn_tellurium.simulation.simulator import OnError, Simulator, check_time, start_values
from crn_nn_tellurium.simulation.verification import Verification, verify

__all__ = [
    "CVODE",
    "INTEGRATED",
    "RELATIVE_TOLERANCE",
    "SOLVED",
    "STEADY_STATE_TOLERANCE",
    "CompiledModel",
    "OnError",
    "Simulator",
    "SteadyState",
    "TimeCourse",
    "Verification",
    "antimony_to_sbml",
    "check_time",
    "clear_cache",
    "compiled",
    "keeping_attributes",
    "start_values",
    "steady",
    "verify",
    "worse",
]
