"""Identifiers of a network's species, rate constants and values: the one place where they are made."""

from __future__ import annotations

from collections.abc import Callable


def _input_ids(name: str) -> Callable[[str], str]:
    return lambda rail: f"{name}_{rail}" if rail else name


def weight_id(index: int, unit: int, label: str | int) -> str:
    """Identifier of a weight: layer number, unit, value read."""
    return f"w{index}_{unit}_{label}"


def bias_id(index: int, unit: int) -> str:
    """Identifier of a bias."""
    return f"b{index}_{unit}"


def shared_id(index: int, name: str) -> str:
    """Identifier of a rate constant that a layer's units share, h say."""
    return f"{name}{index}"


def _unit_ids(index: int, unit: int) -> Callable[[str], str]:
    return lambda local: f"{local}{index}_{unit}"
