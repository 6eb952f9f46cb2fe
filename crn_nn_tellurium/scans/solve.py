"""Boxes of a plan's points, solved: what is kept of them, whatever is scanned."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.grid import Box
from crn_nn_tellurium.scans.model_subject import ModelSubject
from crn_nn_tellurium.scans.network_subject import NetworkSubject
from crn_nn_tellurium.scans.plan import Plan
from crn_nn_tellurium.scans.subject import States, Subject, Variable
from crn_nn_tellurium.simulation import SOLVED, outcomes


class Solver:
    """Solves a plan, box by box.

    Parameters
    ----------
    plan : Plan

    Raises
    ------
    ReactionError
        If a text is not a model that roadrunner can run.
    InputError
        If what is varied, kept and given does not fit together.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        is_network = isinstance(plan.model, Network)
        self.subject: Subject = NetworkSubject(plan) if is_network else ModelSubject(plan)
        for quantity in plan.quantities.values():
            quantity.check(self.subject)

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """The variables of the result, ``status`` last."""
        found = {
            name: quantity.variable(self.subject, name)
            for name, quantity in self.plan.quantities.items()
        }
        every = tuple(range(len(self.plan.shape)))
        return found | {"status": Variable("status", every, is_text=True)}

    def solve(self, box: Box) -> dict[str, Any]:
        """All variables over a box."""
        # those of networks come last, so that what they cannot say is added to what is solved
        quantities = sorted(self.plan.quantities.items(), key=lambda item: item[1].by_network)
        of_states = [quantity for _, quantity in quantities if not quantity.by_network]
        if of_states:
            all_values = any(quantity.needs_values(self.subject) for quantity in of_states)
            states = self.subject.states(box, all_values)
        else:
            states = States(box, outcomes(SOLVED, box.shape))
        found = {
            name: quantity.keep(self.subject, states, self.variables[name])
            for name, quantity in quantities
        }
        return {**found, "status": states.status}
