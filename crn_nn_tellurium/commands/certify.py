"""`crn-nn certify`: by when the outputs are settled, and how wrong rate constants may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from rich.table import Table
from typer import Option

from crn_nn_tellurium.commands.arguments import (
    Inputs,
    Net,
    Overwrite,
    Samples,
    load_network,
    sample_inputs,
)
from crn_nn_tellurium.commands.console import (
    check_new,
    console,
    new_table,
    say_written,
    write_table,
)
from crn_nn_tellurium.errors import InputError

if TYPE_CHECKING:
    from crn_nn_tellurium.certificates import Certificate
    from crn_nn_tellurium.chemistry import PhysicalUnits
    from crn_nn_tellurium.networks import Network

# For more inputs than this, the worst over all of them is printed
_MANY_INPUTS = 8


def command(
    net: Net,
    data: Samples = None,
    input: Inputs = None,
    tolerance: Annotated[float, Option(help="Absolute, in units of the outputs.")] = 1e-3,
    rates: Annotated[float, Option(help="Relative error that every rate constant may have.")] = 0.0,
    bound: Annotated[
        str, Option(help="envelope, or cheap: a closed form, later and at once.")
    ] = "envelope",
    initial_max: Annotated[
        float, Option(help="Largest start of species for which no bound over all starts exists.")
    ] = 1e6,
    max_rate_constant: Annotated[
        float | None,
        Option(
            help="Largest bimolecular one, in 1/M/s, which sets the time unit; 1e6 without --tau."
        ),
    ] = None,
    c0: Annotated[float, Option(help="Concentration of 1, in nM.")] = 10.0,
    tau: Annotated[float | None, Option(help="Time unit in s, instead of the fastest one.")] = None,
    output: Annotated[
        Path | None, Option("-o", "--output", help="CSV with a row per input.")
    ] = None,
    plot: Annotated[Path | None, Option(help="Picture of the slowest input's envelope.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """By when outputs are settled, from any start, and how wrong rate constants may be.

    Example: [bold]crn-nn certify xor --input 0,1 --input 1,1 --rates 0.02 --plot xor.png[/bold]
    """
    network = load_network(net)
    # all that can be refused is, before the work is done
    if plot is not None and bound != "envelope":
        expected = "--bound envelope with it"
        raise InputError(f"--plot shows the envelope; expected {expected}, not {bound!r}")
    names, x, _ = sample_inputs(network, data, input or [])
    check_new(overwrite, output, picture=plot)
    with console.status("certifying"):
        from crn_nn_tellurium.certificates import certified_margin, certify

        units = _units(network, c0, tau, max_rate_constant)
        limits: Any = {"bound": bound, "initial_max": initial_max, "rates": rates}
        found = certify(network, x, tolerance, **limits)
        margins = certified_margin(network, x) if network.task == "classification" else None
    report = _Report(network, names, x, found, units, margins)
    for table in report.tables():
        console.print(table)
    if output is not None:
        write_table(*report.columns(), output, overwrite)
    if plot is not None:
        report.plot(plot)
        say_written("picture", plot)


def _units(
    network: Network, c0: float, tau: float | None, max_rate_constant: float | None
) -> PhysicalUnits:
    from crn_nn_tellurium.chemistry import PhysicalUnits
    from crn_nn_tellurium.encoding import MAX_RATE_CONSTANT, fastest_units

    if tau is not None and max_rate_constant is not None:
        raise InputError(
            "--tau and --max-rate-constant are both given; expected one, for it sets the other"
        )
    if tau is not None:
        return PhysicalUnits(c0, tau)
    # not `or`: a rate constant of 0 is to be refused, not replaced
    largest = MAX_RATE_CONSTANT if max_rate_constant is None else max_rate_constant
    return fastest_units(network, largest, c0)


@dataclass(frozen=True)
class _Report:
    """What is said of a certificate, with the names of its inputs and their classes' margins."""

    network: Network
    names: list[str]
    x: Any
    found: Certificate
    units: PhysicalUnits
    margins: Any

    def tables(self) -> Iterator[Table]:
        """What is printed: outputs, classes, and what it all rests on."""
        # many inputs make one line a label, with the worst over all of them
        many = len(self.x) > _MANY_INPUTS
        yield self._outputs_over_inputs() if many else self._outputs_by_input()
        if self.margins is not None:
            yield self._classes_over_inputs() if many else self._classes_by_input()
        yield self._what_is_certified()

    def _outputs(self, first: tuple[str, ...], value: str) -> Table:
        found = self.found
        off = f", rate constants off by {_percent(found.rates)}" if found.rates else ""
        title = f"{self.network.name}: outputs to within {found.tolerance:g}{off}"
        table = new_table(title, first, [value])
        # inputs that are broken in two are no longer what was typed; names of outputs may be broken
        table.columns[0].no_wrap = first[0] == "input"
        if found.rates:
            table.add_column("guaranteed", justify="right", no_wrap=True)
        table.add_column("settled by t", justify="right", min_width=9)
        table.add_column("settled (h)", justify="right", min_width=9)
        return table

    def _cells(self, value: str, lower: float, upper: float, time: float) -> list[str]:
        """The cells that all tables of outputs have."""
        guaranteed = [f"{lower:.4g} to {upper:.4g}"] if self.found.rates else []
        return [value, *guaranteed, f"{time:.4g}", f"{self.units.hours(time):.3g}"]

    def _labels(self) -> list[str]:
        names, classes = self.network.output_names, self.network.class_names
        if classes is None or self.network.n_out == 1:
            return list(names)
        return [f"{name}: {label}" for name, label in zip(names, classes, strict=True)]

    def _outputs_by_input(self) -> Table:
        table = self._outputs(("input", "output"), "settles at")
        outputs, labels = self.found.outputs, self._labels()
        for (i, j), value in np.ndenumerate(self.network(self.x)):
            bounds = outputs.lower[i, j], outputs.upper[i, j]
            cells = self._cells(f"{value:.4g}", *bounds, self.found.by_sample[i, j])
            # an input stands once, at its first output, with a line under its last
            last = j == len(labels) - 1
            table.add_row("" if j else self.names[i], labels[j], *cells, end_section=last)
        return table

    def _outputs_over_inputs(self) -> Table:
        table = self._outputs(("output",), f"settles between, {len(self.names)} inputs")
        lower, upper = self.found.outputs.lower.min(axis=0), self.found.outputs.upper.max(axis=0)
        values, times = self.network(self.x), self.found.settling_times
        for j, label in enumerate(self._labels()):
            span = f"{values[:, j].min():.4g} to {values[:, j].max():.4g}"
            table.add_row(label, *self._cells(span, lower[j], upper[j], times[j]))
        return table

    def _classes_by_input(self) -> Table:
        certain = "certain for rate constants off by up to"
        table = new_table("Predicted class", ["input", "class"], [certain])
        classes = self.network.predict(self.x).tolist()
        for name, label, margin in zip(self.names, classes, self.margins, strict=True):
            table.add_row(name, str(label), _percent(margin))
        return table

    def _classes_over_inputs(self) -> Table:
        title = "Class, certain for rate constants off by up to"
        table = new_table(title, ["class"], ["inputs", "least", "of input", "median"])
        table.columns[3].justify = "left"
        classes = self.network.predict(self.x)
        for label in self.network.classes:
            here = np.flatnonzero(classes == label)
            if len(here):
                least = here[self.margins[here].argmin()]
                median = _percent(float(np.median(self.margins[here])))
                low = _percent(self.margins[least])
                table.add_row(str(label), f"{len(here)}", low, self.names[least], median)
        return table

    def _what_is_certified(self) -> Table:
        from crn_nn_tellurium.chemistry import duration
        from crn_nn_tellurium.encoding import largest_bimolecular

        # a chemist reads hours and nM, a modeller the numbers of the model: both stand there
        found, units = self.found, self.units
        tube = found.in_units(units)
        settled, rate = duration(tube.settling_time), tube.rate
        fastest = units.rate_constant(largest_bimolecular(self.network), 2, "M")
        off = f", for rate constants off by up to {_percent(found.rates)}" if found.rates else ""
        within = f"{found.tolerance:g}, in the tube {tube.tolerance:.3g} nM"
        one = f"a value of 1 is {units.c0:g} nM, a time of 1 is {duration(units.tau)}"
        rows = {
            "settled by": f"t = {found.settling_time:.4g}, in the tube {settled}; slowest:"
            f" {self.names[self.slowest]}",
            "bound": found.bound,
            "tolerance": f"{within}, about each output's fixed point",
            "slowest rate": f"{found.rate:.3g}, in the tube {rate:.3g} /s: a factor e in"
            f" {duration(1 / rate)}",
            "slowest chain": " -> ".join(found.chain),
            "covers": found.starts + off,
            "uniqueness": found.uniqueness,
            "in the tube": f"{one}; the largest bimolecular rate constant is {fastest:.3g} /M/s",
        }
        table = Table(title="What is certified", show_header=False)
        table.add_column(no_wrap=True)
        table.add_column()
        for row in rows.items():
            table.add_row(*row)
        return table

    @property
    def slowest(self) -> int:
        """The input that settles last."""
        return int(self.found.by_sample.max(axis=1).argmax())

    def columns(self) -> tuple[list[str], list[Any]]:
        """A row per input, with a heading: inputs, and all that is certified of each."""
        found, network = self.found, self.network
        # bounds stand beside each output, for who sorts or filters by them
        heading, columns = list(network.input_names), list(self.x.T)
        values = network(self.x)
        for j, name in enumerate(network.output_names):
            heading += [name, f"{name}_lower", f"{name}_upper", f"{name}_settled"]
            lower, upper = found.outputs.lower[:, j], found.outputs.upper[:, j]
            columns += [values[:, j], lower, upper, found.by_sample[:, j]]
        heading.append("settled_hours")
        columns.append(self.units.hours(found.by_sample.max(axis=1)))
        if self.margins is not None:
            heading += ["class", "certain_up_to"]
            columns += [network.predict(self.x), self.margins]
        return heading, columns

    def plot(self, path: Path) -> None:
        """The envelope of the slowest input, with trajectories from three starts."""
        from crn_nn_tellurium.plots import new_figure, plot_envelope, save_figure
        from crn_nn_tellurium.simulation import Simulator

        simulator, x = Simulator(self.network), self.x[self.slowest]
        # twice the bound, to show what comes after; it is 0 where outputs do not move
        t_end = 2 * self.found.settling_time or 1.0
        starts = (0.0, None, 100.0)
        # a fine grid, for the first points are far apart on a logarithmic axis
        courses = [simulator.time_course(x, t_end, 5001, initial=start) for start in starts]
        figure = new_figure((8, 4.8))
        ax = plot_envelope(self.found, courses, figure.subplots(), units=self.units)
        ax.set_title(f"{self.network.name}, slowest input")
        save_figure(figure, path)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
