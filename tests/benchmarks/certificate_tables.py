"""Prints the tables of docs/certificates.md: how tight settling times and enclosures are.

python tests/benchmarks/certificate_tables.py enclosure
python tests/benchmarks/certificate_tables.py margins
python tests/benchmarks/certificate_tables.py settling 0 2000 tests/benchmarks/counts/settling.txt
python tests/benchmarks/certificate_tables.py summary tests/benchmarks/counts/settling.txt
python tests/benchmarks/certificate_tables.py rates 0 2000 tests/benchmarks/counts/rates.txt
python tests/benchmarks/certificate_tables.py rates-summary tests/benchmarks/counts/rates.txt

The third and the fifth take an hour each, can be stopped, and go on where their file ends.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.trajectories import (
    adverse_signs,
    check,
    draw,
    draw_with_rates,
    latest_with_rates,
    settle_draws,
)

import crn_nn_tellurium as cn

TOLERANCE = 1e-3
CLIPPED = {"ClippedReLU", "HardSigmoid"}
CAPPED = {"Sigmoid", "Tanh", "Normalized"}


def enclosure_table(rates: float = 0.05, draws: int = 10_000, networks: int = 20) -> None:
    """Widths of guaranteed intervals, and of what draws reach, over what an attack reaches."""
    print("| depth | width | lines | intervals | draws |\n|---|---|---|---|---|")
    for depth, width in ((1, 5), (2, 5), (3, 5), (4, 5), (6, 5), (8, 5), (4, 20), (8, 20)):
        found = []
        for seed in range(networks):
            sizes = [width] * (depth + 1) + [1]
            net = cn.Network.random(
                sizes, cn.SmoothedReLU(h=0.01), seed=seed, output=cn.Linear(h=0.01)
            )
            x = np.random.default_rng(seed).uniform(0, 1, width)
            most, least = (
                cn.attack(net, x, rates, output=0, direction=way).outputs[0]
                for way in ("up", "down")
            )
            boxes = [
                cn.enclosure(net, x, rates, method=method).outputs
                for method in ("lines", "intervals")
            ]
            drawn, _ = settle_draws(net, x, rates, draws, seed)
            for box in boxes:
                assert box.contains(drawn)
                assert box.contains(np.array([[most], [least]]))
            reached = [*(box.width[0] for box in boxes), np.ptp(drawn)]
            found.append(np.array(reached) / (most - least))
        middle, largest = np.median(found, axis=0), np.max(found, axis=0)
        cells = [f"{m:.2f} ({top:.2f})" for m, top in zip(middle, largest, strict=True)]
        print(f"| {depth} | {width} | {' | '.join(cells)} |", flush=True)


def margin_table(samples: int = 60) -> None:
    """Errors of rate constants that classes of the shipped networks bear: the worst and likely."""
    print("| model | samples | certified | attack | largest gap | in 99 % of draws, cv |")
    print("|---|---|---|---|---|---|")
    for name in ("xor", "moons", "iris", "digits"):
        net, X = cn.load_model(name), cn.model_data(name)[1][:samples]
        sure, seen = cn.certified_margin(net, X), cn.attack_margin(net, X)
        likely = cn.statistical_margin(net, X).margins
        cells = [f"{np.median(part):.3f} ({part.min():.4f})" for part in (sure, seen, likely)]
        gap = f"{100 * np.max(seen / sure - 1):.2g} %"
        print(f"| {name} | {len(X)} | {cells[0]} | {cells[1]} | {gap} | {cells[2]} |", flush=True)


def settle(first: int, last: int, path: Path) -> None:
    """Settling times of random networks: the bounds, and the latest trajectory found."""
    done = (
        {int(line.split()[0]) for line in path.read_text().splitlines()} if path.exists() else set()
    )
    with path.open("a") as out:
        for seed in range(first, last):
            if seed in done:
                continue
            net, x = draw(seed)
            certificate = cn.certify(net, x, TOLERANCE)
            cheap = cn.settling_time(net, x, TOLERANCE, bound="cheap")
            latest = check(net, x, certificate, seed, adverse=4)
            kinds = "+".join(type(layer.activation).__name__ for layer in net.layers)
            width = max(layer.n_out for layer in net.layers)
            numbers = f"{certificate.settling_time:.6g} {cheap:.6g} {latest:.6g}"
            print(seed, len(net.layers), width, kinds, numbers, file=out, flush=True)


def settle_with_rates(first: int, last: int, path: Path) -> None:
    """The same under errors of rate constants, against networks at adverse corners of them."""
    lines = path.read_text().splitlines() if path.exists() else []
    done = {int(line.split()[0]) for line in lines}
    with path.open("a") as out:
        for seed in range(first, last):
            if seed in done:
                continue
            net, x, rates = draw_with_rates(seed)
            kinds = "+".join(type(layer.activation).__name__ for layer in net.layers)
            begin = time.process_time()
            try:
                certificate = cn.certify(net, x, 1e-2, rates=rates)
            except (cn.ConvergenceError, cn.NotCertified) as error:
                found = f"{type(error).__name__} nan 0 nan"
            else:
                crn, course = cn.to_reactions(net, x), certificate.envelope
                lowest = float(np.min(course.upper - course.lower))
                took = time.process_time() - begin
                signs = adverse_signs(crn, 4, seed)
                late, seen = latest_with_rates(net, x, certificate, signs, seed)
                assert late <= 1, (seed, late)
                assert lowest >= -1e-6 * certificate.tolerance, (seed, lowest)
                found = f"{certificate.settling_time:.6g} {late:.4g} {seen} {took:.2f}"
            print(seed, len(net.layers), rates, kinds, found, file=out, flush=True)


def rates_summary(path: Path) -> None:
    """Bound over latest trajectory by kind of activation and by depth, and what was refused."""
    ratios, refused = defaultdict(list), defaultdict(int)
    for line in path.read_text().splitlines():
        _, depth, rates, kinds, _, late, *_ = line.split()
        for key in (kind_of(kinds), f"depth {depth}", f"rates {float(rates):.0%}"):
            if late == "nan":
                refused[key] += 1
            elif float(late) > 0:
                ratios[key].append(1 / float(late))
    print("| networks | settled | refused | median | 95 % | worst |\n|---|---|---|---|---|---|")
    for key in sorted(ratios):
        middle, high = np.quantile(ratios[key], [0.5, 0.95])
        count = f"{len(ratios[key])} | {refused[key]}"
        print(f"| {key} | {count} | {middle:.2f} | {high:.2f} | {max(ratios[key]):.2f} |")


def kind_of(kinds: str) -> str:
    """What a network is made of, by its activations' names joined by +."""
    names = set(kinds.split("+"))
    return "clipped" if names & CLIPPED else "with a cap" if names & CAPPED else "neither"


