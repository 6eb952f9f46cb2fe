"""Chemistry made to fail, to see what becomes of it."""

import crn_nn_tellurium as cn
from crn_nn_tellurium.simulation.engine import CompiledModel


def fail_to_solve(monkeypatch, bad):
    """An engine that cannot bring one input home: Newton's method ends below zero, and CVODE gives
    up.
    """
    solve, course = CompiledModel.solve_each, CompiledModel.time_course

    def solve_each(self, boundary, start, *values):
        x, converged = solve(self, boundary, start, *values)
        wrong = boundary[:, 0] == bad
        x[wrong] = -1.0
        return x, converged & ~wrong

    def time_course(self, boundary, start, times, *tolerances):
        if boundary[0] == bad:
            raise cn.ConvergenceError("CVODE failed: made to")
        return course(self, boundary, start, times, *tolerances)

    monkeypatch.setattr(CompiledModel, "solve_each", solve_each)
    monkeypatch.setattr(CompiledModel, "time_course", time_course)
