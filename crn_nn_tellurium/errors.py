"""The exceptions that users meet.

Each class subclasses the builtin that a caller would expect, so ``except ValueError`` works
without knowing this package. Every message names the entity, its value, what was expected and
how to mend it.
"""

from __future__ import annotations


class NetworkError(ValueError):
    """A layer or network whose parts do not fit together.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.Network([cn.Layer([[1.0, 2.0]]), cn.Layer([[1.0, 2.0]])])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.NetworkError: layer 'layer2': weights are (1, 2); ...
    """


class InputError(ValueError):
    """An argument that is not what it should be: its kind, its shape, its value or its name.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.gradient(cn.load_model("xor"), [[0, 1]], [[1]], on_error="stop")
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.InputError: on_error is 'stop'; expected one of 'raise', 'nan'
    """


class IdentifierError(ValueError):
    """A name that cannot become an identifier in Antimony and SBML.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.Network.random([2, 1], name="2nd")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.IdentifierError: network name '2nd': expected ...
    """


class ReactionError(ValueError):
    """A species, reaction or reaction network that is not a well-formed mass-action model.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.import_antimony("A -> B; V*A/(K + A); A = 1; V = 1; K = 1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.ReactionError: 'the Antimony model': reaction '_J0': ...
    """


class FileFormatError(ValueError):
    """A file that exists but does not hold what it should.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.load_model("mnist")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.FileFormatError: no shipped model is called 'mnist'; ...
    """


class ConvergenceError(ArithmeticError):
    """A steady state or time course that the engine could not find.

    Attributes
    ----------
    status : tuple of Outcome
        Per sample, as the result's `status` would be with ``on_error="nan"``.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> oscillator = "A -> ; B*A; -> A; A; B -> ; B; -> B; A*B; A = 1; B = 2"
    >>> try:
    ...     cn.Simulator(oscillator).steady_state()
    ... except cn.ConvergenceError as error:
    ...     print(error.status[0])
    failed: it oscillates without dying down, at t = 1.11e+04 as at 2.22e+04
    """

    def __init__(self, message: str, status: tuple[str, ...] = ()):
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class SingularJacobianError(ArithmeticError):
    """A steady state that is not isolated, so that it has no derivatives.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> cn.sensitivities("A + B -> 2 A; A*B; A + B -> 2 B; A*B; A = 1; B = 1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.SingularJacobianError: network 'model_': the Jacobian ...
    """


class NotCertified(ValueError):  # noqa: N818  # not an error of the caller: no guarantee exists
    """A guarantee that cannot be given for this network, with the reason.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> net = cn.Network([cn.Layer([[1e200]])])
    >>> cn.certify(net, [1e200], tolerance=0.01)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.NotCertified: network 'network': species 'Y1_0': its ...
    """


class MissingPackageError(ImportError):
    """An optional package that is not installed.

    Examples
    --------
    >>> from crn_nn_tellurium.basics import require
    >>> require("no_such_package", extra="torch")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    crn_nn_tellurium.errors.MissingPackageError: this needs the package ...
    """
