"""Warnings about the corpus as a whole: likely mistakes and how to fix them.

There are few, so that people read them: common mistakes that the tables do not show. With a base,
only new documents are checked. Warnings about single files come from ``readers/log.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..config import Config
from ..copies.find import Copies
from ..copies.survivor_policy import EARLIEST, FULLEST, trusted_sources
from ..readers.values import safe_text
from .corpus import Corpus

#: A corpus with fewer documents is a trial run and gets no warnings.
LEAST = 50
#: A warning says "most" above this share.
MOST = 0.5
#: A copy group with more than this share of the documents is probably a site notice, not news.
ONE_TEXT = 0.05
#: Articles checked for their script.
SAMPLE = 500
#: Documents checked for the hosts of their URLs.
URLS = 10_000
#: A single outlet has a few hosts (www, m, sport); this many hosts belong to several outlets.
HOSTS = 10
#: An article with fewer letters in its lead is not checked for its script.
LETTERS = 20
_HOST = r"^[A-Za-z]+://(?:www\.)?(?P<host>[^/:?#]+)"


def corpus_warnings(corpus: Corpus, copies: Copies, config: Config) -> list[str]:
    """List the warnings; each says what was found, what follows from it and how to fix it."""
    documents = corpus.documents.slice(corpus.base_documents)
    warnings = [_most_pages_rejected(corpus), _trusted_outlets_unknown(corpus, config)]
    if documents.num_rows >= LEAST:
        if config.stories.enabled:
            warnings += [_most_documents_undated(documents), _most_articles_foreign(corpus, config)]
        warnings += [_outlets_unknown_or_one(documents), _large_copy_group(corpus, copies)]
    return [warning for warning in warnings if warning]


def _trusted_outlets_unknown(corpus: Corpus, config: Config) -> str:
    trusted = trusted_sources(config.copies.keep)
    sources = corpus.documents.column("source")
    unknown = [name for name in trusted if not pc.any(pc.equal(sources, name), min_count=0).as_py()]
    if not unknown:
        return ""
    names = ", ".join(f'"{safe_text(name, 40)}"' for name in unknown)
    return (
        f"copies.keep lists {names}, but no document has that outlet. Write outlets as the column 'source' does, "
        f"or '{EARLIEST}' or '{FULLEST}'"
    )


def _most_pages_rejected(corpus: Corpus) -> str:
    reasons = corpus.rejects.column("reason")
    lost = corpus.rejects.filter(pc.not_equal(reasons, "already_in_base"))
    if not lost.num_rows or lost.num_rows <= MOST * corpus.pages:
        return ""
    counts = sorted(pc.value_counts(lost.column("reason")).to_pylist(), key=lambda item: (-item["counts"], item["values"]))
    reason = counts[0]["values"]
    first = lost.filter(pc.equal(lost.column("reason"), reason)).slice(0, 1).to_pylist()[0]
    place = first["input_file"] if first["input_row"] is None else f"{first['input_file']}, row {first['input_row']}"
    return (
        f"{lost.num_rows:,} of {corpus.pages:,} pages were rejected, {counts[0]['counts']:,} of them as {reason} (first: {place}: "
        f"{safe_text(first['detail'], 100)}). 'dedup inspect' shows an example of each reason"
    )


def _most_documents_undated(documents: Any) -> str:
    undated = documents.column("published").null_count
    if undated <= MOST * documents.num_rows:
        return ""
    return (
        f"{undated:,} of {documents.num_rows:,} documents have no publication date, so only their words decide about stories, and one "
        "story may mix news of different weeks. Name the date column with --input.published"
    )


def _most_articles_foreign(corpus: Corpus, config: Config) -> str:
    if config.stories.background != "shipped":
        return ""
    is_article = ~corpus.is_headline()
    is_article[: corpus.base_documents] = False
    rows = np.flatnonzero(is_article)
    rows = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
    leads = corpus.leads.take(pa.array(rows))
    letters = np.asarray(pc.count_substring_regex(leads, r"\p{L}"))
    arabic = np.asarray(pc.count_substring_regex(leads, r"\p{Arabic}"))
    read = letters >= LETTERS
    other = int(np.count_nonzero(read & (arabic < MOST * letters)))
    if other <= MOST * np.count_nonzero(read):
        return ""
    return (
        f"most articles are not in Arabic script ({other:,} of {np.count_nonzero(read):,} checked), but the shipped word counts are those "
        "of Arabic news. Count words in similar texts with 'dedup stories fit-idf' and pass the file with --stories.background"
    )


def _outlets_unknown_or_one(documents: Any) -> str:
    sources = documents.column("source")
    if sources.null_count > MOST * documents.num_rows:
        return (
            f"{sources.null_count:,} of {documents.num_rows:,} documents have no outlet, so templates of an outlet may be taken for "
            "copies, and stories cannot count outlets. Name the outlet column with --input.source"
        )
    if pc.count_distinct(sources, mode="only_valid").as_py() > 1:
        return ""
    urls = documents.column("url").slice(0, URLS).drop_null()
    hosts = pc.count_distinct(pc.struct_field(pc.extract_regex(urls, _HOST), "host"), mode="only_valid").as_py()
    if hosts < HOSTS:
        return ""
    outlet = safe_text(sources.drop_null()[0].as_py(), 40)
    return (
        f'all documents have the same outlet, "{outlet}", but their URLs have {hosts:,} hosts. Text that one outlet repeats counts as a '
        "template, so copies may be missed. Name the outlet column with --input.source"
    )


def _large_copy_group(corpus: Corpus, copies: Copies) -> str:
    sizes = np.bincount(copies.survivors.canonical[corpus.base_documents :])
    most, count = int(np.argmax(sizes)), len(copies) - corpus.base_documents
    if sizes[most] < LEAST or sizes[most] <= ONE_TEXT * count:
        return ""
    document = corpus.documents.slice(most, 1).to_pylist()[0]
    title = safe_text(document["title"] or "", 60)
    return (
        f'{sizes[most]:,} of {count:,} documents are copies of one text, "{title}" ({document["doc_id"]}). '
        "If it is a site notice and not news, remove those pages from the input"
    )
