"""Files: what libraries raise becomes ours, what is replaced keeps its permissions and links."""

import os
import stat

import pytest

import crn_nn_tellurium as cn
from crn_nn_tellurium.basics import files, read_bytes, reading, sealed, unsealed, write_bytes
from crn_nn_tellurium.basics.text import cell, number, to_csv


@pytest.mark.parametrize(
    "error",
    [KeyError("a"), MemoryError(), RecursionError("deep"), OSError("cut off"), EOFError("end")],
)
def test_whatever_a_library_raises_names_the_file(error):
    message = rf"'a.nc': .*\({type(error).__name__}: "
    with pytest.raises(cn.FileFormatError, match=message) as found, reading("a.nc"):
        raise error
    assert found.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        cn.ReactionError("ours"),
        PermissionError(13, "not allowed", "a.nc"),
        KeyboardInterrupt(),
        UserWarning("an error to whoever made it one"),
    ],
)
def test_errors_of_ours_of_the_system_and_of_the_user_stay(error):
    with pytest.raises(type(error)) as found, reading("a.nc"):
        raise error
    assert found.value is error


def test_a_file_keeps_its_permissions_and_its_link(tmp_path):
    real, link = tmp_path / "there" / "real.txt", tmp_path / "link.txt"
    real.parent.mkdir()
    real.write_bytes(b"old")
    os.chmod(real, 0o640)
    link.symlink_to(real)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), real.stat().st_mode & 0o777) == (b"new", 0o640)
    assert [file.name for file in real.parent.iterdir()] == ["real.txt"]


def test_devices_and_pipes_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    # whoever opens either waits, or reads, for ever
    for name in ("pipe", "link"):
        with pytest.raises(
            cn.FileFormatError, match=f"{name}': a device or a pipe; expected a file"
        ):
            read_bytes(tmp_path / name)


def test_devices_and_pipes_are_not_replaced_by_files(tmp_path):
    """A superuser's `-o /dev/null` made it a file, for all who write there."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "pipe.json")
    net = cn.Network([cn.Layer([[1.0]])])
    for name in ("pipe.json", "link.json"):
        path = tmp_path / name
        for write in (net.save, lambda path: write_bytes(path, b"new")):
            with pytest.raises(FileExistsError, match=r"pipe\.json': a device or a pipe; expected"):
                write(path)
    assert stat.S_ISFIFO((tmp_path / "pipe.json").stat().st_mode)
    assert len([*tmp_path.iterdir()]) == 2


def test_what_a_shell_gives_is_read():
    reading_end, writing_end = os.pipe()
    os.write(writing_end, b"x0,x1")
    os.close(writing_end)
    assert read_bytes(f"/dev/fd/{reading_end}") == b"x0,x1"
    os.close(reading_end)


def test_files_beyond_number_are_refused_before_they_are_read(tmp_path, monkeypatch):
    (path := tmp_path / "long").touch()
    os.truncate(path, 2**40)  # of nothing
    with pytest.raises(cn.FileFormatError, match="it has more than 2,147,483,648 bytes"):
        read_bytes(path)
    # a stream is read until it is too long
    monkeypatch.setattr(files, "_MOST_BYTES", 2**22)
    with (
        open("/dev/zero") as zero,
        pytest.raises(cn.FileFormatError, match="it has more than 4,194,304 bytes"),
    ):
        read_bytes(f"/dev/fd/{zero.fileno()}")


def test_numbers_are_those_of_a_keyboard():
    assert [number(text) for text in ("1", " -2.5e-3 ", ".5", "1.", "inf")] == [
        1.0, -0.0025, 0.5, 1.0, float("inf"),
    ]  # fmt: skip
    for text in ("1_0", "\uff11", "", "0x1", "1e", "true", "--1", "1 2"):
        with pytest.raises(ValueError, match="is no number"):
            number(text)


def test_a_name_is_no_formula_of_a_spreadsheet():
    formulas = '=HYPERLINK("http://a","b")', "+a", "-a", "@a", "\ta", "\ra"
    assert [cell(text) for text in formulas] == [f"'{text}" for text in formulas]
    for text in ("A", "-1.5e3", "+2", "-", "+", "", "-inf", "a=b"):
        assert cell(text) == text
    assert to_csv([["x", "=1+2"], ["-1.0", "+"]]) == "x,'=1+2\n-1.0,+\n"


def test_what_is_sealed_is_for_one_place():
    whole = sealed(b"content", "here")
    assert unsealed(whole, "here") == b"content"
    flipped = bytes([whole[0] ^ 1]) + whole[1:]
    wrong = (whole, "there"), (flipped, "here"), (whole[:-1], "here"), (b"", "here")
    for content, place in wrong:
        with pytest.raises(ValueError, match="not as it was written"):
            unsealed(content, place)


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that opens and fails")
def test_an_error_while_a_file_is_read_names_it():
    """The system says which file it was on opening, and of reading nothing."""
    with pytest.raises(OSError, match=r"Input/output error: '/proc/self/mem'") as caught:
        cn.Network.load("/proc/self/mem")
    assert caught.value.filename == "/proc/self/mem"


@pytest.mark.parametrize("name", ["file/net.json", "n" * 300 + ".json"])
def test_a_path_that_cannot_be_is_told_as_the_system_tells_it(name, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File name too long") as caught:
        cn.Network.load(tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)


@pytest.mark.parametrize("name", ["a\0b.json", "a\ud800.json"])
def test_a_name_that_no_file_has_is_refused_in_words(name):
    """Half of a character, as JSON may hold, was a UnicodeEncodeError."""
    with pytest.raises(cn.InputError, match="expected the path of a file"):
        cn.load_model("xor").save(name)
    for read in (cn.Network.load, cn.import_sbml, cn.import_crn, cn.import_antimony):
        with pytest.raises((cn.InputError, cn.ReactionError, FileNotFoundError)):
            read(name)
