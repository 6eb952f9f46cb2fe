"""The site: `sphinx-build -W -c docs . build/site`, from the root: links are the repository's."""

import re
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

import crn_nn_tellurium

project = "crn_nn_tellurium"
author = "The crn_nn_tellurium developers"
version = release = crn_nn_tellurium.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
include_patterns = ["docs/**", "notebooks/*.ipynb", "CHANGELOG.md", "CONTRIBUTING.md"]
root_doc = "docs/index"
exclude_patterns = ["docs/_templates"]
templates_path = [str(Path(__file__).parent / "_templates")]
default_role = "code"  # docstrings are read in editors too, where one backtick is less to see

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # outputs are committed, and the tests execute them
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
of_scikit_learn = "set_fit_request, set_partial_fit_request, set_score_request"
autodoc_default_options = {"members": True, "exclude-members": of_scikit_learn}
autodoc_typehints = "none"  # docstrings say what is taken, in words

suppress_warnings = ["ref.python"]  # a shape, (n_samples, n_out), is no reference to Layer.n_out

html_theme = "furo"
html_title = project
html_additional_pages = {"index": "to_the_first_page.html"}
html_copy_source = False


def _mathml(tex, block):
    """MathML, which browsers draw by themselves: nothing to fetch, nothing to run."""
    tex = re.sub(r"\\gt(?![a-z])", ">", re.sub(r"\\lt(?![a-z])", "<", tex))
    return tex2mathml(re.sub(r"\\tag(\{.*?\})", r"\\qquad\\text\1", tex), as_block=block)


def _inline(self, node):
    self.body.append(_mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _displayed(self, node):
    self.body.append(_mathml(node.astext(), block=True))
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))


html_math_renderer = "mathml"
