"""The online index: is a text new, a copy of what, and of which story.

Pages become incoming documents (``incoming``), which are looked up (``lookup``), verified against
what was found (``matching``), decided (``decision``) and written (``changes``) to a ``store``:
``sqlite`` or ``redis``.
"""

from .document import Document
from .index import Index
from .verdict import Match, Verdict

__all__ = ["Document", "Index", "Match", "Verdict"]
