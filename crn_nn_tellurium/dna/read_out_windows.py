"""From when until when a DNA network can be read: settled, and not yet starved of fuel.

Each sample's implementation is integrated beside the ideal chemistry in the same
tube. A sample can be read while its class is right or, with a tolerance, while all its outputs are
within it of the network's, and as long as no fuel is down to a twentieth: a starved tube does not
compute, though it may come to rest at a right answer. The window is the longest stretch in which
all samples can be read, and each sample is settled and starved where its own stretch around that
begins and ends (where there is none, its longest).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    FloatArray,
    check_kind,
    check_positive,
    labels_or_numbers,
    progress_bar,
    whole_number,
)
from crn_nn_tellurium.certificates import settling_time
from crn_nn_tellurium.chemistry import ReactionNetwork, duration
from crn_nn_tellurium.dna.results import STARVED, ReadOutWindow
from crn_nn_tellurium.dna.strand_displacement import StrandDisplacement
from crn_nn_tellurium.dna.time_scales import DEFAULTS, StrandOptions
from crn_nn_tellurium.dna.translation import to_strand_displacement
from crn_nn_tellurium.encoding import to_reactions
from crn_nn_tellurium.errors import ConvergenceError, InputError, NotCertified
from crn_nn_tellurium.importers import AnyModel, as_network
from crn_nn_tellurium.networks import Network, check_classes
from crn_nn_tellurium.simulation import Engine, EngineLike, Simulator, as_engine, check_engine

_ABSOLUTE = 1e-9
"""CVODE's absolute tolerance, in nM."""
_RATIO = 1.1
"""How close `smallest_fuel` comes: the next smaller fuel that it tried failed."""


def read_out_window(
    net: AnyModel,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    tolerance: float | None = None,
    t_end: float | None = None,
    n_points: int = 401,
    options: StrandOptions = DEFAULTS,
    progress: bool | None = None,
    engine: EngineLike = None,
) -> ReadOutWindow:
    """When the outputs of a network in DNA can be read.

    Parameters
    ----------
    net : Network
    X : (n_samples, n_in) array_like
    y : (n_samples,) array_like, optional
        Right classes, where these are what counts; by default those of the network itself.
    tolerance : float, optional
        Of the outputs, in units of the network. By default the class is what counts.
    t_end : float, optional
        Last time, in s, as all times of the result; by default a hundred times of 1, 100 tau.
    n_points : int
        Number of times.
    options : StrandOptions
        As in `to_strand_displacement`; the units are the same for all samples.
    progress : bool, optional
        Whether to show a bar; by default on a terminal or in a notebook.
    engine : {"roadrunner", "rate_equations"}, Roadrunner, RateEquations or None
        Who integrates, as in `Simulator`; without one given, errors of 1e-9 nM are none.

    Returns
    -------
    ReadOutWindow

    Raises
    ------
    InputError
        If an argument has the wrong shape or is out of range.
    ReactionError
        If the rate constants do not fit.
    ConvergenceError
        If the integrator gives up.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> window = read_out_window(load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> window.share
    1.0
    """
    net = as_network(net, "read_out_window")
    check_engine(engine)
    x, classes = _samples(net, X, y, tolerance)
    if t_end is not None:
        check_positive("t_end", t_end, "a time in s: 36000 for 10 h, say (a number > 0)")
    n_points = whole_number("n_points", n_points, 2)
    if tolerance is not None:
        check_positive("tolerance", tolerance, "a number > 0, in units of the outputs")
    dnas = _implementations(net, x, options)
    units = dnas[0].units
    time = np.linspace(0, 100.0 if t_end is None else t_end / units.tau, n_points)
    in_tube = time * units.tau
    targets = np.asarray(net(x))
    outputs, left = np.empty((len(x), n_points, net.n_out)), np.empty(len(x))
    fed = np.empty((len(x), n_points), dtype=bool)
    with progress_bar("samples", progress, len(x)) as show:
        for i, dna in enumerate(dnas):
            states = _course(dna, in_tube, as_engine(engine, len(dna.reactions), _ABSOLUTE), i)
            outputs[i] = dna.observe(states)[:, -net.n_out :] / units.c0
            scarcest = states[:, [dna.floating.index(name) for name in dna.fuels]].min(axis=1)
            left[i] = scarcest[-1]
            # once starved, always: fuel that comes back from a linker was bound, and is no proof
            fed[i] = np.minimum.accumulate(scarcest) >= STARVED * dna.fuel
            show(i + 1, "")
        ideal = Simulator(net, engine).time_course(x, time[-1], n_points).outputs
    if tolerance is None:
        right = net.classify(outputs) == classes[:, None]
    else:
        right = (np.abs(outputs - targets[:, None]) <= tolerance).all(axis=-1)
    readable = right & fed
    everywhere = _longest(readable.all(axis=0))
    stretches = [_around(row, everywhere) for row in readable]
    settled, starved = np.array([_times(stretch, in_tube) for stretch in stretches]).T
    return ReadOutWindow(
        dna=dnas[0],
        time=in_tube,
        outputs=outputs,
        ideal=ideal,
        targets=targets,
        settled=settled,
        starved=starved,
        bound=units.time(_bounds(net, x, targets, tolerance)),
        fuel_left=left,
        tolerance=tolerance,
        output_names=net.output_names,
        output_labels=net.output_labels,
    )


