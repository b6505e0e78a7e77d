"""Crawls of invented words, each an attack on one part of the engine, and checks of their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

_LETTERS = np.array(list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"))
_BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
_OUTLETS = 40


@dataclass(frozen=True)
class Attack:
    """``crawl(n)`` makes a table of n pages; ``problems(result)`` lists the faults of its result."""

    crawl: Callable[[int], Any]
    problems: Callable[[Any], list[str]]


def words(n: int, seed: int) -> list[str]:
    """Different words of seven to nine letters."""
    random = np.random.default_rng(seed)
    made: dict[str, None] = {}
    while len(made) < n:
        letters = _LETTERS[random.integers(0, len(_LETTERS), (n, 9))]
        lengths = random.integers(7, 10, n)
        made.update(dict.fromkeys("".join(row[:length]) for row, length in zip(letters, lengths, strict=True)))
    return list(made)[:n]


def pages(texts: list[str] | None, titles: list[str] | None, *, days: float | None, outlets: int = _OUTLETS) -> Any:
    """A table of pages spread over ``days`` (0: all in one second; None: undated), their outlets in rotation."""
    n = len(texts or titles or [])
    columns: dict[str, Any] = {"id": [f"p{i}" for i in range(n)]}
    if texts is not None:
        columns["text"] = pa.array(texts, pa.large_string())
    if titles is not None:
        columns["title"] = titles
    if days is not None:
        columns["published"] = pa.array([_BEGIN + timedelta(days=days * i / n) for i in range(n)], pa.timestamp("s", "UTC"))
    if outlets:
        columns["source"] = [f"outlet {i % outlets}" for i in range(n)]
    return pa.table(columns)


def ordinary(n: int) -> Any:
    """Unrelated pages: words drawn by Zipf's law, five hundred pages a day."""
    return pages(_zipf_texts(n, 0), _zipf_texts(n, 1, length=8), days=n / 500)


def _zipf_texts(n: int, seed: int, length: int = 150) -> list[str]:
    known, random = np.array(words(50_000, 7)), np.random.default_rng(seed)
    return [" ".join(known[np.minimum(random.zipf(1.25, length), len(known)) - 1]) for _ in range(n)]


def near_copies(n: int) -> Any:
    """One text of 150 words, in many outlets; each page replaces up to three of them by its own."""
    base, own, random = np.array(words(150, 1)), words(n, 2), np.random.default_rng(3)
    texts = []
    for i in range(n):
        text = base.copy()
        text[random.integers(0, 150, 3)] = own[i]
        texts.append(" ".join(text))
    return pages(texts, None, days=1)


def shared_paragraph(n: int) -> Any:
    """A shared paragraph of 80 words below 120 words of each page's own."""
    paragraph = " ".join(words(80, 1))
    return pages([f"{text}.\n{paragraph}" for text in _zipf_texts(n, 2, 120)], None, days=n / 500)


def exact_copies(n: int) -> Any:
    """One text on every page."""
    return pages([" ".join(words(150, 1))] * n, None, days=1)


def common_shingles(n: int) -> Any:
    """Each page has ten of the same two hundred sentences, so no shingle is rare."""
    known = words(200 * 14, 1)
    sentences = [" ".join(known[14 * i : 14 * i + 14]) + "." for i in range(200)]
    random = np.random.default_rng(2)
    return pages([" ".join(sentences[j] for j in random.choice(200, 10, replace=False)) for _ in range(n)], None, days=n / 500)


def headlines_undated(n: int) -> Any:
    """One headline of ten words, one of them replaced on each page; undated."""
    return pages(None, _headlines(n), days=None)


def headlines_at_once(n: int) -> Any:
    """The headlines of ``headlines_undated``, all in one second."""
    return pages(None, _headlines(n), days=0)


def _headlines(n: int) -> list[str]:
    base, own, random = np.array(words(10, 1)), words(n, 2), np.random.default_rng(3)
    titles = []
    for i in range(n):
        title = base.copy()
        title[random.integers(0, 10)] = own[i]
        titles.append(" ".join(title))
    return titles


def one_title(n: int) -> Any:
    """One headline on all pages; every second page has a text of its own, the others have none."""
    texts = [text if i % 2 else None for i, text in enumerate(_zipf_texts(n, 2, 60))]
    return pages(texts, [" ".join(words(9, 1))] * n, days=1)  # type: ignore[arg-type]


