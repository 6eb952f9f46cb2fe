"""How many molecules it takes: fluctuations about steady states."""

from crn_nn_tellurium.fluctuations.adjoint import backward
from crn_nn_tellurium.fluctuations.counting import Counted
from crn_nn_tellurium.fluctuations.levels import Block, Levels
from crn_nn_tellurium.fluctuations.network_noise import NetworkNoise
from crn_nn_tellurium.fluctuations.probabilities import class_probabilities, probability_of
from crn_nn_tellurium.fluctuations.result import Fluctuations, Noise
from crn_nn_tellurium.fluctuations.steady_noise import closed_form_noise, noise
from crn_nn_tellurium.fluctuations.volumes import SmallestVolume, smallest_volume
