"""Documents that leave an index: taken out by name, because their page has them no more, or because their time is over."""

from __future__ import annotations

from ..config import Config
from ..errors import InputError
from ..readers.values import shown, without_surrogates
from .entries import Batch, Entry, Store
from .keys import copies_key, id_key
from .regrouping import regroup


def entry_of(store: Store, doc_id: str) -> Entry | None:
    """The entry of an id, written as it is kept: without halves of surrogate pairs.

    Raises
    ------
    InputError
        If it is no text.
    """
    if not isinstance(doc_id, str):
        raise InputError(f"the id of a document is a text, got {shown(repr(doc_id))}.")
    doc_id = without_surrogates(doc_id)
    entries = store.fetch(store.listed(id_key(doc_id)).tolist())
    return next((entry for entry in entries if entry is not None and entry.doc_id == doc_id), None)


def parts_of(store: Store, page_id: str, first: int, last: int) -> list[Entry]:
    """The further documents of a page by their numbers on it, from ``first`` to ``last``, as far as they are there."""
    parts = (entry_of(store, f"{page_id}#{number}") for number in range(first, last + 1))
    return [part for part in parts if part is not None and part.page_id == page_id]


def copies_of(store: Store, entry: Entry) -> list[Entry]:
    """The copies that an entry stands for."""
    if entry.canonical != entry.number:
        return []
    numbers = [number for number in store.listed(copies_key(entry.number)).tolist() if number != entry.number]
    return [copy for copy in store.fetch(numbers) if copy is not None and copy.canonical == entry.number]


def withdrawal(store: Store, number: int, config: Config) -> tuple[Batch, list[int]] | None:
    """What takes an entry out and lets its copies find another canonical, and the numbers of those; None if it is gone already."""
    entry = store.fetch([number])[0]
    if entry is None:
        return None
    copies = copies_of(store, entry)
    batch = regroup(copies, store.words([copy.number for copy in copies]), config) if copies else Batch()
    batch.removed = [number]
    return batch, [copy.number for copy in copies]


def outlived(store: Store, before: int, most: int) -> list[int]:
    """Up to ``most`` entries that arrived before a time (microseconds), those aside that stand for a copy that came later."""
    while True:
        numbers = store.arrived_before(before, most)
        entries = [entry for entry in store.fetch(numbers) if entry is not None]
        gone = [entry.number for entry in entries if all(copy.arrived < before for copy in copies_of(store, entry))]
        if gone or len(numbers) < most:
            return gone
        most *= 4  # what stays for the sake of a copy must not hide what is behind it
