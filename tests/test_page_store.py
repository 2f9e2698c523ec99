"""Kept conversations: what is saved comes back, whose it is, and what goes wrong with the file."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import StorageError
from assistant.page.conversation import BROKEN, Turn, turn_from_dict
from assistant.page.desk import GONE, Desk, Keeper
from assistant.page.store import FILE, Store
from assistant.types import Answer, Citation, Claim, Passage, ScoredPassage
from evals.feedback import draft_cases
from evals.types import EvalError

ME, SOMEONE = "browser:me", "browser:someone"

texts = st.text(alphabet=st.characters(), max_size=12)  # half surrogate pairs too
places = st.integers(0, 10**6)
citations = st.builds(Citation, places, texts, texts, places, places, texts, texts, texts, texts)
passages = st.builds(Passage, texts, texts, texts, places, places, texts)
answers = st.builds(
    Answer,
    texts,
    st.sampled_from(["pending", "answered", "partial", "not_in_sources"]),
    st.lists(
        st.builds(
            Claim, texts, st.sampled_from(["supported", "withheld"]),
            st.lists(citations, max_size=2).map(tuple), texts,
        ),
        max_size=2,
    ).map(tuple),
    st.lists(citations, max_size=2).map(tuple),
    st.lists(
        st.builds(ScoredPassage, passages, st.floats(allow_nan=False), places), max_size=2
    ).map(tuple),
    texts,
    texts,
    st.dictionaries(texts, st.floats(allow_nan=False), max_size=2),
    texts,
    question=texts,
    quoted=st.booleans(),
    error_code=places,
)  # fmt: skip


def answer(text: str = "Bishkek.", outcome: str = "answered") -> Answer:
    return Answer(text, outcome, (), (), (), "", "", {}, "", "Where?")  # type: ignore[arg-type]


def turn(turn_id: str = "t1", **more: object) -> Turn:
    return replace(Turn("Where?", answer(), turn_id=turn_id, asked=1.0), **more)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / FILE)


# --- Answers and turns as JSON ---


@given(answers)
def test_an_answer_comes_back_from_json(said: Answer) -> None:
    assert Answer.from_dict(json.loads(json.dumps(said.to_dict()))) == said


@given(answers, texts.filter(bool), st.booleans())
def test_a_turn_comes_back_from_json(said: Answer, question: str, stopped: bool) -> None:
    before = Turn(question, said, stopped=stopped, started=True, doc_ids=("a",), scope="only a")
    after = turn_from_dict(json.loads(json.dumps(before.to_dict())))
    assert after == (replace(before, fault=BROKEN) if before.growing else before)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(answer().to_dict())), json_values)
def test_what_is_no_answer_is_refused_by_name(name: str, value: object) -> None:
    broken = answer().to_dict() | {name: value}
    said = ""
    try:
        Answer.from_dict(broken)
    except ValueError as fault:
        said = str(fault)
    assert said == "" or said.startswith(f"answer.{name}")
    del broken[name]
    if name in ("text", "outcome", "citations", "timings"):
        with pytest.raises(ValueError, match=rf"answer\.{name} is missing"):
            Answer.from_dict(broken)


# --- The store ---


def test_a_conversation_comes_back_to_its_owner_only(store: Store) -> None:
    assert store.save(ME, "c1", "Where?", [turn()], begin=True)
    assert store.save(ME, "c1", "Where?", [turn("t2", asked=2.0, verdict="up")], begin=False)
    title, turns = store.load(ME, "c1") or ("", [])
    assert title == "Where?"
    assert [one.turn_id for one in turns] == ["t1", "t2"]
    assert turns[0].answer == answer()
    assert turns[1].verdict == "up"
    assert [kept.title for kept in store.conversations(ME)] == ["Where?"]
    assert store.conversations(SOMEONE) == []
    assert store.load(SOMEONE, "c1") is None
    assert not store.save(SOMEONE, "c1", "Mine now", [turn("t3")], begin=True)
    store.rename(SOMEONE, "c1", "Mine now")
    store.delete(SOMEONE, "c1")
    title, turns = store.load(ME, "c1") or ("", [])
    assert (title, len(turns)) == ("Where?", 2)
    assert (store.path.stat().st_mode & 0o077, store.path.parent.stat().st_mode & 0o077) == (0, 0)


def test_rename_and_delete(store: Store) -> None:
    store.save(ME, "c1", "Where?", [turn(verdict="down", reason="no")], begin=True)
    store.rename(ME, "c1", "My own \ud800 name")
    assert [kept.title for kept in store.conversations(ME)] == ["My own ? name"]
    store.delete(ME, "c1")
    assert store.conversations(ME) == []
    assert store.feedback() == []
    assert not store.save(ME, "c1", "Where?", [turn("t2")], begin=False)
    assert store.load(ME, "c1") is None


def test_a_late_word_of_a_stopped_stream_is_not_kept(store: Store) -> None:
    growing = turn(answer=answer("Bish", "pending"))
    store.save(ME, "c1", "Where?", [growing], begin=True)
    store.save(ME, "c1", "Where?", [replace(growing, stopped=True)], begin=False)
    store.save(ME, "c1", "Where?", [replace(growing, answer=answer("Late", "pending"))], False)
    _, (kept,) = store.load(ME, "c1") or ("", [])
    assert kept.stopped
    assert kept.answer and kept.answer.text == "Bish"


def test_an_unfinished_turn_comes_back_broken_off(store: Store) -> None:
    store.save(ME, "c1", "Where?", [turn(answer=answer("Bish", "pending"))], begin=True)
    _, (kept,) = store.load(ME, "c1") or ("", [])
    assert kept.fault == BROKEN
    assert kept.answer and kept.answer.text == "Bish"


def test_two_windows_add_to_one_conversation(store: Store) -> None:
    keeper, one, other = Keeper(store), Desk(owner=ME), Desk(owner=ME)
    keeper.keep(one, one.begin("First?"))
    assert keeper.open(other, one.talk_id)
    keeper.keep(one, one.begin("Second, here?"))
    keeper.keep(other, other.begin("Second, there?"))
    _, turns = store.load(ME, one.talk_id) or ("", [])
    assert [t.question for t in turns] == ["First?", "Second, here?", "Second, there?"]


def test_a_conversation_deleted_elsewhere_is_said_and_not_brought_back(store: Store) -> None:
    keeper, desk = Keeper(store), Desk(owner=ME)
    keeper.keep(desk, desk.begin("First?"))
    store.delete(ME, desk.talk_id)
    keeper.keep(desk, desk.begin("Second?"))
    assert desk.trouble == GONE
    assert len(desk.turns) == 2
    assert store.conversations(ME) == []


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"question": "x", "answer": 5}', "[" * 9999])
def test_a_damaged_turn_leaves_the_others(store: Store, body: str) -> None:
    store.save(ME, "c1", "Where?", [turn("t1"), turn("t2")], begin=True)
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE turns SET body = ? WHERE id = 't1'", (body,))
    db.close()
    _, (damaged, whole) = store.load(ME, "c1") or ("", [])
    assert "can't be read" in damaged.fault
    assert whole.answer == answer()


# --- A file that fails ---


def damage(path: Path) -> str:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database at all, and long enough to look like one" * 20)
    return "move that file away"


def put_a_folder(path: Path) -> str:
    path.mkdir(parents=True)
    return "OTS_ASSISTANT_DATA_DIR"


def block_the_folder(path: Path) -> str:
    path.parent.write_text("a file where the folder should be")
    return "OTS_ASSISTANT_DATA_DIR"


def come_from_the_future(path: Path) -> str:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    return "update this one"


@pytest.mark.parametrize("harm", [damage, put_a_folder, block_the_folder, come_from_the_future])
def test_a_bad_file_is_one_line_and_the_conversation_goes_on(tmp_path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    store = Store(tmp_path / "data" / FILE)
    mend = harm(store.path)
    keeper, desk = Keeper(store), Desk(owner=ME)
    keeper.keep(desk, desk.begin("First?"))
    assert str(store.path) in desk.trouble
    assert mend in desk.trouble
    assert "\n" not in desk.trouble
    assert [t.question for t in desk.turns] == ["First?"]
    assert keeper.past(desk) == []
    assert not keeper.open(desk, "c1")
    with pytest.raises(StorageError):
        store.feedback()


def test_a_full_disk_is_said_and_what_was_missed_is_kept_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, desk = Keeper(store), Desk(owner=ME)
    keeper.keep(desk, desk.begin("First?"))
    connect = sqlite3.connect

    def full(*args: object, **more: object) -> sqlite3.Connection:
        opened = connect(*args, **more)  # type: ignore[call-overload]
        opened.execute(
            f"PRAGMA max_page_count = {opened.execute('PRAGMA page_count').fetchone()[0]}"
        )
        return opened  # type: ignore[no-any-return]

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", full)
        keeper.keep(desk, desk.begin("Second? " + "x" * 9000))
        assert "full" in desk.trouble
        assert "free some space" in desk.trouble
    keeper.keep(desk, desk.begin("Third?"))
    assert desk.trouble == ""
    _, turns = store.load(ME, desk.talk_id) or ("", [])
    assert [t.question[:7] for t in turns] == ["First?", "Second?", "Third?"]


# --- Feedback ---


def test_verdicts_become_draft_cases(store: Store) -> None:
    first = turn("t1", verdict="up")
    second = turn("t2", question="And when?", asked=2.0, verdict="down", reason="no date")
    store.save(ME, "c1", "Where?", [first, second], begin=True)
    up, down = store.feedback()
    assert (up["verdict"], up["history"]) == ("up", [])
    assert down["reason"] == "no date"
    assert down["history"][1] == {"role": "assistant", "content": "Bishkek."}
    (draft,) = draft_cases(store.path)
    assert draft["question"] == "And when?"
    assert draft["history"] == down["history"]
    assert draft["note"] == "Marked down: no date. It said: Bishkek."
    # Changing one's mind replaces the verdict.
    store.save(ME, "c1", "Where?", [replace(second, verdict="up", reason="")], begin=False)
    assert draft_cases(store.path) == []


def test_no_feedback_yet_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="nobody has judged"):
        draft_cases(tmp_path / FILE)
    assert not (tmp_path / FILE).exists()


def test_many_windows_begin_a_file_at_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        saved = [
            pool.submit(store.save, ME, f"c{n}", "Where?", [turn(f"t{n}")], True) for n in range(8)
        ]
    assert all(one.result() for one in saved)
    assert len(store.conversations(ME)) == 8
