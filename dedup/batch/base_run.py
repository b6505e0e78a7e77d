"""The result of an earlier run, as the base of this one: read, checked, and given to the stages as they need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays.rows import Ints
from ..config import Config
from ..copies.grouping import FixedGroups
from ..copies.pairs import Matches, contained_numbers
from ..errors import ConfigError, InputError, OutputError
from ..result import Result
from ..schema import DOCUMENTS, EVENTS, KEPT_TEXTS, KINDS, MATCHES, SCHEMA_VERSION, STORIES, TEXTS
from ..storage.text_store import TextStore
from ..text.document_frequencies import NONE, SHIPPED, WHAT_TO_DO, DocumentFrequencies, background_of
from ..version import __version__

#: Sections that may differ from those of the base: how new files are read, where one looks for copies, what a run may take.
FREE = ("input", "candidates", "run")
_ANEW = "Run the whole corpus anew, without a base."


@dataclass(frozen=True, eq=False)
class BaseRun:
    """An earlier result whose documents are the first ones of this run.

    ``documents``, ``stories`` (None if they were not asked for) and ``events`` (None if it had no base) are its tables; ``settled``
    its copy groups, by row; ``texts`` what its documents said; ``inputs`` all that was ever read for it, as manifests list it;
    ``background`` the counts that its words were weighed by, as the manifest names them.
    """

    documents: Any
    stories: Any
    events: Any
    settled: FixedGroups
    texts: TextStore
    inputs: list[dict[str, Any]]
    background: dict[str, Any]

    def __len__(self) -> int:
        return int(self.documents.num_rows)

    def batches(self) -> Iterator[Any]:
        """The documents with their texts, as they were when they were read: Arrow tables of ``schema.TEXTS``.

        Raises
        ------
        InputError
            If the texts are those of other documents.
        """
        first = 0
        for texts in self.texts.batches():
            rows = self.documents.slice(first, texts.num_rows)
            first += texts.num_rows
            if not rows.column("doc_id").equals(texts.column("doc_id")):
                raise InputError(f"the base does not fit together: its texts are not those of its documents. {_ANEW}")
            yield pa.table([texts.column("text") if name == "text" else rows.column(name) for name in TEXTS.names], schema=TEXTS)

    def background_of(self, setting: str) -> DocumentFrequencies:
        """The counts that ``stories.background`` asks for, if they are those of the base, whatever the files are called.

        Raises
        ------
        ConfigError
            If they are others, or cannot be read.
        """
        name, digest = self.background["from"], self.background["digest"]
        kept = name in (SHIPPED, NONE, "")
        what_to_do = (
            f"The base was weighed {'with stories.background' if kept else 'by'} {name or SHIPPED} (digest {digest}): "
            f"{'give that' if kept else 'name where it is now with --stories.background'}, or run the whole corpus anew, without a base."
        )
        try:
            known = background_of(setting)
        except ConfigError as error:
            raise ConfigError(f"{str(error).removesuffix(WHAT_TO_DO)}{what_to_do}") from error
        if known.digest() != digest:
            raise ConfigError(f"the counts that stories.background names ({setting}) are not those of the base. {what_to_do}")
        return known

    def ahead(self, ranks: Ints) -> Ints:
        """Precedence among all documents, see ``canonicals.py``, with the base's canonicals first, then its other documents."""
        standing = np.full(len(ranks), 2)
        standing[: len(self)] = self.settled.canonical != np.arange(len(self))
        answer = np.empty(len(ranks), np.int64)
        answer[np.lexsort((ranks, standing))] = np.arange(len(ranks))
        return answer

    def story_of(self) -> Ints:
        """int64[n], the row of each document's story."""
        return _places(self.documents.column("story_id"), self.stories.column("story_id"))


