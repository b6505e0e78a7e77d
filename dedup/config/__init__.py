"""The configuration: one frozen tree of dataclasses, checked when it is made.

The names are the same in Python (``Config(copies=CopyConfig(near=0.6))``), in TOML
(``[copies]`` / ``near = 0.6``) and on the command line (``--copies.near 0.6``). A section derives
numbers from its settings but never does work. ``Config.digest()`` covers everything that can change
a result; what does not (``run.threads``, ``run.batch_rows``) is left out of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from ..errors import ConfigError
from ..version import __version__
from .bands import LEAST_RECALL, MOST_PERMUTATIONS, MOST_RECALL, MOST_ROWS, choose_bands


def _doc(help_text: str, default: Any) -> Any:
    """A field with the sentence that ``--help`` and the README show for it."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """Which column of the input plays which part. ``None``: found by its usual name."""

    id: str | None = _doc("column with the id of a page ('none': make ids from file name and row)", None)
    text: str | None = _doc("column with the text", None)
    title: str | None = _doc("column with the title", None)
    published: str | None = _doc("column with the date of publication", None)
    source: str | None = _doc("column with the outlet", None)
    url: str | None = _doc("column with the URL", None)
    author: str | None = _doc("column with the byline (used to find the news agency)", None)
    html: str | None = _doc("column with the page as HTML, in place of a text", None)
    page_bytes: int = _doc("an HTML page of more bytes is rejected", 16 << 20)


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How a page becomes documents."""

    segment: bool = _doc("split flattened pages into article, embedded article and headlines", True)
    min_words: int = _doc("an article with fewer words is 'short': kept, never compared", 8)
    min_headline_words: int = _doc("a headline with fewer words is 'short'", 4)


@dataclass(frozen=True, kw_only=True)
class ShingleConfig:
    """What is compared."""

    words: int = _doc("words in a shingle of an article", 3)
    headline_chars: int = _doc("characters in a shingle of a headline", 3)


@dataclass(frozen=True, kw_only=True)
class SignatureConfig:
    """How a shingle set is sketched."""

    permutations: int = _doc("length of the MinHash signature", 128)
    seed: int = _doc("seed of the permutations", 1)
    scheme: str = _doc("'native', or 'datasketch' for values equal to datasketch.MinHash", "native")


@dataclass(frozen=True, kw_only=True)
class CandidateConfig:
    """Which pairs are looked at."""

    bands: int = _doc("bands of the MinHash signature", 32)
    rows: int = _doc("signature values in a band", 4)
    bucket_cap: int = _doc("a larger bucket is not compared all with all: a document meets a few others", 64)
    sampled: int = _doc("so many shingles of each document are looked up in all others to find excerpts", 40)
    list_cap: int = _doc("a sampled shingle in more documents than this proposes nothing", 200)
    recall: float = _doc("share of article pairs of jaccard 'at' to be found; it chooses bands and rows (0: as set above)", 0.0)
    at: float = _doc("jaccard for which 'recall' is meant, and from which it is measured", 0.5)
    recall_sample: int = _doc("articles compared with all others to measure the recall (0: 500 if 'recall' is given, else none)", 0)


@dataclass(frozen=True, kw_only=True)
class CopyConfig:
    """What counts as a copy. All numbers are exact, measured on shingle sets."""

    near: float = _doc("jaccard from which two documents are near copies", 0.5)
    excerpt: float = _doc("containment from which the smaller one can be an excerpt of the larger", 0.4)
    contained: float = _doc("containment from which it is one, however its words stand", 0.62)
    coverage: float = _doc("below that: share of an excerpt's words that stand in the larger text beside the same neighbour", 0.76)
    distinct: float = _doc("share of the containment that must be left when common shingles weigh less; else it is a template", 0.75)
    common: int = _doc("a shingle in more documents than this (of those without an outlet) is weighed down", 10)
    common_in_source: int = _doc("a shingle in more documents of one outlet than this is weighed down", 2)
    facts: float = _doc("share of its numbers and rare words that a copy must have in common with the larger text", 0.5)
    partial: float = _doc("containment from which shared passages are listed as 'partial'", 0.3)
    title: float = _doc("jaccard of character shingles from which two headlines are one", 0.85)
    title_days: float = _doc("a title that comes back after so many days is another one", 7.0)


