"""The networks that come with the package, and the data that they were trained and held out on.

The files are made by models/train.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import shipped_folder
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.networks.network import Network

SEED = 0
"""Of the split into training and held-out data."""


def models_folder() -> Path:
    """Where the shipped models lie."""
    return shipped_folder("models")


def model_names() -> tuple[str, ...]:
    """Names that `load_model` knows.

    Examples
    --------
    >>> model_names()
    ('digits', 'iris', 'moons', 'xor')
    """
    return tuple(sorted(path.stem for path in models_folder().glob("*.ant")))


def load_model(name: str) -> Network:
    """A network that comes with the package.

    Parameters
    ----------
    name : str
        ``"xor"``, ``"moons"``, ``"iris"`` or ``"digits"``.

    Raises
    ------
    FileFormatError
        If there is no such model.

    Examples
    --------
    >>> net = load_model("xor")
    >>> net.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 1, 1, 0])
    """
    return Network.load(models_folder() / f"{_known(name)}.json")


def _known(name: str) -> str:
    if not isinstance(name, str) or name not in model_names():
        raise FileFormatError(
            f"no shipped model is called {name!r}; there are {', '.join(model_names())}"
        )
    return name


def model_data(name: str) -> tuple[Any, Any, Any, Any]:
    """The data of a shipped model: X_train, X_test, y_train, y_test.

    XOR has its four rows in both; the others hold out a stratified fifth of scikit-learn's
    bundled data (`make_moons` draws its own).

    Raises
    ------
    FileFormatError
        If there is no such model.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> X_train, X_test, y_train, y_test = cn.model_data("iris")
    >>> X_train.shape, X_test.shape, y_test[:3]
    ((120, 4), (30, 4), array(['setosa', 'versicolor', 'setosa'], dtype='<U10'))
    """
    # scikit-learn takes a second to import, and loading a model does not need it
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    x: npt.NDArray[Any]
    if _known(name) == "xor":
        x, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
        return x, x, y, y
    if name == "moons":
        x, y = datasets.make_moons(1000, noise=0.1, random_state=SEED)
    elif name == "iris":
        x, y = datasets.load_iris(return_X_y=True)
        y = datasets.load_iris().target_names[y]
    else:
        x, y = datasets.load_digits(return_X_y=True)
    return tuple(train_test_split(x, y, test_size=0.2, stratify=y, random_state=SEED))
