"""An index built from a batch run knows every document as the run described it, and appears whole or not at all."""

import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dedup
from dedup.errors import ConfigError, InputError, OutputError
from dedup.index import Index, batch_result
from dedup.index import build as building
from dedup.index.build import build_index
from dedup.index.sqlite.store import SqliteStore
from dedup.readers import ReadLog, read_files
from dedup.schema import DOCUMENTS
from dedup.storage import files
from dedup.storage.files import lock
from tests.arabic import news
from tests.cli.commands import BRIDGE, BRIDGE_IN_OTHER_WORDS, ROWS
from tests.index.redis.redis_server import MISSING, RedisServer, find_server
from tests.paths import CRAWL, JULY, SEED_PAGE, needs_july

#: Columns of a run that ``Index.get`` returns under the same name.
KEPT = ("doc_id", "page_id", "role", "source", "url", "title", "published", "words", "kind", "canonical_id", "extends_id", "story_id")


@pytest.fixture(scope="module")
def crawl(tmp_path_factory):
    """The folder of a run over the example crawl and a page with several documents."""
    folder = tmp_path_factory.mktemp("crawl") / "out"
    dedup.run([CRAWL, SEED_PAGE]).write(folder)
    return folder


@pytest.fixture(scope="module")
def made(crawl):
    path = crawl.parent / "news.index"
    build_index(crawl, path)
    return path


def documents(folder):
    return pq.read_table(folder / "documents.parquet").to_pylist()


def pages(*inputs, rows=None):
    """The pages that a run reads from these inputs, as input for an index."""
    batches = [batch.pages for batch in read_files(list(inputs), config=dedup.Config(), log=ReadLog())]
    names = {"page_id": "id", "title": "title", "text": "text", "published": "published", "source": "source", "url": "url"}
    return pa.Table.from_batches(batches).select(list(names)).rename_columns(list(names.values())).slice(0, rows)


def copy_of(folder, target):
    shutil.copytree(folder, target)
    return target


def verdicts(index, data):
    return {row["doc_id"]: row for row in index.check_batch(data).to_pylist()}


BRIEF = news(81, 40)
REPORT = f"{BRIEF} {news(82, 150)}"
#: A brief, a report that begins with it, a reprint of the report, and a page with the report and another text.
GROWN = [
    {"id": "brief", "text": BRIEF, "date": "2015-07-24T08:00:00Z"},
    {"id": "report", "text": REPORT, "date": "2015-07-24T09:00:00Z"},
    {"id": "reprint", "text": " ".join(REPORT.split()[1:]), "date": "2015-07-24T10:00:00Z"},
    {"id": "round-up", "text": f"{REPORT} {news(83, 150)}", "date": "2015-07-24T11:00:00Z"},
]


def assert_known(said, rows):
    """The index has each document of a run with its text, and with the decisions of the run."""
    assert said.keys() == {row["doc_id"] for row in rows}
    for row in rows:
        verdict = said[row["doc_id"]]
        assert verdict["reason"].startswith("it is in the index already, with this very text")
        assert verdict["action"] == "skip"
        assert [verdict[name] for name in ("role", "canonical_id", "kind", "story_id")] == [
            row[name] for name in ("role", "canonical_id", "kind", "story_id")
        ]
        assert verdict["status"] == row["status"].replace("canonical", "unique")
        assert verdict["extends"] == ([] if row["extends_id"] is None else [row["extends_id"]])
        for name in ("jaccard", "share", "containment", "covered"):
            assert (verdict[name] is None) == (row[name] is None)
            assert verdict[name] is None or np.float32(verdict[name]) == np.float32(row[name])


def test_the_index_knows_every_document_of_the_run_with_its_canonical_and_story(crawl, made):
    with Index.open(made, mode="r") as index:
        assert_known(verdicts(index, pages(CRAWL, SEED_PAGE)), documents(crawl))


def test_entries_have_the_columns_of_the_run(crawl, made):
    rows = documents(crawl)
    sizes = {page: len(list(group)) for page, group in itertools.groupby(rows, key=lambda row: row["page_id"])}
    assert max(sizes.values()) == 12
    with Index.open(made, mode="r") as index:
        assert len(index) == len(rows)
        for row in rows:
            entry = index.get(row["doc_id"])
            assert {name: entry[name] for name in KEPT} == {name: row[name] for name in KEPT}
            assert entry["status"] == ("unique" if row["status"] == "canonical" else row["status"])
            assert entry["parts"] == (sizes[row["page_id"]] - 1 if row["doc_id"] == row["page_id"] else 0)


def test_float32_shares_become_the_shortest_equal_decimals(crawl, made):
    with Index.open(made, mode="r") as index:
        shares = [index.get(row["doc_id"])["jaccard"] for row in documents(crawl) if row["kind"] == "near"]
    assert shares
    assert all(len(str(share)) <= 12 for share in shares)  # 0.6666667, not 0.6666666865348816


