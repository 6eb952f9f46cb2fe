"""Networks as modules of PyTorch: forward the chemistry's steady state, backward our adjoint."""

from crn_nn_tellurium.torch_module.conversion import as_torch
