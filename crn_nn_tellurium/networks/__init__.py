"""The neural network apart from its chemistry: layers, activations, inputs, losses, files."""

from crn_nn_tellurium.networks.activation import (
    Activation,
    Follower,
    LocalReaction,
    Rail,
    ReadOut,
    smoothed_relu,
)
from crn_nn_tellurium.networks.activations import (
    BUILT_IN,
    Absolute,
    ClippedReLU,
    HardSigmoid,
    LeakyReLU,
    Linear,
    Normalized,
    PiecewiseLinear,
    Sigmoid,
    SmoothedReLU,
    Tanh,
)
from crn_nn_tellurium.networks.layer import (
    INPUT,
    Layer,
    outer_sum,
    places,
    values_of,
    with_values,
)
from crn_nn_tellurium.networks.losses import (
    Loss,
    LossLike,
    are_labels,
    by_output,
    check_classes,
    encode_targets,
    leads_of,
    resolve_loss,
    targets_of_labels,
)
from crn_nn_tellurium.networks.names import (
    bias_constant,
    input_ids,
    is_ours,
    other_names,
    parts_of,
    reaction_id,
    shared_id,
    signed_constant,
    unit_ids,
    value_id,
    weight_constant,
)
from crn_nn_tellurium.networks.network import Network
from crn_nn_tellurium.networks.network_files import check_replaceable
from crn_nn_tellurium.networks.network_text import network_from_text
from crn_nn_tellurium.networks.parameter_vector import (
    from_vector,
    pack,
    parameters,
    parameters_of,
    split,
    to_vector,
    unpack,
    with_arrays,
)
from crn_nn_tellurium.networks.shipped import load_model, model_data, model_names
from crn_nn_tellurium.networks.structure import TASKS, class_label
