"""Networks learnt from tables."""

import numpy as np
import pandas as pd

import crn_nn_tellurium as cn


def test_train_writes_a_network_that_predicts_the_table(run, flowers, tmp_path):
    typed = "train flowers.csv --target species --layers 6,4 -o f.json --max-iter 60"
    code, out, err = run(f"{typed} --plot h.png")
    assert code == 0
    assert err.startswith("wrote f.json (network, ")
    assert "wrote h.png (picture, " in err
    for text in (
        "4-6-4-3",
        "held out: accuracy, chemistry",
        "verified by the engine on 120 samples",
    ):
        assert text in out
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    net = cn.Network.load(tmp_path / "f.json")
    assert net.name == "f"
    assert net.class_names == ("setosa", "versicolor", "virginica")
    code, _, err = run("predict f.json flowers.csv --target species")
    assert code == 0
    assert float(err.split("accuracy: ")[1].split("%")[0]) > 90


def test_columns_that_are_one_identifier_can_be_predicted_from(run, tmp_path, rng):
    x = rng.random((40, 2))
    frame = pd.DataFrame(
        {"a b": x[:, 0], "a_b": x[:, 1], "t": np.where(x[:, 0] > 0.5, "up", "down")}
    )
    frame.to_csv(tmp_path / "twins.csv", index=False)
    code, _, _ = run("train twins.csv --target t --layers 3 -o twins.json --max-iter 20")
    assert code == 0
    assert cn.Network.load(tmp_path / "twins.json").input_names == ("a_b_2", "a_b")
    code, _, err = run("predict twins.json twins.csv --target t")
    assert code == 0
    assert float(err.split("accuracy: ")[1].split("%")[0]) > 80


def test_train_regresses_where_the_target_has_fractions(run, tmp_path, rng):
    x = rng.random((60, 2))
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x.sum(axis=1)}).to_csv(
        tmp_path / "sum.csv", index=False
    )
    code, out, _ = run("train sum.csv --target y --layers 4 --alpha 0.01 -o sum.json")
    assert code == 0
    assert "R2, chemistry" in out
    net = cn.Network.load(tmp_path / "sum.json")
    assert net.input_names == ("a", "b")
    # an alpha of 0.01 costs 4e-4 here
    np.testing.assert_allclose(net([[0.3, 0.4]]), [[0.7]], rtol=0, atol=0.004)


def test_numbers_beyond_those_of_floats_are_classes_by_their_texts(run, tmp_path, rng):
    x = rng.random((30, 2))
    labels = np.where(x[:, 0] > 0.5, "9007199254740993", "9007199254740992")
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "t": labels})
    frame.to_csv(tmp_path / "long.csv", index=False)
    assert (
        run("train long.csv --target t --layers 2 -o long.json --max-iter 5 --held-out 0")[0] == 0
    )
    net = cn.Network.load(tmp_path / "long.json")
    assert net.class_names == ("9007199254740992", "9007199254740993")


def test_train_for_few_molecules_is_the_estimators(run, tmp_path, rng):
    x = rng.random((30, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "t": np.where(x[:, 0] > 0.5, "up", "down")})
    frame.to_csv(tmp_path / "few.csv", index=False)
    typed = "train few.csv --target t --layers 3 --h 0.1 --held-out 0 --max-iter 20"
    code, _, _ = run(f"{typed} --volume 50 -o few.json")
    assert code == 0
    model = cn.CRNClassifier(
        (3,), h=0.1, noise=cn.Molecules(50), standardize=False, max_iter=20, random_state=0
    ).fit(frame[["a", "b"]], frame.t)
    few = cn.Network.load(tmp_path / "few.json")
    # the same training, of the same numbers as written and read again
    np.testing.assert_allclose(few(x), model.network_(x), rtol=1e-9)
    assert run(f"{typed} -o many.json")[0] == 0
    assert abs(cn.Network.load(tmp_path / "many.json")(x) - few(x)).max() > 1e-3
