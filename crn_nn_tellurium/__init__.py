"""Neural networks as mass-action chemical reaction networks, for Tellurium and libRoadRunner.

    import crn_nn_tellurium as cn

    net = cn.load_model("xor")
    print(cn.to_antimony(net))
    cn.Simulator(net).steady_state([[0, 1], [1, 1]]).outputs

Source: D. F. Anderson, B. Joshi and A. Deshpande, "On reaction network implementations of neural
networks", J. R. Soc. Interface 18 (2021) 20210031, doi 10.1098/rsif.2021.0031.
"""

import lazy_loader

from crn_nn_tellurium._version import __version__ as __version__

# public names stand in __init__.pyi, once; each is imported when it is first used
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
