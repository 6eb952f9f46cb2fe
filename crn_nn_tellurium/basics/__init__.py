"""What every room stands on: arrays, checks, identifiers, documents, caches. No chemistry, no networks."""

from crn_nn_tellurium.basics.arrays import FloatArray, by_sample, is_real, is_sparse, read_only
from crn_nn_tellurium.basics.cache import Recent
from crn_nn_tellurium.basics.checks import (
    check_choice,
    check_kind,
    check_positive,
    require,
    whole_number,
)
from crn_nn_tellurium.basics.documents import (
    check_new,
    check_target,
    make_readable,
    read_bytes,
    read_document,
    read_text,
    write_bytes,
    write_document,
    write_files,
)
from crn_nn_tellurium.basics.identifiers import (
    PATTERN,
    RESERVED,
    check_identifier,
    free_id,
    suggest_identifier,
    suggest_identifiers,
)
from crn_nn_tellurium.basics.progress import progress_bar
from crn_nn_tellurium.basics.text import some, to_csv

__all__ = [
    "PATTERN",
    "RESERVED",
    "FloatArray",
    "Recent",
    "by_sample",
    "check_choice",
    "check_identifier",
    "check_kind",
    "check_new",
    "check_positive",
    "check_target",
    "free_id",
    "is_real",
    "is_sparse",
    "make_readable",
    "progress_bar",
    "read_bytes",
    "read_document",
    "read_only",
    "read_text",
    "require",
    "some",
    "suggest_identifier",
    "suggest_identifiers",
    "to_csv",
    "whole_number",
    "write_bytes",
    "write_document",
    "write_files",
]
