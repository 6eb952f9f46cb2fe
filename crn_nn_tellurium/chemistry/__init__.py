"""Any mass-action network: reactions, rates, formulas, intervals, units. No neural word."""

from crn_nn_tellurium.chemistry.annotation import (
    SBO_COMPARTMENT,
    SBO_CONSTANT,
    SBO_FRAMEWORK,
    SBO_OBSERVABLE,
    SBO_REACTION,
    SBO_SPECIES,
    SBO_SUM,
    UNITS,
    check_orders,
    law_term,
    printable,
)
from crn_nn_tellurium.chemistry.expressions import Expression, Monomial
from crn_nn_tellurium.chemistry.intervals import Interval
from crn_nn_tellurium.chemistry.notation import ANTIMONY, KAPPA, PYTHON, formula, signed_sum
from crn_nn_tellurium.chemistry.rates import Balance, Terms, multiplied_by
from crn_nn_tellurium.chemistry.reaction_network import ReactionNetwork
from crn_nn_tellurium.chemistry.reactions import Observable, Reaction, Side, Species
from crn_nn_tellurium.chemistry.renaming import renamed, without_reserved
from crn_nn_tellurium.chemistry.units import (
    CONCENTRATION,
    MODEL_UNITS,
    NANOMOLAR_PER_MOLAR,
    TIME,
    PhysicalUnits,
    Units,
    duration,
    must_convert,
)

__all__ = [
    "ANTIMONY",
    "CONCENTRATION",
    "KAPPA",
    "MODEL_UNITS",
    "NANOMOLAR_PER_MOLAR",
    "PYTHON",
    "SBO_COMPARTMENT",
    "SBO_CONSTANT",
    "SBO_FRAMEWORK",
    "SBO_OBSERVABLE",
    "SBO_REACTION",
    "SBO_SPECIES",
    "SBO_SUM",
    "TIME",
    "UNITS",
    "Balance",
    "Expression",
    "Interval",
    "Monomial",
    "Observable",
    "PhysicalUnits",
    "Reaction",
    "ReactionNetwork",
    "Side",
    "Species",
    "Terms",
    "Units",
    "check_orders",
    "duration",
    "formula",
    "law_term",
    "multiplied_by",
    "must_convert",
    "printable",
    "renamed",
    "signed_sum",
    "without_reserved",
]
