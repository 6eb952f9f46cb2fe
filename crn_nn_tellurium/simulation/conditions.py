"""What users say of a run: where it starts, when its inputs change, at what time it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import (
    FloatArray,
    check_positive,
    first_twice,
    is_real,
    labels_of,
    real_numbers,
    seed_given,
    some,
    whole_number,
)
from crn_nn_tellurium.errors import InputError


def time_grid(t_end: Any, n_points: Any) -> FloatArray:
    """Equally spaced times (n_points,) from 0."""
    _check_moment("t_end", t_end, "a finite number > 0")
    points = whole_number("n_points", n_points, 2, "a whole number, at least 2 points")
    return np.linspace(0.0, t_end, points)


def check_stochastic(volume: Any, draws: Any, seed: Any) -> tuple[int | None, int | None]:
    """Draws and seed as whole numbers; refuses what is no volume, number of draws or seed."""
    if volume is not None:
        check_positive("volume", volume)
    if draws is not None:
        draws = whole_number("draws", draws)
        if volume is None:
            raise InputError(
                f"draws is {draws!r}, of a time course without chance; expected a volume with it,"
                " volume=100 say"
            )
    if seed is not None:
        seed = seed_given(seed)
        if volume is None:
            raise InputError(
                f"seed is {seed!r}, of a time course without chance; expected a volume with it,"
                " volume=100 say, or no seed"
            )
    return draws, seed


def start_values(initial: Any, species: Sequence[str], n_samples: int | None = None) -> FloatArray:
    """Start values (n_samples, n_species), by default one sample's; NaN where none was given.

    `initial` is one concentration for all species, an array (n_species,) or (n_samples, n_species),
    or some species by name.
    """
    size = len(species)
    shape = (1 if n_samples is None else n_samples, size)
    try:
        labels = labels_of(initial)
        if (twice := first_twice(labels)) is not None:
            raise InputError(f"initial names {twice!r} twice; expected each species once")
        if isinstance(initial, Mapping) or labels:
            values = np.full(shape, np.nan)
            for name, value in initial.items():
                if name not in species:
                    raise InputError(
                        f"initial names {name!r}; expected species among {some(species)}"
                    )
                values[:, species.index(name)] = _concentrations(f"initial of {name!r}", value)
        else:
            values = np.array(np.broadcast_to(_concentrations("initial", initial), shape))
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        shapes = f"({size},)" + ("" if n_samples is None else f" or {shape}")
        raise InputError(f"initial is {initial!r}; expected a number, {shapes} numbers") from error
    return values


def _concentrations(what: str, value: Any) -> FloatArray:
    """Values as an array of concentrations, or what is wrong with them."""
    # numpy would take True for 1.0
    if np.asarray(value).dtype == bool:
        raise InputError(f"{what} is {value!r}; expected a finite concentration >= 0")
    values = real_numbers(what, value, "a number, or numbers")
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise InputError(
            f"{what}: {float(values[bad].flat[0])!r}; expected a finite concentration >= 0"
        )
    return values


def fill(start: FloatArray | None, default: FloatArray) -> FloatArray:
    """Start values, the default where none was given."""
    return default if start is None else np.where(np.isnan(start), default, start)


def input_changes(steps: Any, time: FloatArray) -> dict[float, Any]:
    """Later inputs by the time from which they hold, in order."""
    if not isinstance(steps, Mapping):
        raise InputError(f"steps are {steps!r}; expected times and inputs, {{25.0: [1, 0]}} say")
    t_end = float(time[-1])
    close = 1e-9 * t_end  # far above rounding, far below any step that is meant
    for moment in steps:
        if not (is_real(moment) and 0 < moment < t_end):
            raise InputError(
                f"steps: the inputs change at t = {moment!r}; expected times between 0 and"
                f" {t_end!r}"
            )
    changes: dict[float, Any] = {}
    before = 0.0
    for moment in sorted(steps):
        # a time of 0.1 * 3 means the point 0.3
        nearest = float(time[np.abs(time - moment).argmin()])
        at = nearest if abs(nearest - moment) <= close else float(moment)
        if at - before <= close or t_end - at <= close:
            raise InputError(
                f"steps: t = {moment!r} is too close to the change before it, to 0 or to t_end"
            )
        changes[at] = steps[moment]
        before = at
    return changes


_LEAST_TIME = 1e-100


def _check_moment(what: str, time: Any, expected: str) -> None:
    """Refuse what is no time to integrate to."""
    check_positive(what, time, expected)
    # below, steps of integrators vanish against them, and scipy's never end
    if time < _LEAST_TIME:
        raise InputError(f"{what} is {time!r}; expected {_LEAST_TIME:g} or more")


def check_time(time: Any, initial: Any) -> None:
    """Refuse what is no read-out time, or a start without one."""
    if time is not None:
        _check_moment("time", time, "a finite number > 0, or None for the steady state")
    elif initial is not None:
        raise InputError(f"initial is {initial!r}; a start goes with a read-out time, time=3.0 say")
