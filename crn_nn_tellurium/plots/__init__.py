"""Pictures of results, one file a subject; the only room that imports matplotlib.

Every plot takes and returns axes, and shows nothing.
"""

from crn_nn_tellurium.plots.certificates import plot_certified_margins, plot_envelope, plot_h_choice
from crn_nn_tellurium.plots.figures import (
    STYLE,
    check_picture,
    color,
    new_figure,
    save_figure,
    styled,
)
from crn_nn_tellurium.plots.layers import animate_layers, plot_layers
from crn_nn_tellurium.plots.networks import plot_network
from crn_nn_tellurium.plots.noise import plot_noise, plot_smallest_volume
from crn_nn_tellurium.plots.read_out_windows import plot_read_out_window
from crn_nn_tellurium.plots.robustness import plot_robustness
from crn_nn_tellurium.plots.scan_points import plot_decision_boundary, plot_scan_points
from crn_nn_tellurium.plots.scans import (
    plot_scan,
    plot_scan_bands,
    plot_scan_map,
    plot_scan_surface,
)
from crn_nn_tellurium.plots.sensitivities import plot_sensitivities
from crn_nn_tellurium.plots.time_courses import plot_time_course
from crn_nn_tellurium.plots.training import plot_confusion_matrix, plot_history
from crn_nn_tellurium.plots.units import plot_unit
