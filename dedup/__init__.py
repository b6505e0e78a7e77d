"""dedup: near-duplicates and stories in Arabic news.

    result = dedup.run("crawl/")             # files in, tables out
    result.documents, result.matches, result.stories, result.rejects
    result.write("out")                      # the same as Parquet

    dedup.find_copies(table)                 # copies only; any Arrow table, or mappings
    with dedup.Index.open("news.index") as index:
        index.ingest(dedup.Document(id="1", text=text)).action  # "index", "skip" or "update"
    dedup.normalize("إلى القاهرة", level="shingle")
    dedup.segment(page_text)                 # article, source line, embedded article, headlines
    dedup.sign(texts).to_datasketch()        # MinHash signatures
    dedup.StoryClusterer().fit_predict(tfidf, times)  # stories of your own vectors, a scikit-learn estimator

Names are imported on first use, so that ``dedup --help`` does not wait for the kernels.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .config import (
        CandidateConfig,
        Config,
        CopyConfig,
        InputConfig,
        RunConfig,
        ShingleConfig,
        SignatureConfig,
        StoryConfig,
        TextConfig,
    )
    from .errors import ConfigError, DedupError, InputError, OutputError, SchemaError, SignatureError
    from .fingerprints.fingerprint import shingle, sign
    from .fingerprints.minhash import Signatures
    from .index import Document, Index, Match, Verdict
    from .pipeline import find_copies, run
    from .result import Result
    from .segmentation.segment import Embedded, Page, segment
    from .stories import StoryClusterer
    from .text.normalization import normalize

_HOMES = {
    "config": "CandidateConfig Config CopyConfig InputConfig RunConfig ShingleConfig SignatureConfig StoryConfig TextConfig",
    "errors": "ConfigError DedupError InputError OutputError SchemaError SignatureError",
    "fingerprints.fingerprint": "shingle sign",
    "index": "Document Index Match Verdict",
    "segmentation.segment": "Embedded Page segment",
    "pipeline": "find_copies run",
    "result": "Result",
    "fingerprints.minhash": "Signatures",
    "stories": "StoryClusterer",
    "text.normalization": "normalize",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "CandidateConfig",
    "Config",
    "ConfigError",
    "CopyConfig",
    "DedupError",
    "Document",
    "Embedded",
    "Index",
    "InputConfig",
    "InputError",
    "Match",
    "OutputError",
    "Page",
    "Result",
    "RunConfig",
    "SchemaError",
    "ShingleConfig",
    "SignatureConfig",
    "SignatureError",
    "Signatures",
    "StoryClusterer",
    "StoryConfig",
    "TextConfig",
    "Verdict",
    "__version__",
    "find_copies",
    "normalize",
    "run",
    "segment",
    "shingle",
    "sign",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return __all__
