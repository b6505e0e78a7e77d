"""Document frequencies and their file: round trips, refused files and messages, protection from overwriting."""

import errno
import io
import os
import pickle
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from dedup.config import Config
from dedup.errors import ConfigError, OutputError
from dedup.fingerprints.fingerprint import fingerprint
from dedup.text.document_frequencies import (
    TERM_VERSION,
    DocumentFrequencies,
    background,
    background_of,
    content_name,
    read_counts,
    term_rules,
)

KNOWN = DocumentFrequencies(np.array([4, 8, 400], np.uint64), np.array([7, 1, 3], np.uint32), 9)
ARRAYS = {"terms": KNOWN.terms, "counts": KNOWN.counts, "documents": np.int64(9), "format": np.int64(1), "rules": np.uint64(term_rules())}
NOT_COUNTS = "not a file of document frequencies"
DAMAGED = "the file is damaged"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "idf.npz"


def refusal(path):
    with pytest.raises(ConfigError) as error:
        DocumentFrequencies.read(path)
    message = str(error.value)
    assert message.endswith(". Use a file that 'dedup stories fit-idf' wrote, or leave stories.background out.")
    return message.removeprefix(f"{path}: ").partition(". Use a file")[0]


def same(one, other):
    return one.terms.tolist() == other.terms.tolist() and one.counts.tolist() == other.counts.tolist() and one.documents == other.documents


# Round trips


def test_written_counts_are_read_back_unchanged(path):
    KNOWN.write(path)
    found = DocumentFrequencies.read(path)
    assert same(found, KNOWN)
    assert (found.terms.dtype, found.counts.dtype, type(found.documents)) == (np.uint64, np.uint32, int)
    assert found.document_frequency(np.array([8, 5, 12, 403], np.uint64)).tolist() == [1, 7, 0, 3]


def test_equal_counts_give_equal_bytes_that_numpy_reads(path, tmp_path):
    KNOWN.write(path)
    KNOWN.write(tmp_path / "other")
    assert path.read_bytes() == (tmp_path / "other").read_bytes()
    with np.load(path, allow_pickle=False) as arrays:
        assert {name: arrays[name].tolist() for name in arrays} == {name: array.tolist() for name, array in ARRAYS.items()}


def test_a_file_has_the_permissions_of_the_umask_and_no_temporary_file_remains(path):
    before = os.umask(0o027)
    try:
        KNOWN.write(path.parent / "new" / "idf.npz")
    finally:
        os.umask(before)
    assert os.listdir(path.parent / "new") == ["idf.npz"]
    assert (path.parent / "new" / "idf.npz").stat().st_mode & 0o777 == 0o640


def test_the_digest_depends_on_the_content_not_on_the_file(path):
    KNOWN.write(path)
    assert DocumentFrequencies.read(path).digest() == KNOWN.digest()
    others = [
        DocumentFrequencies(KNOWN.terms, KNOWN.counts, 10),
        DocumentFrequencies(KNOWN.terms, KNOWN.counts + np.uint32(1), 9),
        DocumentFrequencies(KNOWN.terms + np.uint64(4), KNOWN.counts, 9),
        DocumentFrequencies(KNOWN.terms[:2], KNOWN.counts[:2], 9),
    ]
    assert len({known.digest() for known in [KNOWN, *others]}) == 5


def test_the_setting_selects_the_shipped_counts_none_or_a_file(path, monkeypatch):
    KNOWN.write(path)
    assert background_of("shipped") is background_of("") is background_of(Config().stories.background) is background()
    assert background_of("none").document_frequency(np.array([4, 8], np.uint64)).tolist() == [0, 0]
    assert same(background_of(str(path)), KNOWN)
    monkeypatch.chdir(path.parent)
    path.rename("none")
    assert same(background_of("./none"), KNOWN)


def test_counts_are_named_by_their_content(path):
    background().write(path)
    assert content_name(DocumentFrequencies.read(path)) == content_name(background()) == "shipped"
    assert content_name(background_of("none")) == "none"
    assert content_name(KNOWN) == KNOWN.digest()


def test_the_shipped_counts_are_valid_for_this_version():
    """If folding or stemming changed, build them again: see the README of ``bench``."""
    import dedup.data

    folder = os.path.dirname(dedup.data.__file__)
    assert same(DocumentFrequencies.read(os.path.join(folder, "background.npz")), background())
    assert background().documents > 20_000


def test_terms_of_known_words_never_change():
    """If this fails although no table changed: increase TERM_VERSION, build the shipped counts again, and update the terms here."""
    texts = pa.array(["وبالقاهرة مسئولون 2015 London"], pa.large_string())
    terms = fingerprint(texts, texts, Config()).terms[0] & ~np.uint64(3)
    assert (TERM_VERSION, terms.tolist()) == (1, FROZEN)


FROZEN = [175112182827944912, 3804413912029327208, 16477605257656314432, 6478904095915291200]


# Refused files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", f"{NOT_COUNTS}, or only a part of one"),
        ("القاهرة\n".encode(), f"{NOT_COUNTS}, or only a part of one"),
        (pickle.dumps(ARRAYS), f"{NOT_COUNTS}, or only a part of one"),
    ],
    ids=["empty", "text", "pickle"],
)
def test_files_of_other_kinds_are_refused(path, content, message):
    path.write_bytes(content)
    assert refusal(path) == message


def test_a_missing_file_or_a_folder_is_refused(path, tmp_path):
    assert refusal(path) == "cannot be read (No such file or directory)"
    assert refusal(tmp_path) == "cannot be read (Is a directory)"


