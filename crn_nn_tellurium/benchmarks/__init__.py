"""This package beside its peers, in one run: what a benchmark is, who runs it, what comes out."""

from crn_nn_tellurium.benchmarks.declared import FULL, QUICK, Benchmark, Contender, Effort, Work
from crn_nn_tellurium.benchmarks.models import propensities_text
from crn_nn_tellurium.benchmarks.report import (
    FIGURES,
    REPORT,
    lost_text,
    machine_text,
    read_figures,
    report,
    write_figures,
    write_report,
)
from crn_nn_tellurium.benchmarks.results import Results, begin
from crn_nn_tellurium.benchmarks.runner import cases_of, run
from crn_nn_tellurium.benchmarks.subjects import BENCHMARKS, SUBJECTS, chosen
from crn_nn_tellurium.benchmarks.tables import (
    Table,
    growth_table,
    headline_table,
    present,
    subject_table,
)
