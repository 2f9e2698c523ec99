"""The network is off for every test and its children; and the parts that many tests share."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

# Whoever runs the tests may have added sources of their own.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="test-data-")
GUARD = Path(__file__).parent / "guard"
sys.path.insert(0, str(GUARD))

import network_guard  # noqa: E402
from commands import Run, environment  # noqa: E402
from fakes import MANIFEST, BagOfWords, WordReader  # noqa: E402
from hypothesis import HealthCheck  # noqa: E402
from hypothesis import settings as examples  # noqa: E402
from typer.testing import CliRunner, Result  # noqa: E402

from assistant import Assistant, Document, Settings, doctor, models, weights  # noqa: E402
from assistant.cli import app  # noqa: E402
from assistant.index import SearchIndex, build  # noqa: E402
from assistant.settings import CACHE, PREFIX  # noqa: E402
from assistant.sources import load_documents  # noqa: E402
from assistant.types import ChatModel  # noqa: E402

MODEL_CACHE = Path(os.environ.get(f"{PREFIX}CACHE_DIR") or CACHE)
"""Where the real chat model may lie; no other test looks there."""
for _name in [name for name in os.environ if name.startswith(PREFIX)]:
    del os.environ[_name]  # whoever runs the tests may have settings of their own

# The same examples in every run, however slow the machine; `--hypothesis-profile=long` looks for
# new ones, which have no bearing on what the next run draws either.
examples.register_profile(
    "fixed",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
examples.register_profile(
    "long", parent=examples.get_profile("fixed"), derandomize=False, max_examples=2000
)
examples.load_profile("fixed")

with tempfile.NamedTemporaryFile(prefix="network-guard-", delete=False) as _log:
    os.environ[network_guard.LOG] = _log.name
os.environ["PYTHONPATH"] = os.pathsep.join(
    part for part in (str(GUARD), os.environ.get("PYTHONPATH", "")) if part
)


def pytest_sessionstart() -> None:
    """Chroma keeps the files of every index open as long as the process lives."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= soft < 8192:
            enough = 8192 if hard < 0 else min(hard, 8192)
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may miss a beat: such a test gets a second try, and says so."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_sessionfinish() -> None:
    Path(os.environ[network_guard.LOG]).unlink(missing_ok=True)
    shutil.rmtree(os.environ["XDG_DATA_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that reached beyond this machine, even where a library hid the refusal."""
    log = Path(os.environ[network_guard.LOG])
    before = len(network_guard.attempts), log.stat().st_size
    yield
    tried = network_guard.attempts[before[0] :]
    tried += log.read_text(encoding="utf-8")[before[1] :].splitlines()
    assert not tried, f"reached beyond this machine: {tried}"


@pytest.fixture
def bag_of_words() -> BagOfWords:
    return BagOfWords()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a cache folder of their own; `bag_of_words` is the encoder they name."""
    return Settings(
        sources=MANIFEST,
        cache_dir=tmp_path / "cache",
        data_dir=tmp_path / "data",
        embedding_model=BagOfWords.name,
        chat_model="none",
    )


@pytest.fixture(scope="session")
def documents() -> Mapping[str, Document]:
    """The two real articles."""
    return load_documents(MANIFEST)


@pytest.fixture(scope="session")
def _built(
    documents: Mapping[str, Document], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, SearchIndex]:
    settings = Settings(
        sources=MANIFEST,
        cache_dir=tmp_path_factory.mktemp("cache"),
        embedding_model=BagOfWords.name,
        chat_model="none",
    )
    build(settings, documents, BagOfWords())
    return settings, SearchIndex.open(settings, documents, BagOfWords())


@pytest.fixture
def make_assistant(
    documents: Mapping[str, Document], _built: tuple[Settings, SearchIndex]
) -> Callable[[ChatModel | None], Assistant]:
    """An `Assistant` over the real articles with a bag of words and the chat model given."""
    settings, index = _built

    def make(chat: ChatModel | None = None) -> Assistant:
        return Assistant(documents, index, BagOfWords(), WordReader, lambda: chat, settings)

    return make


@pytest.fixture(scope="module")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that has the real chat model and, at the start of a module, nothing else."""
    if not (MODEL_CACHE / "models" / weights.CHAT_MODEL.file_name).is_file():
        pytest.skip(f"no chat model in {MODEL_CACHE} ({weights.FETCH_COMMAND})")
    cache = tmp_path_factory.mktemp("model-cache")
    (cache / "models").symlink_to(MODEL_CACHE / "models", target_is_directory=True)
    return cache


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with an index in it, to be copied."""
    cache = tmp_path_factory.mktemp("indexed") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load_encoder", lambda _: BagOfWords())
        done = CliRunner().invoke(app, ["index"], env=environment(cache))
    assert done.exit_code == 0, done.output
    assert f"passages of 2 sources in {cache}" in done.stdout
    return cache


@pytest.fixture
def cache(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "cache"))


@pytest.fixture
def run(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process; keyword arguments are settings."""
    monkeypatch.setattr(models, "load_encoder", lambda _: BagOfWords())
    monkeypatch.setattr(doctor, "load_encoder", lambda _: BagOfWords())

    def invoke(*arguments: str, stdin: str | bytes | None = None, **settings: str) -> Result:
        changes = {f"OTS_ASSISTANT_{name.upper()}": value for name, value in settings.items()}
        env = environment(cache) | changes
        return CliRunner().invoke(app, list(arguments), input=stdin, env=env)

    return invoke
