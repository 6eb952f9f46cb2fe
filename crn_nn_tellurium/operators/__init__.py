"""Trained networks as graphs of operators, whatever they were trained with, and the one way from
such a graph to a Network.
"""

from crn_nn_tellurium.operators.affine import (
    AdaptiveAverage,
    Arranged,
    AveragePool,
    Concat,
    Convolution,
    Decision,
    Dense,
    Flatten,
    Identity,
    Index,
    MatMul,
    Pad,
    Permute,
    Reshape,
    Scale,
    Sum,
    SumOver,
    TransposedConvolution,
    batch_norm,
    in_turn,
)
from crn_nn_tellurium.operators.functions import (
    Function,
    absolute,
    celu,
    clip,
    elu,
    erf,
    exponential,
    gelu,
    hard_sigmoid,
    hard_swish,
    identity,
    leaky_relu,
    log_sigmoid,
    logarithm,
    mish,
    relu,
    root,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    tanh,
    tanh_shrink,
)
from crn_nn_tellurium.operators.graph import Graph, Node, Operator, unsupported
from crn_nn_tellurium.operators.lowering import Lowering, Options
from crn_nn_tellurium.operators.network_of import outputs_together, to_network
from crn_nn_tellurium.operators.nonlinear import (
    AdaptiveMax,
    Apply,
    ArgMax,
    Keep,
    LogSoftmax,
    Maximum,
    MaxOver,
    MaxPool,
    PReLU,
    Product,
    Quotient,
    Softmax,
)
from crn_nn_tellurium.operators.report import Imported, ImportReport
from crn_nn_tellurium.operators.tensors import MOST_VALUES, Tensor
from crn_nn_tellurium.operators.windows import Window, halves
