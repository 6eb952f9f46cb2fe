"""The exceptions that users meet.

Each class subclasses the builtin that a caller would expect, so ``except ValueError`` works
without knowing this package. Every message names the entity, its value, what was expected and
how to mend it.
"""

from __future__ import annotations


class NetworkError(ValueError):
    """A layer or network whose parts do not fit together."""


class InputError(ValueError):
    """An argument that is not what it should be: its kind, its shape, its value or its name."""


class IdentifierError(ValueError):
    """A name that cannot become an identifier in Antimony and SBML."""


class ReactionError(ValueError):
    """A species, reaction or reaction network that is not a well-formed mass-action model."""


class FileFormatError(ValueError):
    """A file that exists but does not hold what it should."""


class ConvergenceError(ArithmeticError):
    """A steady state or time course that the engine could not find.

    Attributes
    ----------
    status : tuple of Outcome
        Per sample, as the result's `status` would be with ``on_error="nan"``.
    """

    def __init__(self, message: str, status: tuple[str, ...] = ()):
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class SingularJacobianError(ArithmeticError):
    """A steady state that is not isolated, so that it has no derivatives."""


class NotCertified(ValueError):  # noqa: N818  # not an error of the caller: no guarantee exists
    """A guarantee that cannot be given for this network, with the reason."""


class MissingPackageError(ImportError):
    """An optional package that is not installed."""