def smallest_fuel(
    net: AnyModel,
    X: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    lasting: float | None = None,
    least: float = 100.0,
    tolerance: float | None = None,
    t_end: float | None = None,
    n_points: int = 401,
    options: StrandOptions = DEFAULTS,
    progress: bool | None = None,
) -> ReadOutWindow:
    """The smallest fuel with which every sample can be read at once, for long enough.

    Parameters
    ----------
    net, X, y, tolerance, t_end, n_points, progress
        As in `read_out_window`; so are the errors, besides what follows.
    lasting : float, optional
        How long the common window is to last, in s; by default ten times of 1, 10 tau.
    least : float
        Fuel in nM below which it does not look.
    options : StrandOptions
        Without `fuel`; `c_max` is the largest that is tried. The concentration unit is that for the
        largest fuel, unless `c0` or `units` are given.

    Returns
    -------
    ReadOutWindow
        With the smallest fuel that will do, to within 10 %.

    Raises
    ------
    InputError
        If `c_max` does not do either, or a fuel is given.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> xor, X = cn.load_model("xor"), [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> window = cn.smallest_fuel(xor, X)
    >>> round(window.dna.fuel), "nM"
    (453, 'nM')
    """
    if lasting is not None:
        check_positive("lasting", lasting, "a time in s: 3600 for 1 h, say (a number > 0)")
    net = as_network(net, "smallest_fuel")
    check_positive("least", least, "a number of nM > 0")
    check_kind("options", options, StrandOptions, "StrandOptions(c_max=...), say")
    if options.fuel is not None:
        raise InputError(f"fuel is {options.fuel!r} nM; expected None, since it is looked for")
    if least >= options.c_max:
        raise InputError(f"least is {least!r} nM; expected less than c_max, {options.c_max!r} nM")

    tried = partial(
        read_out_window,
        net,
        X,
        y,
        tolerance=tolerance,
        t_end=t_end,
        n_points=n_points,
        progress=progress,
    )

    def needed(window: ReadOutWindow) -> float:
        return 10 * window.dna.units.tau if lasting is None else lasting

    def lasts(window: ReadOutWindow) -> bool:
        first, last = window.common
        return min(last, float(window.time[-1])) - first >= needed(window)

    best = tried(options=options)
    if not lasts(best):
        raise InputError(
            f"network {net.name!r}: a fuel of {options.c_max:g} nM does not last for"
            f" {duration(needed(best))}: {best!r}; smaller concentrations burn less"
            " (limit_concentrations, a smaller c0), a larger c_max more"
        )
    # one concentration unit for all fuels, or less fuel would also mean smaller signals
    if options.units is None:
        options = replace(options, c0=best.dna.units.c0)
    low, high = float(least), float(options.c_max)
    # halving the logarithm, until the largest fuel that failed is near
    while high > _RATIO * low:
        middle = math.sqrt(low * high)
        window = tried(options=replace(options, fuel=middle))
        if lasts(window):
            best, high = window, middle
        else:
            low = middle
    return best


