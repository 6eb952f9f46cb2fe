"""Who solves it: the engine, steady states, time courses, and what they return."""

from crn_nn_tellurium.simulation.assignments import StartValues
from crn_nn_tellurium.simulation.by_differences import Dependence, engine_equations
from crn_nn_tellurium.simulation.coming_to_rest import ROUGH, rest
from crn_nn_tellurium.simulation.compile_cache import (
    CACHE_VARIABLE,
    cache_state,
    clear_compile_cache,
)
from crn_nn_tellurium.simulation.conditions import check_time, fill, start_values, time_grid
from crn_nn_tellurium.simulation.engine import (
    TIGHT,
    CompiledModel,
    Tolerances,
    clear_cache,
    compiled,
    own_solvers,
    within_reach,
)
from crn_nn_tellurium.simulation.engines import (
    Engine,
    EngineLike,
    RateEquations,
    Roadrunner,
    as_engine,
    check_engine,
)
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.loading import new_runner
from crn_nn_tellurium.simulation.named_values import (
    boundary_values,
    floating_values,
    parameter_values,
    selections,
    set_floating_values,
)
from crn_nn_tellurium.simulation.outcome import (
    ACCURATE,
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
from crn_nn_tellurium.simulation.rate_equations import RateModel
from crn_nn_tellurium.simulation.reduced_system import Equations, reduced_equations, solved
from crn_nn_tellurium.simulation.results import SteadyState, TimeCourse
from crn_nn_tellurium.simulation.settle import DURATIONS, come_to_rest, polish, steady
from crn_nn_tellurium.simulation.simulator import OnError, Simulator
from crn_nn_tellurium.simulation.stability import STABILITY_UP_TO, Matrix, Stability
from crn_nn_tellurium.simulation.verification import Verification, verify
