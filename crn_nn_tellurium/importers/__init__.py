"""Others' networks and models, one file per source."""

from crn_nn_tellurium.importers.antimony import import_antimony
from crn_nn_tellurium.importers.crn import import_crn
from crn_nn_tellurium.importers.sbml import import_sbml
from crn_nn_tellurium.importers.sklearn import from_sklearn
