"""Warnings about a corpus as a whole: what makes its result worth less than it seems, and what to do about it.

Few, so that they are read: each stands for a mistake that is easily made and not seen in the tables. What readers notice in single
files is in ``readers/log.py``. With a base, only what is new is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..config import Config
from ..copies.find import Copies
from ..readers.values import safe_text
from .corpus import Corpus

#: Fewer documents are a trial, of which nothing is said.
LEAST = 50
#: More than this share of documents, or of rows, is most of them.
MOST = 0.5
#: A copy group that holds more than this share of the documents is rather a notice than news.
ONE_TEXT = 0.05
#: Articles that are looked at for their script, documents for their hosts.
SAMPLE, URLS = 500, 10_000
#: One outlet has a few hosts (www, m, sport); more of them are more outlets.
HOSTS = 10
_LETTERS = 20
_HOST = r"^[A-Za-z]+://(?:www\.)?(?P<host>[^/:?#]+)"


def corpus_warnings(corpus: Corpus, copies: Copies, config: Config) -> list[str]:
    """A sentence or two for each doubt: what was seen, what follows from it, what to do."""
    documents = corpus.documents.slice(corpus.earlier)
    told = [_rejected(corpus)]
    if documents.num_rows >= LEAST:
        if config.stories.enabled:
            told += [_undated(documents), _foreign(corpus, config)]
        told += [_outlets(documents), _one_text(corpus, copies)]
    return [doubt for doubt in told if doubt]


def _rejected(corpus: Corpus) -> str:
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
        f"{safe_text(first['detail'], 100)}). Look at one of each kind with 'dedup inspect'"
    )


def _undated(documents: Any) -> str:
    undated = documents.column("published").null_count
    if undated <= MOST * documents.num_rows:
        return ""
    return (
        f"{undated:,} of {documents.num_rows:,} documents have no date of publication, so stories go by their words alone and news of "
        "different weeks can be one story. Name the column with --input.published"
    )


def _foreign(corpus: Corpus, config: Config) -> str:
    if config.stories.background != "shipped":
        return ""
    is_article = ~corpus.is_headline()
    is_article[: corpus.earlier] = False
    rows = np.flatnonzero(is_article)
    rows = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
    leads = corpus.leads.take(pa.array(rows))
    letters = np.asarray(pc.count_substring_regex(leads, r"\p{L}"))
    arabic = np.asarray(pc.count_substring_regex(leads, r"\p{Arabic}"))
    read = letters >= _LETTERS
    other = int(np.count_nonzero(read & (arabic < MOST * letters)))
    if other <= MOST * np.count_nonzero(read):
        return ""
    return (
        f"most articles are not in Arabic script ({other:,} of {np.count_nonzero(read):,} looked at), but words are weighed by counts of "
        "Arabic news. Count such texts with 'dedup stories fit-idf', and name the counts with --stories.background"
    )


def _outlets(documents: Any) -> str:
    sources = documents.column("source")
    if sources.null_count > MOST * documents.num_rows:
        return (
            f"{sources.null_count:,} of {documents.num_rows:,} documents name no outlet, so a form that an outlet fills in again and again "
            "is hard to tell from a copy, and stories cannot count outlets. Name the column with --input.source"
        )
    if pc.count_distinct(sources, mode="only_valid").as_py() > 1:
        return ""
    urls = documents.column("url").slice(0, URLS).drop_null()
    hosts = pc.count_distinct(pc.struct_field(pc.extract_regex(urls, _HOST), "host"), mode="only_valid").as_py()
    if hosts < HOSTS:
        return ""
    outlet = safe_text(sources.drop_null()[0].as_py(), 40)
    return (
        f'all documents name one outlet, "{outlet}", but their URLs have {hosts:,} hosts; what one outlet repeats is taken for a form, so '
        "copies may be missed. Name the column with the outlet with --input.source"
    )


def _one_text(corpus: Corpus, copies: Copies) -> str:
    sizes = np.bincount(copies.canonical[corpus.earlier :])
    most, count = int(np.argmax(sizes)), len(copies.canonical) - corpus.earlier
    if sizes[most] < LEAST or sizes[most] <= ONE_TEXT * count:
        return ""
    document = corpus.documents.slice(most, 1).to_pylist()[0]
    title = safe_text(document["title"] or "", 60)
    return (
        f'{sizes[most]:,} of {count:,} documents are copies of one text, "{title}" ({document["doc_id"]}). '
        "If it is a notice of a site and no news, leave those pages out of the input"
    )
