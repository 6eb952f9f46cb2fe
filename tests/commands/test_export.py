"""Networks written as Antimony, and for other tools."""

import zipfile

import pandas as pd

import crn_nn_tellurium as cn


def test_compile_and_export_write_the_model(run, tmp_path):
    assert "wrote xor.ant (Antimony, " in run("compile xor -o xor.ant")[2]
    assert (tmp_path / "xor.ant").read_text(encoding="utf-8") == cn.to_antimony(
        cn.load_model("xor")
    )
    code, out, _ = run("compile xor --form compact")
    assert (code, out) == (0, cn.to_antimony(cn.load_model("xor"), form="compact"))
    assert run("export xor -o xor.xml")[0] == 0
    assert "<sbml" in (tmp_path / "xor.xml").read_text(encoding="utf-8")
    code, _, err = run("export xor -o xor.xml")
    assert code == 2
    assert "exists" in err
    assert run("export xor -o xor.xml --overwrite")[0] == 0


def test_all_files_are_named_and_an_ending_chooses_tabs(run, tmp_path):
    code, out, err = run("export xor -o parts.tsv --dna --format parts")
    assert (code, out) == (0, "")
    assert [line.split(" (")[0] for line in err.splitlines()[1:3]] == [
        "wrote parts.tsv",
        "wrote parts.strands.tsv",
    ]
    assert "NUPACK" in err.splitlines()[-1]
    parts = cn.domain_parts(cn.to_strand_displacement(cn.load_model("xor")))
    for name, table in (("parts", parts.to_frame()), ("parts.strands", parts.strands_to_frame())):
        found = pd.read_csv(tmp_path / f"{name}.tsv", sep="\t", keep_default_na=False)
        assert found.columns.tolist() == table.columns.tolist()
        assert found["name"].tolist() == table["name"].tolist()
    assert run("export xor -o a.csv")[0] == 0
    assert run("export xor -o a.tsv")[0] == 0
    for part in ("", ".species", ".stoichiometry"):
        commas, tabs = (
            pd.read_csv(tmp_path / f"a{part}.{ending}", sep=sign)
            for ending, sign in (("csv", ","), ("tsv", "\t"))
        )
        pd.testing.assert_frame_equal(commas, tabs)
    (tmp_path / "a.strands.csv").write_text("mine", encoding="utf-8")
    code, _, err = run("export xor -o a.csv --dna --format parts --overwrite")
    assert code == 0
    (tmp_path / "b.strands.csv").write_text("mine", encoding="utf-8")
    code, _, err = run("export xor -o b.csv --dna --format parts")
    assert code == 2
    assert "'b.strands.csv' exists; --overwrite replaces it" in err
    assert not (tmp_path / "b.csv").exists()


def test_options_of_a_format_are_set_as_they_are_typed(run, tmp_path):
    for typed, what in (("layout=true", "listOfLayouts"), ("layout=false", None)):
        assert run(f"export xor -o l.xml --overwrite --set {typed}")[0] == 0
        text = (tmp_path / "l.xml").read_text(encoding="utf-8")
        assert ("listOfLayouts" in text) == (what is not None)
    net = cn.load_model("xor")
    code, _, err = run("export xor -o t.omex --input 0,1 --set t_end=7.5 --set n_points=16")
    assert code == 0, err
    asked = cn.export(net, tmp_path / "asked.omex", x=[0.0, 1.0], t_end=7.5, n_points=16)
    with zipfile.ZipFile(tmp_path / "t.omex") as found, zipfile.ZipFile(asked) as expected:
        (name,) = (n for n in found.namelist() if n.endswith(".sedml"))
        (other,) = (n for n in expected.namelist() if n.endswith(".sedml"))
        text = found.read(name).decode()
        assert text.replace("t.xml", "asked.xml") == expected.read(other).decode()
    assert 'outputEndTime="7.5"' in text
    for wrong in ("layout", "=1"):
        code, _, err = run(f"export xor -o w.xml --set {wrong}")
        assert code == 2
        assert f"--set is {wrong!r}; expected an option of the format and its value" in err


def test_strands_are_those_of_the_tube_that_is_typed(run, tmp_path):
    tube = "--set fuel=5000 --set c0=5 --set tau=90000 --set q_max=2e6 --set c_max=20000"
    code, _, err = run(f"export xor -o tube.ant --dna --input 0,1 {tube}")
    assert code == 0, err
    units = cn.PhysicalUnits(c0=5, tau=90000)
    options = cn.StrandOptions(fuel=5000, units=units, q_max=2e6, c_max=20000)
    dna = cn.to_strand_displacement(cn.load_model("xor"), [0.0, 1.0], options)
    assert (tmp_path / "tube.ant").read_text(encoding="utf-8") == cn.to_antimony(dna)
    assert repr(dna) in err
    # what is left is the format's own
    assert run("export xor -o s.pil --dna --set toehold=7")[0] == 0
    assert run("export xor -o s.pil --dna --overwrite --set toehold=7 --set tau=1e-9")[0] == 2


def test_data_and_the_true_classes_are_measured_in_petab(run, tmp_path):
    assert run("data xor -o xor.csv")[0] == 0
    code, _, err = run("export xor -o p.yaml --data xor.csv --target xor")
    assert code == 0, err
    measured = pd.read_csv(tmp_path / "p.measurements.tsv", sep="\t")
    assert measured.measurement.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert set(measured.observableId) == {"obs_y0"}
    conditions = pd.read_csv(tmp_path / "p.conditions.tsv", sep="\t")
    assert conditions[["x0", "x1"]].to_numpy().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    for half in ("--data xor.csv", "--target xor"):
        code, _, err = run(f"export xor -o q.yaml {half}")
        assert code == 2
        assert "--data and --target go together" in err
