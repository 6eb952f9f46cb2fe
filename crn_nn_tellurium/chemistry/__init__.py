"""Any mass-action network: reactions, rates, formulas, intervals, units. No neural word."""

from crn_nn_tellurium.chemistry.annotation import (
    LITERAL,
    SBO_COMPARTMENT,
    SBO_CONSTANT,
    SBO_FRAMEWORK,
    SBO_OBSERVABLE,
    SBO_REACTION,
    SBO_SPECIES,
    SBO_SUM,
    check_writable,
    law_term,
    printable,
    unit_definitions,
)
from crn_nn_tellurium.chemistry.conservation import ConservedSums, conserved_sums
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.following import Parameter, pass_on
from crn_nn_tellurium.chemistry.intervals import Interval
from crn_nn_tellurium.chemistry.notation import KAPPA, PYTHON, Notation, formula, signed_sum
from crn_nn_tellurium.chemistry.rates import ROUNDING, Balance, Terms, added, multiplied_by
from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Observable, Reaction, Side, Species
from crn_nn_tellurium.chemistry.renaming import renamed, with_names, without_reserved
from crn_nn_tellurium.chemistry.units import (
    CONCENTRATION,
    MODEL_UNITS,
    NANOMOLAR_PER_MOLAR,
    TIME,
    BaseUnit,
    Dimension,
    PhysicalUnits,
    Units,
    check_units,
    duration,
    must_convert,
    units_in,
)
