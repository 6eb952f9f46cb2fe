"""Antimony (.ant), as `to_antimony` writes it."""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.encoding import Form, to_antimony
from crn_nn_tellurium.exporters.writing import Source


@dataclass(frozen=True)
class Options:
    """One reaction per weight, or the equations alone."""

    form: Form = "reactions"


def write(source: Source, options: Options) -> str:
    """One model."""
    # its start values are what was asked for, and stay; numbers would be worked out again
    return to_antimony(source.followed, form=options.form, starts="formulas")
