"""What numbers may differ by, and why: tests take these, and say beside it where another is meant.

Each is relative, or absolute where what is compared is about 1. A tighter one is never wrong; that
a looser one would pass is no reason for it.
"""

LAST_DIGIT = 1e-15
"""One or two operations on the same numbers: each rounds by 1.1e-16 at most."""
LAST_DIGITS = 1e-14
"""Some ten operations, none of which cancels."""
SUMMED = 1e-13
"""Sums of some hundred terms in another order, or a few that cancel a little."""
ROUNDED = 1e-12
"""Two ways to the same number, in doubles: layers multiply what their inputs are rounded to, in the
corpus by a thousand. Newton's method ends quadratically, so a state that it found is as exact.
"""
SOLVED = 1e-9
"""Steady states, and what follows from them: one is accepted within 5e-10 of every concentration
(`settle.ACCEPTED`), and derivatives are quotients of such.
"""
INTEGRATED = 1e-8
"""Ends of integrations: CVODE keeps 1e-10 a step, and some hundred steps' errors add up."""
IN_TIME = 1e-7
"""The same of derivatives and of several species: errors grow from one to the next at first."""
DIFFERENCED = 1e-6
"""Beside finite differences, whose error is a step's square and what is solved over the step; and
beside COPASI and scipy, which keep 1e-6 to 1e-9 a step.
"""
