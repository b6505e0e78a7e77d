"""dedup: near-duplicates and stories in Arabic news.

result = dedup.run("crawl/")             # files in, tables out
result.documents, result.matches, result.stories, result.rejects
result.write("out")                      # the same as Parquet

dedup.find_copies(table)                 # copies only; any Arrow table, or mappings
dedup.normalize("إلى القاهرة", level="shingle")
dedup.segment(page_text)                 # article, source line, embedded article, headlines
dedup.sign(texts).to_datasketch()        # MinHash signatures
"""

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
from .fingerprint import shingle, sign
from .pages import Embedded, Page, segment
from .pipeline import find_copies, run
from .result import Result
from .signatures import Signatures
from .texts import normalize
from .version import __version__

__all__ = [
    "CandidateConfig",
    "Config",
    "ConfigError",
    "CopyConfig",
    "DedupError",
    "Embedded",
    "InputConfig",
    "InputError",
    "OutputError",
    "Page",
    "Result",
    "RunConfig",
    "SchemaError",
    "ShingleConfig",
    "SignatureConfig",
    "SignatureError",
    "Signatures",
    "StoryConfig",
    "TextConfig",
    "__version__",
    "find_copies",
    "normalize",
    "run",
    "segment",
    "shingle",
    "sign",
]
