"""Extracts the text of a parsed HTML page, one paragraph a line, for ``segmentation.segment``.

Prepares the tree for the extractor (Resiliparse, extra ``crawl``), which turns it into lines and
removes menus, footers and advertisements by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# - Links to other articles (asides, blocks named "related", lists of headlines only) move behind
#   the text, with bullets and under «مقالات ذات صلة», so that they become headlines.
# - A second full <article> (sites with endless scrolling) moves behind an end block and «إقرأ
#   أيضاً», so that it becomes an embedded article.
# - The smallest element with most of the paragraphs is the article; its surroundings are ignored.

#: Elements that are never text. Forms are missing on purpose: some sites wrap the whole page in
#: one.
_NO_TEXT = "script,style,noscript,template,iframe,object,svg,canvas,video,audio,button,select,textarea,input,label,nav,figcaption,dialog"
#: Blocks that are furniture by class or id, if they have few words.
_FURNITURE = ",".join(
    f'[{attribute}*="{name}" i]'
    for name in (
        "share",
        "social",
        "caption",
        "comment",
        "newsletter",
        "subscribe",
        "breadcrumb",
        "cookie",
        "advert",
        "promo",
        "open-in-app",
    )
    for attribute in ("class", "id")
)
#: Blocks that link to other articles by element, class or id.
_RELATED = "aside," + ",".join(
    f'[{attribute}*="{name}" i]'
    for name in ("related", "similar", "read-also", "readalso", "read-more", "readmore", "also-read", "see-also", "most-read", "mostread",
                 "most-view", "recommend", "more-news", "latest-news", "also-like", "sidebar")
    for attribute in ("class", "id")
)  # fmt: skip
_LISTS = "ul,ol"
#: Words of a link that is a headline; a link with fewer is an item of a menu.
_HEADLINE_WORDS = range(4, 26)
#: A block consists of links if at least this share of its letters is in links.
_LINKED = 0.5
#: Most words of a block of furniture; fewest words of a paragraph.
_FURNITURE_WORDS, _PARAGRAPH_WORDS = 40, 8
#: The article contains at least this share of the letters in paragraphs.
_COVERED = 0.75
#: Nested blocks are read several times: most readings of the page's whole text, and the least cost
#: of a block in letters.
_MOST_READINGS, _BLOCK_COST = 20, 1
#: Fewest paragraphs and words of a second article.
_ARTICLE_PARAGRAPHS, _ARTICLE_WORDS = 3, 60
_FEED_TAIL = re.compile(r"^The post .{0,400} appeared first on .{0,200}$")
_BYTE_ORDER_MARK = "\ufeff"
#: The whole page is used instead of the article's element if it has this many times as much prose.
_LEAST_GAIN = 1.5
#: Most ancestors of a paragraph that may be the article; first lines among which the title may be
#: repeated.
_MOST_STEPS, _TITLE_LINES = 16, 4
#: Most words of the heading right above a list of links.
_LIST_HEAD_WORDS = 5
_LIST_HEAD, _ARTICLE_HEAD, _END_BLOCK = "مقالات ذات صلة", "إقرأ أيضاً:", "المصدر: {}"


def main_text(tree: Any, *, title: str | None, source: str | None, is_fragment: bool) -> str:
    """The text of a page.

    Parameters
    ----------
    tree : ``resiliparse.parse.html.HTMLTree``; it is modified
    title : title of the page, which is removed from the top of the text
    source : the outlet, for the end block between two articles
    is_fragment : the whole tree is content, as in an item of a feed

    Returns
    -------
    lines, none of them blank; empty if there is no text
    """
    body = tree.body
    if body is None:
        return ""
    for node in select(body, _NO_TEXT):
        node.remove()
    headlines = _remove_links(body)
    _remove_furniture(body)
    others = [] if is_fragment else _remove_other_articles(body, headlines)
    lines = _without_title(_lines_of(tree) if is_fragment else _lines_of_article(tree), title)
    for second_title, second in others:
        lines += [_END_BLOCK.format(source or "-"), _ARTICLE_HEAD, second_title, *second]
    listed = [headline for headline in dict.fromkeys(headlines) if headline != title]
    if lines and len(listed) > 1:
        lines += [_LIST_HEAD, *("• " + headline for headline in listed)]
    return "\n".join(lines)


def select(node: Any, selector: str) -> list[Any]:
    """The elements below a node that match a CSS selector, in page order.

    Resiliparse's collections run the query again for each element that is accessed; ``values`` runs
    it once.
    """
    found: list[Any] = node.query_selector_all(selector).values()
    return found


def words_of(node: Any) -> list[str]:
    """The words of an element."""
    return (node.text or "").split()


def _remove_links(body: Any) -> list[str]:
    """Remove blocks of links to other articles; returns their headlines in page order."""
    headlines: list[str] = []
    for selector in (_RELATED, _LISTS):
        for block, words in _blocks_with_words(body, selector):
            links = [words_of(link) for link in select(block, "a")]
            size, linked = len("".join(words)), sum(len("".join(link)) for link in links)
            found = [" ".join(link) for link in links if len(link) in _HEADLINE_WORDS]
            if not size or linked < _LINKED * size or (selector == _LISTS and 2 * len(found) < len(links)):
                continue
            headlines += found
            head = block.previous_element_sibling
            if head is not None and len(words_of(head)) <= _LIST_HEAD_WORDS:
                head.remove()
            block.remove()
    return headlines


def _remove_furniture(body: Any) -> None:
    for block, words in _blocks_with_words(body, _FURNITURE):
        if len(words) <= _FURNITURE_WORDS:
            block.remove()


def _blocks_with_words(body: Any, selector: str) -> Iterator[tuple[Any, list[str]]]:
    """Elements that match a selector, with their words, unless removed meanwhile.

    Nested blocks are read once for each level, so this stops when the page was read
    ``_MOST_READINGS`` times.
    """
    left = _MOST_READINGS * len(body.text or "")
    before = None
    for block in select(body, selector):
        if before is not None and before.parent is None and before.contains(block):
            continue
        words = words_of(block)
        left -= sum(map(len, words)) + _BLOCK_COST
        if left < 0:
            return
        yield block, words
        before = block


def _remove_other_articles(body: Any, headlines: list[str]) -> list[tuple[str, list[str]]]:
    """Remove further ``<article>`` elements; returns (title, paragraphs) of full ones.

    Small ones are cards that link to an article; their headlines are added to ``headlines``. An
    article inside the first one is a part of it unless it is such a card.
    """
    others: list[tuple[str, list[str]]] = []
    main = None
    for article, words in _blocks_with_words(body, "article"):
        head = article.query_selector("h1,h2,h3")
        headline = words_of(head) if head is not None else []
        if len(words) < _ARTICLE_WORDS:
            if len(headline) in _HEADLINE_WORDS and article.query_selector("a") is not None:
                headlines.append(" ".join(headline))
                article.remove()
        elif main is None:
            main = article
        elif headline and not main.contains(article):
            paragraphs = _paragraphs(article)
            if len(paragraphs) >= _ARTICLE_PARAGRAPHS:
                others.append((" ".join(headline), [" ".join(words_of(p)) for p in paragraphs]))
                article.remove()
    return others


def _lines_of_article(tree: Any) -> list[str]:
    """The lines of the article element, or of the whole page if that has far more prose."""
    body = tree.body
    paragraphs = _paragraphs(body)
    article = _article_element(body, paragraphs)
    if article is None:
        return _lines_of(tree, main_content=True)
    contained, everything = len("".join(words_of(article))), len("".join(words_of(body)))
    whole = _lines_of(tree, main_content=True) if 2 * contained < everything else []
    body.replace_children(article)
    lines = _lines_of(tree)
    # The text may be in bare lines, while the only paragraphs are in a footer.
    return whole if _prose_length(whole) > _LEAST_GAIN * _prose_length(lines) else lines


def _article_element(body: Any, paragraphs: list[Any]) -> Any:
    """The smallest element with most of the text in paragraphs, or None."""
    sizes = [len(p.text or "") for p in paragraphs]
    total = sum(sizes)
    if not total:
        return None
    contained: dict[Any, int] = {}
    for p, size in zip(paragraphs, sizes, strict=True):
        node = p.parent
        for _ in range(_MOST_STEPS):
            if node is None or node == body:
                break
            contained[node] = contained.get(node, 0) + size
            node = node.parent
    enough = [(size, node) for node, size in contained.items() if size >= _COVERED * total]
    # An element contains at least as much as each of its descendants; of equal ones, the innermost
    # came first.
    return min(enough, key=lambda found: found[0])[1] if enough else None


def _prose_length(lines: list[str]) -> int:
    return sum(len(line) for line in lines if line.count(" ") >= _PARAGRAPH_WORDS)


def _lines_of(tree: Any, *, main_content: bool = False) -> list[str]:
    from resiliparse.extract.html2text import extract_plain_text

    text = extract_plain_text(tree, main_content=main_content, alt_texts=False, comments=False)
    lines = [" ".join(line.split()) for line in text.replace(_BYTE_ORDER_MARK, "").splitlines()]
    lines = [line for line in lines if line]
    return lines[:-1] if lines and _FEED_TAIL.match(lines[-1]) else lines


def _without_title(lines: list[str], title: str | None) -> list[str]:
    """Lines without a repeated title at the top, and without those before it."""
    for at, line in enumerate(lines[:_TITLE_LINES]):
        if line == title:
            return lines[at + 1 :]
    return lines


def _paragraphs(node: Any) -> list[Any]:
    return [p for p in select(node, "p") if len(words_of(p)) >= _PARAGRAPH_WORDS]