def open_base(base: Result | str | os.PathLike[str], config: Config | None) -> tuple[BaseRun, Config]:
    """Open the base of a run.

    Parameters
    ----------
    base : a result, or the folder that it was written to
    config : the settings of this run; those of the base if None

    Raises
    ------
    InputError
        If there is no result, or it cannot be built on: no texts, another version.
    ConfigError
        If settings that decide what is found are not those of the base; the message names them.
    """
    result = base if isinstance(base, Result) else _read(base)
    _check_version(result.manifest)
    if result.texts is None:
        raise InputError(
            "the base holds no texts (no texts.parquet), so nothing can be compared with its documents. "
            "Run it again without --no-texts (run.keep_texts false)."
        )
    config = _fitting(config, earlier_config(result.manifest))
    documents, matches = _checked(result.documents, DOCUMENTS), _checked(result.matches, MATCHES)
    stories = _checked(result.stories, STORIES) if config.stories.enabled else None
    events = None if result.events is None else _checked(result.events, EVENTS)
    if not result.texts.schema.equals(KEPT_TEXTS) or len(result.texts) != documents.num_rows:
        raise InputError(f"the base does not fit together: its texts are not those of its documents. {_ANEW}")
    ids = documents.column("doc_id")
    settled = FixedGroups(_places(documents.column("canonical_id"), ids), _matches(matches, ids))
    inputs = result.manifest.get("base", {}).get("inputs", []) + result.manifest["inputs"]
    return BaseRun(documents, stories, events, settled, result.texts, inputs, result.manifest["background"]), config


def earlier_config(manifest: dict[str, Any]) -> Config:
    """The settings of an earlier run but for ``run.*``, which are the defaults."""
    return Config.from_dict({name: section for name, section in manifest["config"].items() if name != "run"})


def base_config(folder: str | os.PathLike[str]) -> Config:
    """The settings that the result in a folder was made with, see ``earlier_config``.

    Raises
    ------
    InputError
        As ``open_base``.
    """
    manifest = _told(lambda: Result.read_manifest(folder))
    _check_version(manifest)
    return earlier_config(manifest)


def _read(folder: str | os.PathLike[str]) -> Result:
    result: Result = _told(lambda: Result.read(folder))
    return result


def _told(action: Any) -> Any:
    """What a missing or broken base is for this run: an input that cannot be used."""
    try:
        return action()
    except OutputError as error:
        raise InputError(f"the base cannot be read: {error}") from error


def _check_version(manifest: dict[str, Any]) -> None:
    made, needed = (manifest.get("version"), manifest.get("schema_version")), (__version__, SCHEMA_VERSION)
    if made != needed:
        raise InputError(
            f"the base was written by dedup {made[0]} (tables of version {made[1]}), and this is dedup {needed[0]} (tables of version "
            f"{needed[1]}): its documents would be compared in another way. {_ANEW}"
        )


def _fitting(config: Config | None, earlier: Config) -> Config:
    if config is None:
        return earlier
    differing = [f"{name} is {ours!r}, of the base {theirs!r}" for name, ours, theirs in config.differences(earlier, FREE)]
    if differing:
        raise ConfigError(
            f"{'; '.join(differing)}. What is found would not fit together: leave these settings out, "
            "or run the whole corpus anew, without a base."
        )
    return config


def _checked(table: Any, schema: Any) -> Any:
    if table is None or not table.schema.equals(schema):
        raise InputError(f"the base does not fit together: its tables are not as a run of this version writes them. {_ANEW}")
    # Parquet calls the items of a list by another name than Arrow; equal tables must be written alike.
    return table.cast(schema)


def _matches(matches: Any, ids: Any) -> Matches:
    """The matches between rows, as the stages hold them."""
    left, right = (_places(matches.column(name), ids) for name in ("doc_id_a", "doc_id_b"))
    kind = _places(matches.column("kind"), pa.array(KINDS)).astype(np.uint8)
    contained = contained_numbers(matches.column("contained"))
    jaccard, containment = (matches.column(name).to_numpy().astype(float) for name in ("jaccard", "containment"))
    return Matches(left, right, kind, jaccard, containment, contained)


def _places(values: Any, known: Any) -> Ints:
    found = pc.index_in(values, known if isinstance(known, pa.Array) else known.combine_chunks())
    if found.null_count:
        raise InputError(f"the base does not fit together: one of its tables names what another one lacks. {_ANEW}")
    places: Ints = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return places
