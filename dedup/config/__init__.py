"""The settings of a run: a frozen tree of dataclasses, validated on construction.

Names are the same in Python (``Config(copies=CopyConfig(near=0.6))``), in TOML (``[copies]``,
``near = 0.6``) and on the command line (``--copies.near 0.6``).
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

#: Numbers of ``stories/thresholds.py`` that help texts below quote; documented there.
QUIET_DAY, QUIET_SHARE = 10, 0.45
DENSE_NEIGHBOURS, DENSE_SIMILARITY = 80, 0.067


def _did_you_mean(name: str, known: list[str]) -> str:
    """A hint at the known name most like this one, or nothing."""
    import difflib  # only for a message

    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _doc(help_text: str, default: Any) -> Any:
    """A field with the help text that ``--help`` and the manual show."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """Which input column has which role. ``None``: the column is found by its usual name."""

    id: str | None = _doc("column with the id of a page ('none': build ids from file name and row)", None)
    text: str | None = _doc("column with the text", None)
    title: str | None = _doc("column with the title", None)
    published: str | None = _doc("column with the publication date", None)
    source: str | None = _doc("column with the outlet", None)
    url: str | None = _doc("column with the URL", None)
    author: str | None = _doc("column with the byline, used to find the news agency", None)
    html: str | None = _doc("column with the page as HTML, instead of a text column", None)
    page_bytes: int = _doc("bytes of the largest HTML page; larger pages are rejected", 16 << 20)


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How pages are split into documents."""

    segment: bool = _doc("split flattened pages into the article, embedded articles and headlines", True)
    min_words: int = _doc("articles with fewer words are 'short': kept, but never compared", 8)
    min_headline_words: int = _doc("headlines with fewer words are 'short'", 4)


@dataclass(frozen=True, kw_only=True)
class ShingleConfig:
    """What a shingle is."""

    words: int = _doc("words per shingle of an article", 3)
    headline_chars: int = _doc("characters per shingle of a headline", 3)


@dataclass(frozen=True, kw_only=True)
class SignatureConfig:
    """The signatures of shingle sets, for MinHash-LSH."""

    permutations: int = _doc("length of the signature", 128)
    seed: int = _doc("seed of the signature", 1)
    scheme: str = _doc(
        "'native', or 'datasketch' for the values of datasketch.MinHash, or 'datasketch-legacy' for stores of datasketch 1", "native"
    )


@dataclass(frozen=True, kw_only=True)
class CandidateConfig:
    """Which pairs of documents are compared."""

    bands: int = _doc("bands of the signature", 32)
    rows: int = _doc("signature values per band", 4)
    bucket_cap: int = _doc("largest LSH bucket whose documents are all compared; in larger ones each meets only a few others", 64)
    sampled: int = _doc("shingles of each document that are looked up in all others, to find excerpts", 40)
    list_cap: int = _doc("sampled shingles in more documents than this propose no pairs", 200)
    recall: float = _doc("share of article pairs with jaccard 'at' that must be found; replaces bands and rows (0: use them)", 0.0)
    at: float = _doc("jaccard at which 'recall' must be reached, and from which it is measured", 0.5)
    recall_sample: int = _doc("articles compared with all others to measure the recall (0: 500 if 'recall' is set, else none)", 0)


@dataclass(frozen=True, kw_only=True)
class CopyConfig:
    """What counts as a copy. Similarities are exact, over sets of shingles."""

    keep: str = _doc(
        "which of several documents with one text is kept: 'earliest', 'fullest', or outlets in order of trust, "
        "with commas between them ('أ,ب')",
        "earliest",
    )
    near: float = _doc("jaccard from which two documents are near copies", 0.5)
    excerpt: float = _doc("containment from which the smaller document can be an excerpt of the larger", 0.4)
    contained: float = _doc("share of a document that must stand in another one, so that it is a copy of it", 0.62)
    coverage: float = _doc("share of an excerpt's words that must occur in the larger text next to the same neighbour", 0.76)
    distinct: float = _doc("share of the containment that must remain when common shingles weigh less; else it is a template", 0.75)
    common: int = _doc("shingles in more documents than this weigh less, counted over documents without an outlet", 10)
    common_in_source: int = _doc("shingles in more documents of one outlet than this weigh less", 2)
    facts: float = _doc("share of a copy's numbers and rare words that the larger text must contain", 0.5)
    partial: float = _doc("containment from which shared passages are listed as 'partial'", 0.3)
    title: float = _doc("jaccard of character shingles from which two headlines are the same", 0.85)
    title_days: float = _doc("a title that returns after more days than this is a new one", 7.0)


