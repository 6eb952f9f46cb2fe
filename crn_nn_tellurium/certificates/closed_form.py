"""Settling times in closed form: under a millisecond a sample, later than the envelope's.

A wanted error is split over the layers from the outputs backwards, and the layers' times are added
forwards. If from time T on the catalysts of a rail leave its drive within d of its limit u,
comparison with the two Riccati equations of constant drive u + d and u - d gives, from every start
at T, with r = sqrt(u^2 + 4h),

    y <= sigma_h(u + d) + e  after  ln(1 + r/e) / r            (r at u + d; from infinity)
    y >= sigma_h(u - d) - e  after  ln((y^2/h) (r/e - 1)) / r   (r, y at u - d; from 0)

and |sigma_h(u +- d) - sigma_h(u)| <= theta E whenever d <= theta E (1 + h / (y (y + theta E))), so
E is met if e is what sigma_h leaves of it. Of s stages before and with it, a stage leaves (s - 1)/s
to those before, which is the best split of one error over equal stages. A follower is a linear
equation whose coefficients are between bounds (see `kinetics/bounds.py`), from a start below its
cap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crn_nn_tellurium.basics import FloatArray, by_sample, dense
from crn_nn_tellurium.certificates.question import Answer, Question
from crn_nn_tellurium.chemistry import Interval
from crn_nn_tellurium.encoding import Source, weighted_sums
from crn_nn_tellurium.errors import InputError, NotCertified
from crn_nn_tellurium.kinetics import (
    Bounds,
    Catalysts,
    LayerKinetics,
    LayerState,
    NetworkKinetics,
    extreme_root,
    product_of,
)
from crn_nn_tellurium.networks import INPUT, smoothed_relu

_HALVINGS = 200
"""Of an allowed error: 2^-200 of where it begins is beyond any sensitivity worth a bound."""


def in_closed_form(kinetics: NetworkKinetics, question: Question) -> Answer:
    """By when the outputs have settled; raises what `certify` says."""
    given = ["initial="] * (question.starts is not None) + ["rates="] * bool(question.rates)
    given += ["a box of inputs"] * (not question.is_of_points)
    if given:
        raise InputError(
            "bound='cheap' holds for all starts, known inputs and known rate constants; with"
            f" {' and '.join(given)} you need bound='envelope'"
        )
    x = question.inputs.lower
    bound = CheapBound(kinetics, x, question.tolerance, question.initial_max)
    sample, output = (int(i) for i in np.unravel_index(bound.times.argmax(), bound.times.shape))
    points = np.concatenate([by_sample(state.concentrations) for state in bound.states], axis=1)
    outputs = kinetics.outputs(bound.states)
    return Answer(
        by_sample=bound.times,
        chain=bound.chain(sample, output),
        rate=bound.rate,
        outputs=Interval(outputs, outputs),
        fixed_point=Interval(points, points),
        capped=tuple(name for layer in kinetics.layers for name in layer.encoding.followers),
    )


def covers(kinetics: NetworkKinetics) -> bool:
    """Whether the closed form has a bound for a network's activations."""
    try:
        for layer in kinetics.layers:
            _check(layer)
    except NotCertified:
        return False
    return True


