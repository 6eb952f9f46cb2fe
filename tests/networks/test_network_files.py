"""Files of networks: strict numbers, limits before arrays are there, saves beside other files."""

import hashlib
import io
import json
import os
import zipfile

import numpy as np
import pytest
from scipy import sparse

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import documents

SMALL = cn.Network([cn.Layer([[1.5, -2.0]], [0.5])])
KEY = "layers.0.weights"


def large(seed):
    """A network whose weights go to a file beside it."""
    return cn.Network([cn.Layer(np.random.default_rng(seed).normal(size=(101, 100)))])


def edited(path, edit):
    SMALL.save(path)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return path


def in_layer(**entries):
    return lambda document: document["layers"][0].update(entries)


def columns(n, places, data=(7.0,), starts=(0, 1)):
    parts = {"sparse": [1, n], "indptr": starts, "indices": places, "data": data}
    return in_layer(weights=parts)


NOT_NUMBERS = {
    "1_0": in_layer(weights=[["1_0", 2.0]]),
    "a text": in_layer(weights=[["1", 2.0]]),
    "true": in_layer(weights=[[True, 2.0]]),
    "a bias that is true": in_layer(bias=[True]),
    "digits of any script": in_layer(weights=[["\uff11", 2.0]]),
    "a range of texts": lambda document: document.update(input_range=["0", "1_0"]),
    "400 digits": in_layer(weights=[[10**400, 2.0]]),
    "nested": in_layer(weights=[[[[1.0]], 2.0]]),
    "a version that is true": lambda document: document.update(format_version=True),
    "a place beyond 32 bits": columns(2**33, [2**32]),
    "columns beyond 32 bits": columns(10**12, [0]),
    "a place beyond the columns": columns(2, [2]),
    "a place below 0": columns(2, [-1]),
    "half a place": columns(2, [0.5]),
    "a place that is true": columns(2, [True]),
    "a sparse text": columns(2, [0], ["1_0"]),
    "a start beyond the end": columns(2, [0], starts=[0, 5]),
}


@pytest.mark.parametrize("name", NOT_NUMBERS)
def test_what_is_no_number_is_refused(name, tmp_path):
    path = edited(tmp_path / "net.json", NOT_NUMBERS[name])
    with pytest.raises(cn.FileFormatError, match=r"net\.json"):
        cn.Network.load(path)


@pytest.mark.parametrize("inserted", ["[" * 900 + "1" + "]" * 900, "1" * 5000])
def test_numbers_that_python_cannot_read_are_refused(inserted, tmp_path):
    SMALL.save(path := tmp_path / "net.json")
    path.write_text(path.read_text().replace("1.5", inserted))
    with pytest.raises(cn.FileFormatError, match=r"net\.json"):
        cn.Network.load(path)


def test_a_matrix_beyond_32_bits_is_refused():
    weights = sparse.coo_array(([7.0], ([0], [2**32])), shape=(1, 2**33))
    with pytest.raises(cn.NetworkError, match=r"expected below 2\^31"):
        cn.Layer(sparse.csr_array(weights))


def load_with(tmp_path, content):
    """A document that has the arrays for its own."""

    def edit(document):
        document["layers"][0]["weights"] = {"npz": KEY}
        digest = hashlib.sha256(content).hexdigest()
        document["arrays"] = {"file": "net.own.npz", "sha256": digest}

    (tmp_path / "net.own.npz").write_bytes(content)
    return cn.Network.load(edited(tmp_path / "net.json", edit))


def packed(array, said=None, more=()):
    """An .npz, whose directory may say another size than is there."""
    inside, content = io.BytesIO(), io.BytesIO()
    np.save(inside, array)
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{KEY}.npy", inside.getvalue())
        for name in more:
            archive.writestr(name, b"no array")
        archive.filelist[0].file_size = said or archive.filelist[0].file_size
    return content.getvalue()


def header_of(shape):
    stream = io.BytesIO()
    described = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{KEY}.npy", stream.getvalue() + bytes(8))
    return content.getvalue()


