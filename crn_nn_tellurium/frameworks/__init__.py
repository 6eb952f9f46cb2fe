"""Networks in PyTorch and JAX: forward the chemistry's steady state, backward its derivative."""

from crn_nn_tellurium.frameworks.conversion import as_jax, as_torch
