"""All benchmarks, in the order in which they are run."""

from __future__ import annotations

from collections.abc import Sequence

from crn_nn_tellurium.basics import check_choice
from crn_nn_tellurium.benchmarks.declared import Benchmark
from crn_nn_tellurium.benchmarks.learning import LEARNING
from crn_nn_tellurium.benchmarks.making import MAKING
from crn_nn_tellurium.benchmarks.settling import SETTLING
from crn_nn_tellurium.benchmarks.trusting import TRUSTING

BENCHMARKS: tuple[Benchmark, ...] = (*MAKING, *SETTLING, *LEARNING, *TRUSTING)
SUBJECTS = tuple(benchmark.subject for benchmark in BENCHMARKS)


def chosen(subjects: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of some subjects, or of all if none is named.

    Raises
    ------
    InputError
        If there is no such subject.
    """
    for subject in subjects:
        check_choice("only", subject, SUBJECTS)
    return [one for one in BENCHMARKS if not subjects or one.subject in subjects]
