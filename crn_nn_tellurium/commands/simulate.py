"""`crn-nn simulate`: a time course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from crn_nn_tellurium.commands.arguments import Net, Out, Overwrite, input_values, load_network
from crn_nn_tellurium.commands.console import check_new, write_table


def command(
    net: Net,
    input: Annotated[str, Option("--input", help="Input values, comma-separated: 0,1")],
    t_end: Annotated[float, Option("--t-end", help="Last time.")] = 50.0,
    points: Annotated[int, Option(help="Number of times.", min=2, max=1_000_000)] = 501,
    initial: Annotated[float | None, Option(help="Start concentration of every species.")] = None,
    volume: Annotated[float | None, Option(help="Run stochastically in this volume.")] = None,
    seed: Annotated[int, Option(help="Of a stochastic run.", min=0)] = 0,
    output: Out = None,
    plot: Annotated[Path | None, Option(help="Picture of the outputs over time.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """A time course of all species and outputs, as CSV and as a picture.

    Example: [bold]crn-nn simulate xor --input 0,1 --plot xor.png[/bold]
    """
    network = load_network(net)
    x = input_values(input, network)
    check_new(overwrite, output, picture=plot)
    from crn_nn_tellurium.simulation import Simulator

    simulator = Simulator(network)
    course = simulator.time_course(x, t_end, points, initial=initial, volume=volume, seed=seed)
    if plot is not None:
        from crn_nn_tellurium.plots import new_figure, plot_time_course, save_figure

        figure = new_figure()
        plot_time_course(course, ax=figure.subplots()).set_title(f"{network.name}, inputs {input}")
        save_figure(figure, plot)
    # a picture alone is enough of an answer; otherwise the table is
    if output is not None or plot is None:
        names = [*simulator.species, *network.output_names]
        columns = [course.time, *(course[name] for name in names)]
        write_table(["time", *names], columns, output, overwrite)
    else:
        for name, value in zip(network.output_names, network(x).tolist(), strict=True):
            print(f"{name} = {course[name][-1]:.6g} at t = {t_end:g}; settles at {value:.6g}")