@dataclass(frozen=True, kw_only=True)
class StoryConfig:
    """How canonical documents are grouped into stories."""

    enabled: bool = _doc("group canonical documents into stories", True)
    background: str = _doc("how common words are beside this corpus: 'shipped', 'none', or a file of 'dedup stories fit-idf'", "shipped")
    title_weight: float = _doc("how often the words of the title count", 2.0)
    lead_words: int = _doc("words of the text that are read", 150)
    letters: float = _doc("share of a headline's vector that are runs of letters, the rest are words", 0.5)
    window_days: float = _doc("documents further apart in time are never compared", 5.0)
    decay_days: float = _doc("standard deviation of the time decay", 3.0)
    headline_decay_days: float = _doc("the same between two headlines, where it is shorter", 1.0)
    cut: float = _doc("average similarity at which two articles' stories are joined", 0.17)
    headline_cut: float = _doc("the same for two headlines, where a day brings hundreds; 0.45 of it where it brings ten", 0.18)
    crowd: float = _doc("how far the cut of articles rises with the similarity to the 80 nearest documents, beyond 0.067 on average", 1.2)
    neighbours: int = _doc("nearest documents kept for each document", 400)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What changes speed, memory and disk space, never what is found."""

    threads: int = _doc("threads (0: one per core)", 0)
    batch_rows: int = _doc("rows read at a time", 2048)
    memory: int = _doc("megabytes that a run may take, beyond which fingerprints go to temporary files (0: half of the machine's)", 0)
    checkpoint: int = _doc("megabytes of text after which 'dedup run' makes safe what it has read, to go on there if it is killed", 128)
    keep_texts: bool = _doc("keep the texts in the result: a later run that builds on it (--base) needs them", True)


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a run.

    Raises
    ------
    ConfigError
        If any setting is out of range; the message names all of them.
    """

    input: InputConfig = field(default_factory=InputConfig)
    text: TextConfig = field(default_factory=TextConfig)
    shingles: ShingleConfig = field(default_factory=ShingleConfig)
    signatures: SignatureConfig = field(default_factory=SignatureConfig)
    candidates: CandidateConfig = field(default_factory=CandidateConfig)
    copies: CopyConfig = field(default_factory=CopyConfig)
    stories: StoryConfig = field(default_factory=StoryConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        problems = _type_problems(self) or _range_problems(self)
        if problems:
            raise ConfigError("; ".join(problems))

    def banding(self) -> tuple[int, int]:
        """Bands and rows by which articles are proposed: as set, or as ``candidates.recall`` needs them."""
        candidates = self.candidates
        if not candidates.recall:
            return candidates.bands, candidates.rows
        return choose_bands(self.signatures.permutations, candidates.recall, candidates.at)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The tree as plain dictionaries, ready for JSON."""
        return dataclasses.asdict(self)

    def digest(self, contents: Mapping[str, str] | None = None) -> str:
        """Sixteen hex digits that change when a setting that can change a result, or the version, changes.

        ``contents`` says what is in the files that settings name, ``{"stories.background": "9a0c..."}``: it counts in the place
        of the name.
        """
        settings = {name: section for name, section in self.replace(contents or {}).to_dict().items() if name != "run"}
        kinds = {name: kind for name, kind, _, _ in _rows(self)}
        for section, values in settings.items():
            for name, value in values.items():
                if kinds[f"{section}.{name}"] is float:  # 1 and 1.0 are one setting
                    values[name] = float(value)
        text = json.dumps({"version": __version__, **settings}, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, other: Config, free: tuple[str, ...]) -> list[tuple[str, Any, Any]]:
        """Settings of other values, ``(name, mine, theirs)``.

        Those of ``free`` sections are left out, and ``stories.background``: what counts is the content of that file, not its name.
        """
        mine, theirs = ({name: value for name, _, value, _ in _rows(config)} for config in (self, other))
        counted = (name for name in mine if name.partition(".")[0] not in free and name != "stories.background")
        return [(name, mine[name], theirs[name]) for name in counted if mine[name] != theirs[name]]

    def replace(self, changes: Mapping[str, Any]) -> Config:
        """A copy with ``{"copies.near": 0.6, ...}`` changed.

        Raises
        ------
        ConfigError
            If a name is unknown (the message lists the known ones) or a value does not fit.
        """
        sections: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            section, _, setting = name.partition(".")
            sections.setdefault(section, {})[setting] = value
        built: dict[str, Any] = {}
        for section, values in sections.items():
            current = getattr(self, section, None)
            if not dataclasses.is_dataclass(current) or section.startswith("_"):
                known = ", ".join(f.name for f in dataclasses.fields(self))
                raise ConfigError(f"there is no section '{section}' in the configuration. Sections: {known}.")
            settings = [f.name for f in dataclasses.fields(current)]
            for setting in values:
                if setting not in settings:
                    raise ConfigError(f"there is no setting '{section}.{setting}'. Settings of {section}: {', '.join(settings)}.")
            built[section] = dataclasses.replace(current, **values)  # type: ignore[type-var]
        return dataclasses.replace(self, **built)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Config:
        """Build from nested mappings, as ``to_dict`` gives them or a TOML file holds them; ``changes`` win."""
        flat: dict[str, Any] = {}
        for section, values in tree.items():
            if not isinstance(values, Mapping):
                raise ConfigError(f"'{section}' must be a section with settings, got {values!r}.")
            flat.update({f"{section}.{name}": value for name, value in values.items()})
        return cls().replace({**flat, **(changes or {})})

    @classmethod
    def from_toml(cls, path: str | Path, changes: Mapping[str, Any] | None = None) -> Config:
        """Read a TOML file whose tables are the sections of this tree.

        ``changes``, as ``replace`` takes them, win over the file; the two are checked together.
        """
        try:
            tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot read the configuration ({error.strerror}).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not a TOML file ({error}).") from error
        try:
            return cls.from_dict(tree, changes)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


def settings(config: Config | None = None) -> list[tuple[str, type, Any, str]]:
    """Every setting as ``(name, type, value, help)``, in the order of the tree."""
    return _rows(config or Config())


def _rows(config: Config) -> list[tuple[str, type, Any, str]]:
    rows = []
    for section in dataclasses.fields(config):
        part = getattr(config, section.name)
        hints = get_type_hints(type(part))
        for item in dataclasses.fields(part):
            kind = hints[item.name]
            kind = kind if isinstance(kind, type) else str
            rows.append((f"{section.name}.{item.name}", kind, getattr(part, item.name), item.metadata["help"]))
    return rows


def _type_problems(config: Config) -> list[str]:
    problems = []
    for name, kind, value, _ in settings(config):
        if value is None and name.startswith("input."):
            continue
        fits = isinstance(value, kind) and not (kind is not bool and isinstance(value, bool))
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            fits = True
        if not fits:
            problems.append(f"{name} must be {_kind_name(kind)}, got {value!r}")
    return problems


def _kind_name(kind: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}.get(kind, kind.__name__)


def _range_problems(config: Config) -> list[str]:
    problems: list[str] = []

    def need(fine: bool, message: str) -> None:
        if not fine:
            problems.append(message)

    def between(name: str, value: float, low: float, high: float) -> None:
        need(low <= value <= high, f"{name} must be between {low} and {high}, got {value}")

    both = config.input.html not in (None, "none") and config.input.text not in (None, "none")
    need(not both, f"input.text and input.html are both named, got {config.input.text!r} and {config.input.html!r}. Name one of them")
    between("input.page_bytes", config.input.page_bytes, 1, 1 << 30)
    between("text.min_words", config.text.min_words, 1, 1000)
    between("text.min_headline_words", config.text.min_headline_words, 1, 100)
    between("shingles.words", config.shingles.words, 1, 32)
    between("shingles.headline_chars", config.shingles.headline_chars, 2, 16)
    signatures, candidates, copies, stories = config.signatures, config.candidates, config.copies, config.stories
    between("signatures.permutations", signatures.permutations, 8, MOST_PERMUTATIONS)
    between("signatures.seed", signatures.seed, 0, 2**32 - 1)
    need(signatures.scheme in ("native", "datasketch"), f"signatures.scheme must be 'native' or 'datasketch', got {signatures.scheme!r}")
    between("candidates.bands", candidates.bands, 1, 4096)
    between("candidates.rows", candidates.rows, 1, MOST_ROWS)
    need(
        candidates.bands * candidates.rows <= signatures.permutations,
        f"candidates.bands * candidates.rows is {candidates.bands} * {candidates.rows} = {candidates.bands * candidates.rows} "
        f"but signatures.permutations is {signatures.permutations}. Lower bands or rows, or raise permutations",
    )
    between("candidates.bucket_cap", candidates.bucket_cap, 2, 100_000)
    between("candidates.sampled", candidates.sampled, 1, 100_000)
    between("candidates.list_cap", candidates.list_cap, 2, 1_000_000)
    between("candidates.at", candidates.at, 0.01, 1.0)
    between("candidates.recall_sample", candidates.recall_sample, 0, 1_000_000)
    if candidates.recall != 0:  # 0 is off
        between("candidates.recall", candidates.recall, LEAST_RECALL, MOST_RECALL)
        if not problems:
            try:
                config.banding()
            except ConfigError as error:
                problems.append(str(error))
    for name in ("near", "excerpt", "contained", "coverage", "distinct", "facts", "partial", "title"):
        between(f"copies.{name}", getattr(copies, name), 0.01, 1.0)
    between("copies.common", copies.common, 1, 255)
    between("copies.common_in_source", copies.common_in_source, 1, 255)
    between("copies.title_days", copies.title_days, 0.01, 36500.0)
    need(copies.partial <= copies.excerpt, f"copies.partial must not be above copies.excerpt, got {copies.partial} > {copies.excerpt}")
    between("stories.title_weight", stories.title_weight, 1.0, 100.0)
    between("stories.lead_words", stories.lead_words, 1, 100_000)
    between("stories.letters", stories.letters, 0.0, 0.99)
    between("stories.window_days", stories.window_days, 0.01, 3650.0)
    between("stories.decay_days", stories.decay_days, 0.01, 3650.0)
    between("stories.headline_decay_days", stories.headline_decay_days, 0.01, 3650.0)
    between("stories.cut", stories.cut, 0.01, 1.0)
    between("stories.crowd", stories.crowd, 0.0, 100.0)
    between("stories.headline_cut", stories.headline_cut, 0.01, 1.0)
    between("stories.neighbours", stories.neighbours, 1, 10_000)
    between("run.threads", config.run.threads, 0, 1024)
    between("run.memory", config.run.memory, 0, 1 << 30)
    between("run.batch_rows", config.run.batch_rows, 1, 10_000_000)
    between("run.checkpoint", config.run.checkpoint, 1, 1 << 20)
    return problems
