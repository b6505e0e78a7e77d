"""Damaged crawl files: whole records are read, damaged ones rejected, nothing hangs."""

import random
import time

import pytest

from tests.readers.warc.warc_files import PACKED, gz, read_warc, response, warc_record, wet_record, wet_text, zst
from tests.stress import crawl_files as crawl

FORMS = {**PACKED, ".one.warc.gz": gz, ".one.warc.zst": zst}
RECORDS = 8


def stored(form):
    """A file of records, and the end of each in it (None if all are packed as one)."""
    raw = [wet_record(number) for number in range(RECORDS)]
    if form.startswith(".one"):
        return FORMS[form](b"".join(raw)), None
    packed = [PACKED[form](record) for record in raw]
    return b"".join(packed), [sum(map(len, packed[: number + 1])) for number in range(RECORDS)]


TEXTS = {wet_text(number): number for number in range(50)}


def numbers_of(pages):
    """The record of each page, by its text; None for a text that was never written."""
    return [TEXTS.get(f"{page['title']}\n{page['text']}") for page in pages]


def spoil(content, chance, way):
    """The content with one damage, and the byte at which it begins."""
    at = chance.randrange(len(content))
    size = chance.choice([1, 1, 1, 2, 20, 300])
    if way == "change":
        changed = bytes(byte ^ chance.randrange(1, 256) for byte in content[at : at + size])
        return content[:at] + changed + content[at + size :], at
    if way == "insert":
        return content[:at] + chance.randbytes(size) + content[at:], at
    if way == "remove":
        return content[:at] + content[at + size :], at
    if way == "repeat":
        back = max(0, at - 5 * size)
        return content[:at] + content[back:], at
    return content[:at], at


@pytest.mark.slow
@pytest.mark.parametrize("way", ["change", "insert", "remove", "repeat", "cut"])
@pytest.mark.parametrize("form", FORMS)
def test_records_before_damage_and_in_later_members_are_kept(tmp_path, form, way):
    content, ends = stored(form)
    for seed in range(60):
        chance = random.Random(f"{form} {way} {seed}")
        damaged, at = spoil(content, chance, way)
        pages, rejects, log = read_warc_or_nothing(tmp_path / f"{seed}{form}", damaged)
        found = [number for number in numbers_of(pages) if number is not None]
        if ends is None:
            continue
        before = [number for number, end in enumerate(ends) if end <= at]
        assert found[: len(before)] == before, seed
        if way in ("change", "insert", "remove"):
            # 300 bytes affect at most two records here; all others must be present, in order.
            lost = set(range(RECORDS)) - set(found)
            assert len(lost) <= 3, (seed, lost)
            assert set(range(min(lost, default=0), max(lost, default=-1) + 1)) == lost, seed
            assert rejects or log.skipped or not lost, seed  # skipped: if the damage changed the type of the record


@pytest.mark.slow
@pytest.mark.parametrize("form", [".warc", ".warc.gz", ".warc.zst"])
def test_damage_never_yields_a_text_that_was_not_written(tmp_path, form):
    # Digests and checksums detect it, unless the digest itself is damaged.
    content, _ = stored(form)
    for seed in range(150):
        chance = random.Random(f"true {form} {seed}")
        damaged, _ = spoil(content, chance, "change")
        pages, _, _ = read_warc_or_nothing(tmp_path / f"{seed}{form}", damaged)
        assert None not in numbers_of(pages), seed


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_several_damages_at_once_are_survived(tmp_path, form):
    content, _ = stored(form)
    for seed in range(40):
        chance = random.Random(f"several {form} {seed}")
        damaged = content
        for _ in range(chance.randint(2, 8)):
            damaged, _ = spoil(damaged or b"x", chance, chance.choice(["change", "insert", "remove", "repeat", "cut"]))
        read_warc_or_nothing(tmp_path / f"{seed}{form}", damaged)


def read_warc_or_nothing(path, content):
    """Like ``read_warc``, but a file of which nothing is left is no error."""
    return read_warc(path, content) if content else ([], [], None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100, 4096])
