"""A parsed HTML page -> its text, written as a flattened page is: a paragraph a line, related links as a list at the end.

The extractor (Resiliparse, extra ``crawl``) turns markup into lines and knows hundreds of names of menus, footers and
advertisements. What it cannot know is done here, on the tree, before it reads it:

- links to other articles (asides, blocks named "related", lists of nothing but headlines) leave the text and come back behind
  it, under «مقالات ذات صلة» and with bullets, so that ``pages.segment`` makes headlines of them;
- a second full ``<article>`` (sites that scroll on for ever) comes behind an end block and «إقرأ أيضاً», so that it is embedded;
- the smallest element that holds most of the paragraphs is the article, and what stands around it is not read.

Everything is one query over the tree each, or a walk of a bounded number of steps: time is linear in the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Never text. Forms are not here: some sites wrap the whole page in one.
_NO_TEXT = "script,style,noscript,template,iframe,object,svg,canvas,video,audio,button,select,textarea,input,label,nav,figcaption,dialog"
#: Names of blocks that are furniture, if they hold few words or mostly links.
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
#: Names of blocks that link to other articles.
_RELATED = "aside," + ",".join(
    f'[{attribute}*="{name}" i]'
    for name in ("related", "similar", "read-also", "readalso", "read-more", "readmore", "also-read", "see-also", "most-read", "mostread",
                 "most-view", "recommend", "more-news", "latest-news", "also-like", "sidebar")
    for attribute in ("class", "id")
)  # fmt: skip
_LISTS = "ul,ol"
#: A link of so many words is a headline; fewer are a menu's.
_HEADLINE_WORDS = range(4, 26)
#: A block is one of links if this share of its letters stands in links.
_LINKED = 0.5
#: Blocks named like furniture are taken off up to so many words; a paragraph has at least so many.
_FURNITURE_WORDS, _PARAGRAPH_WORDS = 40, 8
#: The article holds this share of the letters in paragraphs.
_COVERED = 0.75
#: Blocks inside of blocks: how often the page's text may be read again, and what a block costs at least.
_MOST_READINGS, _BLOCK_COST = 20, 1
#: An article of its own: so many paragraphs, so many words in them.
_ARTICLE_PARAGRAPHS, _ARTICLE_WORDS = 3, 60
_FEED_TAIL = re.compile(r"^The post .{0,400} appeared first on .{0,200}$")
_BYTE_ORDER_MARK = "\ufeff"
#: The whole page is taken instead of the article's element if it has so much more prose.
_LEAST_GAIN = 1.5
#: Parents of a paragraph that are looked at, and lines at the top among which the title may stand again.
_MOST_STEPS, _TITLE_LINES = 16, 4
#: A short line right above a list of links is its heading.
_LIST_HEAD_WORDS = 5
_LIST_HEAD, _ARTICLE_HEAD, _END_BLOCK = "مقالات ذات صلة", "إقرأ أيضاً:", "المصدر: {}"


def main_text(tree: Any, *, title: str | None, source: str | None, is_fragment: bool) -> str:
    """The text of a page.

    Parameters
    ----------
    tree : ``resiliparse.parse.html.HTMLTree``; it is changed
    title : the page's title, which is not repeated at the top of its text
    source : the outlet, for the end block between the article and a second one
    is_fragment : the whole tree is content, as in the items of a feed

    Returns
    -------
    lines without blank ones between; empty if there is no text
    """
    body = tree.body
    if body is None:
        return ""
    for node in select(body, _NO_TEXT):
        node.remove()
    headlines = _take_links(body)
    _take_furniture(body)
    further = [] if is_fragment else _take_articles(body, headlines)
    lines = _without_title(_lines_of(tree) if is_fragment else _lines_of_article(tree), title)
    for second_title, second in further:
        lines += [_END_BLOCK.format(source or "-"), _ARTICLE_HEAD, second_title, *second]
    listed = [headline for headline in dict.fromkeys(headlines) if headline != title]
    if lines and len(listed) > 1:
        lines += [_LIST_HEAD, *("• " + headline for headline in listed)]
    return "\n".join(lines)


def select(node: Any, selector: str) -> list[Any]:
    """The elements under a node that a CSS selector finds, in page order.

    The extractor's own collections run the query again for each element that is looked at; ``values`` runs it once.
    """
    found: list[Any] = node.query_selector_all(selector).values()
    return found


def words_of(node: Any) -> list[str]:
    """The words of an element."""
    return (node.text or "").split()


def _take_links(body: Any) -> list[str]:
    """Take the blocks of links to other articles off the tree; their headlines, in page order."""
    headlines: list[str] = []
    for selector in (_RELATED, _LISTS):
        for block, words in _blocks(body, selector):
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


def _take_furniture(body: Any) -> None:
    for block, words in _blocks(body, _FURNITURE):
        if len(words) <= _FURNITURE_WORDS:
            block.remove()


def _blocks(body: Any, selector: str) -> Iterator[tuple[Any, list[str]]]:
    """The elements that a selector finds, with their words; not those inside of one that was taken off meanwhile.

    Blocks inside of blocks are read again with each of them: this ends when the page was read ``_MOST_READINGS`` times.
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


