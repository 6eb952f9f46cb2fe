"""Networks written as Antimony, and for other tools."""

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
