"""Chemistry made to fail, to see what becomes of it."""

import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium.kinetics import Drive
from crn_nn_tellurium.simulation import CompiledModel
from crn_nn_tellurium.simulation.settle import Block

MARK = 0.123456789
"""The drive of units that shall fail: compiled units know nothing of inputs."""


def fail_to_solve(monkeypatch, bad):
    """An engine that cannot bring one input home: Newton's method ends below zero, and CVODE gives
    up.
    """
    drive, newton, advance = Drive.at, Block.newton, Block.advance
    solve_one = CompiledModel.solve_one

    def marked_drive(self, catalysts):
        rows = drive(self, catalysts)
        rows[0, catalysts[:, 0] == bad] = MARK
        return rows

    def one_or_not(self, boundary, start, index, values):
        if MARK in values or bad in boundary:
            return None
        return solve_one(self, boundary, start, index, values)

    def fails(block, systems):
        if block.boundary.size:
            return (block.boundary[systems] == bad).any(axis=1)
        return (block.values[systems] == MARK).any(axis=1)

    def newton_or_not(self, x, systems):
        found = newton(self, x, systems)
        found[fails(self, systems)] = -1.0
        return found

    def advance_or_not(self, state, system, duration):
        if fails(self, np.array([system]))[0]:
            raise cn.ConvergenceError("CVODE failed: made to")
        return advance(self, state, system, duration)

    monkeypatch.setattr(Drive, "at", marked_drive)
    monkeypatch.setattr(CompiledModel, "solve_one", one_or_not)
    monkeypatch.setattr(Block, "newton", newton_or_not)
    monkeypatch.setattr(Block, "advance", advance_or_not)
