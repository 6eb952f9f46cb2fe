"""Exported files, read by others."""

import libsbml
import numpy as np
import pytest
import roadrunner

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters import FORMATS


@pytest.mark.parametrize("name", ["xor", "moons", "iris"])
def test_sbml_is_valid_and_settles_at_the_networks_outputs(name, tmp_path):
    net = cn.load_model(name)
    path = cn.export(net, tmp_path / "net.xml")
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    assert document.getNumErrors() == 0
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    x = cn.model_data(name)[1][0]
    runner = roadrunner.RoadRunner(str(path))
    crn = cn.to_reactions(net, x)
    for species, value in zip(crn.boundary, crn.boundary_concentrations, strict=True):
        runner[f"[{species}]"] = value
    runner.simulate(0, 5000, 2)
    np.testing.assert_allclose([runner[output] for output in net.output_names], net(x), rtol=1e-4, atol=1e-4)


def test_any_reaction_network_can_be_exported(tmp_path):
    crn = cn.ReactionNetwork([cn.Species("A", 1.0)], [cn.Reaction("J", ("A",), (), "k", 2.0)])
    text = cn.export(crn, tmp_path / "a.ant").read_text(encoding="utf-8")
    assert text == cn.to_antimony(crn)


def test_files_are_kept_and_endings_known(tmp_path):
    net = cn.load_model("xor")
    path = cn.export(net, tmp_path / "net.txt", format="ant")
    before = path.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError, match="overwrite=True replaces it"):
        cn.export(cn.load_model("iris"), path, format="ant")
    assert path.read_text(encoding="utf-8") == before
    cn.export(cn.load_model("iris"), path, format="ant", overwrite=True)
    assert path.read_text(encoding="utf-8") != before
    with pytest.raises(cn.FileFormatError, match=r"unknown ending '\.doc'; known: ant, sbml, xml"):
        cn.export(net, tmp_path / "net.doc")
    with pytest.raises(cn.FileFormatError, match="unknown format 'word'"):
        cn.export(net, tmp_path / "net.xml", format="word")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        cn.export(net, tmp_path / "nowhere" / "net.xml")
    assert [p.name for p in tmp_path.iterdir()] == ["net.txt"]
    assert set(FORMATS) == {"ant", "xml", "sbml"}
