"""Neural networks as mass-action chemical reaction networks, for Tellurium and libRoadRunner.

    import crn_nn_tellurium as cn

    net = cn.load_model("xor")
    print(cn.to_antimony(net))
    cn.Simulator(net).steady_state([[0, 1], [1, 1]]).outputs

Source: D. F. Anderson, B. Joshi and A. Deshpande, "On reaction network implementations of neural
networks", J. R. Soc. Interface 18 (2021) 20210031, doi 10.1098/rsif.2021.0031.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.5.0"

if TYPE_CHECKING:
    from crn_nn_tellurium.activations import (
        Absolute,
        Activation,
        ClippedReLU,
        Follower,
        HardSigmoid,
        LeakyReLU,
        Linear,
        LocalReaction,
        Normalized,
        Rail,
        ReadOut,
        Sigmoid,
        SmoothedReLU,
        Tanh,
    )
    from crn_nn_tellurium.antimony_writer import layer_models, to_antimony
    from crn_nn_tellurium.balancing import Balanced, balance, limit_concentrations
    from crn_nn_tellurium.certificate import Certificate, certify, settling_time
    from crn_nn_tellurium.choice_of_h import HChoice, choose_h
    from crn_nn_tellurium.enclosures import Enclosure, certified_margin, enclosure
    from crn_nn_tellurium.encoding import layer_reactions, to_reactions
    from crn_nn_tellurium.errors import (
        ConvergenceError,
        FileFormatError,
        IdentifierError,
        InputError,
        MissingPackageError,
        ModelTooLargeError,
        NetworkError,
        NotCertified,
        ReactionError,
        SingularJacobianError,
    )
    from crn_nn_tellurium.estimators import CRNClassifier, CRNRegressor
    from crn_nn_tellurium.exporters import export
    from crn_nn_tellurium.expressions import Expression, Monomial
    from crn_nn_tellurium.gradient_check import GradientCheck, check_gradients
    from crn_nn_tellurium.gradient_problem import Gradient
    from crn_nn_tellurium.gradients import gradient
    from crn_nn_tellurium.importers.antimony import import_antimony
    from crn_nn_tellurium.importers.crn import import_crn
    from crn_nn_tellurium.importers.sbml import import_sbml
    from crn_nn_tellurium.importers.sklearn import from_sklearn
    from crn_nn_tellurium.intervals import Interval
    from crn_nn_tellurium.layers import Layer
    from crn_nn_tellurium.losses import Loss
    from crn_nn_tellurium.model_library import load_model, model_data, model_names
    from crn_nn_tellurium.network import Network
    from crn_nn_tellurium.perturbation import accuracy_under_noise
    from crn_nn_tellurium.physical_units import PhysicalUnits, fastest_units
    from crn_nn_tellurium.plotting import (
        plot_accuracy_under_noise,
        plot_certified_margins,
        plot_confusion_matrix,
        plot_envelope,
        plot_h_choice,
        plot_history,
        plot_read_out_window,
        plot_sensitivities,
        plot_settling_time,
        plot_time_course,
    )
    from crn_nn_tellurium.reactions import Observable, Reaction, ReactionNetwork, Species
    from crn_nn_tellurium.read_out_windows import ReadOutWindow, read_out_window, smallest_fuel
    from crn_nn_tellurium.results import SteadyState, TimeCourse
    from crn_nn_tellurium.robustness_report import Robustness, robustness
    from crn_nn_tellurium.runner import ChemistryRunner, to_roadrunner
    from crn_nn_tellurium.scans.axes import Axis, latin_hypercube, lognormal, paired, sobol
    from crn_nn_tellurium.scans.files import open_scan
    from crn_nn_tellurium.scans.plots import (
        plot_decision_boundary,
        plot_robustness,
        plot_scan,
        plot_scan_bands,
        plot_scan_map,
        plot_scan_points,
        plot_scan_surface,
    )
    from crn_nn_tellurium.scans.refining import refine
    from crn_nn_tellurium.scans.scanning import scan
    from crn_nn_tellurium.sensitivity import Sensitivities, sensitivities
    from crn_nn_tellurium.simulator import Simulator
    from crn_nn_tellurium.strand_displacement import StrandDisplacement, to_strand_displacement
    from crn_nn_tellurium.strand_domains import domain_parts
    from crn_nn_tellurium.training import FitResult, fit
    from crn_nn_tellurium.transients import TransientSensitivities, transient_sensitivities
    from crn_nn_tellurium.verification import verify

_HOME = {
    "activations": (
        "Absolute Activation ClippedReLU Follower HardSigmoid LeakyReLU Linear LocalReaction Normalized Rail ReadOut "
        "Sigmoid SmoothedReLU Tanh"
    ),
    "antimony_writer": "layer_models to_antimony",
    "balancing": "Balanced balance limit_concentrations",
    "choice_of_h": "HChoice choose_h",
    "physical_units": "PhysicalUnits fastest_units",
    "certificate": "Certificate certify settling_time",
    "enclosures": "Enclosure certified_margin enclosure",
    "encoding": "layer_reactions to_reactions",
    "errors": (
        "ConvergenceError FileFormatError IdentifierError InputError MissingPackageError ModelTooLargeError "
        "NetworkError NotCertified ReactionError SingularJacobianError"
    ),
    "exporters": "export",
    "expressions": "Expression Monomial",
    "importers.antimony": "import_antimony",
    "importers.crn": "import_crn",
    "importers.sbml": "import_sbml",
    "importers.sklearn": "from_sklearn",
    "intervals": "Interval",
    "layers": "Layer",
    "model_library": "load_model model_data model_names",
    "network": "Network",
    "plotting": (
        "plot_accuracy_under_noise plot_certified_margins plot_confusion_matrix plot_envelope plot_h_choice "
        "plot_history plot_read_out_window plot_sensitivities plot_settling_time plot_time_course"
    ),
    "read_out_windows": "ReadOutWindow read_out_window smallest_fuel",
    "reactions": "Observable Reaction ReactionNetwork Species",
    "results": "SteadyState TimeCourse",
    "runner": "ChemistryRunner to_roadrunner",
    "simulator": "Simulator",
    "gradient_check": "GradientCheck check_gradients",
    "gradient_problem": "Gradient",
    "gradients": "gradient",
    "losses": "Loss",
    "perturbation": "accuracy_under_noise",
    "sensitivity": "Sensitivities sensitivities",
    "strand_displacement": "StrandDisplacement to_strand_displacement",
    "strand_domains": "domain_parts",
    "training": "FitResult fit",
    "verification": "verify",
    "transients": "TransientSensitivities transient_sensitivities",
    "estimators": "CRNClassifier CRNRegressor",
    "robustness_report": "Robustness robustness",
    "scans.axes": "Axis latin_hypercube lognormal paired sobol",
    "scans.files": "open_scan",
    "scans.refining": "refine",
    "scans.scanning": "scan",
    "scans.plots": (
        "plot_decision_boundary plot_robustness plot_scan plot_scan_bands plot_scan_map "
        "plot_scan_points plot_scan_surface"
    ),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "Absolute",
    "Activation",
    "Axis",
    "Balanced",
    "CRNClassifier",
    "CRNRegressor",
    "Certificate",
    "ChemistryRunner",
    "ClippedReLU",
    "ConvergenceError",
    "Enclosure",
    "Expression",
    "FileFormatError",
    "FitResult",
    "Follower",
    "Gradient",
    "GradientCheck",
    "HChoice",
    "HardSigmoid",
    "IdentifierError",
    "InputError",
    "Interval",
    "Layer",
    "LeakyReLU",
    "Linear",
    "LocalReaction",
    "Loss",
    "MissingPackageError",
    "ModelTooLargeError",
    "Monomial",
    "Network",
    "NetworkError",
    "Normalized",
    "NotCertified",
    "Observable",
    "PhysicalUnits",
    "Rail",
    "Reaction",
    "ReactionError",
    "ReactionNetwork",
    "ReadOut",
    "ReadOutWindow",
    "Robustness",
    "Sensitivities",
    "Sigmoid",
    "Simulator",
    "SingularJacobianError",
    "SmoothedReLU",
    "Species",
    "SteadyState",
    "StrandDisplacement",
    "Tanh",
    "TimeCourse",
    "TransientSensitivities",
    "accuracy_under_noise",
    "balance",
    "certified_margin",
    "certify",
    "check_gradients",
    "choose_h",
    "domain_parts",
    "enclosure",
    "export",
    "fastest_units",
    "fit",
    "from_sklearn",
    "gradient",
    "import_antimony",
    "import_crn",
    "import_sbml",
    "latin_hypercube",
    "layer_models",
    "layer_reactions",
    "limit_concentrations",
    "load_model",
    "lognormal",
    "model_data",
    "model_names",
    "open_scan",
    "paired",
    "plot_accuracy_under_noise",
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
    "plot_settling_time",
    "plot_time_course",
    "read_out_window",
    "refine",
    "robustness",
    "scan",
    "sensitivities",
    "settling_time",
    "smallest_fuel",
    "sobol",
    "to_antimony",
    "to_reactions",
    "to_roadrunner",
    "to_strand_displacement",
    "transient_sensitivities",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: tellurium, sklearn and plotting take seconds."""
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
