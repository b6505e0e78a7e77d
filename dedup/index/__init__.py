"""The online index: says of each text whether it is new, what it is a copy of, and which story it belongs to.

Pages become incoming documents (``incoming``), which are looked up (``lookup``), verified against what was found
(``matching``), decided (``decision``) and written (``changes``) to a ``store``: ``sqlite`` or ``redis``.
"""

from .document import Document
from .index import Index
from .verdict import Match, Verdict

__all__ = ["Document", "Index", "Match", "Verdict"]
