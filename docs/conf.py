"""The site: `sphinx-build -W -c docs . build/site`, from the root: links are the repository's."""

from pathlib import Path

import crn_nn_tellurium

project = "crn_nn_tellurium"
author = "The crn_nn_tellurium developers"
version = release = crn_nn_tellurium.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",
]
include_patterns = ["docs/**", "notebooks/*.ipynb", "CHANGELOG.md", "CONTRIBUTING.md"]
root_doc = "docs/index"
exclude_patterns = ["docs/_templates"]
templates_path = [str(Path(__file__).parent / "_templates")]
default_role = "code"  # docstrings are read in editors too, where one backtick is less to see

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
nb_ipywidgets_js = {}  # of a network far away, for progress bars that have ended
nb_execution_mode = "off"  # outputs are committed, and the tests execute them
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
of_scikit_learn = "set_fit_request, set_partial_fit_request, set_score_request"
autodoc_default_options = {"members": True, "exclude-members": of_scikit_learn}
numpydoc_show_class_members = False  # autodoc shows them
autodoc_typehints = "none"  # docstrings say what is taken, in words

html_theme = "furo"
html_title = project
html_additional_pages = {"index": "to_the_first_page.html"}
html_copy_source = False
html_show_copyright = False
