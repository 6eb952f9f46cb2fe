"""Derivatives of a steady state and along a time course, as labelled results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crn_nn_tellurium.basics import ROWS, FloatArray, bars, card, curves, read_only, some
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.networks import other_names

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """Derivatives of outputs with respect to parameters at a steady state.

    Attributes
    ----------
    values : (..., n_outputs, n_parameters) ndarray
        d output / d parameter; with a leading dimension for a batch of inputs.
    output_values : (..., n_outputs) ndarray
    parameter_values : (..., n_parameters) ndarray
    outputs, parameters : tuple of str
        Identifiers of the axes.
    output_labels : tuple of str
        What pictures call the outputs: classes, where each output of a Network is one; else empty.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> s = cn.sensitivities(cn.load_model("xor"), [1.0, 0.0])
    >>> s.outputs, s.parameters[:2], s.values.shape
    (('y0',), ('w1_0_0', 'w1_0_1'), (1, 13))
    >>> s.to_frame().loc["y0", ["w1_0_0", "w1_0_1"]].round(2).to_dict()
    {'w1_0_0': -0.08, 'w1_0_1': 0.0}
    """

    values: FloatArray
    output_values: FloatArray
    parameter_values: FloatArray
    outputs: tuple[str, ...]
    parameters: tuple[str, ...]
    output_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read_only(self.values, self.output_values, self.parameter_values)

    @property
    def relative(self) -> FloatArray:
        """d ln|output| / d ln|parameter|, of the shape of `values`; NaN where the output is 0."""
        outputs = np.where(self.output_values == 0, np.nan, self.output_values)
        return self.values * self.parameter_values[..., None, :] / outputs[..., :, None]

    def __getitem__(self, key: tuple[str, str]) -> Any:
        """d output / d parameter for (output, parameter): a number, or one per sample."""
        row, column = position(key, self.outputs, self.parameters)
        return self.values[..., row, column]

    def to_frame(self) -> pd.DataFrame:
        """A table with a row per output and a column per parameter, of one sample.

        Raises
        ------
        InputError
            If there are several samples; `to_xarray` has them all.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, sensitivities
        >>> sensitivities(load_model("xor"), [0, 1], parameters=["w1_0_1", "h1"]).to_frame().shape
        (1, 2)
        """
        if self.values.ndim != 2:
            shape = self.values.shape
            raise InputError(f"sensitivities of shape {shape} are of several samples; index one")
        import pandas as pd

        rows = pd.Index(self.outputs, name="output")
        return pd.DataFrame(self.values, rows, pd.Index(self.parameters, name="parameter"))

    def to_xarray(self) -> xr.Dataset:
        """Derivatives, outputs and parameters by name, and by sample where there are several.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, sensitivities
        >>> found = sensitivities(load_model("xor"), [[0, 0], [0, 1]], parameters=["h1"])
        >>> dict(found.to_xarray().sizes)
        {'sample': 2, 'output': 1, 'parameter': 1}
        """
        import xarray as xr

        lead = ("sample",) if self.values.ndim > 2 else ()
        return xr.Dataset(
            {
                "sensitivities": ((*lead, "output", "parameter"), self.values),
                "outputs": ((*lead, "output"), self.output_values),
                "parameters": ((*lead, "parameter"), self.parameter_values),
            },
            {"output": list(self.outputs), "parameter": list(self.parameters)},
        )

    def __repr__(self) -> str:
        lead = "".join(f"{n} samples, " for n in self.values.shape[:-2])
        largest = ""
        if self.values.size:
            row, column = np.unravel_index(np.abs(self.values).argmax(), self.values.shape)[-2:]
            largest = f"; largest d {self.outputs[row]} / d {self.parameters[column]}"
        n_outputs, n_parameters = len(self.outputs), len(self.parameters)
        return f"Sensitivities({lead}{n_outputs} outputs by {n_parameters} parameters{largest})"

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "outputs": f"{len(self.outputs):,}: {some(self.outputs, 6)}",
            "parameters": f"{len(self.parameters):,}: {some(self.parameters, 6)}",
        }
        one = self
        if self.values.ndim > 2:
            parts = self.values, self.output_values, self.parameter_values
            values, outputs, parameters = (part[0] for part in parts)
            one = replace(self, values=values, output_values=outputs, parameter_values=parameters)
            facts["samples"] = f"{len(self.values):,}; the first is shown"
        # of each parameter, the output that it moves most, if there is one
        most = np.abs(one.values).argmax(axis=0) if self.outputs else np.arange(0)
        largest = one.values[most, np.arange(len(most))]
        order = np.argsort(-np.abs(largest))[:ROWS]
        shown = {f"{self.outputs[most[i]]} by {self.parameters[i]}": largest[i] for i in order}
        picture = bars(shown, "the largest derivatives", len(largest))
        return card("Sensitivities", facts, one.to_frame(), picture)


@dataclass(frozen=True, eq=False)
class TransientSensitivities:
    """Derivatives along a time course.

    Attributes
    ----------
    time : (n_points,) ndarray
    values : (n_points, n_outputs, n_parameters) ndarray
        d output / d parameter.
    output_values : (n_points, n_outputs) ndarray
        The outputs themselves.
    outputs, parameters : tuple of str
        Identifiers of the axes.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> s = cn.transient_sensitivities(
    ...     cn.load_model("xor"), [1.0, 0.0], t_end=2.0, n_points=3, parameters=["w1_0_0"]
    ... )
    >>> s.values.shape, s.outputs, s.parameters
    ((3, 1, 1), ('y0',), ('w1_0_0',))
    """

    time: FloatArray
    values: FloatArray
    output_values: FloatArray
    outputs: tuple[str, ...]
    parameters: tuple[str, ...]

    def __post_init__(self) -> None:
        read_only(self.time, self.values, self.output_values)

    def __getitem__(self, key: tuple[str, str]) -> FloatArray:
        """d output / d parameter over time, (n_points,), for (output, parameter)."""
        row, column = position(key, self.outputs, self.parameters)
        return self.values[:, row, column]

    def __repr__(self) -> str:
        points = f"{len(self.time)} points from t = {self.time[0]:g} to {self.time[-1]:g}"
        sizes = f"{len(self.outputs)} outputs by {len(self.parameters)} parameters"
        return f"TransientSensitivities({points}, {sizes})"

    def to_frame(self) -> pd.DataFrame:
        """A row per point in time, a column per output and parameter.

        Examples
        --------
        >>> from crn_nn_tellurium import Network, transient_sensitivities
        >>> net = Network.random([2, 3, 1], seed=0)
        >>> found = transient_sensitivities(net, [0, 1], 10, 11, parameters=["h1", "w1_0_1"])
        >>> list(found.to_frame().columns)
        [('y0', 'h1'), ('y0', 'w1_0_1')]
        """
        import pandas as pd

        axes = {"output": self.outputs, "parameter": self.parameters}
        columns = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
        rows = pd.Index(self.time, name="time")
        return pd.DataFrame(self.values.reshape(len(self.time), -1), rows, columns)

    def to_xarray(self) -> xr.Dataset:
        """Derivatives and outputs by time and name.

        Examples
        --------
        >>> from crn_nn_tellurium import Network, transient_sensitivities
        >>> net = Network.random([2, 3, 1], seed=0)
        >>> found = transient_sensitivities(net, [0, 1], 10, 11, parameters=["h1", "w1_0_1"])
        >>> dict(found.to_xarray().sizes)
        {'time': 11, 'output': 1, 'parameter': 2}
        """
        import xarray as xr

        return xr.Dataset(
            {
                "sensitivities": (("time", "output", "parameter"), self.values),
                "outputs": (("time", "output"), self.output_values),
            },
            {"time": self.time, "output": list(self.outputs), "parameter": list(self.parameters)},
        )

    def _repr_html_(self) -> str:
        ends = (f"t = {self.time[0]:g}", f"t = {self.time[-1]:g}")
        facts = {
            "points": f"{len(self.time):,}, {ends[0]} to {ends[1]}",
            "outputs": f"{len(self.outputs):,}: {some(self.outputs, 6)}",
            "parameters": f"{len(self.parameters):,}: {some(self.parameters, 6)}",
        }
        largest = np.abs(self.values).max(axis=0)
        order = np.argsort(-largest, axis=None)[:ROWS]
        pairs = np.stack(np.unravel_index(order, largest.shape), axis=-1).tolist()
        lines = {
            f"{self.outputs[i]} by {self.parameters[j]}": [self.values[:, i, j]] for i, j in pairs
        }
        what = "the largest derivatives over time"
        picture = curves(self.time, lines, ends, what, total=largest.size)
        return card("Sensitivities over time", facts, self.to_frame(), picture)


def position(key: Any, outputs: tuple[str, ...], parameters: tuple[str, ...]) -> tuple[int, int]:
    """Place of (output, parameter), or a KeyError that says what there is."""
    if not (isinstance(key, tuple) and len(key) == 2):
        raise KeyError(f"{key!r}: expected (output, parameter)")
    for name, kind, known in zip(key, ("output", "parameter"), (outputs, parameters), strict=True):
        if name not in known:
            raise KeyError(
                f"{name!r} is no {kind} of this result; it has {some(known)}"
                + other_names(name, known)
            )
    return outputs.index(key[0]), parameters.index(key[1])
