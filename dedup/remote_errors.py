"""What libraries say of object stores and networks, in plain words, with what to do."""

from __future__ import annotations

import re

#: What is found in a message (in lower case) -> what it means and what to do; the first that fits.
_MEANINGS = (
    (r"no_such_bucket|nosuchbucket", "there is no such bucket. Check the spelling, and the endpoint if one is set"),
    (
        r"access_denied|accessdenied|invalid_access_key|invalidaccesskey|signature|http status 40[13]|forbidden|unauthorized|permission",
        "access is denied. Check the credentials (for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) and what they allow",
    ),
    (r"expired.?token|token.*expired", "the credentials have expired. Renew them and give the same command again"),
    (r"no_such_upload|nosuchupload", "an upload was cancelled by someone else. Give the same command again"),
    (r"slow_down|slowdown|throttl|http status 503", "the server says that it is asked too much. Give the same command again later"),
    (
        r"http status 301|permanent.?redirect|configured region|bucket is located",
        "the bucket is in another region. Name it with ?region=... or AWS_REGION",
    ),
    (
        r"curlcode: 28|timed? ?out|too slow|operation_aborted",
        "the server did not answer, or fell silent. Check the network, and AWS_ENDPOINT_URL if it is set",
    ),
    (
        r"curlcode: 18|partial file|connection.*(reset|closed|broken)|network_connection.*end of response",
        "the connection broke off. Give the same command again",
    ),
    (
        r"network_connection|curlcode|could not resolve|cannot connect|connect(ion)? (to|refused)|no response from",
        "the server cannot be reached. Check the network, and AWS_ENDPOINT_URL if it is set",
    ),
    (r"path does not exist|no such file|http status 404|not found", "there is no such file. Check the spelling"),
)
_PATTERNS = [(re.compile(pattern), meaning) for pattern, meaning in _MEANINGS]
#: Keys, tokens and signatures do not belong into a message.
_SECRETS = re.compile(r"(?i)(://)[^/@\s]*:[^/@\s]*@|([\w-]*(?:secret|token|key|sig|credential)[\w-]*=)[^&\s'\"]+")


def describe(error: BaseException) -> str:
    """An error in a sentence or two; the library's own words stand in brackets where they say more."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = _SECRETS.sub(lambda found: (found[1] or found[2] or "") + "***", text)
    own = re.sub(r" ?\(Request ID:[^)]*\)", "", text)[:300].rstrip(".")
    for pattern, meaning in _PATTERNS:
        if pattern.search(text.lower()):
            return f"{meaning} ({own})."
    return f"{own}."
