"""What an import made of each operator, exactly or how nearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crn_nn_tellurium.basics import card, frame_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Imported:
    """One operator: its name in the source, what it is called there, what became of it, and by how
    much its values may be off because of it alone.
    """

    name: str
    operator: str
    became: str
    error: float

    @property
    def size(self) -> str:
        """The error in words."""
        return f"{self.error:.3g}" if self.error else "exact"


@dataclass(frozen=True)
class ImportReport:
    """How a network was made of another: `Network.import_report`.

    Attributes
    ----------
    operators : tuple of Imported
        In order, with what became of each.
    bound : float
        By how much any output may differ from the source's, for all inputs or, where pieces are
        near a function on a range alone, for those that stay within it.
    largest_difference : float or None
        The largest difference of any output on the data given; None without data.
    n_samples : int
        How many samples that were.
    simplified : tuple of str
        What was dropped or shared: dead units, weights that cannot be seen, equal units.
    advice : tuple of str
        What would bring it nearer.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> import crn_nn_tellurium as cn
    >>> mlp = MLPRegressor(hidden_layer_sizes=(2,), activation="tanh", random_state=0)
    >>> mlp.set_params(solver="lbfgs").fit([[0.0], [1.0]], [0.0, 1.0]).n_layers_
    3
    >>> report = cn.from_sklearn(mlp, h=1e-4, max_error=0.01).import_report
    >>> report.bound < 0.05
    True
    >>> report.to_frame().shape[0] == len(report.operators)
    True
    """

    operators: tuple[Imported, ...]
    bound: float
    largest_difference: float | None
    n_samples: int
    simplified: tuple[str, ...]
    advice: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row an operator."""
        columns = {
            what: [getattr(one, what) for one in self.operators]
            for what in ("operator", "became", "error")
        }
        return frame_of({"name": [one.name for one in self.operators]}, columns)

    def __repr__(self) -> str:
        rows = [(o.name, o.operator, o.became, o.size) for o in self.operators]
        table = [("name", "operator", "became", "error"), *rows]
        widths = [max(len(row[i]) for row in table) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([*lines, "", *self.sentences])

    @property
    def sentences(self) -> list[str]:
        """What there is to say of the whole."""
        found = f"Outputs are off by at most {self.bound:.3g}"
        if self.largest_difference is not None:
            found += f"; by {self.largest_difference:.3g} on {self.n_samples} samples of the data"
        return [f"{found}.", *self.simplified, *self.advice]

    def _repr_html_(self) -> str:
        rows = self.to_frame().assign(error=[one.size for one in self.operators])
        facts = {"operators": len(rows)}
        return card("Import report", facts, rows, notes=self.sentences)
