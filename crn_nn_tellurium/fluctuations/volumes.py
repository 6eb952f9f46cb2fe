"""How many molecules a class takes: the volume from which on it is right, as often as asked for.

The right output leads a rival by m + d / V in the mean, with variance s / V: by as many standard
deviations as (m sqrt(V) + d / sqrt(V)) / sqrt(s), which rises with V from d / m on. How the leads
vary together does not change with V. So from the largest d / m on, the probability that all are
above 0 rises too (docs/theory.md, theorem 21), and there is one volume that is asked for. It lies
between those that each rival would need by itself, and those that each would need were the errors
shared out among them. No volume is given at which the mean moves by above a quarter of a lead:
first order is no guide there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from crn_nn_tellurium.basics import (
    FloatArray,
    bracket_largest,
    card,
    check_share,
    curves,
    frame_of,
    labels_given,
    read_only,
    real_numbers,
    seed_given,
    whole_number,
)
from crn_nn_tellurium.chemistry import MODEL_UNITS, Units, check_units
from crn_nn_tellurium.errors import InputError
from crn_nn_tellurium.fluctuations.counting import Counted, Sample, count
from crn_nn_tellurium.fluctuations.probabilities import all_positive
from crn_nn_tellurium.fluctuations.result import Noise
from crn_nn_tellurium.fluctuations.steady_noise import noise
from crn_nn_tellurium.importers import AnyModel
from crn_nn_tellurium.networks import Network, leads_of, targets_of_labels
from crn_nn_tellurium.sensitivity import simulator_of
from crn_nn_tellurium.simulation import Simulator

if TYPE_CHECKING:
    import pandas as pd

PRECISION = 0.01
"""Of volumes, relative."""
BELIEVED = 0.25
"""Part of a lead by which the mean may move. At a whole one, a class of XOR that should be right in
99 % of runs is in 84 %; at this part, in 99 % or more (docs/noise.md)."""
_VERIFIED = 3
"""Samples that are run where it is not said how many."""
PER_NANOMOLE = 6.02214076e14
"""Molecules."""


@dataclass(frozen=True, eq=False)
class SmallestVolume:
    """How many molecules each sample takes for its class to be right.

    Attributes
    ----------
    volumes : (n_samples,) ndarray, or a number for one sample
        Molecules at a concentration of 1 from which on the class is right with probability
        `confidence`; infinite where it is another one without any noise.
    confidence : float
    classes : tuple
        The class that each sample is to have.
    units : Units
        What `litres` are taken by.
    counted : tuple of Counted
        Samples that were run at their volumes, molecule by molecule.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> found = cn.smallest_volume(cn.load_model("xor"), [[0, 0], [0, 1]])
    >>> found.volumes.round()
    array([ 51., 113.])
    """

    volumes: Any
    confidence: float
    classes: tuple[Any, ...]
    noise: Noise
    units: Units = MODEL_UNITS
    counted: tuple[Counted, ...] = ()

    def __post_init__(self) -> None:
        read_only(np.asarray(self.volumes))

    @property
    def _each(self) -> FloatArray:
        return np.atleast_1d(self.volumes)

    def share(self, volume: npt.ArrayLike) -> Any:
        """Share of the samples that are right, with that confidence, at volumes of any shape.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, smallest_volume
        >>> smallest_volume(load_model("xor"), [[0, 0], [0, 1]]).share([1, 1e6])
        array([0., 1.])
        """
        given = real_numbers("volume", volume)
        return (self._each <= given[..., None]).mean(axis=-1)

    def of_share(self, share: float) -> float:
        """The least volume at which that share of the samples is right; it may be infinite.

        Raises
        ------
        InputError
            If the share is not in (0, 1].

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, smallest_volume
        >>> round(smallest_volume(load_model("xor"), [[0, 0], [0, 1]]).of_share(0.5))
        51
        """
        check_share("share", share, "a share of the samples, in (0, 1]", whole=True)
        # rounding must not ask for one sample more: 0.7 of 10 are 7
        place = int(np.ceil(share * len(self._each) - 1e-9)) - 1
        return float(np.sort(self._each)[place])

    @property
    def molecules(self) -> Any:
        """Molecules of all floating species together at that volume, shaped as `volumes`."""
        return self.noise.concentrations.sum(axis=-1) * self.volumes

    @property
    def litres(self) -> Any:
        """The volumes in litres, where a concentration of 1 is `units.c0` nM.

        Raises
        ------
        InputError
            If no units were given to `smallest_volume`.
        """
        if self.units is MODEL_UNITS:
            raise InputError(
                "litres: what a concentration of 1 is was not said; expected"
                " smallest_volume(..., units=PhysicalUnits(c0=10, tau=100)), say"
            )
        return self.volumes / self._a_litre

    @property
    def _a_litre(self) -> float:
        """Molecules in a litre at a concentration of 1."""
        return self.units.c0 * PER_NANOMOLE

    @property
    def doubtful_species(self) -> Any:
        """How many species are doubtful at each volume: see `Noise.doubts`."""
        x = np.atleast_2d(self.noise.concentrations)
        found = self.noise.fluctuations.doubtful(x, self._each[:, None]).sum(axis=1)
        return found if np.ndim(self.volumes) else found[0]

    def to_frame(self) -> pd.DataFrame:
        """A row per sample: class, volume, molecules in it, litres if there are units, and how many
        species are doubtful there.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, smallest_volume
        >>> found = smallest_volume(load_model("xor"), [[0, 0], [0, 1]])
        >>> list(found.to_frame().columns)
        ['class', 'volume', 'molecules', 'doubtful_species']
        """
        columns: dict[str, Any] = {"class": list(self.classes), "volume": self.volumes}
        if self.units is not MODEL_UNITS:
            columns["litres"] = self.litres
        columns |= {"molecules": self.molecules, "doubtful_species": self.doubtful_species}
        return frame_of({"sample": range(len(self.classes))}, columns)

    def counted_to_frame(self) -> pd.DataFrame:
        """A row per sample that was to be run: how often it was right, and how often theory says.

        Examples
        --------
        >>> from crn_nn_tellurium import load_model, smallest_volume
        >>> xor = load_model("xor")
        >>> found = smallest_volume(xor, [[0, 0], [0, 1]], verify=1, draws=10)
        >>> found.counted_to_frame()[["right", "draws"]].values.tolist()
        [[10, 10]]
        """
        rows = [asdict(one) for one in self.counted]
        names = [name for name in Counted.__dataclass_fields__ if name != "sample"]
        columns = {name: [row[name] for row in rows] for name in names}
        return frame_of({"sample": [row["sample"] for row in rows]}, columns)

    @property
    def _facts(self) -> dict[str, object]:
        n, wrong = len(self._each), int(np.isinf(self._each).sum())
        facts: dict[str, object] = {
            "samples": n,
            # of 0.99999 all nines count
            "right in": f"{100 * self.confidence:.12g} % of runs",
        }
        if wrong < n:
            if n > 1:
                facts["half of them from"] = self._told(self.of_share(0.5))
            name = "largest" if n > 1 else "from"
            facts[name] = self._told(float(self._each[np.isfinite(self._each)].max()))
        if wrong:
            facts["wrong at any volume"] = wrong
        doubtful = np.atleast_1d(self.doubtful_species)[np.isfinite(self._each)]
        facts["with doubtful species"] = int((doubtful > 0).sum())
        ran = [one for one in self.counted if one.draws]
        if self.counted:
            as_said = sum(one.agrees for one in ran)
            facts["run molecule by molecule"] = f"{len(ran)}, {as_said} of them as expected"
        return facts

    def _told(self, volume: float) -> str:
        if np.isinf(volume):
            return "no volume"
        litres = "" if self.units is MODEL_UNITS else f" ({volume / self._a_litre:.2g} l)"
        return f"{volume:.3g} molecules at 1{litres}"

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in list(self._facts.items())[1:])
        samples = "1 sample" if len(self._each) == 1 else f"{len(self._each)} samples"
        return f"SmallestVolume({samples}, {told})"

    def _repr_html_(self) -> str:
        finite = np.sort(self._each[np.isfinite(self._each)])
        picture = ""
        if len(finite) > 1:
            at = np.geomspace(finite[0], finite[-1], 200)
            ends = f"{finite[0]:.3g}", f"{finite[-1]:.3g} molecules"
            picture = curves(np.log(at), {"share": [self.share(at)]}, ends, "samples right")
        rows = self.to_frame().sort_values("volume", kind="stable", ascending=False)
        notes = [f"sample {one.sample}: {one.note}" for one in self.counted]
        return card("SmallestVolume", self._facts, rows, picture, notes=notes)


def smallest_volume(
    net: AnyModel | Simulator,
    X: npt.ArrayLike,  # scikit-learn's names
    y: npt.ArrayLike | None = None,
    confidence: float = 0.99,
    *,
    verify: bool | int = False,
    draws: int = 400,
    units: Units = MODEL_UNITS,
    seed: int = 0,
) -> SmallestVolume:
    """The molecules that each sample takes for its class to be right, as often as asked for.

    By the linear noise approximation: outputs are jointly normal, with a mean that moves too.

    Parameters
    ----------
    net : Network, Simulator, or its file
    X : (n_in,) or (n_samples, n_in) array_like
    y : (n_samples,) array_like, or a label for one sample, optional
        The right classes; by default those that the network gives without noise.
    confidence : float
        Probability, above 1/2, of the right class at the steady state.
    verify : bool or int
        How many samples, from the least volume to the largest, are run at their volume by
        Gillespie's method; true stands for three: see `SmallestVolume.counted`. Each takes `draws`
        runs of four lifetimes of its slowest change: minutes where h is small, of which a warning
        tells beforehand. Ctrl-C ends them, with those that are done. `net.with_h(1e-2)`, or fewer
        draws, are quicker.
    draws : int
        Runs of each of these.
    units : PhysicalUnits, optional
        For `SmallestVolume.litres`.
    seed : int
        Of these runs.

    Returns
    -------
    SmallestVolume

    Raises
    ------
    InputError
        If an argument has the wrong shape or is out of range.
    NetworkError
        If the network is for regression.
    ConvergenceError
        If a sample has no steady state.

    Notes
    -----
    The mean moves by d / volume, so at few molecules a class may be right more often than at some
    more, by first order. The volume given is the one from which on the probability is large enough
    at all larger volumes, and the mean moves by a quarter of each lead at most.

    Examples
    --------
    >>> from crn_nn_tellurium import PhysicalUnits, load_model
    >>> found = smallest_volume(load_model("xor"), [0, 1], units=PhysicalUnits(c0=10, tau=100))
    >>> round(found.volumes), f"{found.litres:.1e}"
    (113, '1.9e-14')
    """
    check_share("confidence", confidence, "a probability above 1/2 and below 1", above=0.5)
    check_units(units)
    asked = _VERIFIED * verify if isinstance(verify, bool) else verify
    n_counted, draws = whole_number("verify", asked, 0), whole_number("draws", draws)
    seed = seed_given(seed)
    simulator = simulator_of(net, "smallest_volume")
    simulator.net.need_classes("smallest_volume")
    found = noise(simulator, X, volume=1.0)
    outputs = np.atleast_2d(found.outputs)
    labels = (
        simulator.net.classify(outputs)
        if y is None
        else labels_given("y", [y] if np.isscalar(y) else y)
    )
    leads = _Leads.of(simulator.net, found, labels)
    volumes = leads.volumes(float(confidence))
    counted: tuple[Counted, ...] = ()
    if n_counted:
        values = np.atleast_2d(simulator.net.input_coding.check(X))
        concentrations = np.atleast_2d(found.concentrations)
        # from the least to the largest, evenly
        ranked = np.argsort(volumes)[: np.isfinite(volumes).sum()]
        places = np.linspace(0, len(ranked) - 1, min(n_counted, len(ranked))).round().astype(int)
        expected = leads.probability(volumes)
        chosen = [
            Sample(
                simulator,
                values[i],
                concentrations[i],
                labels[i],
                Counted(i, float(volumes[i]), float(expected[i]), 0, 0, 0.0, 1.0, ""),
            )
            for i in ranked[places].tolist()
        ]
        counted = count(chosen, draws, seed)
    single = found.outputs.ndim == 1
    told_volumes: Any = float(volumes[0]) if single else volumes
    classes = tuple(labels.tolist())
    return SmallestVolume(told_volumes, float(confidence), classes, found, units, counted)


@dataclass(frozen=True, eq=False)
class _Leads:
    """By how much right classes lead: m and d (n, n_rivals), as above, and how these leads vary
    together (n, n_rivals, n_rivals), with s on the diagonal.
    """

    mean: FloatArray
    shift: FloatArray
    covariance: FloatArray

    @classmethod
    def of(cls, net: Network, found: Noise, labels: npt.NDArray[Any]) -> _Leads:
        outputs, of = np.atleast_2d(found.outputs), found.fluctuations
        targets = targets_of_labels(net, labels, len(outputs))
        if net.n_out == 1:
            # the one rival is the threshold, which is above the output of the other class
            outputs = outputs - net.layers[-1].activation.threshold
            ahead = (2 * targets - 1)[:, :, None]
        else:
            ahead = leads_of(net.n_out, targets.argmax(axis=1))
        lead, shift = ((ahead @ part[..., None])[..., 0] for part in (outputs, of.output_shift))
        return cls(lead, shift, ahead @ of.output_covariance @ np.swapaxes(ahead, 1, 2))

    def volumes(self, confidence: float) -> FloatArray:
        """The smallest volumes (n,)."""
        n, rivals = self.mean.shape
        low = self._of_each(confidence).max(axis=1)
        if rivals == 1:
            return low
        # each rival may have its share of the errors: then all together make no more
        high = self._of_each(1 - (1 - confidence) / rivals).max(axis=1)
        finite = np.flatnonzero(np.isfinite(high))

        def enough(smaller: FloatArray) -> npt.NDArray[np.bool_]:
            volume = np.full(n, np.inf)
            volume[finite] = high[finite] / smaller
            return (volume >= low)[finite] & (self.probability(volume)[finite] >= confidence)

        # by how much the larger ones may shrink
        shrunk = bracket_largest(enough, len(finite), 1.0, 4.0, PRECISION)[0]
        high[finite] /= np.maximum(shrunk, 1.0)
        return high

    def _of_each(self, confidence: float) -> FloatArray:
        """What each rival would need by itself (n, n_rivals)."""
        m, d = self.mean, self.shift
        far = ndtri(confidence) * np.sqrt(np.einsum("nii->ni", self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            # the larger root of m V - far sqrt(V) + d = 0; where there is none, all are enough.
            # from four times |d| / m on the number of standard deviations rises, as said above
            root = (far + np.sqrt(np.maximum(far**2 - 4 * m * d, 0.0))) / (2 * m)
            found = np.maximum(root**2, np.abs(d) / (BELIEVED * m))
        return np.where(m > 0, found, np.inf)

    def probability(self, volume: FloatArray) -> FloatArray:
        """Of the right class at volumes (n,), 0 where they are infinite."""
        found, here = np.zeros(len(volume)), np.flatnonzero(np.isfinite(volume))
        at = volume[here, None]
        mean = self.mean[here] + self.shift[here] / at
        found[here] = all_positive(mean, self.covariance[here] / at[..., None])
        return found
