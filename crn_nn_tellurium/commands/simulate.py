"""`crn-nn simulate`: a time course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from crn_nn_tellurium.basics import some
from crn_nn_tellurium.commands.arguments import Model, Out, Overwrite, inputs_of, load_given
from crn_nn_tellurium.commands.console import check_new, say, say_written, titled, write_table
from crn_nn_tellurium.errors import InputError


def command(
    model: Model,
    input: Annotated[
        str | None, Option("--input", help="A network's input values, comma-separated: 0,1")
    ] = None,
    t_end: Annotated[float, Option("--t-end", help="Last time.")] = 50.0,
    points: Annotated[int, Option(help="Number of times.", min=2, max=1_000_000)] = 501,
    initial: Annotated[float | None, Option(help="Start concentration of every species.")] = None,
    volume: Annotated[
        float | None, Option(help="Run by chance: molecules at a concentration of 1.")
    ] = None,
    draws: Annotated[
        int | None,
        Option(help="Run that many times: means, and NAME_spread beside them.", min=2),
    ] = None,
    seed: Annotated[
        int | None, Option(help="Of runs with --volume, 0 where none is given.", min=0)
    ] = None,
    output: Out = None,
    plot: Annotated[Path | None, Option(help="Picture of the outputs over time.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """A time course of all species and outputs, as CSV and as a picture.

    Example: [bold]crn-nn simulate xor --input 0,1 --plot xor.png[/bold]
    """
    from crn_nn_tellurium.importers import as_network
    from crn_nn_tellurium.networks import Network

    found = load_given(model)
    x = inputs_of(found, input)
    if x is None and isinstance(found, Network):
        there = f"{found.n_in} numbers with commas between: {some(found.input_names)}"
        raise InputError(f"no --input; expected {there}")
    check_new(overwrite, output, picture=plot)
    from crn_nn_tellurium.simulation import Simulator

    if volume is not None and seed is None:
        seed = 0  # the same command gives the same file
    simulator = Simulator(found)
    course = simulator.time_course(
        x, t_end, points, initial=initial, volume=volume, draws=draws, seed=seed
    )
    middle = course if draws is None else course.mean
    if plot is not None:
        from crn_nn_tellurium.plots import new_figure, plot_time_course, save_figure

        figure = new_figure()
        plot_time_course(course, ax=figure.subplots()).set_title(titled(found.name, input))
        save_figure(figure, plot)
        say_written("picture", plot)
    # a picture alone is enough of an answer; otherwise the table is
    if output is not None or plot is None:
        # of reactions without read-outs, the outputs are the species
        names = list(dict.fromkeys([*simulator.species, *simulator.output_names]))
        columns = [course.time, *(middle[name] for name in names)]
        heads = ["time", *names]
        if draws is not None:
            columns += [course.spread[name] for name in names]
            heads += [f"{name}_spread" for name in names]
        write_table(heads, columns, output, overwrite, f"{len(course.time)} times")
    else:
        ends = None if x is None else as_network(found, "--input")(x).tolist()
        for i, name in enumerate(simulator.output_names):
            settles = "" if ends is None else f"; settles at {ends[i]:.6g}"
            say(f"{name} = {middle[name][-1]:.6g} at t = {t_end:g}{settles}")
