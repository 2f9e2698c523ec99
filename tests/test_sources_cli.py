"""`ots-assistant sources` and `ask --with`: a document in, asked about, changed and taken out."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import made
import pytest
from commands import Run, one_line
from fakes import BagOfWords
from typer.testing import Result

SIGNED = "Where was the ferry agreement signed?"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(made.pdf(["The harbour was built in Eastmouth."], [made.FERRY]))
    return path


def added_id(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return str(done.stdout.split()[1])


def test_a_pdf_is_added_and_cited_by_its_page(run: Run, report: Path) -> None:
    done = run("sources", "add", str(report))
    doc_id = added_id(done)
    assert done.stdout.splitlines()[-1] == (
        "1 added, 0 unchanged, 0 changed, 0 removed, 0 refused."
    )
    told = run("ask", SIGNED)
    assert f"({doc_id}, page 2, characters " in told.stdout
    answer = json.loads(run("ask", SIGNED, "--json").stdout)
    cited = next(one for one in answer["citations"] if one["doc_id"] == doc_id)
    assert (cited["quote"], cited["page"]) == (made.FERRY, 2)


def test_only_what_is_new_is_embedded(
    run: Run, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sources", "add", str(report))
    embedded: list[str] = []
    encode = BagOfWords.encode_documents

    def note(self: BagOfWords, texts: list[str]) -> list[list[float]]:
        embedded.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(BagOfWords, "encode_documents", note)
    (report.parent / "more.txt").write_text(made.LATER)
    run("sources", "add", str(report.parent / "more.txt"))
    assert len(embedded) == 1 and made.LATER in embedded[0]


def test_removed_restored_and_checked(run: Run, report: Path) -> None:
    doc_id = added_id(run("sources", "add", str(report)))
    assert "2 sources" not in run("sources", "check").stdout
    assert "1 removed" in run("sources", "remove", doc_id, "--dry-run").stdout
    assert doc_id in run("sources", "list").stdout
    assert run("sources", "remove", doc_id).exit_code == 0
    assert doc_id not in run("sources", "list").stdout
    assert doc_id not in run("ask", SIGNED).stdout
    assert run("sources", "restore", doc_id).exit_code == 0
    assert f"({doc_id}, page 2" in run("ask", SIGNED).stdout
    done = run("sources", "check")
    assert done.exit_code == 0 and "3 sources and" in done.stdout


def test_the_others_go_on_and_the_refused_are_counted(run: Run, report: Path) -> None:
    (report.parent / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    done = run("sources", "add", f"{report.parent}/*.pdf")
    assert done.exit_code == 3
    (line,) = (one for one in done.stderr.splitlines() if one.startswith("refused: "))
    assert "broken.pdf: it is damaged" in line
    assert "1 added" in done.stdout and "1 refused" in done.stdout


def test_a_dry_run_leaves_all_as_it_is(run: Run, report: Path) -> None:
    done = run("sources", "add", str(report), "--dry-run")
    assert "1 added" in done.stdout and "nothing was done" in done.stdout
    assert "report" not in run("sources", "list").stdout


def test_update(run: Run, report: Path) -> None:
    text = report.parent / "ferry.txt"
    text.write_text(made.FERRY)
    run("sources", "add", str(report), str(text))
    assert "2 unchanged" in run("sources", "update").stdout
    text.write_text(made.LATER)
    report.unlink()
    done = run("sources", "update")
    assert done.stdout.splitlines()[-1].startswith("0 added, 0 unchanged, 1 changed, 1 removed")


def test_what_is_set_by_hand_is_shown(run: Run, report: Path) -> None:
    doc_id = added_id(
        run("sources", "add", str(report), "--title", "My report", "--date", "2023-05")
    )
    said = run("sources", "show", doc_id).stdout
    for part in ("My report", "May 2023", "PDF, 2 pages", str(report), "sha256"):
        assert part in said
    assert run("sources", "edit", doc_id, "--publisher", "Harbour News").exit_code == 0
    assert "Harbour News, May 2023: My report" in run("sources", "list").stdout
    assert made.FERRY in run("sources", "show", doc_id, "--text").stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("add", "x.txt", "--date", "tomorrow"), "'tomorrow'"),
        (("add", "x.txt", "--language", "English"), "'English'"),
        (("remove", "nowhere"), "'nowhere'"),
        (("restore", "nowhere"), "'nowhere'"),
        (("show", "nowhere"), "'nowhere'"),
        (("edit", "nowhere", "--title", "x"), "'nowhere'"),
    ],
)
def test_mistakes_are_one_line(run: Run, arguments: tuple[str, ...], named: str) -> None:
    one_line(run("sources", *arguments), 3, named)


def test_a_library_that_can_not_be_written(run: Run, report: Path) -> None:
    one_line(
        run("sources", "add", str(report), data_dir="/dev/null/data"), 7, "/dev/null", "DATA_DIR"
    )


def test_a_file_alone_answers_and_is_not_kept(run: Run, report: Path) -> None:
    done = run("ask", SIGNED, "--with", str(report), "--json")
    answer = json.loads(done.stdout)
    assert [one["quote"] for one in answer["citations"]] == [made.FERRY]
    assert len({one["passage"]["doc_id"] for one in answer["retrieved"]}) == 1
    assert len(run("sources", "list").stdout.splitlines()) == 2
    unanswered = run("ask", "Where was the Digital Economy Partnership Agreement signed?", "--with",
                     str(report))  # fmt: skip
    assert "Bishkek" not in unanswered.stdout


def test_a_file_alone_that_can_not_be_read(run: Run, tmp_path: Path) -> None:
    one_line(run("ask", SIGNED, "--with", str(tmp_path / "none.pdf")), 3, "none.pdf", "no such")
    (tmp_path / "void").mkdir()
    one_line(run("ask", SIGNED, "--with", str(tmp_path / "void")), 3, "no document")


def test_a_collection_is_asked_alone(run: Run, report: Path) -> None:
    run("sources", "add", str(report), "--collection", "ferries")
    done = json.loads(run("ask", SIGNED, "--json", "--collection", "ferries").stdout)
    assert {one["quote"] for one in done["citations"]} == {made.FERRY}
    shipped = json.loads(run("ask", SIGNED, "--json", "--collection", "shipped").stdout)
    assert made.FERRY not in {one["quote"] for one in shipped["citations"]}
    one_line(run("ask", SIGNED, "--collection", "boats"), 3, "'boats'", "ferries, shipped")


def test_exported_and_imported(run: Run, report: Path, tmp_path: Path) -> None:
    doc_id = added_id(run("sources", "add", str(report), "--title", "My report"))
    file = str(tmp_path / "own.zip")
    assert "1 sources are in" in run("sources", "export", file).stdout
    assert "1 unchanged" in run("sources", "import", file).stdout
    run("sources", "remove", doc_id, "--for-good")
    assert "1 added" in run("sources", "import", file, "--dry-run").stdout
    assert added_id(run("sources", "import", file)) == doc_id
    assert "My report" in run("sources", "show", doc_id).stdout
    assert f"({doc_id}, page 2" in run("ask", SIGNED).stdout
    one_line(run("sources", "export", file, "--collection", "boats"), 3, "'boats'")
    one_line(run("sources", "export", "/dev/null/x.zip"), 7, "/dev/null/x.zip")


def test_a_file_that_is_no_collection(run: Run, report: Path, tmp_path: Path) -> None:
    one_line(run("sources", "import", str(report)), 3, "no exported collection")
    one_line(run("sources", "import", str(tmp_path / "none.zip")), 3, "No such file")
    run("sources", "add", str(report))
    good, forged = tmp_path / "good.zip", tmp_path / "forged.zip"
    run("sources", "export", str(good))
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(forged, "w") as other:
        other.writestr("collection.json", archive.read("collection.json"))
        for name in archive.namelist()[1:]:
            other.writestr(name, b"Another text.")
    run("sources", "remove", doc(run))
    done = run("sources", "import", str(forged))
    assert done.exit_code == 3
    assert "its bytes are not those that were exported" in done.stderr


def doc(run: Run) -> str:
    return str(run("sources", "list").stdout.splitlines()[-1].split()[0])