def one_story(n: int) -> Any:
    """Half of the pages report one event within a day, in shuffled words; the others are unrelated."""
    core, own, random = np.array(words(90, 1)), np.array(words(50_000, 2)), np.random.default_rng(3)
    reports = [" ".join(random.permutation(np.concatenate([core, own[random.integers(0, len(own), 1)]]))) for _ in range(n // 2)]
    return pages(reports + _zipf_texts(n - n // 2, 4), None, days=2)


def template(n: int) -> Any:
    """A template of 100 words with 30 numbers of each page's own."""
    base, random = words(100, 1), np.random.default_rng(2)
    places = sorted(np.random.default_rng(3).choice(100, 30, replace=False))
    texts = []
    for _ in range(n):
        text = list(base)
        for place, number in zip(places, random.integers(1000, 1_000_000, 30), strict=True):
            text[place] = f"{text[place]} {number}"
        texts.append(" ".join(text))
    return pages(texts, None, days=n / 500, outlets=1)


def undated(n: int) -> Any:
    """Unrelated pages without a date."""
    return pages(_zipf_texts(n, 0), _zipf_texts(n, 1, length=8), days=None)


def short_pages(n: int) -> Any:
    """One text of three words, too short to be compared: no page is a copy."""
    return pages([" ".join(words(3, 1))] * n, None, days=1)


def one_id(n: int) -> Any:
    """Unrelated pages with one id."""
    return pages(_zipf_texts(n, 0, 40), None, days=n / 500).set_column(0, "id", pa.repeat("p", n))


def unrelated_at_once(n: int) -> Any:
    """Unrelated pages, all in one second."""
    return pages(_zipf_texts(n, 0), _zipf_texts(n, 1, length=8), days=0)


def _one_group(result: Any) -> list[str]:
    groups = len(set(result.documents.column("canonical_id").to_pylist()))
    return [f"{groups:,} groups instead of 1"] if groups != 1 else []


def _apart_in_one_outlet(result: Any) -> list[str]:
    """What one outlet prints again and again with other words in places is a form; other outlets print copies of it."""
    kept = [row["source"] for row in result.documents.to_pylist() if row["status"] != "copy"]
    return [f"documents of {len(set(kept)):,} outlets are kept instead of one"] if len(set(kept)) != 1 else []


def _few_copies(share: float) -> Callable[[Any], list[str]]:
    def problems(result: Any) -> list[str]:
        copies, n = result.manifest["counts"]["copies"], result.documents.num_rows
        return [f"{copies:,} of {n:,} are copies"] if copies > share * n else []

    return problems


def _one_large_story(result: Any) -> list[str]:
    members = Counter(result.documents.column("story_id").to_pylist())
    largest, event = max(members.values()), result.documents.num_rows // 2
    return [f"the largest story has {largest:,} of {event:,} members"] if not 0.95 * event <= largest <= 1.05 * event else []


def _one_document(result: Any) -> list[str]:
    n = result.documents.num_rows
    return [f"{n:,} documents instead of 1"] if n != 1 else []


def _headlines_are_one(result: Any) -> list[str]:
    documents = result.documents.select(["role", "canonical_id"]).to_pylist()
    groups = len({row["canonical_id"] for row in documents if row["role"] == "headline"})
    return [f"headlines in {groups:,} groups instead of 1"] if groups != 1 else []


ATTACKS = {
    "near_copies": Attack(near_copies, _apart_in_one_outlet),
    "exact_copies": Attack(exact_copies, _one_group),
    "shared_paragraph": Attack(shared_paragraph, _few_copies(0)),
    "common_shingles": Attack(common_shingles, _few_copies(0.01)),
    "template": Attack(template, _few_copies(0)),
    "headlines_undated": Attack(headlines_undated, _few_copies(0)),
    "headlines_at_once": Attack(headlines_at_once, _few_copies(0)),
    "one_title": Attack(one_title, _headlines_are_one),
    "one_story": Attack(one_story, _one_large_story),
    "undated": Attack(undated, _few_copies(0)),
    "unrelated_at_once": Attack(unrelated_at_once, _few_copies(0)),
    "short_pages": Attack(short_pages, _few_copies(0)),
    "one_id": Attack(one_id, _one_document),
}
