"""An index of texts, asked before they go anywhere whether they are new, copies of what, and of which story.

Pages become arrivals (``reading``), arrivals look for what is like them (``lookup``), every pair is measured exactly (``judging``,
``titles``), what each is gets decided (``deciding``) and filed (``filing``). Where it is kept is a matter of its own: ``entries``
says what is asked of a store, ``sqlite_store`` and ``redis_store`` are the two there are. ``online`` is the door.
"""

from .document import Document
from .index import Index
from .verdict import Match, Verdict

__all__ = ["Document", "Index", "Match", "Verdict"]
