"""Down to strands: displacement steps, domains, and the window in which they can be read."""

from crn_nn_tellurium.dna.domains import LONG, TOEHOLD, Complex, Parts, domain_parts
from crn_nn_tellurium.dna.read_out_windows import read_out_window, smallest_fuel
from crn_nn_tellurium.dna.results import ReadOutWindow
from crn_nn_tellurium.dna.strand_displacement import StrandDisplacement
from crn_nn_tellurium.dna.time_scales import StrandOptions
from crn_nn_tellurium.dna.translation import to_strand_displacement