def test_a_single_array_or_another_archive_is_refused(path):
    np.save(path.with_suffix(".npy"), KNOWN.terms)
    assert refusal(path.with_suffix(".npy")) == f"{NOT_COUNTS}, or only a part of one"
    np.savez(path, weights=KNOWN.terms)
    assert refusal(path) == f"{NOT_COUNTS}, or only a part of one"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("terms.npy", "نص")
        archive.writestr("counts.npy", "نص")
    assert refusal(path) == f"{NOT_COUNTS}, or only a part of one"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": np.int64(2)}, "the file has format 2, but this version of dedup reads format 1"),
        ({"format": np.int64(2), "rules": None}, "the file has format 2, but this version of dedup reads format 1"),
        ({"format": None}, f"{NOT_COUNTS}: it needs 'format' as a 0-dimensional array of int64"),
        (
            {"rules": np.uint64(term_rules() ^ 1)},
            "the file was made by a version of dedup with other rules of folding or stemming; make it again",
        ),
        ({"documents": None}, f"{NOT_COUNTS}: it needs 'documents' as a 0-dimensional array of int64"),
        ({"documents": np.array([9])}, f"{NOT_COUNTS}: it needs 'documents' as a 0-dimensional array of int64"),
        ({"terms": KNOWN.terms.astype(float)}, f"{NOT_COUNTS}: it needs 'terms' as a 1-dimensional array of uint64"),
        ({"counts": KNOWN.counts.astype(int)}, f"{NOT_COUNTS}: it needs 'counts' as a 1-dimensional array of uint32"),
        ({"terms": KNOWN.terms[:2]}, f"{DAMAGED}: it has 2 terms and 3 counts"),
        ({"terms": KNOWN.terms[:0], "counts": KNOWN.counts[:0]}, f"{DAMAGED}: it has 0 terms and 0 counts"),
        ({"terms": KNOWN.terms[::-1]}, f"{DAMAGED}: its terms are not sorted hashes"),
        ({"terms": np.array([4, 4, 8], np.uint64)}, f"{DAMAGED}: its terms are not sorted hashes"),
        ({"terms": np.array([4, 9, 12], np.uint64)}, f"{DAMAGED}: its terms are not sorted hashes"),
        ({"documents": np.int64(6)}, f"{DAMAGED}: it has 6 documents, but terms in 1 to 7 of them"),
        ({"counts": np.array([7, 0, 3], np.uint32)}, f"{DAMAGED}: it has 9 documents, but terms in 0 to 7 of them"),
    ],
)  # fmt: skip
def test_invalid_arrays_are_refused(path, changes, message):
    np.savez_compressed(path, **{name: array for name, array in {**ARRAYS, **changes}.items() if array is not None})
    assert refusal(path) == message


class Bomb:
    """Fails the test if a file can make NumPy unpickle it."""

    def __reduce__(self):
        return pytest.fail, ("an object in the file was unpickled",)


@pytest.mark.parametrize("name", ["terms", "documents"])
def test_pickled_objects_in_a_file_are_refused_and_never_loaded(path, name):
    np.savez(path, **{**ARRAYS, name: np.array([Bomb()], object)})
    assert refusal(path).startswith(DAMAGED)


def test_a_truncated_file_is_refused_at_any_length(path):
    KNOWN.write(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert refusal(path).startswith((NOT_COUNTS, DAMAGED)), length


def test_a_flipped_byte_is_refused_or_changes_nothing(path):
    KNOWN.write(path)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert same(DocumentFrequencies.read(path), KNOWN), place
        except ConfigError:
            refused += 1
    assert refused > len(whole) / 2


def test_a_header_that_claims_more_than_memory_is_refused(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<u8", "fortran_order": False, "shape": (1 << 58,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("terms.npy", header.getvalue())
    assert refusal(path).startswith(DAMAGED)


# Overwriting


def test_an_existing_file_is_replaced_only_with_overwrite(path):
    background().write(path)
    with pytest.raises(OutputError) as error:
        KNOWN.write(path)
    assert str(error.value) == f"{path}: exists. Choose another name, or replace it with --overwrite."
    KNOWN.write(path, overwrite=True)
    assert same(DocumentFrequencies.read(path), KNOWN)


def test_a_reader_keeps_the_old_file_while_it_is_replaced(path):
    background().write(path)
    before = path.read_bytes()
    with open(path, "rb") as reader:
        KNOWN.write(path, overwrite=True)
        assert reader.read() == before


def test_only_files_of_document_frequencies_are_overwritten(path):
    np.savez(path, **{**ARRAYS, "format": np.int64(2)})
    KNOWN.write(path, overwrite=True)
    assert same(DocumentFrequencies.read(path), KNOWN)
    np.savez(path, weights=KNOWN.terms)
    thesis = path.read_bytes()
    with pytest.raises(OutputError) as error:
        KNOWN.write(path, overwrite=True)
    assert str(error.value) == f"{path}: is not a file of document frequencies, so it is not overwritten. Choose another name."
    assert path.read_bytes() == thesis


def test_a_folder_as_target_or_a_file_as_folder_is_refused(path, tmp_path):
    with pytest.raises(OutputError, match="is a folder. Give the name of a file."):
        KNOWN.write(tmp_path, overwrite=True)
    path.write_text("keep")
    with pytest.raises(OutputError, match="cannot be written, since idf.npz is read-only or no folder. Choose another place."):
        KNOWN.write(path / "idf.npz")
    assert path.read_text() == "keep"


def test_a_full_disk_leaves_the_old_file_only(path, monkeypatch):
    KNOWN.write(path)
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)
    with pytest.raises(OutputError) as error:
        background().write(path, overwrite=True)
    assert str(error.value) == f"{path}: cannot be written (No space left on device). Free some space or choose another place."
    monkeypatch.undo()
    assert os.listdir(path.parent) == ["idf.npz"]
    assert read_counts(path)[2] == 9


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")
