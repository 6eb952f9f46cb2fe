"""Files, written whole or not at all: beside their target, then moved into place."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, AnyStr

from crn_nn_tellurium import errors
from crn_nn_tellurium.basics.text import may_be_path
from crn_nn_tellurium.errors import FileFormatError

_DIGEST_SIZE = hashlib.sha256().digest_size
_MOST_BYTES = 2**31
"""Of a file: twice what a document's arrays may take."""
_STREAMS = "/dev/stdin", "/dev/fd/", "/proc/self/fd/"
_REASON = 300
"""Characters of a library's words that an error repeats."""


def shipped_folder(name: str) -> Path:
    """Where something that comes with the package lies: inside it, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def check_target(path: Path) -> None:
    """Refuse a path that no file can be written to, before the work for it is done."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}"
        )
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {str(path)!r}: it is a folder")
    # a file would be moved into the place of /dev/null, which the superuser may
    if path.exists() and not path.is_file():
        raise FileExistsError(f"cannot write {str(path)!r}: a device or a pipe; expected a file")


def check_new(paths: Iterable[Path]) -> None:
    """Refuse to replace files."""
    for path in paths:
        if path.exists():
            raise FileExistsError(f"{str(path)!r} exists; overwrite=True replaces it")


_OF_SYSTEM = (FileNotFoundError, IsADirectoryError, PermissionError)
"""What `read_bytes` too raises, in its words, without a number."""


@contextmanager
def reading(name: object) -> Iterator[None]:
    """Make whatever a library raises of a file's content a FileFormatError with file and reason.

    Our own errors say more already, and the system's name their file: both stay, as warnings do
    that somebody made errors.
    """
    label = repr(str(name))
    try:
        yield
    except Exception as error:
        is_ours = type(error).__module__ == errors.__name__
        # what a library calls an OSError, a damaged file say, has no number of the system
        is_of_system = isinstance(error, _OF_SYSTEM) or (
            isinstance(error, OSError) and (error.errno or 0) > 0 and error.filename is not None
        )
        if is_ours or is_of_system or isinstance(error, Warning):
            raise
        reason = " ".join(str(error).split()) or "no more is known"
        raise FileFormatError(
            f"{label}: it cannot be read ({type(error).__name__}: {reason[:_REASON]})"
        ) from error


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say which file cannot be written: of a full disk the system names none."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno, f"cannot write it into its folder: {error.strerror or error}", str(path)
        ) from error


def write_bytes(path: str | os.PathLike[str], content: bytes, private: bool = False) -> Path:
    """Write a file whole or not at all."""
    path = Path(path)
    write_files({path: content}, private)
    return path


def write_files(files: Mapping[Path, bytes], private: bool = False) -> None:
    """Write files that belong together: each whole or not at all, and none moved into place before
    all are written. Private ones are the user's alone.

    What is replaced keeps its permissions, and a link goes on leading to it; files that are new
    have the permissions of one that is replaced.
    """
    if not private:
        files = {Path(os.path.realpath(path)): content for path, content in files.items()}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in files if path.is_file()}
    temporary: dict[Path, str] = {}
    try:
        for path, content in files.items():
            check_target(path)
            with writing(path):
                handle, temporary[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
            if not private:
                mode = modes.get(path, next(iter(modes.values()), None))
                make_readable(temporary[path], mode)
        for path in files:
            os.replace(temporary[path], path)
    except BaseException:
        for name in temporary.values():
            Path(name).unlink(missing_ok=True)
        raise


def make_readable(path: str | os.PathLike[str], mode: int | None = None) -> None:
    """Give a temporary file, which mkstemp makes its owner's alone, permissions: by default a new
    file's.
    """
    if mode is not None:
        os.chmod(path, mode)
        return
    # the umask is read by setting it, there is no other way
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(path, 0o666 & ~umask)


def sealed(content: bytes, place: str) -> bytes:
    """Content with a digest of itself and of its place: changed or renamed, it is no other's."""
    return content + _digest(content, place)


def unsealed(sealed_content: bytes, place: str) -> bytes:
    """The content that was sealed for this place; ValueError where it is not that."""
    content, digest = sealed_content[:-_DIGEST_SIZE], sealed_content[-_DIGEST_SIZE:]
    if digest != _digest(content, place):
        raise ValueError("it is not as it was written, or is another's")
    return content


def _digest(content: bytes, place: str) -> bytes:
    return hashlib.sha256(place.encode() + b"\0" + content).digest()


def check_unpacked(
    archive: zipfile.ZipFile, most: int, names: Collection[str] | None = None
) -> None:
    """Refuse a zip that says that it, or these of it, unpack to more bytes than that: one of a
    thousandth of the size may hold more than memory does. Python unpacks no more than is said.
    """
    found = archive.infolist() if names is None else map(archive.getinfo, names)
    check_bytes(sum(one.file_size for one in found), most)


def check_bytes(size: int, most: int) -> None:
    """Refuse what a file says that it unpacks to, beyond so many bytes."""
    if size > most:
        raise ValueError(f"it unpacks to {size:,} bytes; expected at most {most:,}")


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text."""
    path = Path(path)
    try:
        return read_bytes(path).decode("utf-8-sig")  # Excel and Notepad put a mark before the text
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{str(path)!r}: not a text file ({error.reason} at byte {error.start})"
        ) from error


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file; errors say which."""
    with finding(path), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MOST_BYTES:
            raise _too_long(path)
        return file.read() if size else read_stream(path, file)


def read_stream(name: object, stream: IO[AnyStr]) -> AnyStr:
    """All of a stream, which does not say beforehand how long it is."""
    parts: list[AnyStr] = []
    size = 0
    while part := stream.read(2**20):
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise _too_long(name)
    # nothing, as text or as bytes
    return part.join(parts)


def _too_long(name: object) -> FileFormatError:
    return FileFormatError(f"{str(name)!r}: it has more than {_MOST_BYTES:,} bytes")


@contextmanager
def finding(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say which file is not there, or cannot be read: of a broken disk the system names none.

    Devices never end and nobody may ever write into a pipe, so neither is opened, but for the
    streams that a shell gives us: /dev/stdin, and /dev/fd/63 for <(...).
    """
    label = repr(str(path))
    if not may_be_path(str(path)):
        raise FileNotFoundError(f"{label}: no file has such a name")
    try:
        kind = os.stat(path).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or str(path).startswith(_STREAMS)):
            raise FileFormatError(f"{label}: a device or a pipe; expected a file")
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{label}: there is no such file") from error
    except IsADirectoryError as error:
        raise IsADirectoryError(f"{label}: a folder; expected a file") from error
    except OSError as error:
        if error.filename is not None or not error.errno:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
