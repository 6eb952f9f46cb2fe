"""How much is compiled, to see that what is alike is compiled once."""

from crn_nn_tellurium.simulation import engine


def compilations():
    """How many models were compiled since the cache was last cleared."""
    return engine._made.cache_info().misses
