"""Short texts: JSON of any depth, read or refused, whatever libraries set."""

import json
import subprocess
import sys

import pytest

from crn_nn_tellurium.basics import json_value


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200 + "]" * 200,
        '{"a": ' * 200 + "1" + "}" * 200,
        json.dumps(["[" * 500]),
        json.dumps(['"' + "{" * 500]),
        json.dumps(["\\" + "]" * 500, "\\\\", '\\"[']),
        json.dumps([[1]] * 500),
        b'{"a": [1.5, null, "\xc3\xa9"]}',
    ],
)
def test_json_is_read(text):
    assert json_value(text) == json.loads(text)


@pytest.mark.parametrize("text", ["[" * 201 + "]" * 201, '{"a": ' * 201, '["\\"", ' * 201])
def test_json_that_is_nested_too_deep_is_refused(text):
    with pytest.raises(ValueError, match="JSON that is nested more than 200 deep"):
        json_value(text)


@pytest.mark.parametrize("text", ["", "[1,", '"a', '"\\', "[1]]", b"\xff", b"\xff\xfe[\x00"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        json_value(text)


DEEP = """
import sys
sys.setrecursionlimit(10**6)  # as peppercornenumerator does, when it is imported
from pathlib import Path
import crn_nn_tellurium as cn
from crn_nn_tellurium.benchmarks.results import Results
from crn_nn_tellurium.commands.export import _setting

net, deep = cn.Network([cn.Layer([[1.0]])]), "[" * 100_000
for name in ("a.json", "a.ckpt"):
    Path(name).write_text(deep)
Path("a.nc.parts").mkdir()
Path("a.nc.parts/scan.json").write_text(deep)
Path("a.nc.parts/00000000.npz").write_bytes(b"")
Path("a.zarr").mkdir()
Path("a.zarr/.zmetadata").write_text(deep)
Path("a.zarr/.zgroup").write_text('{"zarr_format": 2}')
tried = {
    "network": lambda: cn.Network.load("a.json"),
    "save": lambda: net.save("a.json"),
    "checkpoint": lambda: cn.fit(net, [[1.0]], [[1.0]], monitor=cn.Monitor("a.ckpt")),
    "scan": lambda: cn.scan(net, {"x0": [0.0, 1.0]}, path="a.nc", progress=False),
    "zarr": lambda: cn.open_scan("a.zarr"),
    "benchmarks": lambda: Results.from_json(deep),
}
for name, call in tried.items():
    try:
        call()
        print(name, "read")
    except (OSError, ValueError) as error:
        print(name, type(error).__name__)
print("setting", _setting("a=" + deep)[1] == deep)
"""


def test_no_reader_follows_json_beyond_a_stack(tmp_path):
    """Python 3.10 and 3.11 end where json recurses below a limit that a library has raised."""
    done = subprocess.run(
        [sys.executable, "-c", DEEP], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.split()
        == (
            "network FileFormatError save InputError checkpoint FileFormatError"
            " scan FileExistsError zarr FileFormatError benchmarks FileFormatError setting True"
        ).split()
    )
