"""What if the chemistry is wrong: missing reactions, wrong rate constants, too little fuel."""

from crn_nn_tellurium.perturbations.attack_search import Attack
from crn_nn_tellurium.perturbations.attacks import attack, attack_margin
from crn_nn_tellurium.perturbations.report import Robustness, robustness
from crn_nn_tellurium.perturbations.statistical_margins import (
    StatisticalMargin,
    statistical_margin,
)
