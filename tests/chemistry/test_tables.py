"""What a network shows of itself."""

import crn_nn_tellurium as cn

NETWORK = cn.ReactionNetwork(
    [cn.Species("A", 1.0), cn.Species("B"), cn.Species("fuel", 2.0, boundary=True)],
    [
        cn.Reaction("J1", ("A", "A"), ("B",), "k1", 1.0),
        cn.Reaction("J2", ("B",), ("A", "A"), "k2", 1.0),
        cn.Reaction("J3", ("A", "fuel"), ("fuel",), "k3", 1.0),
    ],
)


def test_a_network_says_how_much_there_is_of_each():
    shown = NETWORK._repr_html_()
    for text in ("2 floating, 1 held: A, B, fuel", "3: 1 of order 1, 2 of order 2", "J3"):
        assert text in shown
    assert "0 floating, 1 held: fuel" in cn.ReactionNetwork(NETWORK.species[2:], [])._repr_html_()
    assert "of order" not in cn.ReactionNetwork(NETWORK.species, [])._repr_html_()