@pytest.mark.parametrize("first", [b"WARC/1.0\r\n", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18", b""])
def test_noise_is_rejected_whatever_its_first_bytes(tmp_path, first, size):
    noise = first + random.Random(size).randbytes(size)
    for name in ("a.warc", "a.warc.gz", "a.warc.zst"):
        pages, rejects, _ = read_warc(tmp_path / name, noise)
        assert pages == []
        assert rejects


# Completeness


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst", "a.one.warc.gz"])
@pytest.mark.parametrize("damage", [0, 21])
def test_every_record_is_a_page_a_reject_or_skipped(tmp_path, name, damage):
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    written = crawl.build(tmp_path / name, pages=60, damage=damage, seed=damage)
    facts, rejects = crawl.account_of(tmp_path / name)
    assert facts["records"] == written.total() == facts["pages"] + rejects.total() + sum(facts["skipped"].values())
    assert facts["pages"] == written["page"]
    assert rejects.total() == sum(count for what, count in written.items() if what.startswith("damaged"))
    assert rejects.total() == damage
    assert facts["skipped"] == {what: count for what, count in written.items() if what != "page" and not what.startswith("damaged")}


def test_generated_pages_of_every_layout_and_encoding_keep_their_words(tmp_path):
    pytest.importorskip("resiliparse", reason="the extra crawl is not installed")
    chance = random.Random(1)
    bodies = [crawl.page_html(number, chance) for number in range(2 * len(crawl.LAYOUTS))]
    records = [warc_record("response", response(body, content_type=header), number=at) for at, (body, header) in enumerate(bodies)]
    pages, rejects, _ = read_warc(tmp_path / "a.warc.gz", b"".join(map(gz, records)))
    assert (len(pages), rejects) == (len(records), [])
    for page in pages:
        words = (page["title"] + " " + page["text"]).replace(".", " ").split()
        strange = [word for word in words if word not in crawl.WORDS]
        assert len(words) > 100, page
        assert len(strange) < 8, strange  # words of the cues around lists


@pytest.mark.parametrize("way", crawl.DAMAGES)
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst"])
def test_each_kind_of_damage_costs_one_record_and_reports_its_position(tmp_path, name, way):
    pack = crawl.packer(tmp_path / name)
    parts = [pack(wet_record(number)) for number in range(6)]
    offset = sum(map(len, parts[:3]))
    parts[3] = crawl.DAMAGES[way](wet_record(3), pack, random.Random(5))
    pages, (reject,), _ = read_warc(tmp_path / name, b"".join(parts))
    expected = [0, 1, 2, 3, 4, 5] if way == "garbage before it" else [0, 1, 2, 4, 5]
    assert numbers_of(pages) == expected
    assert reject["input_row"] == 3
    place = f"{offset:,} bytes into the member at byte 0: " if name == "a.warc" and way != "garbage before it" else f"byte {offset:,}: "
    assert reject["detail"].startswith(place) or way == "garbage before it"


def test_a_length_that_spans_several_records_costs_only_its_own(tmp_path):
    long = wet_record(1).replace(b"Content-Length: ", b"Content-Length: 3")
    pages, (reject,), _ = read_warc(tmp_path / "a.warc", wet_record(0) + long + b"".join(map(wet_record, range(2, 40))))
    assert numbers_of(pages) == [0, *range(2, 40)]
    assert reject["reason"] == "bad_length"
    assert "announced, but another record begins after" in reject["detail"]


def test_a_digest_mismatch_is_rejected_and_unknown_digests_are_ignored(tmp_path):
    good = wet_record(1)
    digest = good.partition(b"WARC-Block-Digest: ")[2].partition(b"\r\n")[0]
    for written, expected in ((b"sha1:" + b"A" * 32, 0), (b"crc:12", 1), (b"sha1:short", 1), (b"sha-1:" + digest[5:].lower(), 1)):
        pages, rejects, _ = read_warc(tmp_path / "a.warc", good.replace(digest, written))
        assert (len(pages), [reject["reason"] for reject in rejects]) == (expected, [] if expected else ["bad_digest"])


# Hostile files


HOSTILE = {
    "headers without end": b"WARC/1.0\r\nAb:" * 100_000,
    "headers without length": b"WARC/1.0\r\nAb:c\r\n\r\n" * 50_000,
    "lengths far too large": b"WARC/1.0\r\nContent-Length: 99999999999\r\n\r\n" * 30_000,
    "lengths that reach over thousands of records": b"WARC/1.0\r\nContent-Length: 5000000\r\n\r\n" * 30_000,
    "lengths that end in blank lines": b"WARC/1.0\r\nContent-Length: 2000000\r\n\r\n" * 30_000 + b"\n" * 2_000_000,
    "blank lines": b"\r\n" * 2_000_000,
    "beginnings of gzip members": b"\x1f\x8b\x08\x00" * 200_000,
    "beginnings of zstd frames": b"\x28\xb5\x2f\xfd\x04" * 200_000,
    # Each begins inside all previous ones, and none of them ends.
    "a member in a member, gzip": (b"\x1f\x8b\x08" + bytes(6) + b"\x03\x00\x46\x00\xb9\xff" + b"WARC/1.0\r\nAb:" + b"a" * 47) * 60_000,
    "a member of members that do not end": (b"\x1f\x8b\x08" + bytes(6) + b"\x03\x00\x3c\x00\xc3\xff" + b"a" * 60) * 20_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_take_linear_time(tmp_path, kind):
    pack = gz if "gzip" in kind or kind.startswith("a member") else zst if "zstd" in kind else bytes
    begun = time.process_time()
    pages, _, _ = read_warc(tmp_path / "a.warc", pack(wet_record(1)) + HOSTILE[kind])
    seconds = time.process_time() - begun
    assert numbers_of(pages) == [1]
    assert seconds < 20  # quadratic time would be hours
