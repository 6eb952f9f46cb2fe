"""The search for the errors of rate constants that push a network's outputs furthest.

Each reaction's rate constant is k (1 + e) with |e| <= rates, each by itself, as `enclosure` takes
them. Where the outputs are wanted as far up as possible, L = goal . outputs, e is put at the end
that the sign of dL/de points to (the fast gradient sign method of Goodfellow et al., ICLR 2015),
and again from there in steps that shrink, since what is worst may lie between the ends (Madry et
al., ICLR 2018). Units decide together which of them are on, which no small step changes: so it
begins again with all errors of one hidden unit turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    card,
    check_choice,
    frame_of,
    is_real,
    read_only,
    seed_given,
    whole_number,
)
from crn_nn_tellurium.certificates import input_points, is_single, kinetics_of
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.kinetics import KineticsApart
from crn_nn_tellurium.networks import Network, leads_of, places
from crn_nn_tellurium.perturbations.knock_outs import UnitReaction, reactions_of_layer
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["either", "up", "down"]
"""Which way an output is pushed."""
_DIRECTIONS = {"either": (1.0, -1.0), "up": (1.0,), "down": (-1.0,)}
_STEPS = [2 * 0.85**n for n in range(30)]
"""How far errors move, over the largest: first from end to end, at last by a fiftieth."""
_NUMBERS = 10**6
"""Errors that are held at a time."""


@dataclass(frozen=True, eq=False)
class Attack:
    """Errors of rate constants, each reaction's by itself, that push outputs furthest.

    Arrays of one sample, given as (n_in,), have no dimension of samples.

    Attributes
    ----------
    nominal, outputs : (n_samples, n_out) ndarray
        Outputs with every rate constant as stated, and with these errors.
    flips : (n_samples,) bool ndarray, or None
        Whether the class is another; None where an output is pushed.
    margin : (n_samples,) ndarray, or None
        By how much the class is left ahead: its output's distance from the largest other one, or
        from the threshold; negative where it flips.
    rates : float
        The largest relative error.
    errors : (n_samples, n_reactions) ndarray
        Relative errors within rates: most are at an end, and 0 what has no effect.
    effects : (n_samples, n_reactions) ndarray
        To first order, by how much each error alone pushes: by how much `margin` shrinks, or the
        output moves.
    reactions : tuple of UnitReaction
        Reactions with every unit of a layer count as one.
    output_names : tuple of str

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> found = cn.attack(cn.load_model("xor"), [0.0, 1.0], rates=0.05)
    >>> bool(found.flips), found.outputs.round(2)
    (False, array([0.51]))
    >>> found.ranking().reaction.head(2).tolist()
    ['Jb1_1_Y', 'Jw1_1_1_Y']
    """

    nominal: FloatArray
    outputs: FloatArray
    flips: Any
    margin: Any
    rates: float
    errors: FloatArray
    effects: FloatArray
    reactions: tuple[UnitReaction, ...]
    output_names: tuple[str, ...]

    def __post_init__(self) -> None:
        read_only(self.nominal, self.outputs, self.errors, self.effects)

    @property
    def _n(self) -> int:
        return len(np.atleast_2d(self.nominal))

    @property
    def _found(self) -> str:
        """What it comes to, in words."""
        if self.flips is None:
            moved = np.abs(self.outputs - self.nominal).max()
            return f"outputs moved by up to {moved:.3g}"
        left = f"least margin left {np.min(self.margin):.3g}"
        return f"class flips for {int(np.sum(self.flips)):,} of {self._n:,}, {left}"

    def __repr__(self) -> str:
        samples = "1 sample" if self._n == 1 else f"{self._n} samples"
        off = f"{len(self.reactions):,} rate constants off by up to {self.rates:.3g}"
        return f"Attack({samples}, {off}: {self._found})"

    def to_frame(self) -> pd.DataFrame:
        """A row per sample and output: its value with all as stated, and as attacked. `ranking` has
        a row per reaction.

        Examples
        --------
        >>> from crn_nn_tellurium import attack, load_model
        >>> frame = attack(load_model("xor"), [[0, 0], [0, 1]], rates=0.01).to_frame()
        >>> list(frame.columns), list(frame.index)
        (['nominal', 'attacked', 'margin', 'class_flips'], [(0, 'y0'), (1, 'y0')])
        """
        columns = {"nominal": self.nominal, "attacked": self.outputs}
        if self.flips is not None:
            n_out = len(self.output_names)
            columns["margin"] = np.repeat(self.margin, n_out)
            columns["class_flips"] = np.repeat(self.flips, n_out)
        return frame_of({"sample": range(self._n), "output": self.output_names}, columns)

    def ranking(self, sample: int | None = None) -> pd.DataFrame:
        """The reactions that matter most first, by the first-order effect of their errors.

        Parameters
        ----------
        sample : int, optional
            Which one; by default errors and effects are means over all samples.

        Raises
        ------
        InputError
        """
        import pandas as pd

        if sample is not None and not (is_real(sample) and sample in range(self._n)):
            raise InputError(f"sample is {sample!r}; expected one of 0 to {self._n - 1}")

        errors, effects = np.atleast_2d(self.errors), np.atleast_2d(self.effects)
        chosen: Any = slice(None) if sample is None else [int(sample)]
        effect = effects[chosen].mean(axis=0)
        table = pd.DataFrame(
            {
                "reaction": [reaction.id for reaction in self.reactions],
                "name": [reaction.name for reaction in self.reactions],
                "error": errors[chosen].mean(axis=0),
                "effect": effect,
            }
        )
        return table.iloc[np.argsort(-effect, kind="stable")].reset_index(drop=True)

    def _repr_html_(self) -> str:
        facts = {
            "samples": self._n,
            "rate constants off by up to": self.rates,
            "reactions": len(self.reactions),
            "found": self._found,
        }
        notes = ["Reactions by the first-order effect of their errors, which pushes outputs most."]
        return card("Attack", facts, self.ranking().set_index("reaction"), notes=notes)


class Search:
    """A network whose reactions' errors are searched, at checked inputs."""

    def __init__(
        self,
        net: AnyModel | Simulator,
        x: Any,
        output: str | int | None,
        direction: str,
        restarts: int,
        seed: int,
    ) -> None:
        check_choice("direction", direction, tuple(_DIRECTIONS))
        self.net = kinetics_of(net).net
        self._kinetics = KineticsApart(self.net)
        for layer in self._kinetics.layers:
            layer.check_order("an attack needs an activation without such a loop")
        self.x, self.single = input_points(self.net, x), is_single(self.net, x)
        self._inputs = self.net.input_coding.code(self.x)
        self._seed = seed_given(seed)
        self._restarts = whole_number("restarts", restarts, 0)
        self._nominal = self.net(self.x)
        pushes = output is not None or self.net.task == "regression"
        if not pushes and direction != "either":
            raise InputError(
                f"direction is {direction!r}; expected output= with it, an output to push"
            )
        self._is_class = not pushes
        # (n, n_goals, n_out): sums of outputs to be made large
        self._goals = self._pushes(output, direction) if pushes else self._rivals()
        # an output goes as far as it is pushed from where it was; classes meet at one 0
        begin = (self._goals * self._nominal[:, None]).sum(axis=-1)
        self._begin = begin if pushes else np.zeros_like(begin)

    def _pushes(self, output: str | int | None, direction: str) -> FloatArray:
        place = _place_of(self.net, output)
        goals = np.zeros((len(self.x), len(_DIRECTIONS[direction]), self.net.n_out))
        goals[:, :, place] = _DIRECTIONS[direction]
        return goals

    def _rivals(self) -> FloatArray:
        """Each other class's output less that of the own class."""
        n_out = self.net.n_out
        if n_out == 1:
            threshold = self.net.layers[-1].activation.threshold
            return np.where(self._nominal > threshold, -1.0, 1.0)[:, None]
        return -leads_of(n_out, self._nominal.argmax(axis=1))

    def flips(self, outputs: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether the class is another (n,)."""
        return np.asarray(self.net.classify(outputs) != self.net.classify(self._nominal))

    def outputs(self, rates: FloatArray, errors: FloatArray) -> FloatArray:
        """Outputs (n, n_out) with errors (n, n_numbers) over the largest, rates (n,)."""
        found = np.empty_like(self._nominal)
        for part in self._parts(1):
            constants = self._constants(rates[part], errors[part])
            states = self._kinetics.settle_coded(self._inputs[part], constants)
            found[part] = self._kinetics.outputs(states)
        return found

    def worst(self, rates: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Errors (n, n_numbers) in [-1, 1], over the largest, rates (n,), that push furthest, and
        what goal (n, n_out) they push to.
        """
        errors = np.empty((len(rates), len(self._kinetics.own)))
        chosen = np.empty((len(rates), self.net.n_out))
        for part in self._parts(self._goals.shape[1] + self._restarts):
            errors[part], chosen[part] = self._worst(part, rates[part])
        return errors, chosen

    def _parts(self, starts: int) -> list[slice]:
        """A few samples at a time."""
        step = max(1, _NUMBERS // (starts * len(self._kinetics.own)))
        return [slice(first, first + step) for first in range(0, len(self.x), step)]

    def _worst(self, part: slice, rates: FloatArray) -> tuple[FloatArray, FloatArray]:
        goals, size = self._goals[part], len(self._kinetics.own)
        n, n_goals, _ = goals.shape
        rows = np.arange(n)
        reached, errors = self._climb(part, rates, goals, np.zeros((n, n_goals, size)))
        best = (reached - self._begin[part]).argmax(axis=1)
        value, errors, goal = reached[rows, best], errors[rows, best], goals[rows, best]
        if len(self._turned):
            again = np.repeat(goal[:, None], len(self._turned), axis=1)
            more, others = self._climb(part, rates, again, errors[:, None] * self._turned)
            first = more.argmax(axis=1)
            better = more[rows, first] > value
            errors = np.where(better[:, None], others[rows, first], errors)
        return errors, goal

    @cached_property
    def _turned(self) -> FloatArray:
        """Factors (n_restarts, n_numbers) that turn round the errors of a hidden unit each."""
        units, n_hidden = self._kinetics.units, sum(layer.n_out for layer in self.net.layers[:-1])
        drawn = np.random.default_rng(self._seed).permutation(n_hidden)[: self._restarts]
        return np.where(units == drawn[:, None], -1.0, 1.0)

    def _climb(
        self, part: slice, rates: FloatArray, goals: FloatArray, errors: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The largest goals (n, m) met on the way from errors (n, m, n_numbers), and its errors."""
        n, m, size = errors.shape
        errors, flat = errors.reshape(n * m, size), goals.reshape(n * m, -1)
        inputs, each = np.repeat(self._inputs[part], m, axis=0), np.repeat(rates, m)
        best, kept = np.full(n * m, -np.inf), errors
        for step in _STEPS:
            constants = self._constants(each, errors)
            states = self._kinetics.settle_coded(inputs, constants)
            reached = (self._kinetics.outputs(states) * flat).sum(axis=1)
            better = reached > best
            best, kept = np.maximum(best, reached), np.where(better[:, None], errors, kept)
            slopes, _ = self._kinetics.backward(states, flat, constants)
            wanted = np.sign(self._kinetics.to_rows(slopes) * self._kinetics.own)
            moved = np.clip(errors + step * wanted, -1, 1)
            if np.array_equal(moved, errors):
                break
            errors = moved
        return best.reshape(n, m), kept.reshape(n, m, size)

    def _constants(self, rates: FloatArray, errors: FloatArray) -> Any:
        return self._kinetics.from_rows(self._kinetics.own * (1 + rates[:, None] * errors))

    def report(self, rates: float, errors: FloatArray, goals: FloatArray) -> Attack:
        """What errors in [-1, 1], over the largest, come to."""
        kinetics = self._kinetics
        outputs = self.outputs(np.full(len(errors), rates), errors)
        by_constant = np.empty_like(errors)
        for part in self._parts(1):
            states = kinetics.settle_coded(self._inputs[part])
            slopes, _ = kinetics.backward(states, goals[part])
            by_constant[part] = kinetics.to_rows(slopes)
        errors = rates * errors
        reactions, numbers = reactions_apart(kinetics)
        at: Any = 0 if self.single else slice(None)
        flips = self.flips(outputs) if self._is_class else None
        margin = self._margins(outputs) if self._is_class else None
        return Attack(
            self._nominal[at],
            outputs[at],
            flips if flips is None else flips[at],
            margin if margin is None else margin[at],
            rates,
            errors[:, numbers][at],
            (by_constant * kinetics.own * errors)[:, numbers][at],
            reactions,
            self.net.output_names,
        )

    def _margins(self, outputs: FloatArray) -> FloatArray:
        """By how much each class is ahead (n,)."""
        if self.net.n_out == 1:
            threshold = self.net.layers[-1].activation.threshold
            return np.asarray(self._goals[:, 0, 0] * (threshold - outputs[:, 0]))
        return np.asarray(-(self._goals @ outputs[..., None])[..., 0].max(axis=1))


def _place_of(net: Network, output: Any) -> int:
    """Which output is meant."""
    names = net.output_names
    if output is None and len(names) == 1:
        return 0
    if isinstance(output, str) and output in names:
        return names.index(output)
    if is_real(output) and output in range(len(names)):
        return int(output)
    known = ", ".join(map(repr, names[:4])) + (", ..." if len(names) > 4 else "")
    raise InputError(f"output is {output!r}; expected one of {known}, or its place from 0")


def reactions_apart(
    kinetics: KineticsApart,
) -> tuple[tuple[UnitReaction, ...], npt.NDArray[np.intp]]:
    """All reactions as they are written, and the place of each one's error among the numbers."""
    # the place of every number, in the shapes of rate constants
    numbers = kinetics.from_rows(np.arange(float(len(kinetics.own)))[None])
    reactions: list[UnitReaction] = []
    found = []
    for number, (layer, own) in enumerate(zip(kinetics.layers, numbers, strict=True)):
        pairs = zip(*(part.tolist() for part in places(layer.encoding.weights)), strict=True)
        stored = {pair: i for i, pair in enumerate(pairs)}
        for reaction in reactions_of_layer(number, layer):
            reactions.append(reaction)
            if reaction.kind == "weight":
                place = stored[reaction.unit, reaction.place]
                found.append(own.weights[0, reaction.rail, place])
            elif reaction.kind == "bias":
                found.append(own.bias[0, reaction.unit, reaction.rail])
            else:
                found.append(own.local[reaction.place, 0, reaction.unit])
    return tuple(reactions), np.array(found, dtype=np.intp)
