"""Small networks of every kind of reaction, as anybody writes them, and where they are at a time.

What readers of exported files find is held against it. Reactions are apart from one another: each
has species of its own, so one file has them all, and a value that is off names its reaction.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from scipy.integrate import solve_ivp

TIME = 1.0
VOLUME = 4.0
"""Of the compartment that is not 1."""

KINDS = {
    "pair": ("2 A -> B", "k*A^2"),
    "halve": ("2 A -> A", "k*A^2"),
    "one_turns": ("2 A -> A + B", "k*A^2"),
    "pair_grows": ("2 A -> 3 A", "k*A^2"),
    "pair_takes": ("2 A + B -> 3 A", "k*A^2*B"),
    "one_takes": ("A + B -> 2 A", "k*A*B"),
    "three": ("3 A -> B", "k*A^3"),
    "three_to_one": ("3 A -> A", "k*A^3"),
    "one_of_three": ("3 A -> 2 A + B", "k*A^3"),
    "three_grow": ("3 A -> 4 A", "k*A^3"),
    "grows": ("A -> 2 A", "k*A"),
    "catalyst": ("A + B -> A + C", "k*A*B"),
    "pair_turns": ("2 A -> 2 B", "k*A^2"),
    "pair_makes": ("2 A -> 2 A + B", "k*A^2"),
    "pair_helps": ("2 A + B -> 2 A + C", "k*A^2*B"),
    "both_turn": ("2 A -> A + 2 B", "k*A^2"),
    "pair_goes": ("2 A -> ", "k*A^2"),
    "exchange": ("2 A + B -> A + 2 B", "k*A^2*B"),
    "feed": (" -> A", "k"),
    "feed_two": (" -> 2 A", "k"),
    "lose": ("A -> ", "k*A"),
    "held": ("$X + A -> B + $Y", "k*X*A"),
    "held_stays": ("A + $X -> $X", "k*A*X"),
    "held_pair": ("2 $X -> A", "k*X^2"),
    "held_pair_loses": ("2 $X + A -> $X + B", "k*X^2*A"),
    "held_made": ("2 A -> B + $Y", "k*A^2"),
    "in_volume": ("2 A -> B", "v*k*A^2"),
    "in_volume_catalyst": ("A + B -> 2 A", "v*k*A*B"),
    "in_volume_feed": (" -> A", "v*k"),
}
"""Equation and law, as Antimony has them; those with v are in its volume."""

FOURTH = {
    "two_and_two": ("2 A + 2 B -> C", "k*A^2*B^2"),
    "four": ("4 A -> 2 A + B", "k*A^4"),
    "five": ("3 A + 2 B -> A + 3 B", "k*A^3*B^2"),
}
"""Of more molecules than SBML and Antimony are written for."""

_START = {"A": 1.5, "B": 0.5, "C": 0.25, "X": 0.75, "Y": 1.25}
_SYMBOL = re.compile(r"\b([ABCXYk])\b")


def antimony(kinds=KINDS, more=""):
    """The text of all of them, and of what is added."""
    lines = ["model kinds()", f"compartment v = {VOLUME};"]
    for number, (name, (equation, law)) in enumerate(kinds.items()):
        own = _own(name)
        letters = sorted(set(re.findall("[ABCXY]", equation)))
        if "v*" in law:
            lines += [f"species {letter}_{name} in v;" for letter in letters]
        lines.append(f"J_{name}: {_SYMBOL.sub(own, equation)}; {_SYMBOL.sub(own, law)};")
        lines.append(f"k_{name} = {_constant(number)!r};")
        lines += [f"{letter}_{name} = {_START[letter]!r};" for letter in letters]
    return "\n".join([*lines, more, "end"])


def right_values(kinds=KINDS, time=TIME):
    """Concentrations at the time by name, of scipy's DOP853: twelve digits.

    The equations are read off the table here, without the package.
    """
    found = {}
    for number, (name, (equation, law)) in enumerate(kinds.items()):
        before, after = map(_side, equation.split("->"))
        letters = sorted({*before, *after})
        volume = VOLUME if "v*" in law else 1.0
        # a held species has a dollar sign in front
        moves = np.array([f"${letter}" not in equation for letter in letters])
        net = np.array([after[letter] - before[letter] for letter in letters]) * moves / volume
        rate = compile(law.replace("^", "**"), name, "eval")
        fixed = {"k": _constant(number), "v": VOLUME}

        def change(_, y, letters=letters, net=net, rate=rate, fixed=fixed):
            return net * eval(rate, fixed | dict(zip(letters, y, strict=True)))

        start = [_START[letter] for letter in letters]
        end = solve_ivp(change, (0, time), start, method="DOP853", rtol=1e-12, atol=1e-15)
        values = end.y[:, -1].tolist()
        found |= {f"{letter}_{name}": v for letter, v in zip(letters, values, strict=True)}
    return found


def _own(name):
    return lambda match: f"{match[1]}_{name}"


def _constant(number):
    """All different, and small enough that what grows has not blown up by the time."""
    return 0.05 + 0.003 * number


def _side(text):
    counts = Counter()
    for count, letter in re.findall(r"(\d*)\s*\$?([ABCXY])\b", text):
        counts[letter] += int(count or 1)
    return counts
