"""The online index: is a text new, a copy of what, and of which story.

Documents are read (``incoming``), looked up (``lookup``), verified (``matching``), decided
(``decision``) and written (``updates``) to a ``store``: ``sqlite`` or ``redis``.
"""

from .document import Document
from .index import Index
from .verdict import Match, Verdict

__all__ = ["Document", "Index", "Match", "Verdict"]
