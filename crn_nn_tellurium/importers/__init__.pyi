# What this room hands out: for type checkers, and for lazy_loader.

from .antimony import import_antimony as import_antimony
from .any_model import (
    AnyModel as AnyModel,
    as_model as as_model,
    as_network as as_network,
    is_sbml as is_sbml,
    text_or_model as text_or_model,
)
from .crn import import_crn as import_crn
from .keras import from_keras as from_keras
from .libantimony import antimony_to_sbml as antimony_to_sbml, plain_antimony as plain_antimony
from .onnx import from_onnx as from_onnx
from .onnx_files import ONNX_METADATA as ONNX_METADATA
from .petab_sciml import from_petab_sciml as from_petab_sciml
from .sbml import import_sbml as import_sbml
from .sbml_symbols import (
    named_counts as named_counts,
    own_numbers as own_numbers,
    per_size as per_size,
    symbols_read as symbols_read,
)
from .sbml_text import check_compiled as check_compiled
from .sklearn import from_sklearn as from_sklearn
from .torch import from_torch as from_torch, torch_from_files as torch_from_files