def _samples(
    net: Network, X: npt.ArrayLike, y: npt.ArrayLike | None, tolerance: float | None
) -> tuple[FloatArray, npt.NDArray[Any]]:
    x = net.input_coding.check(X)
    if x.ndim != 2 or not len(x):
        raise InputError(f"X has shape {x.shape}; expected (n_samples, {net.n_in}), one or more")
    if tolerance is not None:
        if y is not None:
            raise InputError(
                f"y and a tolerance of {tolerance!r} are given; expected one of them: with a"
                " tolerance, the outputs count and not their class"
            )
        return x, np.zeros(len(x))  # values are what counts, so regression will do
    net.need_classes("a read-out window without tolerance")
    classes = net.predict(x) if y is None else labels_or_numbers("y", y)
    check_classes(net, x, classes)
    return x, classes


def _implementations(
    net: Network, x: FloatArray, options: StrandOptions
) -> list[StrandDisplacement]:
    """One per sample, all in the units that fit the one with the largest signals."""
    formal = [to_reactions(net, row) for row in x]
    largest = max(formal, key=lambda crn: max(crn.start_values.values()))
    units = to_strand_displacement(largest, options=options).units
    options = replace(options, c0=None, units=units)
    return [to_strand_displacement(crn, options=options) for crn in formal]


def _course(crn: ReactionNetwork, times: FloatArray, engine: Engine, sample: int) -> FloatArray:
    """Concentrations (n_times, n_floating) from the network's own start."""
    own = crn.initial_state(), crn.boundary_concentrations
    try:
        states = engine.model(crn).time_course(times, *own, tolerances=engine.tolerances)
    except ConvergenceError as error:
        raise ConvergenceError(f"sample {sample}: {error}") from error
    if not np.isfinite(states).all():
        raise ConvergenceError(f"sample {sample}: CVODE's concentrations are not finite")
    return states


Stretch = tuple[int, int] | None
"""The first time, and the first time after."""


def _stretches(readable: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    # with a 0 before and after, edges come in pairs: of a rise and of a fall
    steps = np.diff(np.concatenate([[0], readable.astype(int), [0]]))
    edges = np.flatnonzero(steps).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _longest(readable: npt.NDArray[np.bool_]) -> Stretch:
    return max(_stretches(readable), key=lambda stretch: stretch[1] - stretch[0], default=None)


def _around(readable: npt.NDArray[np.bool_], common: Stretch) -> Stretch:
    """The stretch of one sample around that of all."""
    if common is None:
        return _longest(readable)
    return next(s for s in _stretches(readable) if s[0] <= common[0] and common[1] <= s[1])


def _times(stretch: Stretch, time: FloatArray) -> tuple[float, float]:
    if stretch is None:
        return math.nan, math.nan
    first, after = stretch
    return float(time[first]), float(time[after]) if after < len(time) else math.inf


def _bounds(
    net: Network, x: FloatArray, targets: FloatArray, tolerance: float | None
) -> FloatArray:
    """Settling-time bounds (n,), for outputs that are off by less than what changes the class."""
    if tolerance is not None:
        allowed = np.full(len(x), float(tolerance))
    elif net.n_out == 1:
        allowed = np.abs(targets[:, 0] - net.layers[-1].activation.threshold)
    else:
        ranked = np.sort(targets, axis=1)
        allowed = (ranked[:, -1] - ranked[:, -2]) / 2
    found = np.full(len(x), np.nan)
    for i, (row, error) in enumerate(zip(x, allowed.tolist(), strict=True)):
        try:
            found[i] = settling_time(net, row, error, bound="cheap") if error > 0 else np.nan
        except NotCertified:
            continue  # some chemistries have no bound; the window is measured all the same
    return found
