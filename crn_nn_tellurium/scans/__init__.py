"""Many points: what is varied, what is kept, who solves it, and its files."""

from crn_nn_tellurium.scans.arguments import STEADY_STATE
from crn_nn_tellurium.scans.axes import DRAW, FUEL, Axis, latin_hypercube, lognormal, paired, sobol
from crn_nn_tellurium.scans.files import ScanFile, open_scan
from crn_nn_tellurium.scans.network_parameters import NetworkParameters
from crn_nn_tellurium.scans.network_quantities import CLASS, GradientNorm, MeanLoss, SettlingTime
from crn_nn_tellurium.scans.noise_quantities import ClassProbability, StandardDeviation
from crn_nn_tellurium.scans.quantities import UserFunction
from crn_nn_tellurium.scans.refining import refine
from crn_nn_tellurium.scans.scanning import scan
