"""Files of every kind that is read, damaged at random, and what their readers make of them.

A batch runs in a process of its own with limits of memory and time, so that what ends or hangs a
reader ends that process alone. `python mutations.py KIND FIRST COUNT` prints a line per file.
"""

import collections
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import types
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np

import crn_nn_tellurium as cn
from crn_nn_tellurium import errors

SECONDS, BYTES = 20, 4 << 30
"""What a reader may take for a file, and a process for a batch."""
YAML = """
nn_model_id: net
inputs: [{input_id: x}]
layers:
- {layer_id: first, layer_type: Linear, args: {in_features: 2, out_features: 3}}
forward:
- {name: x, op: placeholder, target: x}
- {name: first, op: call_module, target: first, args: [x]}
- {name: output, op: output, target: output, args: [first]}
"""
_ARRAYS = {"first": {"weight": [[1, 0], [0, 1], [1, 1]], "bias": [0, 0, -1]}}
_LAWS = "J: A + B -> C; kf*A*B - kr*C; total := A + C; A = 1; B = 2; kf = 3; kr = 0.5"


def _small():
    return cn.Network([cn.Layer([[1.5, -2.0], [0.25, 3.0]], [0.5, 0.0])], name="net")


def _parts(path):
    from crn_nn_tellurium.scans.files import Parts, ScanFile

    parts = Parts(ScanFile(path.with_name("out.nc")), types.SimpleNamespace(key="k", chunks=[0]))
    parts.folder.mkdir(exist_ok=True)
    return parts


def _write_chunk(path):
    parts = _parts(path)
    parts.write(0, {"outputs": np.arange(6.0), "status": np.array(["solved"] * 6, dtype=object)})
    path.write_bytes(parts._file(0).read_bytes())


def _read_chunk(path):
    parts = _parts(path)
    parts._file(0).write_bytes(path.read_bytes())
    found = parts.read(0)
    return None if found is None else {name: values.tolist() for name, values in found.items()}


def _write_hdf5(path):
    import h5py

    with h5py.File(path, "w") as file:
        file["metadata/pytorch_format"] = True
        for name, values in _ARRAYS["first"].items():
            file[f"parameters/net/first/{name}"] = np.asarray(values, dtype=float)


def _read_hdf5(path):
    described = path.with_name("described.yaml")
    described.write_text(YAML)
    return cn.from_petab_sciml(described, path)


def _write_sparse(path):
    from scipy import sparse

    cn.Network([cn.Layer(sparse.csr_array([[1.5, 0.0, 2.0], [0.0, 0.0, -1.0]]))]).save(path)


def _write_arrays(path):
    """The arrays beside a document, which says that those of the damaged file are its own."""
    cn.Network([cn.Layer(np.random.default_rng(0).normal(size=(101, 100)))]).save(
        path.with_name("large.json")
    )
    (companion,) = path.parent.glob("large.*.npz")
    path.write_bytes(companion.read_bytes())


def _read_arrays(path):
    import hashlib

    described = path.with_name("large.json")
    document = json.loads(described.read_text())
    content = path.read_bytes()
    document["arrays"] = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
    copy = path.with_name("copy.json")
    copy.write_text(json.dumps(document))
    return cn.Network.load(copy)


def _write_scan(path):
    cn.scan(_small(), {"x0": [0.0, 1.0], "x1": [0.0, 1.0]}, path=path, progress=False)


def _write_netcdf_3(path):
    with mock.patch("crn_nn_tellurium.scans.files._netcdf_engine", return_value="scipy"):
        _write_scan(path)


def _read_scan(path):
    return cn.open_scan(path).to_dict()


def _read_csv(path):
    from crn_nn_tellurium.commands.arguments import read_table

    table = read_table(path)
    return table.numbers(list(table.cells))


def _read_model(path):
    from crn_nn_tellurium.importers import as_model

    return as_model(path, "the test")


def _keras(path):
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="relu")]).save(path)


Kind = collections.namedtuple("Kind", "ending write read is_sealed", defaults=[False])
"""A kind of file; of a sealed one, what it was written with is read or nothing is."""
KINDS = {
    "json": Kind(".json", lambda path: _small().save(path), cn.Network.load),
    "sparse": Kind(".json", _write_sparse, cn.Network.load),
    "arrays": Kind(".npz", _write_arrays, _read_arrays),
    "sbml": Kind(
        ".xml", lambda path: cn.export(cn.import_antimony(_LAWS), path), lambda p: cn.import_sbml(p)
    ),
    "antimony": Kind(".ant", lambda path: path.write_text(_LAWS), _read_model),
    "crn": Kind(
        ".crn",
        lambda path: path.write_text("A @i 1\nA + B <=> 2B [kf = 3, kr = 0.5]"),
        cn.import_crn,
    ),
    "csv": Kind(".csv", lambda path: path.write_text('x0,"x1"\n1.5,2\n-1e3,4\n'), _read_csv),
    "chunk": Kind(".npz", _write_chunk, _read_chunk, True),
    "scan": Kind(".nc", _write_scan, _read_scan, True),
    "netcdf 3": Kind(".nc", _write_netcdf_3, _read_scan, True),
    "onnx": Kind(".onnx", lambda path: cn.export(_small(), path), cn.from_onnx),
    "yaml": Kind(
        ".yaml", lambda path: path.write_text(YAML), lambda p: cn.from_petab_sciml(p, _ARRAYS)
    ),
    "hdf5": Kind(".h5", _write_hdf5, _read_hdf5),
    "keras": Kind(".keras", _keras, cn.from_keras),
}

