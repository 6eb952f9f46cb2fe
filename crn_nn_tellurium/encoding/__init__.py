"""Network -> ReactionNetwork -> Antimony text."""

from crn_nn_tellurium.encoding.antimony import (
    VOLUME,
    Form,
    compact_constants,
    layer_models,
    stochastic_text,
    structure_text,
    to_antimony,
    variational_text,
    write_antimony,
)
from crn_nn_tellurium.encoding.units import (
    C0,
    MAX_RATE_CONSTANT,
    fastest_units,
    largest_bimolecular,
)
from crn_nn_tellurium.encoding.whole import (
    Catalyst,
    LayerChemistry,
    Unit,
    add_to_sources,
    catalyst_concentrations,
    layer_chemistry,
    layer_reactions,
    local_reactions,
    to_reactions,
    unit_reactions,
    weighted_sums,
)

__all__ = [
    "C0",
    "MAX_RATE_CONSTANT",
    "VOLUME",
    "Catalyst",
    "Form",
    "LayerChemistry",
    "Unit",
    "add_to_sources",
    "catalyst_concentrations",
    "compact_constants",
    "fastest_units",
    "largest_bimolecular",
    "layer_chemistry",
    "layer_models",
    "layer_reactions",
    "local_reactions",
    "stochastic_text",
    "structure_text",
    "to_antimony",
    "to_reactions",
    "unit_reactions",
    "variational_text",
    "weighted_sums",
    "write_antimony",
]
