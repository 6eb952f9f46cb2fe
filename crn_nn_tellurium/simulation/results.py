"""What the simulator returns: plain, frozen, labelled arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from crn_nn_tellurium.basics import (
    FloatArray,
    card,
    curves,
    frame_of,
    free_id,
    is_real,
    names_of,
    read_only,
    some,
)
from crn_nn_tellurium.chemistry import CONCENTRATION, MODEL_UNITS, Units, must_convert
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.simulation.outcome import ACCURATE, Kind, Outcome

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, eq=False)
class SteadyState:
    """Steady states of a network for a batch of inputs.

    Attributes
    ----------
    outputs : (n_samples, n_out) ndarray
        Read-outs of the output layer; NaN for a sample that failed.
    concentrations : (n_samples, n_species) ndarray
        Every floating species, in the order of `species`.
    residual : (n_samples,) ndarray
        Largest `|net rate|` / gross rate over the species: 0 at a fixed point, 1 far from it.
    status : tuple of Outcome
        Per sample, a text: ``"solved"``, ``"solved after integration"``, ``"integrated"``,
        ``"doubtful: ..."`` where rounding may move a concentration by above 1e-8 of itself, or
        ``"failed: ..."``; of each, ``.failed`` and ``.reason``.
    method : str
        The method that found them.
    output_names, species : tuple of str
        Identifiers of the columns.
    units : Units
        What outputs, errors and concentrations are in: the model's own, or those of `in_units`.
    error_of : callable, optional
        Gives what `error` is, in model units.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> steady = cn.Simulator(cn.load_model("xor")).steady_state([[0, 1], [1, 1]])
    >>> steady.outputs.round(3)
    array([[0.954],
           [0.034]])
    >>> steady.status
    ('solved', 'solved')
    >>> steady.species
    ('Y1_0', 'Y1_1', 'Yp2_0', 'Yn2_0')
    """

    outputs: FloatArray
    concentrations: FloatArray
    residual: FloatArray
    status: tuple[Outcome, ...]
    method: str
    output_names: tuple[str, ...]
    species: tuple[str, ...]
    units: Units = MODEL_UNITS
    error_of: Callable[[], FloatArray] | None = None

    def __post_init__(self) -> None:
        read_only(self.outputs, self.concentrations, self.residual)

    @cached_property
    def error(self) -> FloatArray | None:
        """Bound (n_samples, n_out) of how far each output is from that of the exact steady state.

        To first order: by what is left of the rates and by rounding, carried through the layers or
        reactions. Of an output that is the difference of two large rails it is large. Of a
        ReactionNetwork's state that is ``"integrated"``, by integrating again, ten times less
        exactly. NaN for a sample that failed; None in the points of a scan.

        Examples
        --------
        >>> from crn_nn_tellurium import Layer, Linear, Network, Simulator
        >>> net = Network([Layer([[1.0]], activation=Linear(h=100.0))])
        >>> steady = Simulator(net).steady_state([1e-9])  # 10.0000000005 - 9.9999999995
        >>> bool(abs(steady.outputs[0, 0] - 1e-9) <= steady.error[0, 0] < 1e-12)
        True
        """
        if self.error_of is None:
            return None
        found: FloatArray = self.units.concentration(self.error_of())
        read_only(found)
        return found

    def in_units(self, units: Units) -> SteadyState:
        """Outputs and concentrations in other units, nM say; outputs may be differences, below 0.

        Raises
        ------
        InputError
            If `units` are none, or the result is in others already.
        """
        if not must_convert("the steady state", self.units, units):
            return self
        return replace(
            self,
            outputs=units.concentration(self.outputs),
            concentrations=units.concentration(self.concentrations),
            units=units,
        )

    def to_frame(self) -> pd.DataFrame:
        """A row per sample: the outputs, their errors where known, the residual and the status.

        Outputs keep their names: beside one that is called status, the status is status_2.

        Examples
        --------
        >>> from crn_nn_tellurium import Simulator, load_model
        >>> frame = Simulator(load_model("xor")).steady_state([[0, 0], [0, 1]]).to_frame()
        >>> list(frame.columns), frame.index.name
        (['y0', 'y0_error', 'residual', 'status'], 'sample')
        """
        errors = self.outputs[:, :0] if self.error is None else self.error
        taken = {*self.output_names}
        names = [free_id(f"{name}_error", taken) for name in self.output_names]
        columns: dict[str, object] = dict(zip(self.output_names, self.outputs.T, strict=True))
        columns |= dict(zip(names, errors.T, strict=False))
        columns[free_id("residual", taken)] = self.residual
        columns[free_id("status", taken)] = [str(outcome) for outcome in self.status]
        return frame_of({"sample": range(len(self))}, columns)

    def to_xarray(self) -> xr.Dataset:
        """Outputs and concentrations by sample and name.

        Examples
        --------
        >>> from crn_nn_tellurium import Simulator, load_model
        >>> steady = Simulator(load_model("xor")).steady_state([[0, 0], [0, 1]])
        >>> dict(steady.to_xarray().sizes)
        {'sample': 2, 'output': 1, 'species': 4}
        """
        import xarray as xr

        return xr.Dataset(
            {
                "outputs": (("sample", "output"), self.outputs),
                "concentrations": (("sample", "species"), self.concentrations),
                "residual": ("sample", self.residual),
                "status": ("sample", [str(outcome) for outcome in self.status]),
            },
            {"output": list(self.output_names), "species": list(self.species)},
        )

    @property
    def failed(self) -> int:
        """How many samples have no steady state here."""
        return sum(outcome.failed for outcome in self.status)

    def __len__(self) -> int:
        return len(self.outputs)

    def __getitem__(self, name: str) -> FloatArray:
        """One output or species over the samples, shape (n_samples,)."""
        outputs, species = (self.output_names, self.outputs), (self.species, self.concentrations)
        return _column(name, {"output": outputs, "species": species})

    @property
    def _quality(self) -> dict[str, str]:
        """What there is to doubt, and how much; of samples that all failed, nothing."""
        if self.failed == len(self):
            return {}
        doubtful = sum(outcome.kind == Kind.DOUBTFUL for outcome in self.status)
        found = {"doubtful": f"{doubtful:,}"} if doubtful else {}
        found["largest residual"] = f"{np.nanmax(self.residual, initial=0.0):.1e}"
        if self.error is not None:
            found["largest error of an output"] = f"{np.nanmax(self.error, initial=0.0):.1e}"
            # differences of larger rails, or what reads concentrations that are doubtful
            loose = (self.error > ACCURATE * np.abs(self.outputs)) & (self.outputs != 0)
            if np.any(loose):
                what = f"outputs not known to {ACCURATE:g} of themselves"
                found[what] = f"{np.count_nonzero(loose):,}"
        return found

    def __repr__(self) -> str:
        quality = "".join(f", {what} {value}" for what, value in self._quality.items())
        return (
            f"SteadyState({len(self)} samples, {self.outputs.shape[1]} outputs, {len(self.species)}"
            f" species, by {self.method!r}: {self.failed} failed{quality})"
        )

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "samples": f"{len(self):,}, of which {self.failed:,} failed",
            "outputs": some(self.output_names, 6),
            "species": f"{len(self.species):,}: {some(self.species, 6)}",
            "method": self.method,
            "units": self.units.in_words,
        }
        rows = self.to_frame()
        rows = rows[[rows.columns[-1], *self.output_names]]
        return card("Steady state", facts | self._quality, rows)


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """Concentrations over time.

    Attributes
    ----------
    time : (n_points,) ndarray
        In time units of the model, or s (see `units`).
    outputs : (n_points, n_out) ndarray
    concentrations : (n_points, n_species) ndarray
        Every floating species, in the order of `species`.
    inputs : (n_points, n_in) ndarray
        Input values, constant between steps.
    output_names, species, input_names : tuple of str
        Identifiers of the columns.
    volume : float or None
        For a stochastic time course, the volume: 1 molecule is a concentration of 1 / volume.
    draws : int or None
        How many stochastic trajectories, if asked for: a leading axis, see `mean` and `spread`.
    units : Units
        What all numbers are in: the model's own, or those of `in_units`.
    engine : str
        Who integrated: ``"roadrunner"`` or ``"rate_equations"``; ``"gillespie"`` for a stochastic
        time course.
    output_labels : tuple of str
        What pictures call the outputs: classes, where each output is one; else empty.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> simulator = cn.Simulator(cn.load_model("xor"))
    >>> course = simulator.time_course([0, 1], t_end=100, n_points=201)
    >>> course.outputs.shape, course.species
    ((201, 1), ('Y1_0', 'Y1_1', 'Yp2_0', 'Yn2_0'))
    >>> course.outputs[-1].round(3)
    array([0.954])
    """

    time: FloatArray
    outputs: FloatArray
    concentrations: FloatArray
    inputs: FloatArray
    output_names: tuple[str, ...]
    species: tuple[str, ...]
    input_names: tuple[str, ...]
    volume: float | None = None
    draws: int | None = None
    units: Units = MODEL_UNITS
    engine: str = ""
    output_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read_only(self.time, self.outputs, self.concentrations, self.inputs)

    def in_units(self, units: Units) -> TimeCourse:
        """All numbers in other units: times in s, concentrations, outputs and inputs in nM.

        Raises
        ------
        InputError
            If `units` are none, or the time course is in others already.

        Examples
        --------
        >>> from crn_nn_tellurium import PhysicalUnits, Simulator, load_model
        >>> course = Simulator(load_model("xor")).time_course([0, 1], t_end=20, n_points=11)
        >>> course.in_units(PhysicalUnits(c0=10, tau=100)).time[-1]
        np.float64(2000.0)
        """
        if not must_convert("the time course", self.units, units):
            return self
        return replace(
            self,
            time=units.time(self.time),
            outputs=units.concentration(self.outputs),
            concentrations=units.concentration(self.concentrations),
            inputs=units.concentration(self.inputs),
            volume=self.volume and units.convert(self.volume, CONCENTRATION**-1),
            units=units,
        )

    @property
    def mean(self) -> TimeCourse:
        """The mean over the draws, a time course (n_points, ...).

        Raises
        ------
        InputError
            If it is no time course of several draws.
        """
        return self._over_draws(1, lambda values: values.mean(axis=-3))

    @property
    def spread(self) -> TimeCourse:
        """The standard deviation over the draws (with n - 1), a time course (n_points, ...).

        Divided by the root of `draws`, it is the standard error of `mean`.

        Raises
        ------
        InputError
            If it is no time course of two draws or more.

        Examples
        --------
        >>> from crn_nn_tellurium import Simulator, load_model
        >>> course = Simulator(load_model("xor")).time_course([0, 1], volume=100, draws=50, seed=0)
        >>> bool(abs(course.mean["y0"][-1] - 1) < 3 * course.spread["y0"][-1] / 50**0.5)
        True
        """
        return self._over_draws(2, lambda values: values.std(axis=-3, ddof=1))

    def _over_draws(self, least: int, taken: Callable[[FloatArray], FloatArray]) -> TimeCourse:
        if self.draws is None or self.draws < least:
            raise InputError(
                f"{self!r} has draws={self.draws!r}; expected {least} or more, from"
                " Simulator.time_course(..., volume=100, draws=50) say"
            )
        outputs, concentrations = taken(self.outputs), taken(self.concentrations)
        return replace(self, outputs=outputs, concentrations=concentrations, draws=None)

    def __getitem__(self, name: str) -> FloatArray:
        """One output, species or input over time, shape (n_points,) after leading axes."""
        outputs, species = (self.output_names, self.outputs), (self.species, self.concentrations)
        inputs = self.input_names, self.inputs
        return _column(name, {"output": outputs, "species": species, "input": inputs})

    def sample(self, number: int) -> TimeCourse:
        """One sample of several, by itself.

        Examples
        --------
        >>> from crn_nn_tellurium import Simulator, load_model
        >>> courses = Simulator(load_model("xor")).time_course([[0, 0], [0, 1]], n_points=11)
        >>> courses.sample(1).outputs.shape
        (11, 1)
        """
        if self.inputs.ndim < 3:
            raise InputError("this time course is of one sample; expected that of several")
        if not (is_real(number) and number in range(len(self.inputs))):
            raise InputError(
                f"number is {number!r}; expected a whole number below {len(self.inputs)}"
            )
        number = int(number)
        parts = self.outputs, self.concentrations, self.inputs
        outputs, concentrations, inputs = (part[number].copy() for part in parts)
        return replace(self, outputs=outputs, concentrations=concentrations, inputs=inputs)

    def __repr__(self) -> str:
        kind = "" if self.volume is None else f", stochastic in volume {self.volume!r}"
        if self.volume is None and self.engine:
            kind = f", by {self.engine}"
        kind += "" if self.draws is None else f", {self.draws} draws"
        several = f"{len(self.inputs)} samples, " if self.inputs.ndim > 2 else ""
        return (
            f"TimeCourse({several}{len(self.time)} points from t = {self.time[0]:g} to"
            f" {self.time[-1]:g}, {self.outputs.shape[-1]} outputs, {len(self.species)} species"
            f"{kind})"
        )

    @property
    def _dims(self) -> tuple[str, ...]:
        """Of the outputs, but for the last: what the rows of a table are."""
        several = {"sample": self.inputs.ndim > 2, "draw": self.draws is not None}
        return (*(name for name, there in several.items() if there), "time")

    @property
    def _inputs_by_draw(self) -> FloatArray:
        """The inputs, all draws of a sample having the same."""
        inputs = self.inputs if self.draws is None else self.inputs[..., None, :, :]
        return np.broadcast_to(inputs, (*self.outputs.shape[:-1], len(self.input_names)))

    def to_frame(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """A row per point in time, of each sample and draw where there are several.

        Parameters
        ----------
        names : sequence of str, optional
            Outputs, species and inputs; by default all, in this order.

        Raises
        ------
        KeyError
            If a name is not in the result.

        Examples
        --------
        ``course.to_frame(["y0"]).plot(backend="plotly")`` is an interactive picture.

        >>> from crn_nn_tellurium import Simulator, load_model
        >>> course = Simulator(load_model("xor")).time_course([[0, 0], [0, 1]], n_points=11)
        >>> frame = course.to_frame(["y0", "x1"])
        >>> frame.shape, list(frame.index.names)
        ((22, 2), ['sample', 'time'])
        """
        inputs = replace(self, inputs=self._inputs_by_draw)
        every = (*self.output_names, *self.species, *self.input_names)
        chosen = dict.fromkeys(names_of("names", names, every))
        lengths = zip(self._dims[:-1], self.outputs.shape, strict=False)
        levels = {name: range(n) for name, n in lengths} | {"time": self.time}
        return frame_of(levels, {name: inputs[name] for name in chosen})

    def to_xarray(self) -> xr.Dataset:
        """Outputs, concentrations and inputs by time and name, and by sample and draw.

        Examples
        --------
        >>> from crn_nn_tellurium import Simulator, load_model
        >>> course = Simulator(load_model("xor")).time_course([0, 1], volume=50, draws=3, seed=0)
        >>> course.to_xarray()["outputs"].dims
        ('draw', 'time', 'output')
        """
        import xarray as xr

        dims = self._dims
        return xr.Dataset(
            {
                "outputs": ((*dims, "output"), self.outputs),
                "concentrations": ((*dims, "species"), self.concentrations),
                "inputs": ((*dims, "input"), self._inputs_by_draw),
            },
            {
                "time": self.time,
                "output": list(self.output_names),
                "species": list(self.species),
                "input": list(self.input_names),
            },
        )

    def _repr_html_(self) -> str:
        ends = (self.units.moment(self.time[0]), self.units.moment(self.time[-1]))
        first = self.sample(0) if self.inputs.ndim > 2 else self
        drawn = first if self.draws is None else first.mean
        facts: dict[str, object] = {
            "points": f"{len(self.time):,}, {ends[0]} to {ends[1]}",
            "outputs": some(self.output_names, 6),
            "species": f"{len(self.species):,}: {some(self.species, 6)}",
            "by": self.engine,
            "units": self.units.in_words,
        }
        if self.inputs.ndim > 2:
            facts["samples"] = f"{len(self.inputs):,}; the first is drawn"
        if self.volume is not None:
            facts["volume"] = self.volume
        if self.draws is not None:
            facts["draws"] = f"{self.draws:,}; the mean is drawn"
        lines = {output: [drawn[output]] for output in self.output_names}
        picture = curves(self.time, lines, ends, "outputs over time")
        return card("Time course", facts, self.to_frame(self.output_names), picture)


def _column(name: str, columns: dict[str, tuple[tuple[str, ...], FloatArray]]) -> FloatArray:
    """The column of that name, from (names, columns) by their kind."""
    for names, array in columns.values():
        if name in names:
            return array[..., names.index(name)]
    known = "; ".join(f"{kind}: {some(names, 6)}" for kind, (names, _) in columns.items())
    raise KeyError(f"{name!r} is not in this result; it has {known}")
