"""Network -> ReactionNetwork -> Antimony text."""

from crn_nn_tellurium.encoding.antimony import Form, layer_models, to_antimony
from crn_nn_tellurium.encoding.engine_texts import structure_text, variational_text
from crn_nn_tellurium.encoding.laws import compact_names, compact_signs
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
from crn_nn_tellurium.encoding.whole import (
    Starts,
    layer_reactions,
    reactions_at,
    to_reactions,
    written,
)
