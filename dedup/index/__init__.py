"""The online index: asked about texts before they go anywhere, it says whether each is new, a copy of what, and of which story.

Pages become incoming documents (``incoming``); each is looked up (``lookup``), its pairs are verified (``matching``), it is
decided (``decision``) and written (``changes``). ``store`` is the contract of the two stores, ``sqlite`` and ``redis``.
"""

from .document import Document
from .index import Index
from .verdict import Match, Verdict

__all__ = ["Document", "Index", "Match", "Verdict"]