# Damage -------------------------------------------------------------------------------------------

_TOKENS = [
    b"\0",
    b"-" * 300,
    b"(" * 300,
    b"[" * 600,
    b"1e999",
    b"9" * 400,
    b"1_0",
    b"true",
    b"null",
]
_TOKENS += ["\uff11".encode(), b"\xff\xfe", b"<a>" * 300, b"NaN", b'"', b"\n", b"-1", b"4294967296"]
_VALUES = [None, True, -1, 2**32, 10**400, 1e308, "1_0", "", [], {}, [[1]], "\0", float("nan")]


def damaged(content, seed):
    """A file's bytes with one to three faults, the same for the same seed."""
    draw = random.Random(seed)
    for _ in range(draw.choice([1, 1, 2, 3])):
        ways = [_flipped, _cut, _spliced, _token]
        ways += [_swapped] * 4 * content[:1].startswith(b"{") + [_member] * 3 * _is_zip(content)
        content = draw.choice(ways)(content, draw) if content else content
    return content


def _is_zip(content):
    return content.startswith(b"PK")


def _flipped(content, draw):
    found = bytearray(content)
    for _ in range(draw.choice([1, 2, 8])):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def _cut(content, draw):
    return content[: draw.randrange(len(content))]


def _spliced(content, draw):
    a, b, c = (draw.randrange(len(content)) for _ in range(3))
    return content[:a] + content[min(b, c) : max(b, c)] + content[a + draw.randrange(9) :]


def _token(content, draw):
    place = draw.randrange(len(content))
    return content[:place] + draw.choice(_TOKENS) + content[place + draw.choice([0, 1, 5]) :]


def _swapped(content, draw):
    """JSON with one value in the place of another."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return _flipped(content, draw)
    places, open_ = [], [document]
    while open_:
        part = open_.pop()
        if isinstance(part, dict | list):
            keys = list(part) if isinstance(part, dict) else range(len(part))
            places += [(part, key) for key in keys]
            open_ += [part[key] for key in keys]
    if places:
        part, key = draw.choice(places)
        other, name = draw.choice(places)
        part[key] = draw.choice([draw.choice(_VALUES), json.loads(json.dumps(other[name]))])
    return json.dumps(document).encode()


def _member(content, draw):
    """A zip with one of its files damaged, doubled, renamed, or gone."""
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
            names = old.namelist()
            chosen = draw.choice(names)
            for name in names:
                inside = old.read(name)
                if name == chosen:
                    way = draw.randrange(4)
                    inside = damaged(inside, draw.random()) if way == 0 else inside
                    name = draw.choice([*names, "../up", "other"]) if way == 1 else name
                    if way == 2:
                        continue
                new.writestr(name, inside)
    except Exception:  # already damaged beyond that
        return _flipped(content, draw)
    return packed.getvalue()


# Batches ------------------------------------------------------------------------------------------


def outcome(kind, path, whole):
    """What a reader makes of a file: in a word, with more behind it where it should not."""
    try:
        found = KINDS[kind].read(path)
    except Exception as error:
        is_ours = type(error).__module__ == errors.__name__
        return "refused" if is_ours or isinstance(error, FileNotFoundError) else f"stray {error!r}"
    if KINDS[kind].is_sealed and found is not None and repr(found) != whole:
        return "silent"
    return "read"


def batch(kind, first, count):
    """Outcomes of damaged files by seed, each printed as it is known."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{KINDS[kind].ending}")
        KINDS[kind].write(path)
        content, whole = path.read_bytes(), repr(KINDS[kind].read(path))
        for seed in range(first, first + count):
            path.write_bytes(damaged(content, f"{kind} {seed}"))
            signal.alarm(SECONDS)  # whose default is to end the process
            print(seed, outcome(kind, path, whole)[:200].replace("\n", " "), flush=True)
            signal.alarm(0)


def outcomes(kind, first, count):
    """Outcomes by seed, of processes that are started again behind what ended them."""
    found = {}
    seed = first
    while seed < first + count:
        command = [sys.executable, "-W", "ignore", __file__, kind, str(seed)]
        done = subprocess.run(
            [*command, str(first + count - seed)], capture_output=True, text=True, check=False
        )
        lines = [line.split(" ", 1) for line in done.stdout.splitlines() if line[:1].isdigit()]
        found |= {int(number): words for number, words in lines}
        seed = max(found, default=seed - 1) + 1
        if done.returncode:
            how = "hang" if done.returncode == -signal.SIGALRM else "ended"
            found[seed] = f"{how} {done.returncode} {done.stderr[-300:]}"
            if not lines and done.returncode > 0:
                raise AssertionError(done.stderr)  # no reader's fault
            seed += 1
    return found


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "torch")
    batch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