def test_extended_documents_and_what_they_extend_are_those_of_the_run(tmp_path):
    result = dedup.run(GROWN)
    assert result.documents["status"].to_pylist() == ["unique", "extended", "copy", "extended"]
    build_index(result, tmp_path / "i")
    with Index.open(tmp_path / "i", mode="a") as index:
        said = verdicts(index, GROWN)
        assert_known(said, result.documents.to_pylist())
        assert [said[row["id"]]["extends"] for row in GROWN] == [[], ["brief"], [], ["report"]]
        assert said["reprint"]["canonical_id"] == "report"
        index.remove("report")
        assert index.get("round-up")["extends_id"] == "brief"


def test_an_index_gives_the_verdicts_of_a_run_over_the_same_documents(tmp_path):
    documents = dedup.run(GROWN).documents.to_pylist()
    with Index.open(tmp_path / "i") as index:
        for row, expected in zip(GROWN, documents, strict=True):
            verdict = index.ingest({"id": row["id"], "text": row["text"], "published": row["date"]})
            assert (verdict.status, verdict.canonical_id) == (expected["status"].replace("canonical", "unique"), expected["canonical_id"])
            assert verdict.extends[:1] == (() if expected["extends_id"] is None else (expected["extends_id"],))
            assert verdict.covered == pytest.approx(expected["covered"])


def test_copies_of_documents_of_the_run_are_found(crawl, made):
    rows = documents(crawl)
    texts = {row["doc_id"]: row["text"] for row in pq.read_table(crawl / "texts.parquet").to_pylist()}
    article = next(row for row in rows if row["status"] == "canonical" and row["role"] == "article" and row["words"] > 60)
    near = next(row for row in rows if row["kind"] == "near")
    with Index.open(made, mode="r") as index:
        same = index.check({"id": "new-1", "text": texts[article["doc_id"]]})
        edited = index.check({"id": "new-2", "text": texts[article["doc_id"]].split(maxsplit=5)[5]})
        copy_of_copy = index.check({"id": "new-3", "text": texts[near["doc_id"]]})
        headline = index.check({"id": "new-4", "title": article["title"], "published": article["published"]})
    assert (same.action, same.kind, same.canonical_id, same.story_id) == ("skip", "exact", article["doc_id"], article["story_id"])
    assert (edited.action, edited.kind, edited.canonical_id) == ("skip", "near", article["doc_id"])
    assert (copy_of_copy.action, copy_of_copy.canonical_id) == ("skip", near["canonical_id"])
    assert (headline.kind, headline.canonical_id) == ("title", article["doc_id"])


def test_another_text_with_the_id_of_a_document_of_the_run_is_an_update(made):
    with Index.open(made, mode="r") as index:
        assert index.check({"id": "dif-06", "text": BRIDGE}).action == "update"


def test_copies_get_another_canonical_when_theirs_is_removed(crawl, made, tmp_path):
    rows = documents(crawl)
    canonical = next(row["canonical_id"] for row in rows if row["kind"] == "exact" and row["role"] == "article")
    copies = [row["doc_id"] for row in rows if row["canonical_id"] == canonical and row["doc_id"] != canonical]
    with Index.open(copy_of(made, tmp_path / "i"), mode="a") as index:
        assert index.remove(canonical)
        assert canonical not in {index.get(copy)["canonical_id"] for copy in copies}


def test_a_new_document_joins_a_story_of_the_run(tmp_path):
    result = dedup.run([row for row in ROWS if row["id"] != "b4"])
    build_index(result, tmp_path / "i")
    with Index.open(tmp_path / "i", mode="a") as index:
        verdict = index.ingest({"id": "b4", "text": BRIDGE_IN_OTHER_WORDS, "title": ROWS[3]["title"], "published": ROWS[3]["date"]})
        assert verdict.action == "index"
        assert verdict.story_id == index.get("b1")["story_id"] == result.documents.column("story_id")[0].as_py()


def test_the_index_depends_neither_on_block_size_nor_threads_nor_source_of_the_result(crawl, made, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_result, "BLOCK", 7)
    build_index(dedup.Result.read(crawl), tmp_path / "i", config=dedup.Config().replace({"run.threads": 1}))
    with Index.open(made, mode="r") as one, Index.open(tmp_path / "i") as other:
        for row in documents(crawl):
            first, second = one.get(row["doc_id"]), other.get(row["doc_id"])
            assert first | {"arrived": None} == second | {"arrived": None}
        assert verdicts(one, pages(CRAWL)) == verdicts(other, pages(CRAWL))


