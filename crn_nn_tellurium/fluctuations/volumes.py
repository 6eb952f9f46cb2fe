"""How many molecules a class takes: the volume from which on it is right, as often as asked for.

The right output leads every other one by m + d / V in the mean, with variance s / V. The number of
standard deviations, (m sqrt(V) + d / sqrt(V)) / sqrt(s), rises with V from d / m on, and no
covariance changes but for its size. So from the largest d / m on, the probability that all leads
are above 0 rises too, and the volume asked for is found by bisection, between those that one rival
alone would need, and those that all of them would, were the confidence shared out among them.
Below d / m the mean's correction is larger than the lead, and nothing first order is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from crn_nn_tellurium.basics import (
    FloatArray,
    bracket_largest,
    card,
    check_positive,
    curves,
    frame_of,
    is_real,
    read_only,
    whole_number,
)
from crn_nn_tellurium.chemistry import MODEL_UNITS, PhysicalUnits, Units
from crn_nn_tellurium.errors import InputError, NetworkError
from crn_nn_tellurium.fluctuations.counting import Verified, counted, shown_counts
from crn_nn_tellurium.fluctuations.probabilities import probability_of
from crn_nn_tellurium.fluctuations.result import Noise
from crn_nn_tellurium.fluctuations.steady_noise import noise
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.sensitivity import simulator_of
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

_PRECISION = 0.01
"""Of volumes, relative."""
AVOGADRO = 6.02214076e23