def summary(path: Path) -> None:
    """Bound over latest trajectory, by depth and by kind of activation."""
    by_depth, by_kind = defaultdict(list), defaultdict(list)
    for line in path.read_text().splitlines():
        _, depth, _, kinds, envelope, cheap, latest, *_ = line.split()
        if float(latest) == 0:
            continue  # within tolerance all along
        ratios = float(envelope) / float(latest), float(cheap) / float(latest)
        by_depth[int(depth)].append(ratios)
        by_kind[kind_of(kinds)].append(ratios)
    heading = "networks | envelope: median | 95 % | worst | closed form: median | 95 % | worst"
    for title, table in (("depth", by_depth), ("activations", by_kind)):
        print(f"\n| {title} | {heading} |\n|{'---|' * 8}")
        for key in sorted(table):
            found = np.array(table[key])
            cells = [
                f"{value:.2f}"
                for column in found.T
                for value in (*np.quantile(column, [0.5, 0.95]), column.max())
            ]
            print(f"| {key} | {len(found)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if sys.argv[1] == "enclosure":
        enclosure_table()
    elif sys.argv[1] == "margins":
        margin_table()
    elif sys.argv[1] == "settling":
        settle(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    elif sys.argv[1] == "rates":
        settle_with_rates(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    elif sys.argv[1] == "rates-summary":
        rates_summary(Path(sys.argv[2]))
    else:
        summary(Path(sys.argv[2]))
