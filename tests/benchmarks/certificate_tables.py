"""Prints the tables of docs/certificates.md: how tight settling times and enclosures are.

python tests/benchmarks/certificate_tables.py enclosure
python tests/benchmarks/certificate_tables.py settling 0 2000 results.txt
python tests/benchmarks/certificate_tables.py summary results.txt

The second takes an hour, and goes on where it stopped.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.trajectories import check, draw, settle_draws

import crn_nn_tellurium as cn

TOLERANCE = 1e-3
CLIPPED = {"ClippedReLU", "HardSigmoid"}
CAPPED = {"Sigmoid", "Tanh", "Normalized"}


def enclosure_table(draws: int = 10_000, networks: int = 20, width: int = 5) -> None:
    """Width of the guaranteed interval over the range of the draws, by depth."""
    print("| depth | rates 1 % | rates 5 % | rates 10 % |\n|---|---|---|---|")
    for depth in range(1, 7):
        row = []
        for rates in (0.01, 0.05, 0.1):
            found = []
            for seed in range(networks):
                net = cn.Network.random(
                    [width] * (depth + 1), cn.SmoothedReLU(h=0.01), seed=seed, output=cn.Linear()
                )
                x = np.random.default_rng(seed).uniform(0, 1, width)
                outputs, _ = settle_draws(net, x, rates, draws, seed)
                box = cn.enclosure(net, x, rates).outputs
                assert box.contains(outputs)
                found += (box.width / np.ptp(outputs, axis=0)).tolist()
            row.append(f"{np.median(found):.1f} ({np.max(found):.1f})")
        print(f"| {depth} | {' | '.join(row)} |", flush=True)


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


def summary(path: Path) -> None:
    """Bound over latest trajectory, by depth and by kind of activation."""
    by_depth, by_kind = defaultdict(list), defaultdict(list)
    for line in path.read_text().splitlines():
        _, depth, _, kinds, envelope, cheap, latest, *_ = line.split()
        if float(latest) == 0:
            continue  # within tolerance all along
        ratios = float(envelope) / float(latest), float(cheap) / float(latest)
        by_depth[int(depth)].append(ratios)
        names = set(kinds.split("+"))
        kind = "clipped" if names & CLIPPED else "with a cap" if names & CAPPED else "neither"
        by_kind[kind].append(ratios)
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
    elif sys.argv[1] == "settling":
        settle(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        summary(Path(sys.argv[2]))
