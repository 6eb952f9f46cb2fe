"""`scan`: numbers of a model varied, every point solved, and what was asked for kept.

The parts: what is varied (`axes`) and kept (`quantities`), the plan and its chunks (`plan`), what a
point is (a `subject`), who solves chunks (`workers`), and `files`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import check_choice, progress_bar, warn
from crn_nn_tellurium.chemistry import TIME
from crn_nn_tellurium.errors import ConvergenceError, InputError
from crn_nn_tellurium.importers import AnyModel, is_sbml
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.scans.arguments import (
    STEADY_STATE,
    Kept,
    coordinates_of,
    make_plan,
    sample_inputs,
)
from crn_nn_tellurium.scans.axes import Vary
from crn_nn_tellurium.scans.files import KEY, Parts, ScanFile, check_fits, open_scan, write_result
from crn_nn_tellurium.scans.plan import SAMPLE, Box, Plan, versions, whole
from crn_nn_tellurium.scans.subject import Subject
from crn_nn_tellurium.scans.workers import ExecutorLike, Solver, solve_chunks
from crn_nn_tellurium.simulation import OnError, Outcome, Simulator, failures

if TYPE_CHECKING:
    import xarray as xr


def scan(
    model: AnyModel | Simulator,
    vary: Vary,
    *,
    x: npt.ArrayLike | None = None,
    y: npt.ArrayLike | None = None,
    outputs: Kept | Sequence[Kept] | Mapping[str, Kept] = "outputs",
    at: float | Sequence[float] | str = STEADY_STATE,
    executor: ExecutorLike = None,
    path: str | os.PathLike[str] | ScanFile | None = None,
    progress: bool | None = None,
    on_error: OnError = "nan",
) -> xr.Dataset:
    """Solve a model at every combination of some numbers, and keep what is asked for.

    Parameters
    ----------
    model : Network, Simulator, ReactionNetwork, str or path-like
        A Simulator says by its `engine` who integrates, by name or as an object with tolerances:
        ``scan(Simulator(net, engine="rate_equations"), ...)``.
        A string is an Antimony or SBML model, or names a file of one, as a path does. These are run
        by roadrunner as they are, mass action or not; `import_sbml` and its like make a
        ReactionNetwork, which compiles faster.
    vary : mapping of str to array_like, Axis, or sequence of these
        What is varied. Each entry of a mapping is a dimension of its own; `paired`,
        `latin_hypercube`, `sobol` and `lognormal` make dimensions along which several numbers
        change. Of a network, a name is

        - an input, ``x0``;
        - ``h`` of all layers (numbers, or rows of one number per layer), ``h1`` of the first;
        - a weight ``w1_0_0`` or a bias ``b1_0``, of either sign (see `sensitivities` for all);
        - another rate constant that a layer shares, ``q1``;
        - ``speed`` or ``fuel``, factors on all rate constants, as temperature has it, and on those
          of reactions that make molecules;
        - a species, ``Y1_0``, or ``initial`` for all of them: where it starts.

        Of any other model: a parameter, a boundary species, or a floating species' start; of an
        Antimony text, also a stoichiometric number with a name, and where a rate rule starts.
    x : (n_in,) or (n_samples, n_in) array_like, optional
        A network's inputs where they are not varied; by default what carries nothing, 0 or the
        lowest of the range. Samples make a dimension ``sample``.
    y : array_like, optional
        Targets or classes of the samples, for ``loss``, ``accuracy`` and ``gradient_norm``.
    outputs : str, callable, quantity, or sequence or mapping of these
        What is kept, each as a variable: ``"outputs"``, ``"class"``, ``"species"`` (all of them, as
        ``concentrations``), an output or a species by name, ``"accuracy"``, ``"loss"`` (or
        `MeanLoss` with another loss), ``"gradient_norm"`` (`GradientNorm`), ``"settling_time"``
        (`SettlingTime` with another tolerance or bound), or a function of one point's `SteadyState`
        or `TimeCourse` (of other models, a dictionary of species and parameters) that returns a
        number or an array (`UserFunction` states its version). A mapping names them.
    at : float, sequence of float or "steady_state"
        Times of a time course, which make a dimension ``time``; by default the steady state.
        Species start where the Simulator has them, an upper bound of each fixed point, unless
        their starts are varied (``initial`` is all).
    executor : int, concurrent.futures.Executor or None
        Where points are solved: on so many processes, on an executor (of Dask,
        ``client.get_executor()``), or here. The result is the same to the bit. Processes take some
        5 s to start; where the whole scan takes less, it is solved here, which the log says
        (``crn_nn_tellurium.scans.workers``, INFO).
    path : path-like or ScanFile, optional
        File for the result, .nc or .zarr. Chunks are kept beside it as they are solved, so that the
        same call goes on where an interrupted one stopped, and a finished result of this very scan
        is returned; `ScanFile` says otherwise. Functions are told apart by name and version alone:
        one that has changed is solved again if it has another version.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal.
    on_error : {"nan", "raise"}
        What becomes of a point that fails: NaN, with the reason in ``status``, or the end of the
        scan.

    Returns
    -------
    xarray.Dataset
        One variable for each thing kept, over the varied dimensions in order, then ``sample``,
        ``time``, ``output`` or ``species``; and ``status``. Attributes say how it came about.

    Raises
    ------
    InputError
        If an argument is not what it should be; the message says what is expected.
    ConvergenceError
        If a point fails and ``on_error="raise"``.
    FileExistsError
        If `path` holds something else.

    Examples
    --------
    >>> from crn_nn_tellurium import load_model
    >>> ds = scan(load_model("xor"), {"h": [1e-3, 1e-1], "x0": [0, 1], "x1": [0, 1]})
    >>> ds.outputs.dims
    ('h', 'x0', 'x1', 'output')
    >>> (ds.outputs.sel(h=1e-3, output="y0") > 0.5).values.tolist()
    [[False, True], [True, False]]
    """
    plan = make_plan(model, vary, x, y, outputs, at)
    check_choice("on_error", on_error, get_args(OnError))
    file = path if path is None or isinstance(path, ScanFile) else ScanFile(path)
    if file is not None:
        _refuse_nameless(plan)
    if file is not None and (found := _finished(file, plan, on_error)) is not None:
        Parts(file, plan).clear()
        return found
    result = _Result(plan)
    if file is None:
        result.fill(executor, None, progress, on_error)
        return result.dataset()
    return _scan_to(file, result, executor, progress, on_error)


def _refuse_nameless(plan: Plan) -> None:
    """A file is found again by names: a function without one could be any other."""
    for name, quantity in plan.quantities.items():
        if not quantity.is_identified:
            raise InputError(
                f"{name!r} is kept by a function without a name of its own ({quantity.identity}),"
                " which a file cannot tell from another; expected a function of a module, or"
                " UserFunction(function, version='1') with a version that changes with it"
            )


def _scan_to(
    file: ScanFile,
    result: _Result,
    executor: ExecutorLike,
    progress: bool | None,
    on_error: OnError,
) -> xr.Dataset:
    """Solve what is not beside the file yet, and write it when all is there."""
    check_fits(file.path, [*result.plan.dims, *result.plan.quantities], result.largest)
    parts = Parts(file, result.plan)
    parts.lock()
    try:
        # while this process compiled, another may have written it: from here on nobody else does
        if (found := _finished(file, result.plan, on_error)) is not None:
            return found
        parts.open()
        given_up = result.fill(executor, parts, progress, on_error)
        ds = result.dataset()
        if given_up:
            warn(
                f"{given_up} chunks of the scan were given up, so {str(file.path)!r} is not"
                " written; the same call tries them again",
                RuntimeWarning,
            )
            return ds
        write_result(ds, file.path)
        parts.remove()
    except KeyboardInterrupt as stop:
        if sys.version_info >= (3, 11):
            stop.add_note(
                f"The chunks that are done are in {str(parts.folder)!r}; the same call goes on with"
                " them."
            )
        raise
    finally:
        parts.close()
    return ds


def _finished(file: ScanFile, plan: Plan, on_error: OnError) -> xr.Dataset | None:
    """The result that a file holds already, if it is this scan's; nothing else is taken. It is not
    solved again, but is asked about its failures all the same.
    """
    if not file.path.exists() or file.overwrite:
        return None
    if file.resume:
        try:
            found = open_scan(file.path)
        except (OSError, ValueError):
            found = None
        if found is not None and found.attrs[KEY] == plan.key:
            if on_error == "raise":
                _raise_failures(plan, whole(plan.shape), found.status.values)
            return found
    what = "something else than this scan" if file.resume else "a file"
    remedy = "ScanFile(path, overwrite=True) replaces it"
    raise FileExistsError(f"{str(file.path)!r} holds {what}; {remedy}")


# Solving ------------------------------------------------------------------------------------------


class _Result:
    """The result's variables, filled chunk by chunk."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._solver = Solver(plan)
        self._variables, self._values = self._solver.variables, dict[str, Any]()
        for name, variable in self._variables.items():
            shape = (*(plan.shape[d] for d in variable.over), *variable.shape)
            empty, kind = ("", object) if variable.is_text else (np.nan, float)
            self._values[name] = np.full(shape, empty, kind)
        self._texts: dict[str, str] = {}

    @property
    def largest(self) -> int:
        """Bytes of the largest variable."""
        return max(int(values.nbytes) for values in self._values.values())

    def fill(
        self, executor: ExecutorLike, parts: Parts | None, progress: bool | None, on_error: OnError
    ) -> int:
        """Solve what is not done; says how many chunks were given up."""
        plan = self.plan
        count = given_up = 0
        with progress_bar("scanning", progress, int(np.prod(plan.shape))) as advance:

            def take(number: int, solved: dict[str, Any] | str) -> None:
                nonlocal count
                box = plan.chunks[number]
                self._put(box, solved)
                if on_error == "raise":
                    _raise_failures(plan, box, self._values["status"][box.slices])
                count += int(np.prod(box.shape))
                advance(count, "points")

            todo = dict.fromkeys(range(len(plan.chunks)))
            for number in parts.done() if parts is not None else ():
                if parts is not None and (kept := parts.read(number)) is not None:
                    del todo[number]
                    take(number, kept)
            for number, solved in solve_chunks(plan, list(todo), executor, self._solver):
                if isinstance(solved, str):
                    given_up += 1
                elif parts is not None:
                    parts.write(number, solved)
                take(number, solved)
        return given_up

    def _put(self, box: Box, solved: dict[str, Any] | str) -> None:
        if isinstance(solved, str):  # a chunk that was given up: numbers stay NaN
            self._values["status"][box.slices] = str(solved)
            return
        for name, variable in self._variables.items():
            part = solved[name]
            if variable.is_text:  # millions of points share few texts; outcomes become plain ones
                part = np.frompyfunc(self._shared, 1, 1)(part)
            self._values[name][tuple(box.slices[d] for d in variable.over)] = part

    def _shared(self, text: str) -> str:
        return self._texts.setdefault(text, str(text))

    def dataset(self) -> xr.Dataset:
        import xarray as xr

        plan, subject = self.plan, self._solver.subject
        further = {name for variable in self._variables.values() for name, _ in variable.further}
        texts = {"output": subject.outputs, "species": subject.species}
        coordinates = _coordinates(plan, subject) | {
            name: np.array(names, dtype=object) for name, names in texts.items() if name in further
        }
        if "label" in further:  # classes are texts, or numbers as in 'class'
            kind = object if isinstance(subject.classes[0], str) else float
            coordinates["label"] = np.array(subject.classes, dtype=kind)
        variables = {}
        for name, variable in self._variables.items():
            dims = (*(plan.dims[d] for d in variable.over), *(dim for dim, _ in variable.further))
            variables[name] = (dims, self._values[name], dict(variable.attrs))
        return xr.Dataset(variables, coordinates, _provenance(plan))


