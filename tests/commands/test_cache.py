"""Compiled models on disk, shown and deleted."""

import crn_nn_tellurium as cn


def test_cache_says_where_how_many_and_how_large_and_deletes_them(run, tmp_path, monkeypatch):
    monkeypatch.setenv("CRN_NN_CACHE", str(tmp_path / "here"))
    folder = str(tmp_path / "here" / "compiled")
    assert run("cache") == (0, f"{folder}\ncompiled models: 0, 0.0 MB\n", "")
    # a constant of its own: a model that this process has compiled is not asked for again
    crn = cn.import_antimony("-> A; k; A -> ; 7.25*A; A = 1; k = 1")
    cn.Simulator(crn).time_course(t_end=1.0, n_points=2)
    kept = len(list((tmp_path / "here" / "compiled").iterdir()))
    assert kept > 0
    out = run("cache --clear")[1]
    assert out.startswith(f"{folder}\ncompiled models: {kept}, ")
    assert out.endswith(" MB, deleted\n")
    assert "compiled models: 0," in run("cache")[1]
    monkeypatch.setenv("CRN_NN_CACHE", "off")
    assert run("cache")[1] == "compiled models are not kept: CRN_NN_CACHE is off\n"
