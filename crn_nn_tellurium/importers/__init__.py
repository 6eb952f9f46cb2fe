"""Others' networks and models, one file per source, and whatever a user gives for a model."""

import lazy_loader

# names stand in __init__.pyi; each is imported when it is first used, since libSBML and
# scikit-learn take a second, and whoever is given a Network needs neither
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
