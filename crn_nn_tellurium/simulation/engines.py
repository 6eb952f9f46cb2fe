"""Who integrates: strategies behind one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from crn_nn_tellurium.basics import check_positive
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.simulation.engine import TIGHT, Tolerances
from crn_nn_tellurium.simulation.flat import FlatModel
from crn_nn_tellurium.simulation.integrator import Integrator
from crn_nn_tellurium.simulation.rate_equations import RateModel

COMPILED_UP_TO = 500
"""Reactions up to which roadrunner integrates by default: compiling takes it a second then, in
which rate equations run ten times, and grows with their square."""


@dataclass(frozen=True)
class Engine(ABC):
    """Who integrates time courses, and how exactly.

    Attributes
    ----------
    rtol : float
        Error of one step, relative to each concentration. With the default a concentration is right
        to about 1e-8, and to 1e-7 while it falls steeply.
    atol : float
        Error that is none, in concentration. Roots of small h go down to 1e-18 and must stay
        positive, so a larger one is for networks without such species.
    """

    rtol: float = TIGHT.relative
    atol: float = TIGHT.absolute
    name: ClassVar[str]
    compiles: ClassVar[bool]

    def __post_init__(self) -> None:
        check_positive("rtol", self.rtol, "a number > 0: 1e-10, say")
        check_positive("atol", self.atol, "a concentration > 0: 1e-18, say")

    @property
    def tolerances(self) -> Tolerances:
        """The same, as integrators take them."""
        return Tolerances(float(self.rtol), float(self.atol))

    @abstractmethod
    def model(self, crn: ReactionNetwork) -> Integrator:
        """A reaction network, to be integrated."""


class Roadrunner(Engine):
    """roadrunner: compiles the network, in time that grows with the square of its size, and runs it
    in a millisecond or two (CVODE).

    Examples
    --------
    >>> from crn_nn_tellurium import Network, Simulator
    >>> sim = Simulator(Network.random([2, 3, 1], seed=0), engine=Roadrunner(rtol=1e-8))
    >>> sim.time_course([0, 1]).engine
    'roadrunner'
    """

    name, compiles = "roadrunner", True

    def model(self, crn: ReactionNetwork) -> Integrator:
        return FlatModel(crn)


class RateEquations(Engine):
    """The network's own rate equations, vectorised, by SUNDIALS' CVODE: nothing is compiled, and a
    step takes time in proportion to the size.

    Examples
    --------
    >>> from crn_nn_tellurium import Network, Simulator
    >>> sim = Simulator(Network.random([784, 128, 64, 10], seed=0), engine="rate_equations")
    >>> sim.time_course([0.5] * 784, t_end=10, n_points=3)
    TimeCourse(3 points from t = 0 to 10, 10 outputs, 202 species, by rate_equations)
    """

    name, compiles = "rate_equations", False

    def model(self, crn: ReactionNetwork) -> Integrator:
        return RateModel.of(crn)


EngineLike = Engine | Literal["roadrunner", "rate_equations"] | None
"""An engine, its name, or None for what suits the size."""
_BY_NAME: dict[str, type[Engine]] = {kind.name: kind for kind in (Roadrunner, RateEquations)}


def check_engine(engine: Any) -> None:
    """Refuse what is no engine."""
    is_name = isinstance(engine, str) and engine in _BY_NAME
    if not (engine is None or isinstance(engine, Engine) or is_name):
        names = ", ".join(map(repr, _BY_NAME))
        raise InputError(
            f"engine is {engine!r}; expected {names}, cn.Roadrunner(), cn.RateEquations(), or None"
            " for what suits the size"
        )


def as_engine(engine: EngineLike, n_reactions: int, atol: float = TIGHT.absolute) -> Engine:
    """The engine meant, for a network of so many reactions; `atol` where none is given."""
    check_engine(engine)
    if isinstance(engine, Engine):
        return engine
    suits = "roadrunner" if n_reactions <= COMPILED_UP_TO else "rate_equations"
    return _BY_NAME[engine or suits](atol=atol)