ARRAYS = {
    "no zip": b"no",
    "half a zip": packed(np.eye(1, 2))[:40],
    "texts": packed(np.array([["1_0", "2"]])),
    "truths": packed(np.array([[True, False]])),
    "objects": packed(np.array([[None, 1]], dtype=object)),
    "more than memory, by its header": header_of((10**6, 10**6)),
    "a header that is no Python": packed(np.eye(1, 2)).replace(
        b"'shape': (1, 2)", b"'shape': ((1, 2"
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_not_as_saved_are_refused(name, tmp_path):
    with pytest.raises(cn.FileFormatError, match=r"net\.(json|own.npz)"):
        load_with(tmp_path, ARRAYS[name])


def test_the_size_of_arrays_is_known_before_they_are_unpacked(tmp_path):
    with pytest.raises(cn.FileFormatError, match="it unpacks to 2,147,483,648 bytes; expected"):
        load_with(tmp_path, packed(np.eye(1, 2), said=2**31))


def test_what_a_document_does_not_name_is_not_unpacked(tmp_path):
    found = load_with(tmp_path, packed(np.eye(1, 2), more=["other.npy"]))
    np.testing.assert_array_equal(found.layers[0].weights, np.eye(1, 2))


def test_a_save_leaves_files_that_are_not_its_own(tmp_path):
    (tmp_path / "net.precious.npz").write_bytes(b"precious")
    reference = {"file": "net.precious.npz", "sha256": "00"}
    path = edited(tmp_path / "net.json", lambda document: document.update(arrays=reference))
    SMALL.save(path)
    assert (tmp_path / "net.precious.npz").read_bytes() == b"precious"


def test_a_save_leaves_a_file_whose_name_is_not_of_its_arrays(tmp_path):
    """A stranger's document may name a file that is everywhere the same, with its digest."""
    licence = tmp_path / "LICENSE"
    licence.write_bytes(b"the same everywhere")
    reference = {"file": "LICENSE", "sha256": hashlib.sha256(licence.read_bytes()).hexdigest()}
    path = edited(tmp_path / "net.json", lambda document: document.update(arrays=reference))
    cn.load_model("xor").save(path)
    assert licence.exists()


def test_a_save_replaces_its_own_arrays_and_keeps_permissions_and_links(tmp_path):
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "net.json", tmp_path / "link.json"
    large(0).save(real)
    os.chmod(real, 0o600)
    link.symlink_to(real)
    large(1).save(link)
    assert link.is_symlink()
    files = sorted(real.parent.iterdir())
    assert [file.suffix for file in files] == [".npz", ".json"]
    # what is secret in the one is in the other
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    for path in (real, link):
        np.testing.assert_array_equal(
            cn.Network.load(path).layers[0].weights, large(1).layers[0].weights
        )
    SMALL.save(link)
    assert [file.name for file in real.parent.iterdir()] == ["net.json"]


@pytest.mark.parametrize("n_saves", [1, 3])
def test_who_reads_during_saves_reads_again(n_saves, tmp_path, monkeypatch):
    large(0).save(path := tmp_path / "net.json")
    unpack, saves = documents._unpack, [*range(1, 1 + n_saves)]

    def saved_in_between(*arguments):
        # once a reading, between the document and its arrays
        if saves:
            large(saves.pop()).save(path)
        return unpack(*arguments)

    monkeypatch.setattr(documents, "_unpack", saved_in_between)
    found = cn.Network.load(path)
    np.testing.assert_array_equal(found.layers[0].weights, large(1).layers[0].weights)
    assert not saves


def test_a_save_leaves_the_arrays_of_what_another_saved_again(tmp_path, monkeypatch):
    path = tmp_path / "net.json"
    large(0).save(path)
    write = documents.write_files

    def overtaken(files):
        write(files)
        # by one who saves what was there before
        monkeypatch.setattr(documents, "write_files", write)
        large(0).save(path)

    monkeypatch.setattr(documents, "write_files", overtaken)
    large(1).save(path)
    np.testing.assert_array_equal(
        cn.Network.load(path).layers[0].weights, large(0).layers[0].weights
    )


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    path = edited(tmp_path / "net.json", lambda document: None)
    path.write_text(path.read_text().replace('"bias": [', '"bias": [9.0], "bias": [', 1))
    with pytest.raises(cn.FileFormatError, match="'bias' is there twice in one object"):
        cn.Network.load(path)


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b'{"format": "another"}\n', b"\x80\x00\xff", b"\n"]
)
def test_a_save_refuses_a_file_that_holds_no_network(content, tmp_path):
    path = tmp_path / "data.json"
    path.write_bytes(content)
    with pytest.raises(cn.InputError, match=r"data\.json' is there and holds no network"):
        SMALL.save(path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["data.json"]


@pytest.mark.parametrize("content", ["", "of ours", "cut off", "in another order"])
def test_a_save_replaces_networks_and_empty_files(content, tmp_path):
    path = tmp_path / "net.json"
    large(0).save(path)
    if content == "cut off":
        path.write_bytes(path.read_bytes()[:60])
    elif content == "in another order":
        path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))
    elif content != "of ours":
        path.write_text(content)
    SMALL.save(path)
    assert cn.Network.load(path) == SMALL


MISSPELT = {
    "of the document": (
        lambda document: document.update(input_rnage=document.pop("input_range")),
        "unknown entry 'input_rnage'; did you mean 'input_range'",
    ),
    "of a layer": (
        lambda document: document["layers"][0].update(activaton={}),
        "a layer: unknown entry 'activaton'; did you mean 'activation'",
    ),
    "of an activation": (
        lambda document: document["layers"][0]["activation"].update(h=1.0),
        "layer 'layer1': activation: unknown entry 'h'; expected name, parameters",
    ),
    "an activation by its name": (
        in_layer(activation="ReLU"),
        r"layer 'layer1': activation is 'ReLU'; expected {name, parameters}",
    ),
    "a layer that is none": (
        lambda document: document.update(layers=[3]),
        "a layer is 3; expected {name, inputs, activation, weights, bias}",
    ),
}


@pytest.mark.parametrize("name", MISSPELT)
def test_what_no_reader_looks_at_is_refused(name, tmp_path):
    edit, message = MISSPELT[name]
    path = edited(tmp_path / "net.json", edit)
    with pytest.raises(cn.FileFormatError, match=message):
        cn.Network.load(path)
