"""Rows of a result as a table of pandas, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def frame_of(levels: Mapping[str, Sequence[Any] | Any], columns: Mapping[str, Any]) -> pd.DataFrame:
    """A row for every combination of the levels of the index, the last the fastest.

    Columns have a value for each, in arrays of the levels' lengths or in one row.
    """
    import pandas as pd

    rows: Any = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
    if len(levels) == 1:
        rows = rows.get_level_values(0)
    return pd.DataFrame({name: np.ravel(values) for name, values in columns.items()}, index=rows)
