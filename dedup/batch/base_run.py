"""Opens and checks the base: an earlier result whose documents come first in this run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Floats, Ints
from ..config import Config
from ..copies.pairs import Matches
from ..copies.survivors import BaseCopies, Survivors
from ..errors import ConfigError, InputError, OutputError
from ..result import Result, ReuseChecks
from ..schema import DOCUMENTS, EVENTS, KINDS, MATCHES, STORIES, TEXTS
from ..storage.text_store import TextStore
from ..text.document_frequencies import NONE, SHIPPED, WHAT_TO_DO, DocumentFrequencies, background_of

#: Sections that may differ from the base: input columns, candidates, resources of the run.
FREE = ("input", "candidates", "run")
_CHECKS = ReuseChecks("the base", "Run the whole corpus again without a base.")


@dataclass(frozen=True, eq=False)
class BaseRun:
    """The base of a run.

    Attributes
    ----------
    documents, stories, events : its Arrow tables
        ``stories`` is None if stories are switched off, ``events`` if it had no base itself.
    copies : its copies and matches, by row
    inputs : all files read for it and for its own bases, as manifests list them
    background : the document frequencies it used, as its manifest names them
    """

    documents: Any
    stories: Any
    events: Any
    copies: BaseCopies
    texts: TextStore
    inputs: list[dict[str, Any]]
    background: dict[str, Any]

    def __len__(self) -> int:
        return int(self.documents.num_rows)

    def batches(self) -> Iterator[Any]:
        """Yield the documents with their texts as Arrow tables of ``schema.TEXTS``.

        Raises
        ------
        InputError
            If the texts belong to other documents.
        """
        first = 0
        for texts in self.texts.batches():
            rows = self.documents.slice(first, texts.num_rows)
            first += texts.num_rows
            if not rows.column("doc_id").equals(texts.column("doc_id")):
                raise _CHECKS.other_texts()
            yield pa.table([texts.column("text") if name == "text" else rows.column(name) for name in TEXTS.names], schema=TEXTS)

    def background_of(self, setting: str) -> DocumentFrequencies:
        """Load the document frequencies of ``stories.background``; their file may have moved.

        Raises
        ------
        ConfigError
            If they cannot be read, or differ from those of the base.
        """
        name, digest = self.background["from"], self.background["digest"]
        is_file = name not in (SHIPPED, NONE, "")
        what_to_do = (
            f"The base used {'the file ' if is_file else 'stories.background '}{name or SHIPPED} (digest {digest}): "
            f"{'pass its current path with --stories.background' if is_file else 'use the same setting'}, "
            "or run the whole corpus again without a base."
        )
        try:
            background = background_of(setting)
        except ConfigError as error:
            raise ConfigError(f"{str(error).removesuffix(WHAT_TO_DO)}{what_to_do}") from error
        if background.digest() != digest:
            raise ConfigError(f"the word counts of stories.background ({setting}) are not those of the base. {what_to_do}")
        return background

    def rank_first(self, ranks: Ints) -> Ints:
        """Rank the canonicals of the base first, then its copies, then new documents."""
        tier = np.full(len(ranks), 2)
        tier[: len(self)] = ~self.copies.survivors.kept()
        ranked = np.empty(len(ranks), np.int64)
        ranked[np.lexsort((ranks, tier))] = np.arange(len(ranks))
        return ranked

    def covered(self) -> Floats:
        """float64[n], the column ``covered`` of its documents."""
        covered: Floats = self.documents.column("covered").to_numpy().astype(float)
        return covered

    def story_of(self) -> Ints:
        """int64[n], the row in ``stories`` of each document's story."""
        return _rows_of(self.documents.column("story_id"), self.stories.column("story_id"))


