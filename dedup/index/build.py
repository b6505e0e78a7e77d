"""The result of a batch run to an index: the same canonicals, kinds, numbers and stories; nothing is decided anew.

Texts are fingerprinted again, block by block, for a run keeps none of that. The index is there when it is whole: a folder is made under
another name and renamed, one in Redis refuses to be opened until its last block is in.
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
from ..copies.pairs import contained_of_document
from ..errors import InputError, OutputError
from ..fingerprints.fingerprint import fingerprint_with_tokens
from ..result import Result
from ..storage.files import os_errors_as, replace_folder, sync_file, sync_folder
from ..storage.remote import is_url
from ..text.document_frequencies import background_of
from .batch_result import UNDATED, BatchResult, Frame
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
    """What was built: ``index`` its name, ``stories`` None where the run was not asked for them, ``bytes`` on the disk."""

    index: str
    documents: int
    copies: int
    stories: int | None
    bytes: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
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
    """Make an index of what a batch run found.

    Parameters
    ----------
    run : a result with texts, or the folder or URL that it was written to
    path : of the index, see ``Index.open``; there must be none yet
    config : the settings of the run if left out. ``run.threads`` may differ, and ``stories.background`` name where the same counts are now
    durability : of the writing to Redis, see ``Index.open``; a folder is on the disk for good when this returns
    overwrite : replace an index that is there: in a folder when the new one is whole, in Redis at once
    progress : called with ``build`` and the documents done

    Documents count as arrived now, whenever they were published: ``keep`` forgets them so long after the build. They are numbered by
    publication, those without a date, or with one that is still to come, behind all others. The agency of a document and the events
    of a run with a base are not taken over.

    Raises
    ------
    InputError
        If there is no result, it holds no texts, was made by another version, or does not fit together.
    ConfigError
        If settings are not those of the run, or the counts of words that it was weighed by cannot be found.
    OutputError
        If there is something in the place of the index, or it cannot be written.
    """
    begun = time.perf_counter()
    check_opening("a", durability)
    past = BatchResult(run)
    config, metadata = _settings(past, config)
    into = _fill_redis if is_url(path) else _fill_folder
    stats = into(path, metadata, durability, overwrite, lambda store: _fill(store, past, config, progress or (lambda stage, rows: None)))
    stories = past.manifest["counts"].get("stories")
    name = stats.pop("name")
    return Built(name, stats["documents"], stats["copies"], stories, stats["bytes"], round(time.perf_counter() - begun, 3))


def config_of_run(manifest: Mapping[str, Any]) -> Config:
    """The settings that a run was made with, those of ``run.*`` and ``input.*`` aside: they say nothing of what it found."""
    return Config.from_dict({name: section for name, section in manifest["config"].items() if name not in ("run", "input")})


def _settings(past: BatchResult, config: Config | None) -> tuple[Config, dict[str, Any]]:
    """The settings of the index, and what it is made with."""
    stored = config_of_run(past.manifest)
    asked = config if config is not None else stored
    metadata = metadata_of(stored, background_of(asked.stories.background)) | {"background": past.manifest["background"]["digest"]}
    config, known = config_of(past.name, metadata, asked)
    return config, metadata_of(config, known)


def _fill_folder(path: Any, metadata: dict[str, Any], durability: str, overwrite: bool, fill: Callable[[Store], None]) -> dict[str, Any]:
    """Make the index beside its place and put it there when it is whole."""
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
    """Whether there is an index that may be replaced."""
    try:
        is_there = check(target)
    except InputError as error:
        # An index that cannot be read any more may be replaced too; other files may not.
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


def _fill_redis(path: Any, metadata: dict[str, Any], durability: str, overwrite: bool, fill: Callable[[Store], None]) -> dict[str, Any]:
    """Make the index where it is to be, under facts that no version opens, and put the right ones there in the end."""
    from .redis.setup import draft_of, publish

    url, draft = os.fspath(path), draft_of(metadata)
    store, name = open_store(url, draft, "w" if overwrite else "a", durability)
    try:
        if store.metadata != draft:
            raise OutputError(
                f"{name}: there is an index already, or the part of one that a stopped build left. "
                "Choose another prefix, or give --overwrite to replace it."
            )
        fill(store)
        publish(url, draft, metadata)
        return store.stats() | {"name": name}
    finally:
        store.close()


def _fill(store: Store, past: BatchResult, config: Config, progress: Progress) -> None:
    """Put all documents of a run into an empty store."""
    frame, arrived, done = past.frame(), time.time_ns() // 1000, 0
    numbers = store.allocate(len(past)) + _ranks(frame.published, arrived)

    def read(block: tuple[int, Any, Any]) -> WriteBatch:
        return _batch(*block, frame, numbers, arrived, past, config)

    for batch in map_batches(read, past.blocks(), thread_count(config.run.threads)):
        store.sync()
        try:
            store.commit(batch)
        except WriteConflict:
            raise OutputError("another program writes to the index while it is built. Choose another place for it.") from None
        done += len(batch.entries)
        progress("build", done)


def _ranks(published: Ints, arrived: int) -> Ints:
    """int64[n]: the place of each document by the time at which an index has it, that of arrival where the other is unknown or to come.

    Stories are looked for from the last number backwards, until documents are too old (``storyline.py``).
    """
    when = np.where((published == UNDATED) | (published > arrived), arrived, published)
    ranks = np.empty(len(when), np.int64)
    ranks[np.argsort(when, kind="stable")] = np.arange(len(when))
    return ranks


def _batch(
    first: int, documents: Any, texts: Any, frame: Frame, numbers: Ints, arrived: int, past: BatchResult, config: Config
) -> WriteBatch:
    """A block of documents, the first of which is in row ``first`` of the run, as what is put into the store."""
    rows = slice(first, first + documents.num_rows)
    prints, tokens, terms = fingerprint_with_tokens(texts, documents.column("title"), config)
    if not np.array_equal(prints.words, documents.column("words").to_numpy()):
        raise InputError(f"{past.name}: does not fit together: its texts have other words than its documents. Run it anew.")
    known = (numbers[rows], numbers[frame.canonical[rows]], frame.contained[rows], frame.published[rows], frame.parts[rows])
    digests = [digest.tobytes() for digest in prints.digests]
    described = zip(documents.to_pylist(), digests, *(column.tolist() for column in known), strict=True)
    entries = [_entry(row, digest, arrived, *others) for row, digest, *others in described]
    sizes = np.diff(prints.shingles[1])
    titles = title_rows(prints.title_terms, prints.title_shingles)
    keys = PostingKeys(sizes, sample(tokens, sizes, config), titles, prints.digests, prints.title_words)
    posted = postings(entries, keys, frame.posted_copy[rows], config)
    return WriteBatch(entries, TokenRows(tokens[0], terms, tokens[1]), *posted)


def _entry(
    row: dict[str, Any], digest: bytes, arrived: int, number: int, canonical: int, contained: int, published: int, parts: int
) -> Entry:
    is_copy = row["status"] == "copy"
    return Entry(
        number=number,
        doc_id=row["doc_id"],
        page_id=row["page_id"],
        role=row["role"],
        # An index does not say of a document that it has copies: they come and go.
        status="unique" if row["status"] == "canonical" else row["status"],
        canonical=canonical,
        kind=row["kind"],
        jaccard=_shortest(row["jaccard"]),
        containment=_shortest(row["containment"]),
        contained=contained_of_document(contained) if is_copy else None,
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
    """A float32 as the double with the fewest digits that means it: 0.6666667, not 0.6666666865348816."""
    return None if share is None else float(str(np.float32(share)))