def _take_articles(body: Any, headlines: list[str]) -> list[tuple[str, list[str]]]:
    """Take ``<article>`` elements behind the first full one off the tree: (title, paragraphs) of full ones.

    Small ones are cards that link to an article; their headlines go to ``headlines``. An article inside of the first one is
    a part of it, unless it is such a card.
    """
    further: list[tuple[str, list[str]]] = []
    main = None
    for article, words in _blocks(body, "article"):
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
                further.append((" ".join(headline), [" ".join(words_of(p)) for p in paragraphs]))
                article.remove()
    return further


def _lines_of_article(tree: Any) -> list[str]:
    """The lines of the element that holds the paragraphs; of the whole page where there is none, or where it has less text."""
    body = tree.body
    paragraphs = _paragraphs(body)
    article = _holder(body, paragraphs)
    if article is None:
        return _lines_of(tree, main_content=True)
    held, everything = len("".join(words_of(article))), len("".join(words_of(body)))
    whole = _lines_of(tree, main_content=True) if 2 * held < everything else []
    body.replace_children(article)
    lines = _lines_of(tree)
    # Text in bare lines, without paragraphs, may stand beside some paragraphs in a footer.
    return whole if _prose(whole) > _LEAST_GAIN * _prose(lines) else lines


def _holder(body: Any, paragraphs: list[Any]) -> Any:
    """The smallest element that holds most of the text in paragraphs, or None if there are none."""
    sizes = [len(p.text or "") for p in paragraphs]
    total = sum(sizes)
    if not total:
        return None
    held: dict[Any, int] = {}
    for p, size in zip(paragraphs, sizes, strict=True):
        node = p.parent
        for _ in range(_MOST_STEPS):
            if node is None or node == body:
                break
            held[node] = held.get(node, 0) + size
            node = node.parent
    enough = [(size, node) for node, size in held.items() if size >= _COVERED * total]
    # An element holds at least as much as what it contains; of those that hold the same, the innermost came first.
    return min(enough, key=lambda found: found[0])[1] if enough else None


def _prose(lines: list[str]) -> int:
    return sum(len(line) for line in lines if line.count(" ") >= _PARAGRAPH_WORDS)


def _lines_of(tree: Any, *, main_content: bool = False) -> list[str]:
    from resiliparse.extract.html2text import extract_plain_text

    text = extract_plain_text(tree, main_content=main_content, alt_texts=False, comments=False)
    lines = [" ".join(line.split()) for line in text.replace(_BYTE_ORDER_MARK, "").splitlines()]
    lines = [line for line in lines if line]
    return lines[:-1] if lines and _FEED_TAIL.match(lines[-1]) else lines


def _without_title(lines: list[str], title: str | None) -> list[str]:
    """Text from its first line on that is not the title again."""
    for at, line in enumerate(lines[:_TITLE_LINES]):
        if line == title:
            return lines[at + 1 :]
    return lines


def _paragraphs(node: Any) -> list[Any]:
    return [p for p in select(node, "p") if len(words_of(p)) >= _PARAGRAPH_WORDS]
