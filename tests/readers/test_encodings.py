"""Decoding bytes of unknown encoding, and detecting mojibake."""

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.readers.encodings import decode, find_mojibake, mojibake
from tests.paths import CORPORA

TEXT = (
    "أعلنت وزارة الصحة في غزة، اليوم، أن عدد الضحايا ارتفع إلى أكثر من 100 شخص؛ وقال المتحدث باسمها إن الوضع صعب. "
    "ومن المقرر أن يعقد مجلس الأمن جلسة طارئة بعد غد بطلب من ثلاث دول. هل يصدر القرار؟"
)
FRENCH = "L’été dernier, le président a été reçu à Alger où la réunion s’est tenue près de l’hôtel"
WORDS = sorted({word for word in TEXT.split() if word.isalpha()})

# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1256", "iso-8859-6", "utf-16-le", "utf-16-be"])
def test_arabic_is_decoded_in_its_own_encoding(encoding):
    found = decode(TEXT.encode(encoding))
    assert (found.text, found.encoding, found.damaged) == (TEXT, encoding, 0)


@pytest.mark.parametrize(
    "wrong", ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-6", "windows-1256", "utf-16", "no-such-thing", "base64"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1256", "iso-8859-6"])
def test_a_wrong_header_and_tag_are_ignored(encoding, wrong):
    data = f'<meta http-equiv="Content-Type" content="text/html; charset={wrong}">{TEXT}'.encode(encoding)
    assert decode(data, f"text/html; charset={wrong}").text.endswith(TEXT)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_is_removed(encoding):
    assert decode(TEXT.encode(encoding), "text/html; charset=windows-1256").text == TEXT


def test_the_header_decides_between_two_fitting_encodings():
    assert decode(FRENCH.encode("cp1252")).text == FRENCH
    assert decode(FRENCH.encode("cp1252"), "text/html; charset=windows-1252").encoding == "windows-1252"
    assert decode(b'<meta charset="windows-1252">' + FRENCH.encode("cp1252")).encoding == "windows-1252"


@pytest.mark.parametrize(
    "text, encoding", [("Правительство объявило о новых мерах поддержки экономики", "cp1251"), ("国务院总理今天发表讲话", "gb18030")]
)
def test_a_declared_encoding_of_another_script_is_used(text, encoding):
    assert decode(text.encode(encoding), f"text/html; charset={encoding}").text == text
    assert decode(text.encode(encoding)) is None


def test_damaged_characters_of_utf_8_are_replaced_and_counted():
    data = TEXT.encode()
    assert decode(data[:-1]).text == TEXT[:-1] + "\ufffd"
    damaged = decode(data[:22] + b"\xff" + data[22:])
    assert (damaged.encoding, damaged.damaged) == ("utf-8", 1)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_not_decoded(seed):
    assert decode(random.Random(seed).randbytes(3000)) is None


def test_empty_bytes_and_ascii_are_utf_8():
    assert (decode(b"").text, decode(b"plain words").encoding) == ("", "utf-8")


@given(st.lists(st.sampled_from(WORDS), min_size=15, max_size=30, unique=True), st.sampled_from(["windows-1256", "iso-8859-6"]))
def test_one_line_of_words_distinguishes_the_two_arabic_encodings(words, encoding):
    text = " ".join(words)
    assert decode(text.encode(encoding)).text == text


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_raise_an_error(data, header):
    found = decode(data, header)
    assert found is None or isinstance(found.text, str)


@pytest.mark.skipif(not (CORPORA / "cp1256").is_dir(), reason="the corpora are not here: set DEDUP_CORPORA to their folder")
def test_real_articles_in_windows_1256_are_decoded():
    files = sorted((CORPORA / "cp1256").iterdir())
    assert {decode(file.read_bytes()).encoding for file in files} == {"windows-1256"}


# Mojibake


@pytest.mark.parametrize(
    "written, read, named",
    [
        ("utf-8", "cp1252", "UTF-8 read as windows-1252"),
        ("utf-8", "latin-1", "UTF-8 read as windows-1252"),
        ("utf-8", "cp1256", "UTF-8 read as windows-1256"),
        ("cp1256", "cp1252", "windows-1256 read as windows-1252"),
        ("cp1256", "latin-1", "windows-1256 read as windows-1252"),
        ("utf-8", "ascii", "U+FFFD"),
    ],
)
def test_each_kind_of_mojibake_is_recognised_and_named(written, read, named):
    garbled = TEXT.encode(written).decode(read, "replace")
    assert named in mojibake(garbled)
    assert find_mojibake(pa.array([TEXT, None, garbled, "", garbled[:90]], pa.large_string())) == {
        2: mojibake(garbled),
        4: mojibake(garbled),
    }


@pytest.mark.parametrize("garbled", ["قالت".encode("cp1256").decode("cp1252"), "هل ????"])
@pytest.mark.parametrize("neighbour", ["plain latin words only, and many of them", TEXT])
def test_mojibake_of_a_short_text_does_not_depend_on_its_neighbours(garbled, neighbour):
    assert mojibake(garbled) is not None
    assert find_mojibake(pa.array([garbled], pa.large_string())) == {0: mojibake(garbled)}
    assert find_mojibake(pa.array([neighbour, garbled, neighbour], pa.large_string())) == {1: mojibake(garbled)}


def test_letters_lost_to_question_marks_are_mojibake_but_questions_are_not():
    assert "question marks" in mojibake("".join("?" if sign > "\x7f" else sign for sign in TEXT))
    assert mojibake("هل هذا صحيح???? نعم هو صحيح كما قالت الوزارة") is None


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        FRENCH,
        "كتب «Ø§Ù„Ø³Ù„Ø§Ù…» في رسالة وصلت إلى القراء، ولم يفهمها أحد منهم حتى قال لهم مهندس إن البرنامج قرأها بترميز آخر",
        "××××\nجاء فوز الاستقلال على الهلال",
        "غظّ ظ، ط؛ ط: حروف",
        "",
    ],
)
def test_text_with_a_few_strange_signs_is_no_mojibake(text):
    assert mojibake(text) is None


@given(st.lists(st.none() | st.text(max_size=80), max_size=8), st.integers(0, 3))
def test_mojibake_of_a_slice_is_that_of_its_texts(texts, start):
    column = pa.array(["قبل"] * start + texts, pa.large_string()).slice(start)
    found = find_mojibake(column)
    assert all(found[row] == mojibake(texts[row]) for row in found)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1254", "İstanbul'da güneşli bir gün yaşandı, çocuklar parkta oynadı ve şarkılar söyledi"),
        ("cp1256", "ایران و روسیه درباره برنامه گفتگو کردند و قرار شد که مذاکرات ادامه پیدا کند".translate({0x6CC: 0x64A})),
    ],
    ids=["turkish", "persian"],
)
def test_a_page_of_another_language_is_decoded_as_declared(encoding, text):
    page = f"<meta charset={encoding}>{text}".encode(encoding)
    assert decode(page).text == page.decode(encoding)
