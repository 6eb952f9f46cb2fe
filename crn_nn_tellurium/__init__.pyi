# The public names, once: for type checkers, and for lazy_loader, which imports what is used.

__version__: str
from .certificates import (
    Balanced as Balanced,
    Certificate as Certificate,
    Enclosure as Enclosure,
    HChoice as HChoice,
    balance as balance,
    certified_margin as certified_margin,
    certify as certify,
    choose_h as choose_h,
    enclosure as enclosure,
    limit_concentrations as limit_concentrations,
    settling_time as settling_time,
)
from .chemistry import (
    MODEL_UNITS as MODEL_UNITS,
    Expression as Expression,
    Interval as Interval,
    Monomial as Monomial,
    Observable as Observable,
    Parameter as Parameter,
    PhysicalUnits as PhysicalUnits,
    Reaction as Reaction,
    ReactionNetwork as ReactionNetwork,
    Species as Species,
)
from .dna import (
    ReadOutWindow as ReadOutWindow,
    StrandDisplacement as StrandDisplacement,
    StrandOptions as StrandOptions,
    domain_parts as domain_parts,
    read_out_window as read_out_window,
    smallest_fuel as smallest_fuel,
    to_strand_displacement as to_strand_displacement,
)
from .encoding import (
    fastest_units as fastest_units,
    layer_models as layer_models,
    layer_reactions as layer_reactions,
    to_antimony as to_antimony,
    to_reactions as to_reactions,
)
from .errors import (
    ConvergenceError as ConvergenceError,
    FileFormatError as FileFormatError,
    IdentifierError as IdentifierError,
    InputError as InputError,
    MissingPackageError as MissingPackageError,
    NetworkError as NetworkError,
    NotCertified as NotCertified,
    ReactionError as ReactionError,
    SingularJacobianError as SingularJacobianError,
)
from .exporters import (
    export as export,
)
from .fluctuations import (
    Noise as Noise,
    SmallestVolume as SmallestVolume,
    noise as noise,
    smallest_volume as smallest_volume,
)
from .frameworks import (
    as_jax as as_jax,
    as_torch as as_torch,
)
from .importers import (
    from_keras as from_keras,
    from_onnx as from_onnx,
    from_petab_sciml as from_petab_sciml,
    from_sklearn as from_sklearn,
    from_torch as from_torch,
    import_antimony as import_antimony,
    import_crn as import_crn,
    import_sbml as import_sbml,
)
from .kinetics import (
    RateErrors as RateErrors,
)
from .networks import (
    Absolute as Absolute,
    Activation as Activation,
    ClippedReLU as ClippedReLU,
    Follower as Follower,
    HardSigmoid as HardSigmoid,
    Layer as Layer,
    LeakyReLU as LeakyReLU,
    Linear as Linear,
    LocalReaction as LocalReaction,
    Loss as Loss,
    Network as Network,
    Normalized as Normalized,
    PiecewiseLinear as PiecewiseLinear,
    Rail as Rail,
    ReadOut as ReadOut,
    Sigmoid as Sigmoid,
    SmoothedReLU as SmoothedReLU,
    Tanh as Tanh,
    load_model as load_model,
    model_data as model_data,
    model_names as model_names,
)
from .notebook_magics import (
    load_ipython_extension as load_ipython_extension,
)
from .operators import (
    ImportReport as ImportReport,
)
from .perturbations import (
    Attack as Attack,
    Robustness as Robustness,
    StatisticalMargin as StatisticalMargin,
    attack as attack,
    attack_margin as attack_margin,
    robustness as robustness,
    statistical_margin as statistical_margin,
)
from .plots import (
    animate_layers as animate_layers,
    plot_certified_margins as plot_certified_margins,
    plot_confusion_matrix as plot_confusion_matrix,
    plot_decision_boundary as plot_decision_boundary,
    plot_envelope as plot_envelope,
    plot_h_choice as plot_h_choice,
    plot_history as plot_history,
    plot_layers as plot_layers,
    plot_network as plot_network,
    plot_noise as plot_noise,
    plot_read_out_window as plot_read_out_window,
    plot_robustness as plot_robustness,
    plot_scan as plot_scan,
    plot_scan_bands as plot_scan_bands,
    plot_scan_map as plot_scan_map,
    plot_scan_points as plot_scan_points,
    plot_scan_surface as plot_scan_surface,
    plot_sensitivities as plot_sensitivities,
    plot_smallest_volume as plot_smallest_volume,
    plot_time_course as plot_time_course,
    plot_unit as plot_unit,
)
from .scans import (
    Axis as Axis,
    ClassProbability as ClassProbability,
    GradientNorm as GradientNorm,
    MeanLoss as MeanLoss,
    ScanFile as ScanFile,
    SettlingTime as SettlingTime,
    StandardDeviation as StandardDeviation,
    UserFunction as UserFunction,
    latin_hypercube as latin_hypercube,
    lognormal as lognormal,
    open_scan as open_scan,
    paired as paired,
    refine as refine,
    scan as scan,
    sobol as sobol,
)
from .sensitivity import (
    Gradient as Gradient,
    GradientCheck as GradientCheck,
    Sensitivities as Sensitivities,
    TransientSensitivities as TransientSensitivities,
    check_gradients as check_gradients,
    gradient as gradient,
    sensitivities as sensitivities,
    transient_sensitivities as transient_sensitivities,
)
from .simulation import (
    RateEquations as RateEquations,
    Roadrunner as Roadrunner,
    Simulator as Simulator,
    SteadyState as SteadyState,
    TimeCourse as TimeCourse,
    verify as verify,
)
from .tellurium_model import (
    ChemistryRunner as ChemistryRunner,
    to_roadrunner as to_roadrunner,
)
from .training import (
    LBFGS as LBFGS,
    Adam as Adam,
    Constraints as Constraints,
    CRNClassifier as CRNClassifier,
    CRNRegressor as CRNRegressor,
    FitResult as FitResult,
    Molecules as Molecules,
    Monitor as Monitor,
    Optimizer as Optimizer,
    ReadOutTime as ReadOutTime,
    Record as Record,
    Validation as Validation,
    fit as fit,
)
