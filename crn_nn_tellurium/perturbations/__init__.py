"""What if the chemistry is wrong: missing reactions, wrong rate constants, too little fuel."""

from crn_nn_tellurium.perturbations.report import Robustness, robustness
