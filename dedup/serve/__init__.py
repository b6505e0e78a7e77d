"""The online index over HTTP: a small ASGI service around one ``dedup.Index``.

    index = dedup.Index.open("news.index")
    app = create_app(index, ServeSettings())     # any ASGI server runs it; 'dedup serve' runs it with uvicorn

One process serves one index, because only one process may write to it: do not start several
workers. The caller opens the index and closes it after the server has stopped. Needs the extra
``serve``.

There is no authentication and no encryption: anyone who reaches the port can add and remove
documents. Bind to a private address, or put an authenticating proxy in front.
"""

from .app import create_app
from .settings import ServeSettings

__all__ = ["ServeSettings", "create_app"]
