"""Notebooks that need what the package does not: skipped, with a reason, where it is missing."""

from importlib.util import find_spec

import pytest

NEEDS = {
    "07_from_pytorch_to_dna_strands.ipynb": ("torch", "PyTorch"),
    "10_in_copasi_and_sbml_tools.ipynb": ("basico", "COPASI"),
}


def pytest_collection_modifyitems(items):
    for item in items:
        module, name = NEEDS.get(item.path.name, ("", ""))
        if module and find_spec(module) is None:
            item.add_marker(pytest.mark.skip(reason=f"the notebook needs {name}: {module}"))
