"""Files for other tools, one file per format."""

from crn_nn_tellurium.exporters.exporting import export, export_files, format_of
