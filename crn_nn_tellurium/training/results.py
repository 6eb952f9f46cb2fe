"""What a training tells of itself, iteration by iteration and at its end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from crn_nn_tellurium.basics import card, curves
from crn_nn_tellurium.fluctuations import Noise
from crn_nn_tellurium.networks import Network
from crn_nn_tellurium.simulation import Verification

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Record:
    """One iteration (L-BFGS-B) or epoch (Adam).

    `loss` has the penalty and the noise that training minimises with, `validation_loss` neither,
    but for the noise of `Molecules`; `seconds` count from the start.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> net = cn.Network.random([2, 3, 1], seed=0)
    >>> result = cn.fit(net, [[0, 1], [1, 1]], [[1.0], [0.0]], optimizer=cn.LBFGS(max_iter=3))
    >>> [record.iteration for record in result.records]
    [1, 2, 3]
    """

    iteration: int
    loss: float
    validation_loss: float | None
    gradient_norm: float
    density: float
    seconds: float


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained network and how it came about.

    Attributes
    ----------
    network : Network
        With validation data, the one of the least validation loss.
    records : tuple of Record
    loss : float
        Mean loss on the training data, without penalty or noise.
    validation_loss : float or None
    stopped : str
        Why training ended.
    verification : Verification
    noise : Noise or None
        Of a training for few molecules, what they do to the network at the samples: means,
        covariances, probabilities of classes, and which species are doubtful.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    >>> result = cn.fit(cn.Network.random([2, 4, 1], cn.SmoothedReLU(h=0.01), seed=1), X, Y)
    >>> result.network.predict(X)
    array([0, 1, 1, 0])
    >>> result.loss < 0.01, len(result.records) == len(result.history["loss"])
    (True, True)
    """

    network: Network
    records: tuple[Record, ...]
    loss: float
    validation_loss: float | None
    stopped: str
    verification: Verification
    noise: Noise | None = None

    @property
    def history(self) -> pd.DataFrame:
        """The records as a table, indexed by iteration."""
        import pandas as pd

        # columns by name, for a training of no iterations has them too
        columns = [entry.name for entry in fields(Record)]
        rows = [asdict(record) for record in self.records]
        return pd.DataFrame(rows, columns=columns).set_index("iteration")

    def __repr__(self) -> str:
        held_out = self.validation_loss
        validation = "" if held_out is None else f", validation loss {held_out:.4g}"
        return (
            f"FitResult(loss {self.loss:.4g}{validation} after {len(self.records)} iterations"
            f" ({self.stopped}); {self.network.n_weights} weights; {self.verification}"
            f"{'' if self.noise is None else f'; {self.noise!r}'})"
        )

    def _repr_html_(self) -> str:
        facts: dict[str, object] = {
            "loss": self.loss,
            "iterations": f"{len(self.records):,}: {self.stopped}",
            "network": self.network,
            "chemistry": self.verification,
        }
        if self.noise is not None:
            facts["noise"] = self.noise
        rows = self.history
        lines = {"loss": [rows["loss"].to_numpy(float)]}
        if self.validation_loss is not None:
            facts["validation loss"] = self.validation_loss
            lines["validation loss"] = [rows["validation_loss"].to_numpy(float)]
        x = rows.index.to_numpy(float)
        ends = ("", "") if rows.empty else (f"iteration {x[0]:g}", f"{x[-1]:g}")
        return card("Training", facts, rows, curves(x, lines, ends, "loss by iteration"))
