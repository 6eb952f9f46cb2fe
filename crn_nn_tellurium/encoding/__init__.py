"""Network -> ReactionNetwork -> Antimony text."""

from crn_nn_tellurium.encoding.antimony import Form, layer_models, to_antimony
from crn_nn_tellurium.encoding.engine_texts import (
    VOLUME,
    stochastic_text,
    structure_text,
    variational_text,
)
from crn_nn_tellurium.encoding.laws import compact_names
from crn_nn_tellurium.encoding.layer_encoding import (
    Catalyst,
    LayerEncoding,
    Source,
    layer_encodings,
    weighted_sums,
)
from crn_nn_tellurium.encoding.unit import Unit, local_reactions, unit_reactions
from crn_nn_tellurium.encoding.units import (
    C0,
    MAX_RATE_CONSTANT,
    fastest_units,
    largest_bimolecular,
)
from crn_nn_tellurium.encoding.whole import Starts, layer_reactions, to_reactions, written

__all__ = [
    "C0",
    "MAX_RATE_CONSTANT",
    "VOLUME",
    "Catalyst",
    "Form",
    "LayerEncoding",
    "Source",
    "Starts",
    "Unit",
    "compact_names",
    "fastest_units",
    "largest_bimolecular",
    "layer_encodings",
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
    "written",
]