def test_documents_are_numbered_by_date_of_publication_undated_ones_last(crawl, made):
    with Index.open(made, mode="r") as index:
        entries = index._store.fetch(range(len(index)))
    dated = [entry.published for entry in entries if entry.published is not None]
    assert dated == sorted(dated)
    assert [entry.published is None for entry in entries] == [False] * len(dated) + [True] * (len(entries) - len(dated))
    assert len({entry.arrived for entry in entries}) == 1


def test_copies_that_may_be_a_template_are_posted_if_they_are_of_the_same_outlet(tmp_path):
    whole = news(1, 120)
    half = " ".join([*whole.split()[:82], *news(2, 38).split()])
    sizes = {}
    for outlet in ("الضفة", "المنارة"):
        result = dedup.run([{"id": "a", "text": whole, "source": "الضفة"}, {"id": "b", "text": half, "source": outlet}])
        assert result.documents["kind"].to_pylist() == [None, "near"]
        build_index(result, tmp_path / outlet)
        with Index.open(tmp_path / outlet) as index:
            sizes[outlet] = index.stats()["postings"]
    assert sizes["الضفة"] > sizes["المنارة"] + 10


def test_a_run_without_stories_makes_an_index_without_stories(tmp_path):
    built = build_index(dedup.find_copies(ROWS), tmp_path / "i")
    assert (built.documents, built.copies, built.stories) == (5, 2, None)
    with Index.open(tmp_path / "i") as index:
        assert not index.config.stories.enabled
        assert index.check({"id": "new", "text": BRIDGE}).story_id is None


def test_the_index_has_the_settings_of_the_run(tmp_path):
    build_index(dedup.run(ROWS, dedup.Config().replace({"copies.near": 0.9, "run.threads": 1})), tmp_path / "i")
    with Index.open(tmp_path / "i") as index:
        assert index.config.copies.near == 0.9


def test_settings_that_differ_from_the_run_are_refused(crawl, tmp_path):
    with pytest.raises(ConfigError, match="copies.near is 0.9, but 0.5 in the index"):
        build_index(crawl, tmp_path / "i", config=dedup.Config().replace({"copies.near": 0.9}))
    assert not (tmp_path / "i").exists()


def test_a_run_without_texts_is_refused(tmp_path):
    dedup.run(ROWS, dedup.Config().replace({"run.keep_texts": False})).write(tmp_path / "out")
    with pytest.raises(InputError) as error:
        build_index(tmp_path / "out", tmp_path / "i")
    assert str(error.value) == (
        f"{tmp_path}/out: has no texts (no texts.parquet), which an index needs to compare documents. "
        "Run it again without --no-texts (run.keep_texts false)."
    )


def test_a_run_of_another_version_is_refused(crawl, tmp_path):
    out = copy_of(crawl, tmp_path / "out")
    manifest = json.loads((out / "manifest.json").read_bytes()) | {"version": "0.0.9"}
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"was written by dedup 0\.0\.9 .*may compare documents in another way\. Run it again: "):
        build_index(out, tmp_path / "i")


def test_a_run_with_tables_of_an_earlier_version_is_refused_with_the_commands_that_make_it_again(crawl, tmp_path):
    out = copy_of(crawl, tmp_path / "out")
    manifest = json.loads((out / "manifest.json").read_bytes()) | {"schema_version": 2}
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError) as error:
        build_index(out, tmp_path / "i")
    assert "table version 2" in str(error.value)
    assert "Run it again: 'dedup run INPUT... -o OUT', then 'dedup index build OUT -o INDEX'." in str(error.value)
    assert str(error.value).endswith("dedup run more.csv news.jsonl page.txt seed_page.txt -o NEW")


def test_a_folder_without_a_result_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no manifest.json, so it is not the result of a run"):
        build_index(tmp_path, tmp_path / "i")


def test_texts_of_other_documents_are_refused(crawl, tmp_path):
    out = copy_of(crawl, tmp_path / "out")
    texts = pq.read_table(out / "texts.parquet")
    for wrong in (
        texts.slice(0, 5),
        texts.take(list(range(len(texts)))[::-1]),
        texts.set_column(1, texts.schema.field(1), texts["text"].take([0] * len(texts))),
    ):
        pq.write_table(wrong, out / "texts.parquet")
        with pytest.raises(InputError, match="is inconsistent: its texts"):
            build_index(out, tmp_path / "i")
    assert os.listdir(tmp_path) == ["out"]


def test_a_missing_canonical_is_refused(crawl, tmp_path):
    out = copy_of(crawl, tmp_path / "out")
    table = pq.read_table(out / "documents.parquet")
    names = pa.array(["nobody", *table["canonical_id"].to_pylist()[1:]])
    pq.write_table(
        table.set_column(DOCUMENTS.get_field_index("canonical_id"), DOCUMENTS.field("canonical_id"), names), out / "documents.parquet"
    )
    with pytest.raises(InputError, match="refer to a canonical or a page that is missing"):
        build_index(out, tmp_path / "i")


