"""Text to shingles, as strings: what the hashes of ``kernels/shingle.py`` stand for."""

from __future__ import annotations


def shingle_strings(tokens: list[str], words: int) -> list[str]:
    """The shingles of a token list: ``words`` consecutive tokens joined by a space, in text order, repeats kept.

    A list of one to ``words`` tokens has one shingle, all of it; an empty one has none.
    """
    if not tokens:
        return []
    width = min(words, len(tokens))
    return [" ".join(tokens[i : i + width]) for i in range(len(tokens) - width + 1)]