@dataclass(frozen=True, kw_only=True)
class StoryConfig:
    """How canonical documents are grouped into stories."""

    enabled: bool = _doc("group canonical documents into stories", True)
    background: str = _doc(
        "document frequencies of words in other news: 'shipped', 'none', or a file from 'dedup stories fit-idf'", "shipped"
    )
    title_weight: float = _doc("weight of a word in the title; a word in the text weighs 1", 2.0)
    lead_words: int = _doc("words at the start of a text that are used", 150)
    letters: float = _doc("share of character shingles in a headline's vector; the rest is words", 0.5)
    window_days: float = _doc("documents further apart in time are never compared", 5.0)
    decay_days: float = _doc("standard deviation of the time decay, in days", 3.0)
    headline_decay_days: float = _doc("the same between two headlines, if it is shorter", 1.0)
    cut: float = _doc("average similarity at which the stories of two articles are joined", 0.17)
    headline_cut: float = _doc(
        f"the same for headlines when a day has hundreds of documents; {QUIET_SHARE} of it when a day has {QUIET_DAY}", 0.18
    )
    crowd: float = _doc(
        f"how much 'cut' rises in dense news, by the mean similarity to the {DENSE_NEIGHBOURS} nearest documents beyond {DENSE_SIMILARITY}",
        1.2,
    )
    neighbours: int = _doc("nearest documents kept for each document", 400)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What changes speed, memory and disk space, but never the result."""

    threads: int = _doc("threads (0: one per core)", 0)
    batch_rows: int = _doc("rows read at a time", 2048)
    memory: int = _doc("megabytes of memory that a run may use before fingerprints move to temporary files (0: half of the machine's)", 0)
    checkpoint: int = _doc("megabytes of text between checkpoints; an interrupted 'dedup run' resumes after the last one", 128)
    keep_texts: bool = _doc("store the texts in the result; a later run with --base needs them", True)


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings of a run.

    Raises
    ------
    ConfigError
        If any setting is out of range; the message lists every problem.
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
        """(bands, rows) of the LSH for articles: as set, or as chosen for ``candidates.recall``."""
        candidates = self.candidates
        if not candidates.recall:
            return candidates.bands, candidates.rows
        return choose_bands(self.signatures.permutations, candidates.recall, candidates.at)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The tree as plain dictionaries, ready for JSON."""
        return dataclasses.asdict(self)

    def digest(self, contents: Mapping[str, str] | None = None) -> str:
        """Sixteen hex digits of the version and of all settings that can change a result (not ``run``).

        Parameters
        ----------
        contents : digests of the files that settings name, ``{"stories.background": "9a0c..."}``,
            which replace the names
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
        """Settings whose values differ, as ``(name, mine, theirs)``.

        Leaves out the sections ``free``, and ``stories.background``: the content of that file
        counts, not its name.
        """
        mine, theirs = ({name: value for name, _, value, _ in _rows(config)} for config in (self, other))
        counted = (name for name in mine if name.partition(".")[0] not in free and name != "stories.background")
        return [(name, mine[name], theirs[name]) for name in counted if mine[name] != theirs[name]]

    def replace(self, changes: Mapping[str, Any]) -> Config:
        """A copy with ``{"copies.near": 0.6, ...}`` changed.

        Raises
        ------
        ConfigError
            If a name is unknown (the message lists the known ones) or a value is out of range.
        """
        sections: dict[str, dict[str, Any]] = {}
        for name, value in changes.items():
            section, _, setting = name.partition(".")
            sections.setdefault(section, {})[setting] = value
        built: dict[str, Any] = {}
        for section, values in sections.items():
            current = getattr(self, section, None)
            if not dataclasses.is_dataclass(current) or section.startswith("_"):
                known = [f.name for f in dataclasses.fields(self)]
                raise ConfigError(
                    f"there is no section '{section}' in the configuration.{_did_you_mean(section, known)} Sections: {', '.join(known)}."
                )
            settings = [f.name for f in dataclasses.fields(current)]
            for setting in values:
                if setting not in settings:
                    raise ConfigError(
                        f"there is no setting '{section}.{setting}'.{_did_you_mean(setting, settings)} "
                        f"Settings of {section}: {', '.join(settings)}."
                    )
            built[section] = dataclasses.replace(current, **values)  # type: ignore[type-var]
        return dataclasses.replace(self, **built)

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Config:
        """Build from nested mappings, such as ``to_dict`` returns; ``changes`` override them."""
        flat: dict[str, Any] = {}
        for section, values in tree.items():
            if not isinstance(values, Mapping):
                raise ConfigError(f"'{section}' must be a section with settings, got {values!r}.")
            flat.update({f"{section}.{name}": value for name, value in values.items()})
        return cls().replace({**flat, **(changes or {})})

    @classmethod
    def from_toml(cls, path: str | Path, changes: Mapping[str, Any] | None = None) -> Config:
        """Read a TOML file whose tables are the sections of this tree.

        ``changes``, as ``replace`` takes them, override the file. Both are validated together.
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


def changed_settings(tree: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings in nested mappings that are not the defaults: ``{"copies.near": {"value": 0.6, "default": 0.5}}``.

    A setting that this version does not know has the default None.
    """
    defaults = Config().to_dict()
    changed = {}
    for section, values in tree.items():
        for name, value in values.items():
            default = defaults.get(section, {}).get(name)
            if value != default:
                changed[f"{section}.{name}"] = {"value": value, "default": default}
    return changed


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

    def need(holds: bool, message: str) -> None:
        if not holds:
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
    need(
        signatures.scheme in ("native", "datasketch", "datasketch-legacy"),
        f"signatures.scheme must be 'native', 'datasketch' or 'datasketch-legacy', got {signatures.scheme!r}",
    )
    need(
        all(name.strip() for name in copies.keep.split(",")),
        f"copies.keep must be 'earliest', 'fullest' or names of outlets with commas between them, got {copies.keep!r}",
    )
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
