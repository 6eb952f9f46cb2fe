"""Certifies the shipped models: by when they have settled on every held-out sample, from every
start.

Run from the repository: ``python models/certify.py``. Writes certificates.json beside itself and
prints README's table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import crn_nn_tellurium as cn

HERE = Path(__file__).resolve().parent
TOLERANCE = 0.01
C0 = 10.0
"""Concentration unit in nM of the times in hours; the largest bimolecular constant is 1e6 /M/s."""


def certify(name: str, samples: int | None = None) -> dict[str, Any]:
    """The certificate of one model over its held-out data (or the first samples of it)."""
    net = cn.load_model(name)
    x = cn.model_data(name)[1][:samples]
    certificate = cn.certify(net, x, TOLERANCE)
    units = cn.fastest_units(net, 1e6, c0=C0)
    smooth = [
        1e-100 if layer.activation.h_is_smoothing else layer.activation.h for layer in net.layers
    ]
    return {
        "h": net.h[0],
        "samples": len(x),
        "error": float(np.abs(net(x) - net.with_h(smooth)(x)).max()),
        "settling_time": certificate.settling_time,
        "cheap": cn.settling_time(net, x, TOLERANCE, bound="cheap").max(),
        "hours": float(units.hours(certificate.settling_time)),
        "starts": certificate.starts,
        "chain": list(certificate.chain),
        "margin": float(np.median(cn.certified_margin(net, x))),
    }


def main() -> None:
    """Certify every model and write the results, from which docs/figures.py makes tables."""
    rows = {name: certify(name) for name in ("xor", "moons", "iris", "digits")}
    (HERE / "certificates.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
