"""Concentrations of a model in roadrunner in an order of names, whatever its own order is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from crn_nn_tellurium.basics import FloatArray


def floating_values(model: Any, names: Sequence[str]) -> FloatArray:
    """Concentrations (n_names,) of floating species."""
    return _in_order(model.getFloatingSpeciesIds(), model.getFloatingSpeciesConcentrations(), names)


def boundary_values(model: Any, names: Sequence[str]) -> FloatArray:
    """Concentrations (n_names,) of boundary species."""
    return _in_order(model.getBoundarySpeciesIds(), model.getBoundarySpeciesConcentrations(), names)


def parameter_values(model: Any) -> dict[str, float]:
    """Parameters by name."""
    own, values = model.getGlobalParameterIds(), model.getGlobalParameterValues()
    return dict(zip(own, values.tolist(), strict=True))


def set_floating_values(model: Any, names: Sequence[str], values: FloatArray) -> None:
    """Set concentrations of floating species."""
    own = list(model.getFloatingSpeciesIds())
    index = np.array([own.index(name) for name in names], dtype=np.int32)
    model.setFloatingSpeciesConcentrations(index, np.ascontiguousarray(values))


def _in_order(own: Any, values: FloatArray, names: Sequence[str]) -> FloatArray:
    now = dict(zip(own, values.tolist(), strict=True))
    return np.array([now[name] for name in names])


def selections(model: Any) -> dict[str, str]:
    """Attribute -> selection, as a roadrunner of this model has them."""
    found = {}
    for name in (*model.getFloatingSpeciesIds(), *model.getBoundarySpeciesIds()):
        found[f"{name}_amt"] = name
        found[name] = found[f"{name}_conc"] = f"[{name}]"
    for names in (model.getGlobalParameterIds, model.getCompartmentIds, model.getReactionIds):
        found |= {name: name for name in names()}
    return found
