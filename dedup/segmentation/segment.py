"""Splits a news page into main article, embedded articles, headlines and furniture.

Precision comes first: a line that is not clearly furniture stays in the body, and a page without
furniture is returned unchanged. Time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .cues import HEAD, ends_a_sentence, load_cues
from .lines import Line, Part, read_line, read_lines

# A cue does not by itself end the article. «اقرأ أيضا» occurs in three forms, and only the third
# ends it:
#
# - with a headline on its line: the line is furniture, and the article continues;
# - alone above one or a few lines without final stop, then prose: those lines are furniture, and
#   the article continues;
# - alone after an end block (source or keywords line, or a list), above a full text: an embedded
#   second article.
#
# A list of headlines needs a cue alone on its line and at least two list items, up to the end of
# the page or the next such cue; a list without a cue is news. Headlines of the first two forms are
# furniture, not documents: most are teasers of the outlet itself, and a sub-heading looks the same.
#
# Limits: a cue inside one long line is not found, except the page's own link at the very end;
# datelines and names of outlets («عين اليوم – الرياض») stay in the body.

#: Most passes over a page. Real pages need two; a page that needs more is hostile and is returned
#: whole.
MAX_ROUNDS = 8
#: Fewest words of an article that an end block or a second article may follow.
ARTICLE_WORDS = 40
#: Number of lines at the top and bottom, without furniture, that are the edge of a page.
_EDGE_LINES = 3
#: Roles whose cues are common words; roles that close an article.
_WEAK = frozenset({"related_weak", "related_weak_comma"})
_END_BLOCK = frozenset({"source", "keywords"})
#: «المصدر:» this often in a page is a speaker in a dialogue.
_DIALOGUE = 3
#: Most lines without bullets of a block of teasers inside an article; a last line of fewer words is
#: a sub-heading.
_TEASERS, _TEASER_WORDS = 6, 5
#: Most tags under a keywords cue, and most words of a tag.
_TAGS, _TAG_WORDS = 20, 3
#: A weak cue («شاهد:») counts only behind this many words of the article; before them it belongs to
#: the headline.
_WORDS_BEFORE_WEAK = 12
#: An embedded article without an end block before it: fewest paragraphs; least share of its title's
#: words that are in its lead; least share that are in one item of the list behind it.
_PARAGRAPHS, _TITLE_SHARE, _SAME_TITLE = 3, 0.5, 0.8
#: Quotation marks, brackets and stars, which do not belong to the name of an outlet.
_UNQUOTED = dict.fromkeys(map(ord, '«»"“”{}()[]*'), " ")


@dataclass(frozen=True)
class Embedded:
    """A second full article inside a page; ``text`` is without the line of the title."""

    title: str | None
    text: str


@dataclass(frozen=True)
class Page:
    """The parts of a page.

    Attributes
    ----------
    body : the main article: unchanged if nothing was removed, else its lines stripped and joined by
        LF, without blank lines
    source_line : the outlet named in «المصدر: ...» of the main article, if any
    keywords_line : the words behind «كلمات دلالية:», if any
    embedded : second articles, in page order
    headlines : related headlines in page order, without bullets, with single blanks
    furniture : all other lines, unchanged, in page order; lines of source, keywords and cues too
    """

    body: str
    source_line: str | None = None
    keywords_line: str | None = None
    embedded: tuple[Embedded, ...] = ()
    headlines: tuple[str, ...] = ()
    furniture: tuple[str, ...] = ()


def segment(text: str) -> Page:
    """Split a flattened page into its parts.

    Parameters
    ----------
    text : the page, one paragraph or title a line (LF, CR LF or CR)

    Returns
    -------
    the parts
        Each character that is neither a blank nor the bullet of a headline is in exactly one of
        body, embedded, headlines and furniture. ``segment(page.body).body`` equals ``page.body``.
    """
    lines = _split_galleries(read_lines(text))
    for _ in range(MAX_ROUNDS):
        body = [line for line in lines if line.part is Part.BODY]
        taken = len(lines) - len(body)
        _mark_anywhere(body)
        _mark_edges(body)
        _mark_articles(body, max((line.article for line in lines), default=0))
        lines = _split_self_link(lines)
        if sum(line.part is not Part.BODY for line in lines) == taken:
            return _assemble(lines) if taken else Page(text)
    return Page(text)


def needs_segmenting(text: Any) -> Any:
    """Which texts of a column may have furniture.

    Parameters
    ----------
    text : Arrow array or chunked array of string or large_string

    Returns
    -------
    boolean array of the same length
        True of every text whose body ``segment`` would change, and of few others; false of nulls.
    """
    found = pc.match_substring_regex(text, pattern=load_cues().prefilter)
    return pc.fill_null(found, pa.scalar(False))


def _split_galleries(lines: list[Line]) -> list[Line]:
    """Split gallery buttons off the lines that begin with them."""
    split, gallery = [], load_cues().gallery
    for line in lines:
        match = gallery.match(line.text[:HEAD])
        if match is None:
            split.append(line)
            continue
        split.append(Line(line.text[: match.end()], "", part=Part.FURNITURE))
        if line.text[match.end() :].strip():
            split.append(read_line(line.text[match.end() :]))
    return split


def _split_self_link(lines: list[Line]) -> list[Line]:
    """Split the page's own link off the end of the last line of the body."""
    last = max((at for at, line in enumerate(lines) if line.part is Part.BODY), default=-1)
    if last < 0:
        return lines
    line, cues = lines[last], load_cues()
    match = cues.self_link.search(line.text, max(0, len(line.text) - HEAD))
    if match is None or len(line.text[match.end() :].split()) > cues.self_link_words:
        return lines
    link = Line(line.text[match.start() :], "", part=Part.FURNITURE)
    before = line.text[: match.start()].strip()
    return lines[:last] + ([read_line(before)] if before else []) + [link] + lines[last + 1 :]