@pytest.mark.parametrize("stop", [OutputError("the disk is full."), KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
def test_an_interrupted_build_leaves_nothing(crawl, made, tmp_path, monkeypatch, stop):
    target = copy_of(made, tmp_path / "old.index")
    monkeypatch.setattr(batch_result, "BLOCK", 40)
    commit, calls = SqliteStore.commit, itertools.count()

    def stopped(store, batch):
        if next(calls) % 2:
            raise stop
        commit(store, batch)

    monkeypatch.setattr(SqliteStore, "commit", stopped)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    for path, overwrite in ((tmp_path / "new.index", False), (target, True)):
        with pytest.raises(type(stop)):
            build_index(crawl, path, overwrite=overwrite)
    assert os.listdir(tmp_path) == ["old.index"]
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before


def test_an_index_is_replaced_only_on_request_and_never_under_a_writer(crawl, tmp_path):
    path = tmp_path / "i"
    build_index(dedup.run(ROWS), path)
    with pytest.raises(OutputError, match="there is an index already. Choose another path, or give --overwrite"):
        build_index(crawl, path)
    with Index.open(path, mode="a"), pytest.raises(OutputError, match="another writer has this index"):
        build_index(crawl, path, overwrite=True)
    with Index.open(path) as index:
        assert len(index) == len(ROWS)
    build_index(crawl, path, overwrite=True)
    with Index.open(path, mode="a") as index:
        assert len(index) == len(documents(crawl))
    assert os.listdir(tmp_path) == ["i"]


def test_an_index_exists_at_every_moment_of_its_replacement(crawl, tmp_path, monkeypatch):
    path = tmp_path / "news.index"
    build_index(crawl, path)
    if not files._exchange(path, path):
        pytest.skip("this system cannot let two folders change places")
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: pytest.fail(f"{self} was taken away") if self == path else rename(self, to))
    build_index(crawl, path, overwrite=True)
    assert os.listdir(tmp_path) == ["news.index"] and len(Index.open(path, mode="r")) > 0


def test_the_old_index_is_kept_if_another_process_creates_one_during_the_replacement(crawl, tmp_path, monkeypatch):
    path, rename = tmp_path / "news.index", Path.rename
    build_index(crawl, path)

    def opened_in_between(self, to):
        rename(self, to)
        if self == path:
            Index.open(path).close()  # a crawler, at this very moment, finds none and makes one

    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", opened_in_between)
    with pytest.raises(OutputError, match="another program has taken its place, and the old one is kept in") as error:
        build_index(crawl, path, overwrite=True)
    kept = Path(str(error.value).rpartition("is kept in ")[2].partition(")")[0])
    assert len(Index.open(kept, mode="r")) > 0 and len(Index.open(path, mode="r")) == 0


def test_other_files_are_never_replaced(crawl, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("لا تحذف")
    for path in (tmp_path / "mine", tmp_path / "mine" / "notes.txt"):
        with pytest.raises(OutputError):
            build_index(crawl, path, overwrite=True)
    assert (tmp_path / "mine" / "notes.txt").read_text() == "لا تحذف"


def test_an_index_can_be_built_in_an_empty_or_a_missing_folder(crawl, tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "a" / "b"):
        assert build_index(crawl, path).documents == len(documents(crawl))
        with Index.open(path) as index:
            assert len(index) == len(documents(crawl))
        lock(path / "writer.lock").close()  # nobody holds it


@pytest.mark.skipif(find_server() is None, reason=MISSING)
def test_an_index_in_redis_is_equal_and_opens_only_when_it_is_complete(crawl, made, monkeypatch):
    pytest.importorskip("redis")
    server = RedisServer()
    try:
        url = f"{server.url}?prefix=news"
        with monkeypatch.context() as patched:
            patched.setattr(building, "_add_documents", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                build_index(crawl, url)
        with pytest.raises(InputError):
            Index.open(url)
        with pytest.raises(OutputError, match="part of one that an interrupted build left"):
            build_index(crawl, url)
        built = build_index(crawl, url, overwrite=True)
        assert built.documents == len(documents(crawl))
        with pytest.raises(OutputError, match="there is an index already"):
            build_index(crawl, url)
        with Index.open(url) as index, Index.open(made) as folder:
            assert_known(verdicts(index, pages(CRAWL, SEED_PAGE)), documents(crawl))
            edited = {"id": "new", "text": BRIDGE}
            assert index.check(edited).action == folder.check(edited).action == "index"
    finally:
        server.close()


@needs_july
def test_an_index_of_real_articles_knows_their_copies_and_stories(tmp_path):
    data = pages(JULY, rows=3000)
    result = dedup.run(data)
    build_index(result, tmp_path / "i")
    with Index.open(tmp_path / "i") as index:
        assert_known(verdicts(index, data), result.documents.to_pylist())
