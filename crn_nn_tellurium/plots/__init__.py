"""Pictures of results; the only room that imports matplotlib."""

from crn_nn_tellurium.plots.figures import check_picture, new_figure, save_figure
from crn_nn_tellurium.plots.results import (
    plot_certified_margins,
    plot_confusion_matrix,
    plot_envelope,
    plot_h_choice,
    plot_history,
    plot_read_out_window,
    plot_sensitivities,
    plot_time_course,
)
from crn_nn_tellurium.plots.scans import (
    plot_decision_boundary,
    plot_robustness,
    plot_scan,
    plot_scan_bands,
    plot_scan_map,
    plot_scan_points,
    plot_scan_surface,
)

__all__ = [
    "check_picture",
    "new_figure",
    "plot_certified_margins",
    "plot_confusion_matrix",
    "plot_decision_boundary",
    "plot_envelope",
    "plot_h_choice",
    "plot_history",
    "plot_read_out_window",
    "plot_robustness",
    "plot_scan",
    "plot_scan_bands",
    "plot_scan_map",
    "plot_scan_points",
    "plot_scan_surface",
    "plot_sensitivities",
    "plot_time_course",
    "save_figure",
]
