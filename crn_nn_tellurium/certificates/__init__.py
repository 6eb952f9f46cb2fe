"""By when an output has settled, how sure it is, and which h to choose."""

from crn_nn_tellurium.certificates.balancing import Balanced, balance, limit_concentrations
from crn_nn_tellurium.certificates.certificate import Bound, Certificate, certify, settling_time
from crn_nn_tellurium.certificates.choice_of_h import HChoice, choose_h
from crn_nn_tellurium.certificates.enclosures import Enclosure, certified_margin, enclosure
from crn_nn_tellurium.certificates.following import EnvelopeModel
from crn_nn_tellurium.certificates.question import (
    EnvelopeCourse,
    check_rates,
    input_points,
    is_single,
    kinetics_of,
)
