"""Every reason for which an input unit is rejected, with its meaning.

Part of the data contract: a new reason needs a line here, an old one is never renamed.
"""

from __future__ import annotations

#: Reason -> its meaning, from the whole file down to the single page.
REJECT_REASONS: dict[str, str] = {
    "unreadable_file": "The file could not be opened, or nothing in it could be read.",
    "truncated_file": "The file ends too early or is damaged part way through; the rows before that point are kept.",
    "read_error": "The storage reported an error in the middle of a crawl file; the records before it are kept.",
    "bomb": "Decompressing the data yields far more bytes than any real crawl; it was not read further.",
    "too_large": "A page, line, record or file exceeds its size limit (for pages: the setting input.page_bytes).",
    "invalid_utf8": "The bytes are not valid UTF-8.",
    "bad_json": "The line or array element is not valid JSON, or is not an object.",
    "bad_csv_row": "The CSV or TSV record cannot be parsed, or has more or fewer fields than the header.",
    "bad_value": "The text is a list or an object instead of a string, or the row is not a mapping.",
    "no_column": "The line of the stream has no key that can serve as text or title.",
    "damaged_member": "A compressed member of a crawl file is damaged or cut off.",
    "garbage": "Bytes of a crawl file belong to no record or compressed member.",
    "bad_header": "The header of a WARC record is malformed, or its Content-Length is missing or not a number.",
    "bad_length": "The Content-Length of a WARC record is wrong: no record follows at the announced end.",
    "truncated_record": "A WARC record ends before its announced length, or within its header.",
    "bad_digest": "The content of a WARC record does not match its WARC-Block-Digest.",
    "bad_http": "A WARC response does not begin with an HTTP status line.",
    "bad_encoding": "The chunked transfer or compressed content of an HTTP response is damaged.",
    "unknown_encoding": "The content encoding of an HTTP response is unknown, or needs a package that is not installed.",
    "unknown_charset": "No character encoding turns the bytes into words.",
    "too_deep": "The elements of the HTML page are nested deeper than in any real page.",
    "no_main_text": "The HTML page has no main text: only menus, links and scripts.",
    "empty_page": "The page has neither text nor title.",
    "mojibake": "The text was decoded with a wrong encoding before it came here, or its letters were lost.",
    "duplicate_id": "An earlier page of the run has the same id, or a page of the base has it with other words.",
    "already_in_base": "The base has a page with the same id and the same words.",
}
