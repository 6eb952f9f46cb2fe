"""Networks written as Antimony, and for other tools."""

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