def _mark_anywhere(body: list[Line]) -> None:
    """Mark lines that are furniture anywhere on the page: source, keywords, share, rights."""
    anywhere = load_cues().anywhere
    sources = sum(line.role == "source" for line in body)
    for at, line in enumerate(body):
        if line.role not in anywhere or (line.role == "source" and sources >= _DIALOGUE):
            continue
        line.part = Part.FURNITURE
        if line.role == "keywords" and line.is_alone:
            for tag in _tags(body, at + 1):
                tag.role, tag.part = "tag", Part.FURNITURE


def _tags(body: list[Line], start: int) -> list[Line]:
    """The tags below a lone keywords cue, if a cue or the end of the page follows them."""
    tags: list[Line] = []
    for line in body[start : start + _TAGS]:
        if line.role is not None or line.words > _TAG_WORDS or ends_a_sentence(line.text):
            return tags if line.role is not None else []
        tags.append(line)
    return tags if start + len(tags) == len(body) else []


def _mark_edges(body: list[Line]) -> None:
    """Mark lines that are furniture only near an edge: bylines, credits, contacts, times."""
    for side, order in (("start", range(len(body))), ("end", range(len(body) - 1, -1, -1))):
        kept = 0
        for at in order:
            line = body[at]
            if line.part is not Part.BODY:
                continue
            if _is_edge_furniture(line, side, body[at - 1] if at else None):
                line.part = Part.FURNITURE
                continue
            kept += 1
            if kept == _EDGE_LINES:
                break


def _is_edge_furniture(line: Line, side: str, before: Line | None) -> bool:
    if line.role == "bare_contact":
        return side == "end"
    if line.role is None or load_cues().by_role[line.role].edge not in (side, "edges"):
        return False
    if line.role == "quoted_from" and not line.has_bullet:
        # Without a star it may be the end of a sentence that was broken into two lines.
        return before is not None and (ends_a_sentence(before.text) or before.text.endswith(("!", "؟", "..", "…")))
    return True


def _mark_articles(body: list[Line], articles: int) -> None:
    """Mark teasers, embedded articles and lists of headlines, walking the lines in order."""
    borders = [at for at, line in enumerate(body) if _is_border(line)] + [len(body)]
    border = iter(borders)
    next_border = next(border)
    article, words, closed = 0, 0, False  # 0 is the main article; others are numbered after those of earlier passes
    recent: list[Line] = []  # the last two paragraphs of the current article
    for at, line in enumerate(body):
        if at == next_border:
            next_border = next(border)
            headlines = _list_of_headlines(body, at + 1, next_border)
            # If only some lines below «اقرأ أيضا:» have bullets, they are a teaser and a list that
            # is news.
            if headlines and (line.role == "related_list" or len({headline.has_bullet for headline in headlines}) == 1):
                _mark_list(body, at, next_border, headlines)
                closed = closed or line.role == "related_list"
                continue
            if line.role != "related_list":
                line.part = Part.FURNITURE
                if _opens_article(body, at + 1, next_border, words, closed, recent):
                    articles = article = articles + 1
                    words, closed, recent = 0, False, []
                    _mark_title(body, at + 1, article)
                else:
                    for teaser in _teasers(body, at + 1, next_border, recent):
                        teaser.part = Part.FURNITURE
                continue
        if line.part is not Part.BODY:
            closed = closed or (line.role in _END_BLOCK and words >= ARTICLE_WORDS)
        elif line.role == "related" or (line.role in _WEAK and words >= _WORDS_BEFORE_WEAK):
            line.part = Part.FURNITURE
        else:
            if article:
                line.part, line.article = Part.EMBEDDED, article
            words, closed, recent = words + line.words, False, [*recent[-1:], line]


