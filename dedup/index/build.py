"""Builds an index from the result of a batch run, whose decisions it keeps.

A result has no fingerprints, so texts are fingerprinted again. An index appears whole: a folder is
renamed when complete, and one in Redis cannot be opened before its last block is stored.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.rows import Ints
from ..arrays.threads import map_batches, thread_count
from ..config import Config
from ..errors import InputError, OutputError
from ..fingerprints.fingerprint import fingerprint_with_tokens
from ..result import Result
from ..storage.files import os_errors_as, replace_folder, sync_file, sync_folder
from ..storage.remote import is_url
from ..text.document_frequencies import background_of
from .batch_result import UNDATED, BatchResult, DocumentColumns
from .keys import PostingKeys, postings, sample, title_rows
from .metadata import config_of, metadata_of
from .open_store import open_store
from .sqlite.schema import FILE, LOCK, check, lock_folder
from .store import Entry, Store, TokenRows, WriteBatch, WriteConflict, check_opening
from .verdict import story_number

#: Called with ``build`` and the documents done so far.
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Built:
    """A new index: ``index`` is its name, ``bytes`` its size, ``stories`` None without stories."""

    index: str
    documents: int
    copies: int
    stories: int | None
    bytes: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def build_index(
    run: Result | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    config: Config | None = None,
    durability: str = "process",
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Built:
    """Build an index from the result of a batch run.

    Parameters
    ----------
    run : Result, str or os.PathLike
        A result with texts, or the folder or URL that it was written to.
    path : str or os.PathLike
        Of the new index, see ``Index.open``.
    config : Config, optional
        The settings of the run if omitted. ``run.threads`` may differ, and ``stories.background``
        may name another path of the same counts.
    durability : {"process", "sync"}
        Durability of the commits to Redis, see ``Index.open``. A folder is always synced to disk.
    overwrite : bool
        Replace an existing index: a folder when the new one is complete, one in Redis at once.
    progress : callable, optional
        Called with ``build`` and the number of documents done.

    Returns
    -------
    Built

    Notes
    -----
    Documents count as arrived now, whenever they were published, and ``keep`` deletes them
    that long after the build. They are numbered by date of publication; those without a date, or
    with one in the future, come last. Agencies of documents and events of a run with a base are not
    taken over.

    Raises
    ------
    InputError
        If there is no result, it has no texts, was written by another version, or is inconsistent.
    ConfigError
        If settings differ from those of the run, or the word counts that it used cannot be found.
    OutputError
        If there is something at ``path``, or it cannot be written.
    """
    begun = time.perf_counter()
    check_opening("a", durability)
    result = BatchResult(run)
    config, metadata = _config_and_metadata(result, config)

    def fill(store: Store) -> None:
        _add_documents(store, result, config, progress or (lambda stage, rows: None))

    build = _build_in_redis if is_url(path) else _build_folder
    stats = build(path, metadata, durability, overwrite, fill)
    stories = result.manifest["counts"].get("stories")
    name = stats.pop("name")
    return Built(name, stats["documents"], stats["copies"], stories, stats["bytes"], round(time.perf_counter() - begun, 3))


def config_of_run(manifest: Mapping[str, Any]) -> Config:
    """The settings of a run, without ``run.*`` and ``input.*``, which do not affect its result."""
    return Config.from_dict({name: section for name, section in manifest["config"].items() if name not in ("run", "input")})


def _config_and_metadata(result: BatchResult, config: Config | None) -> tuple[Config, dict[str, Any]]:
    """The settings and the metadata of the index."""
    stored = config_of_run(result.manifest)
    asked = config if config is not None else stored
    metadata = metadata_of(stored, background_of(asked.stories.background)) | {"background": result.manifest["background"]["digest"]}
    config, known = config_of(result.name, metadata, asked)
    return config, metadata_of(config, known)


def _build_folder(path: Any, metadata: dict[str, Any], durability: str, overwrite: bool, fill: Callable[[Store], None]) -> dict[str, Any]:
    """Build the index in a temporary folder next to ``path`` and rename it when it is complete."""
    target = Path(path).absolute()
    _check_folder(target, path, overwrite)
    with os_errors_as(OutputError, lambda why: f"{path}: cannot be written ({why}). Free some space or choose another path."):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as aside:
            fresh = Path(aside) / "index"
            store, _ = open_store(fresh, metadata, "a", "process")
            try:
                fill(store)
                stats = store.stats()
            finally:
                store.close()
            for file in fresh.iterdir():
                sync_file(file)
            sync_folder(fresh)
            _put_in_place(fresh, target, path, overwrite)
    size = sum(file.stat().st_size for file in target.iterdir())
    return stats | {"name": os.fspath(path), "bytes": size}


def _check_folder(target: Path, path: Any, overwrite: bool) -> bool:
    """Whether there is an index to replace; an error if there is anything else."""
    try:
        is_there = check(target)
    except InputError as error:
        # A damaged index may be replaced too; other files may not.
        if not (overwrite and (target / FILE).is_file() and (target / LOCK).is_file()):
            raise OutputError(str(error)) from error
        return True
    if is_there and not overwrite:
        raise OutputError(f"{path}: there is an index already. Choose another path, or give --overwrite to replace it.")
    return is_there


def _put_in_place(fresh: Path, target: Path, path: Any, overwrite: bool) -> None:
    with ExitStack() as stack:
        if _check_folder(target, path, overwrite):
            stack.enter_context(lock_folder(target))  # a writer of the old index must finish first
            replace_folder(fresh, target)
        else:
            fresh.rename(target)  # fails if another process has made an index meanwhile
    sync_folder(target.parent)


def _build_in_redis(path: Any, metadata: dict[str, Any], durability: str, overwrite: bool, fill: Callable[[Store], None]) -> dict[str, Any]:
    """Build in place, with metadata that no version opens; replace them at the end."""
    from .redis.setup import draft_of, publish

    url, draft = os.fspath(path), draft_of(metadata)
    store, name = open_store(url, draft, "w" if overwrite else "a", durability)
    try:
        if store.metadata != draft:
            raise OutputError(
                f"{name}: there is an index already, or part of one that an interrupted build left. "
                "Choose another prefix, or give --overwrite to replace it."
            )
        fill(store)
        publish(url, draft, metadata)
        return store.stats() | {"name": name}
    finally:
        store.close()


def _add_documents(store: Store, result: BatchResult, config: Config, progress: Progress) -> None:
    """Add all documents of a result to an empty store."""
    columns, arrived, done = result.columns(), time.time_ns() // 1000, 0
    numbers = store.allocate(len(result)) + _rank_by_date(columns.published, arrived)

    def prepare(block: tuple[int, Any, Any]) -> WriteBatch:
        return _prepare_block(*block, columns, numbers, arrived, result, config)

    for batch in map_batches(prepare, result.blocks(), thread_count(config.run.threads)):
        store.sync()
        try:
            store.commit(batch)
        except WriteConflict:
            raise OutputError("another program wrote to the index while it was being built. Choose another path for it.") from None
        done += len(batch.entries)
        progress("build", done)


def _rank_by_date(published: Ints, arrived: int) -> Ints:
    """int64[n]: the rank of each document by date.

    The date is that of publication, or that of arrival if the former is unknown or in the future.

    ``OnlineStories`` fills its window from the last number backwards, until documents are too old.
    """
    when = np.where((published == UNDATED) | (published > arrived), arrived, published)
    ranks = np.empty(len(when), np.int64)
    ranks[np.argsort(when, kind="stable")] = np.arange(len(when))
    return ranks


def _prepare_block(
    first: int, documents: Any, texts: Any, columns: DocumentColumns, numbers: Ints, arrived: int, result: BatchResult, config: Config
) -> WriteBatch:
    """What a block of documents, rows ``first`` and following of the run, writes to the store."""
    rows = slice(first, first + documents.num_rows)
    fingerprints, tokens, terms = fingerprint_with_tokens(texts, documents.column("title"), config)
    if not np.array_equal(fingerprints.words, documents.column("words").to_numpy()):
        raise result.checks.inconsistent("its texts have other words than its documents")
    extends = np.where(columns.extends[rows] < 0, -1, numbers[columns.extends[rows]])
    own = (numbers[rows], numbers[columns.canonical[rows]], extends, columns.published[rows], columns.parts[rows])
    digests = [digest.tobytes() for digest in fingerprints.digests]
    described = zip(documents.to_pylist(), digests, *(column.tolist() for column in own), strict=True)
    entries = [_make_entry(row, digest, arrived, *others) for row, digest, *others in described]
    sizes = np.diff(fingerprints.shingles[1])
    titles = title_rows(fingerprints.title_terms, fingerprints.title_shingles)
    keys = PostingKeys(sizes, sample(tokens, sizes, config), titles, fingerprints.digests, fingerprints.title_words)
    posted = postings(entries, keys, columns.posted_copy[rows], config)
    return WriteBatch(entries, TokenRows(tokens[0], terms, tokens[1]), *posted)


def _make_entry(
    row: dict[str, Any], digest: bytes, arrived: int, number: int, canonical: int, extends: int, published: int, parts: int
) -> Entry:
    return Entry(
        number=number,
        doc_id=row["doc_id"],
        page_id=row["page_id"],
        role=row["role"],
        # The status of an entry does not depend on its copies: they come and go.
        status="unique" if row["status"] == "canonical" else row["status"],
        canonical=canonical,
        kind=row["kind"],
        jaccard=_shortest(row["jaccard"]),
        share=_shortest(row["share"]),
        containment=_shortest(row["containment"]),
        extends=None if extends < 0 else extends,
        covered=_shortest(row["covered"]) or 0.0,
        story=None if row["story_id"] is None else story_number(row["story_id"]),
        published=None if published == UNDATED else published,
        arrived=arrived,
        source=row["source"],
        url=row["url"],
        title=row["title"],
        words=row["words"],
        digest=digest,
        parts=parts,
    )


def _shortest(share: float | None) -> float | None:
    """A float32 as the double with the fewest digits: 0.6666667, not 0.6666666865348816."""
    return None if share is None else float(str(np.float32(share)))
