"""Notebooks copied to where they can be run."""

from pathlib import Path

from crn_nn_tellurium.commands import notebooks

ROOT = Path(__file__).parents[2]


def test_notebooks_are_copied(run, tmp_path, monkeypatch):
    shipped = sorted((ROOT / "notebooks").glob("*.ipynb"))
    code, out, err = run("notebooks -o mine")
    assert (code, out) == (0, "")
    copied = sorted((tmp_path / "mine").iterdir())
    assert [path.name for path in copied] == [path.name for path in shipped]
    assert [path.read_bytes() for path in copied] == [path.read_bytes() for path in shipped]
    assert err.count("wrote mine") == len(shipped)
    copied[0].write_text("{}", encoding="utf-8")
    code, _, err = run("notebooks -o mine")
    assert code == 2
    assert "exists; --overwrite replaces it" in err
    monkeypatch.setattr(notebooks, "find_spec", lambda name: None)
    assert (
        "next: pip install jupyterlab && jupyter lab mine"
        in run("notebooks -o mine --overwrite")[2]
    )
    assert copied[0].read_bytes() == shipped[0].read_bytes()