def _coordinates(plan: Plan, subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for axis in plan.axes:
        for name, values in coordinates_of(axis).items():
            # h1 of rows by layer is described as the h that was varied
            origin = name if name in axis.values else next(filter(name.startswith, axis.values))
            found[name] = (axis.dim, values, subject.describe(origin))
    if plan.has_samples:
        # a file of netCDF 3 knows no longer whole numbers
        numbers = np.arange(plan.shape[-1], dtype=np.int32)
        found[SAMPLE] = (SAMPLE, numbers, {"long_name": "sample of x"})
    for name, values in sample_inputs(plan).items():
        found[name] = (SAMPLE, values, {"long_name": f"input {name}", "units": plan.unit_of(name)})
    if plan.time is not None:
        found["time"] = ("time", plan.time, {"long_name": "time", "units": plan.units.name(TIME)})
    return found


def _raise_failures(plan: Plan, box: Box, status: Any) -> None:
    failed = failures(status)
    if not failed.any():
        return
    place = tuple(int(i) for i in np.argwhere(failed)[0])
    point = {d: a + i for d, (a, i) in enumerate(zip(box.start, place, strict=True))}
    where = [
        f"{name} = {', '.join(f'{v:.6g}' for v in np.ravel(value).tolist())}"
        for name, value in plan.values(point).items()
    ]
    if plan.sample is not None:
        where.append(f"sample = {point[plan.sample]}")
    raise ConvergenceError(
        f"the scan fails where {', '.join(where)}: {Outcome(status[place]).reason};"
        " on_error='nan' keeps the rest"
    )


def _provenance(plan: Plan) -> dict[str, Any]:
    """How a result came about, in what files can hold."""
    if isinstance(plan.model, str):
        name = "sbml" if is_sbml(plan.model) else "antimony"
        text = {name: plan.model}
    else:
        name, text = plan.model.name, {}
    found: dict[str, Any] = text | {
        "title": f"scan of {name}: {', '.join(plan.quantities)}",
        "model": name if isinstance(plan.model, str) else repr(plan.model),
        "model_hash": plan.model_hash,
        "axes": "; ".join(
            f"{axis.dim}: {', '.join(list(axis.values)[:12])} ({axis.design})" for axis in plan.axes
        ),
        "at": STEADY_STATE if plan.time is None else "times",
        "versions": ", ".join(f"{package} {number}" for package, number in versions().items()),
        "python": platform.python_version(),
        KEY: plan.key,
    }
    if isinstance(plan.model, Network) and plan.x is not None and plan.x.ndim == 1:
        given = zip(plan.model.input_names, plan.x.tolist(), strict=True)
        found["inputs"] = ", ".join(
            f"{name} = {value!r}" for name, value in given if name not in plan.varied
        )
    return found