def open_base(base: Result | str | os.PathLike[str], config: Config | None) -> tuple[BaseRun, Config]:
    """Open the base of a run.

    Parameters
    ----------
    base : a result, or the folder that it was written to
    config : the settings of this run; None for those of the base

    Returns
    -------
    The base, and the settings of this run.

    Raises
    ------
    InputError
        If there is no result, or it cannot be a base: no texts, another version.
    ConfigError
        If settings that affect copies or stories differ from the base; the message names them.
    """
    result = base if isinstance(base, Result) else _read_result(base)
    _CHECKS.check_version(result.manifest)
    texts = _CHECKS.require_texts(result.texts, "so new documents cannot be compared with it")
    config = _compatible_config(config, config_of_manifest(result.manifest))
    documents, matches = _with_schema(result.documents, DOCUMENTS), _with_schema(result.matches, MATCHES)
    stories = _with_schema(result.stories, STORIES) if config.stories.enabled else None
    events = None if result.events is None else _with_schema(result.events, EVENTS)
    _CHECKS.check_texts(texts, documents.num_rows)
    ids = documents.column("doc_id")
    copies = BaseCopies(_survivors_of_rows(documents), _matches_of_rows(matches, ids))
    inputs = result.manifest.get("base", {}).get("inputs", []) + result.manifest["inputs"]
    return BaseRun(documents, stories, events, copies, texts, inputs, result.manifest["background"]), config


def config_of_manifest(manifest: dict[str, Any]) -> Config:
    """Read the settings in a manifest; ``run.*`` stays at its defaults."""
    return Config.from_dict({name: section for name, section in manifest["config"].items() if name != "run"})


def base_config(folder: str | os.PathLike[str]) -> Config:
    """Read the settings of the result in a folder; ``run.*`` stays at its defaults.

    Raises
    ------
    InputError
        If the folder contains no result, or one of another version.
    """
    manifest = _output_errors_as_input_errors(lambda: Result.read_manifest(folder))
    _CHECKS.check_version(manifest)
    return config_of_manifest(manifest)


def _read_result(folder: str | os.PathLike[str]) -> Result:
    result: Result = _output_errors_as_input_errors(lambda: Result.read(folder))
    return result


def _output_errors_as_input_errors(action: Any) -> Any:
    """Run an action; for this run, a missing or broken base is an input error."""
    try:
        return action()
    except OutputError as error:
        raise InputError(f"the base cannot be read: {error}") from error


def _compatible_config(config: Config | None, base_config: Config) -> Config:
    if config is None:
        return base_config
    differing = [f"{name} is {ours!r}, but {theirs!r} in the base" for name, ours, theirs in config.differences(base_config, FREE)]
    if differing:
        raise ConfigError(
            f"{'; '.join(differing)}. Old and new results would not be comparable: leave these settings out, "
            "or run the whole corpus again without a base."
        )
    return config


def _with_schema(table: Any, schema: Any) -> Any:
    _CHECKS.check_schema(None if table is None else table.schema, schema)
    # Parquet names list items differently from Arrow; equal tables must be written alike.
    return table.cast(schema)


def _matches_of_rows(matches: Any, ids: Any) -> Matches:
    """Convert the table of matches to arrays of rows."""
    left, right = (_rows_of(matches.column(name), ids) for name in ("doc_id_a", "doc_id_b"))
    kind = _rows_of(matches.column("kind"), pa.array(KINDS)).astype(np.uint8)
    return Matches(left, right, kind, *(matches.column(name).to_numpy().astype(float) for name in ("jaccard", "share_a", "share_b")))


def _survivors_of_rows(documents: Any) -> Survivors:
    """Convert the table of documents to arrays of rows."""
    ids = documents.column("doc_id")
    canonical = _rows_of(documents.column("canonical_id"), ids)
    extends, fuller = (_rows_or_none(documents.column(name), ids) for name in ("extends_id", "fuller_id"))
    return Survivors(canonical, extends, documents.column("copy_group").to_numpy().astype(np.int64), fuller)


def _rows_or_none(values: Any, known: Any) -> Ints:
    """int64[n], the row in ``known`` of each value, -1 of a null."""
    rows, given = np.full(len(values), -1), pc.is_valid(values).to_numpy()
    rows[given] = _rows_of(values.drop_null(), known)
    return rows


def _rows_of(values: Any, known: Any) -> Ints:
    """int64[n], the row in ``known`` of each value."""
    found = pc.index_in(values, known if isinstance(known, pa.Array) else known.combine_chunks())
    if found.null_count:
        raise _CHECKS.inconsistent("one table refers to a row that another one lacks")
    rows: Ints = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return rows