@dataclass(frozen=True)
class _Stage:
    """One layer with what the bound needs of it."""

    kinetics: LayerKinetics
    state: LayerState
    # by local species, its terms by what catalyses them
    groups: list[dict[Catalysts, list[int]]]
    # number of stages up to and with the layer's rails
    depth: int

    @property
    def before(self) -> list[Source]:
        """The layers that it reads; inputs are there from the beginning."""
        return [source for source in self.kinetics.encoding.sources if source.name != INPUT]

    @property
    def n_rails(self) -> int:
        return len(self.state.drive)

    @property
    def y(self) -> dict[int, FloatArray]:
        """The fixed point (n, n_units) by local species."""
        return dict(enumerate(self.state.y))

    @property
    def sizes(self) -> FloatArray:
        """|weights| (n_units, n_catalysts)."""
        sizes: FloatArray = dense(abs(self.kinetics.encoding.weights))
        return sizes

    @property
    def order(self) -> list[int]:
        """Followers, each after what it reads."""
        return [a for (a,) in self.kinetics.blocks if a >= self.n_rails]

    def reads(self, follower: int) -> set[int]:
        """Local species that a follower reads."""
        return {a for own, pooled in self.groups[follower] for a in (*own, *pooled)}

    def level(self, species: int) -> int:
        """How many stages within the layer come before a species of it, itself counted."""
        if species < self.n_rails:
            return 0
        return 1 + max((self.level(a) for a in self.reads(species)), default=0)

    def share(self, species: int) -> float:
        """The part of a species' error that is left to the stages before it."""
        stages = self.depth + self.level(species)
        return (stages - 1) / stages

    def decay(self, follower: int, y: Mapping[int, FloatArray]) -> FloatArray:
        """Rate at which a follower is lost, (n, n_units)."""
        local, terms = self.kinetics.constants.local, self.kinetics.local.terms
        rate = np.zeros_like(self.state.y[0])
        for catalysts, chosen in self.groups[follower].items():
            for t in chosen:
                if terms.power[t] == 1:
                    k = terms.number[t] * local[terms.constant[t]]
                    rate = rate - k * product_of(catalysts, y)
        return rate

    def least(self, errors: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
        """The least concentrations (n, n_units) within some errors (n,) of their limits."""
        return {a: np.maximum(self.y[a] - error[:, None], 0.0) for a, error in errors.items()}

    def settles_between(self, follower: int, errors: Mapping[int, FloatArray]) -> Bounds:
        """Where a follower can settle when what it reads is within some errors (n,)."""
        between = {}
        for a, least in self.least(errors).items():
            between[a] = least, self.y[a] + errors[a][:, None]
        local = self.kinetics.constants.local[:, None, None]
        what = self.kinetics.local.terms, self.groups[follower], between, (local, local)
        return extreme_root(*what, up=False), extreme_root(*what, up=True)

    def ratio(self, follower: int) -> float:
        """The most that a follower's gain makes of it."""
        pair = _pair(self.kinetics, self.groups[follower])
        assert pair is not None  # checked at the beginning
        terms = self.kinetics.local.terms
        rates = terms.number * self.kinetics.constants.local[terms.constant]
        made, lost = rates[list(pair)]
        return float(made / -lost)


class CheapBound:
    """The closed-form bound of a network for a batch of checked inputs (n, n_in).

    `times` (n, n_out) says by when each output is within tolerance (in its own units) from every
    start, followers below `initial_max`; `states` are the layers at their fixed point.
    """

    def __init__(
        self, kinetics: NetworkKinetics, x: FloatArray, tolerance: float, initial_max: float
    ) -> None:
        self._net = kinetics.net
        self._cap = initial_max
        # a certificate of a sample must not depend on which others come with it
        self.states = kinetics.settle(x, by_row=True)
        self._stages = self._lay_out(kinetics)
        self._errors = self._split(tolerance, len(x))
        self._times = self._add_up(len(x))
        last = kinetics.layers[-1]
        read = [last.activation.species.index(name) for name, _ in last.activation.read_out.read]
        self.times = self._times[last.name][..., read].max(axis=-1, initial=0.0)

    def _lay_out(self, kinetics: NetworkKinetics) -> dict[str, _Stage]:
        depth = {INPUT: 0}
        stages = {}
        for layer, state in zip(kinetics.layers, self.states, strict=True):
            _check(layer)
            # closed forms of users' activations are their authors' word
            if not all(np.all(np.isfinite(y) & (y > 0)) for y in state.y):
                what = f"the closed form of {layer.activation}"
                raise NotCertified(
                    f"layer {layer.name!r}: {what} gives a concentration that is not positive"
                )
            before = 1 + max(depth[source.name] for source in layer.encoding.sources)
            stages[layer.name] = stage = _Stage(layer, state, layer.by_catalysts, before)
            depth[layer.name] = before + max(map(stage.level, range(len(state.y))))
        return stages

    # Backwards: what error each species is allowed ------------------------------------------------

    def _split(self, tolerance: float, n: int) -> dict[str, FloatArray]:
        """Allowed errors (n, n_species), by layer; infinite for what nothing reads."""
        errors = {}
        for name, stage in self._stages.items():
            errors[name] = np.full((n, len(stage.kinetics.activation.species)), np.inf)
        last = self._net.layers[-1]
        read = last.activation.read_out.read
        total = sum(abs(coefficient) for _, coefficient in read)
        for name, _ in read:
            errors[last.name][:, last.activation.species.index(name)] = tolerance / total
        for name, stage in reversed(self._stages.items()):
            own = errors[name]
            for follower in reversed(stage.order):
                if np.isfinite(own[:, follower]).all():
                    allowed = self._allowed(stage, follower, own[:, follower])
                    for a in stage.reads(follower):
                        own[:, a] = np.minimum(own[:, a], allowed)
            if stage.before:
                self._pass_on(stage, own, errors)
        return errors

    def _pass_on(self, stage: _Stage, own: FloatArray, errors: dict[str, FloatArray]) -> None:
        """What a layer's rails allow the species that they read."""
        h, room = stage.kinetics.activation.h, np.full(len(own), np.inf)
        columns = np.r_[tuple(source.span for source in stage.before)]
        weight = stage.sizes[:, columns].sum(axis=1)
        for rail in range(stage.n_rails):
            y = stage.state.y[rail]
            part = stage.share(rail) * own[:, rail, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                # the drive that moves sigma_h(u) by `part`, shared by all weights of a unit
                drive = part * (1 + h / (y * (y + part)))
                drive = np.where(np.isfinite(part), drive, np.inf)
                by_species = np.where(weight > 0, drive / weight, np.inf)
            room = np.minimum(room, by_species.min(axis=1))
        for source in stage.before:
            theirs = errors[source.name]
            for a in source.species:
                theirs[:, a] = np.minimum(theirs[:, a], room)

    def _allowed(self, stage: _Stage, follower: int, error: FloatArray) -> FloatArray:
        """The error (n,), to a factor of 2, of what a follower reads that its share allows."""
        y = stage.y[follower]
        wanted, decay = stage.share(follower) * error, stage.decay(follower, stage.y)
        allowed = 4 * wanted * decay.min(axis=1)
        for _ in range(_HALVINGS):
            errors = dict.fromkeys(stage.reads(follower), allowed)
            low, high = stage.settles_between(follower, errors)
            off = np.maximum(high - y, y - low).max(axis=1) > wanted
            # the follower must not be left without what it decays by, however large the error
            left = stage.decay(follower, stage.least(errors))
            off |= np.any(left < 0.75 * decay, axis=1)
            if not off.any():
                return allowed
            allowed = np.where(off, allowed / 2, allowed)
        species = stage.kinetics.activation.species[follower]
        raise NotCertified(
            f"layer {stage.kinetics.name!r}: species {species!r} is too sensitive for a"
            " closed-form bound; use bound='envelope'"
        )

    # Forwards: by when it is met ------------------------------------------------------------------

    def _add_up(self, n: int) -> dict[str, FloatArray]:
        """Times (n, n_units, n_species) by layer; 0 for what nothing reads."""
        times = {INPUT: np.zeros((n, self._net.n_in, len(self._net.input_coding.rails)))}
        for name, stage in self._stages.items():
            h = stage.kinetics.activation.h
            times[name] = found = np.zeros_like(stage.state.concentrations)
            begin, off = self._drives(stage, times)
            for rail, u in enumerate(stage.state.drive):
                y, error = stage.state.y[rail], self._errors[name][:, rail, None]
                if np.isfinite(error).all():
                    found[..., rail] = begin + _riccati_time(u, y, h, off, error)
            for follower in stage.order:
                if np.isfinite(self._errors[name][:, follower]).all():
                    found[..., follower] = self._follower_time(stage, follower, found)
        return times

    def _drives(
        self, stage: _Stage, times: Mapping[str, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """From when on the drives of a layer (n, n_units) stay how close to their limits."""
        encoding, sizes = stage.kinetics.encoding, stage.sizes
        # inputs are ready at time 0, and not off
        allowed = {INPUT: times[INPUT]}
        for source in stage.before:
            error = self._errors[source.name][:, None]
            allowed[source.name] = np.broadcast_to(error, times[source.name].shape)
        ready, off = encoding.gather(times), encoding.gather(allowed)
        begin = np.zeros_like(stage.state.y[0])
        if stage.before:
            for j, row in enumerate(sizes):
                begin[:, j] = ready[:, row > 0].max(axis=1, initial=0.0)
        return begin, weighted_sums(sizes, np.where(np.isfinite(off), off, 0.0))

    def _follower_time(self, stage: _Stage, follower: int, times: FloatArray) -> FloatArray:
        errors = self._errors[stage.kinetics.name]
        reads = stage.reads(follower)
        begin = np.zeros(times.shape[:2])
        for own, pooled in stage.groups[follower]:
            for a in own:
                begin = np.maximum(begin, times[..., a])
            for a in pooled:
                begin = np.maximum(begin, times[..., a].max(axis=1, keepdims=True))
        read = {a: errors[:, a] for a in reads}
        low, high = stage.settles_between(follower, read)
        rate = stage.decay(follower, stage.least(read))
        y, error = stage.state.y[follower], errors[:, follower, None]
        # from above the cap no start comes, above the ratio the follower only falls
        top = max(self._cap, stage.ratio(follower))
        from_above = np.log(np.maximum((top - high) / (error - (high - y)), 1.0))
        from_below = np.log(np.maximum(low / (error - (y - low)), 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            return begin + np.maximum(from_above, from_below) / rate

    @property
    def rate(self) -> float:
        """Slowest rate at the fixed points."""
        slowest = np.inf
        for stage in self._stages.values():
            h = stage.kinetics.activation.h
            rates = [np.sqrt(u * u + 4 * h) for u in stage.state.drive]
            rates += [stage.decay(follower, stage.y) for follower in stage.order]
            slowest = min(slowest, *(float(r.min()) for r in rates))
        return slowest

    # The slowest chain ----------------------------------------------------------------------------

    def chain(self, sample: int, output: int) -> tuple[str, ...]:
        """Species whose times add up to that of one output of a sample, first layer first."""
        name, unit = self._net.layers[-1].name, output
        result: list[str] = []
        while name != INPUT:
            stage = self._stages[name]
            width = len(stage.kinetics.activation.species)
            species = unit * width + int(self._times[name][sample, unit].argmax())
            result.append(stage.kinetics.encoding.species[species])
            name, unit = self._before(stage, sample, unit)
        return tuple(reversed(result))

    def _before(self, stage: _Stage, sample: int, unit: int) -> tuple[str, int]:
        """The layer and unit that a unit waits for."""
        activation = stage.kinetics.activation
        if activation.couples_units:
            # a follower waits for the rails of the whole layer
            read = [activation.species.index(local) for local in activation.pooled]
            unit = int(self._times[stage.kinetics.name][sample][:, read].max(axis=1).argmax())
        best, found = 0.0, (INPUT, 0)
        for source in stage.before:
            times = self._times[source.name][sample][:, list(source.species)]
            # a source's catalysts stand by unit, then by species
            read = stage.sizes[unit, source.span].reshape(times.shape) > 0
            latest = np.where(read, times, 0.0).max(axis=1)
            if latest.max() > best:
                best, found = float(latest.max()), (source.name, int(latest.argmax()))
        return found


def _riccati_time(
    u: FloatArray, y: FloatArray, h: float, off: FloatArray, error: FloatArray
) -> FloatArray:
    """How long a rail takes from any start to come near y, its drive being within `off` of u."""
    most, least = u + off, u - off
    high, low = smoothed_relu(most, h), smoothed_relu(least, h)
    r_high = np.sqrt(most * most + 4 * h)
    r_low = np.sqrt(least * least + 4 * h)
    # what the drive's own error leaves of the error wanted
    left_high = error - (high - y)
    left_low = error - (y - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        from_above = np.log1p(r_high / left_high) / r_high
        inside = np.maximum(r_low / left_low - 1, 0.0)
        # ln((y^2 / h) (r / e - 1)), in logarithms, since y^2 underflows for small h
        rise = (2 * np.log(low) - np.log(h) + np.log(inside)) / r_low
        # an error as large as the concentration is met from the beginning
        from_below = np.where(left_low >= low, 0.0, rise)
    return np.maximum(from_above, np.maximum(from_below, 0.0))


def _check(layer: LayerKinetics) -> None:
    """Refuse local reactions that the closed form does not cover."""
    layer.check_order("use bound='envelope'")
    kind, names = layer.activation, layer.activation.species
    parts = layer.by_catalysts
    for rail in range(len(kind.rails)):
        if any(own or pooled for own, pooled in parts[rail]):
            raise NotCertified(
                f"layer {layer.name!r}: rail {names[rail]!r} of {kind} takes part in local"
                " reactions; the closed-form bound takes rails that are driven alone; use"
                " bound='envelope'"
            )
    for follower in range(len(kind.rails), len(names)):
        powers = layer.local.terms.power[layer.local.terms.row == follower]
        if powers.max() > 1 or _pair(layer, parts[follower]) is None:
            raise NotCertified(
                f"layer {layer.name!r}: nothing limits species {names[follower]!r} of {kind} while"
                " its catalysts are far from settled (its one gain and a loss must share a"
                " catalyst, or have none); the closed-form bound does not cover it; use"
                " bound='envelope'"
            )


def _pair(layer: LayerKinetics, parts: dict[Catalysts, list[int]]) -> tuple[int, int] | None:
    """The only gain of a follower and a loss by the same catalyst, among the layer's terms."""
    number, power = layer.local.terms.number, layer.local.terms.power
    gains = []
    for part, chosen in parts.items():
        gains += [(part, t) for t in chosen if number[t] > 0]
    if len(gains) != 1:
        return None
    ((part, gain),) = gains
    losses = [t for t in parts[part] if number[t] < 0 and power[t] == 1]
    if power[gain] or not losses:
        return None
    return gain, losses[0]
