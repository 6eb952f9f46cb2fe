"""Antimony (.ant), as `to_antimony` writes it."""

from __future__ import annotations

from crn_nn_tellurium.encoding import Form, to_antimony
from crn_nn_tellurium.exporters.source import Source


def write(source: Source, *, form: Form = "reactions") -> str:
    """One model; `form` is "reactions" (one per weight), "compact" or "numbers"."""
    return to_antimony(source.model, form, source.x)
