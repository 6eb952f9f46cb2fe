"""The ways into PyTorch and JAX; apart from what is of them, since their imports take seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crn_nn_tellurium.basics import check_choice, require
from crn_nn_tellurium.importers import as_network
from crn_nn_tellurium.networks import Network

if TYPE_CHECKING:
    from crn_nn_tellurium.frameworks.jax_function import ChemistryFunction
    from crn_nn_tellurium.frameworks.torch_module import ChemistryModule


def as_torch(net: Network, engine: str | None = None) -> ChemistryModule:
    """A network as a module of PyTorch, which trains in an ordinary loop.

    Forward is the steady state of the chemistry, backward its derivative by the implicit function
    theorem. Its parameters are the weights and biases, in doubles; ``module.float()`` and
    ``module.to(device)`` work as ever. Smoothing h is part of the module and does not change.
    ``module.to_network()`` returns the network with the numbers that were learned. Derivatives of
    derivatives, with ``create_graph=True``, are exact as well, where all activations are ours and
    there is no engine; elsewhere they are refused.

    Parameters
    ----------
    net : Network
        Sparse weights stay sparse: those stored are the parameters.
    engine : {"roadrunner"}, optional
        By default the closed form of the steady state, in PyTorch's own operations, on whatever
        device its tensors are; activations of your own by their numpy formulas, on the CPU. With
        ``"roadrunner"`` the steady state is roadrunner's, checked reaction by reaction, and its
        derivative the adjoint of the reactions as they are, without any formula of an activation:
        slower, on the CPU, and an independent answer.

    Returns
    -------
    torch.nn.Module
        Takes (..., n_in) inputs, checked as `Network` checks them, and gives (..., n_out) outputs.

    Raises
    ------
    MissingPackageError
        If PyTorch is not installed.
    InputError
        If `engine` is another one; when called, if inputs do not fit.
    ConvergenceError
        When called with an engine, if a sample has no steady state.

    Examples
    --------
    >>> import torch
    >>> from crn_nn_tellurium import Linear, SmoothedReLU
    >>> net = Network.random([2, 8, 1], SmoothedReLU(h=0.01), seed=0, output=Linear(h=0.01))
    >>> module = as_torch(net)
    >>> x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=torch.double)
    >>> y = torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.double)
    >>> optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    >>> for _ in range(300):
    ...     optimizer.zero_grad()
    ...     loss = torch.nn.functional.mse_loss(module(x), y)
    ...     loss.backward()
    ...     _ = optimizer.step()
    >>> module.to_network().predict(x.numpy())
    array([0, 1, 1, 0])
    """
    require("torch", "torch")
    from crn_nn_tellurium.frameworks.torch_module import ChemistryModule

    if engine is not None:
        check_choice("engine", engine, ("roadrunner",))
    return ChemistryModule(as_network(net, "as_torch"), engine)


def as_jax(
    net: Network, engine: str | None = None
) -> tuple[ChemistryFunction, list[tuple[Any, Any]]]:
    """A network as a function of JAX, ``apply(parameters, x)``, and its parameters.

    `apply` gives the steady state of the chemistry, works under ``jit``, ``grad`` and ``vmap``, and
    any optimiser of pytrees trains its parameters. Numbers have JAX's precision: doubles if
    ``jax_enable_x64`` is set. Smoothing h does not change. ``apply.to_network(parameters)`` is the
    network with the numbers that were learned.

    Parameters
    ----------
    net : Network
        Sparse weights stay sparse: those stored are the parameters.
    engine : {"roadrunner"}, optional
        By default the closed form of the steady state, in JAX's own operations, on whatever device
        its arrays are, with derivatives of any order and direction; activations of your own by
        their numpy formulas, on the CPU, with first derivatives. With ``"roadrunner"`` the steady
        state is roadrunner's, checked reaction by reaction, and its derivative the adjoint of the
        reactions as they are (``grad`` and ``vjp``): slower, on the CPU, and an independent answer.
        ``vmap`` then goes sample by sample: give it batches instead.

    Returns
    -------
    apply : ChemistryFunction
        Takes the parameters and (..., n_in) inputs, and gives (..., n_out) outputs. Inputs are
        checked as `Network` checks them. Compiled code cannot raise errors: under ``jit`` the
        outputs of a sample that would be refused are NaN in closed form.
    parameters : list of (weight, bias)
        One pair a layer: weight (n_out, n_in), or the stored ones of a sparse layer, bias (n_out,).

    Raises
    ------
    MissingPackageError
        If JAX is not installed.
    InputError
        If `engine` is another one; when called, if inputs or parameters do not fit.
    ConvergenceError
        When called with an engine, if a sample has no steady state. JAX hands on the text of an
        error in an error of its own.

    Examples
    --------
    >>> import jax
    >>> from crn_nn_tellurium import Linear, SmoothedReLU
    >>> net = Network.random([2, 8, 1], SmoothedReLU(h=0.01), seed=0, output=Linear(h=0.01))
    >>> apply, parameters = as_jax(net)
    >>> x, y = jax.numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]]), jax.numpy.array([0, 1, 1, 0])
    >>> def loss(parameters):
    ...     return ((apply(parameters, x)[:, 0] - y) ** 2).mean()
    >>> slope = jax.jit(jax.grad(loss))
    >>> for _ in range(500):
    ...     parameters = jax.tree.map(lambda p, g: p - 0.1 * g, parameters, slope(parameters))
    >>> apply.to_network(parameters).predict(x)
    array([0, 1, 1, 0])
    """
    require("jax", "jax")
    from crn_nn_tellurium.frameworks.jax_function import ChemistryFunction

    if engine is not None:
        check_choice("engine", engine, ("roadrunner",))
    apply = ChemistryFunction(as_network(net, "as_jax"), engine)
    return apply, apply.parameters()
