"""The online index over HTTP: a small ASGI service around one ``dedup.Index``.

    index = dedup.Index.open("news.index")
    app = create_app(index, ServeSettings())     # any ASGI server runs it; 'dedup serve' runs it with uvicorn

A process serves an index that it has opened itself, and one process at a time may write: there are no workers to be
multiplied. The one who opened the index closes it, when the server has stopped. Needs the extra ``serve``.

There are no passwords and there is no encryption here: whoever reaches the port can add and remove documents. Keep the
service on a private address, or behind a proxy that knows who may come in.
"""

from .app import create_app
from .settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]