def _is_border(line: Line) -> bool:
    return line.part is Part.BODY and line.role in ("related", "related_list") and line.is_alone


def _list_of_headlines(body: list[Line], start: int, stop: int) -> list[Line]:
    """The headlines between a cue and the next one or the end; empty if it is no list."""
    headlines = []
    for line in body[start:stop]:
        if line.part is not Part.BODY or (line.role == "related" and not line.has_bullet):
            continue
        if line.is_list_item:
            headlines.append(line)
        elif line.words > 2:
            return []
    return headlines if len(headlines) > 1 else []


def _mark_list(body: list[Line], start: int, stop: int, headlines: list[Line]) -> None:
    for line in body[start:stop]:
        line.part = Part.FURNITURE
    for line in headlines:
        line.part = Part.HEADLINE


def _opens_article(body: list[Line], start: int, stop: int, words: int, closed: bool, recent: list[Line]) -> bool:
    """Whether the lines between two lone cues are a second article, not the rest of this one."""
    content = [line for line in body[start:stop] if _is_text(line)]
    if not content or words < ARTICLE_WORDS:
        return False
    title = content[0] if content[0].is_headline else None
    paragraphs = [line for line in (content[1:] if title else content) if line.is_paragraph]
    if closed:
        return bool(paragraphs)
    if title is None or len(paragraphs) < _PARAGRAPHS or stop == len(body):
        return False
    after = next((at for at in range(stop + 1, len(body)) if _is_border(body[at])), len(body))
    listed = _list_of_headlines(body, stop + 1, after)
    if not listed:
        return False
    in_list = max(_share(title.tokens, line.tokens) for line in listed) >= _SAME_TITLE
    lead = _share(title.tokens, paragraphs[0].tokens | paragraphs[1].tokens)
    own = _share(title.tokens, frozenset().union(*(line.tokens for line in recent)))
    return in_list or (lead >= _TITLE_SHARE and lead > own)


def _is_text(line: Line) -> bool:
    # A title may begin with a weak cue: «شاهد.. الجسر الجديد».
    return line.part is Part.BODY and (line.role is None or line.role in _WEAK)


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _mark_title(body: list[Line], start: int, article: int) -> None:
    first = next(line for line in (body[at] for at in range(start, len(body))) if _is_text(line))
    if first.is_headline:
        first.part, first.article = Part.TITLE, article


def _teasers(body: list[Line], start: int, stop: int, recent: list[Line]) -> list[Line]:
    """The headlines below a lone cue inside an article: teasers, which are furniture."""
    run: list[Line] = []
    for line in body[start:stop]:
        if line.part is not Part.BODY:
            continue
        if not line.is_list_item or not _is_text(line) or (run and line.has_bullet != run[0].has_bullet):
            break
        run.append(line)
    if run and run[0].has_bullet:
        return run
    if len(run) > _TEASERS or not recent or not ends_a_sentence(recent[-1].text):
        return run[:1]
    return run[:-1] if len(run) > 1 and run[-1].words < _TEASER_WORDS else run


def _assemble(lines: list[Line]) -> Page:
    main = list(_lines_before_second_article(lines))
    named = [line for line in main if line.part is Part.FURNITURE and not line.is_alone]
    sources = [line for line in named if line.role == "source"] or [line for line in named if line.role == "quoted_from"]
    keywords = next((line for line in main if line.part is Part.FURNITURE and line.role == "keywords"), None)
    tags = [line.text for line in main if line.role == "tag" and line.part is Part.FURNITURE]
    articles: dict[int, list[Line]] = {}  # in page order
    for line in lines:
        if line.article:
            articles.setdefault(line.article, []).append(line)
    return Page(
        body="\n".join(line.text for line in lines if line.part is Part.BODY),
        source_line=_outlet_name(sources[-1].rest) if sources else None,
        keywords_line=(keywords.rest.strip() or " ".join(tags) or None) if keywords else None,
        embedded=tuple(_embedded_article(own) for own in articles.values()),
        headlines=tuple(line.headline for line in lines if line.part is Part.HEADLINE),
        furniture=tuple(line.raw for line in lines if line.part is Part.FURNITURE),
    )


def _lines_before_second_article(lines: list[Line]) -> Iterator[Line]:
    for line in lines:
        if line.article:
            return
        yield line


def _embedded_article(own: list[Line]) -> Embedded:
    title = next((" ".join(line.text.split()) for line in own if line.part is Part.TITLE), None)
    return Embedded(title, "\n".join(line.text for line in own if line.part is Part.EMBEDDED))


def _outlet_name(rest: str) -> str:
    # «نقلا عن "الخليج" الإماراتية», (المصدر: وكالات)
    return " ".join(rest.translate(_UNQUOTED).split())
