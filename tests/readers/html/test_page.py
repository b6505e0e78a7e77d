"""One HTML page: its text and its metadata."""

import json
import sys
from datetime import UTC, datetime

import pytest

from dedup.errors import InputError
from dedup.readers.html.page import MAX_DEPTH, BrokenPage, read_page
from dedup.segmentation.segment import segment
from tests.paths import SEED_PAGE
from tests.segmentation import layouts

TITLE = "بلدية المدينة تعلن خطة جديدة للنقل العام"
TEXTS = (
    "أعلنت بلدية المدينة، الخميس، خطة جديدة للنقل العام تشمل إضافة أربعين حافلة وثلاث محطات في الأحياء الشمالية.",
    "وقال رئيس البلدية إن العمل بالخطة سيبدأ تدريجيا خلال الأسبوع المقبل مع متابعة يومية من فرق التشغيل.",
    'وأضاف: "لن ترتفع أسعار التذاكر هذا العام & لا في العام الذي يليه".',
    "ومن المنتظر أن تنشر الإرشادات الجديدة عبر الرسائل القصيرة ولوحات المحطات قبل نهاية الشهر الجاري.",
)
RELATED = (
    "وزير النقل يفتتح محطة القطارات الجديدة في الشمال",
    "ارتفاع أسعار الوقود للشهر الثالث على التوالي",
    "إضراب سائقي الحافلات ينتهي باتفاق",
)
LAYOUTS = pytest.mark.parametrize("layout", [layouts.plain, layouts.old, layouts.divided])


def broken(data, **options):
    with pytest.raises(BrokenPage) as error:
        read_page(data, **options)
    return error.value


def outcome(data):
    try:
        return "read" if read_page(data).text else "empty"
    except BrokenPage as finding:
        return finding.reason


# Text


@LAYOUTS
def test_the_article_is_complete_and_related_links_are_headlines(layout):
    page = read_page(layout(TITLE, TEXTS, RELATED))
    parts = segment(page.text)
    assert page.title == TITLE
    assert parts.body.splitlines() == list(TEXTS)
    assert parts.headlines == RELATED


@LAYOUTS
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1256", "iso-8859-6", "utf-16"])
def test_the_encoding_is_detected_from_the_bytes_despite_a_wrong_tag(layout, encoding):
    ours = [text.replace("&", "") for text in TEXTS]
    page = read_page(layout(TITLE, ours, RELATED).encode(encoding), header="text/html; charset=iso-8859-1")
    assert segment(page.text).body.splitlines() == [" ".join(text.split()) for text in ours]
    assert page.title == TITLE


def seed_as_html():
    """The example page as its site might have written it."""
    lines = [" ".join(line.split()) for line in SEED_PAGE.read_text(encoding="utf-8").splitlines() if line.strip()]
    at = {cue: next(i for i, line in enumerate(lines) if line.startswith(cue)) for cue in ("المصدر", "إقرأ أيضاً", "مقالات مشابهة")}
    main, more = lines[: at["المصدر"]], lines[at["إقرأ أيضاً"] + 2 : at["مقالات مشابهة"]]
    headlines = [line.removeprefix("• ") for line in lines[at["مقالات مشابهة"] + 1 :]]
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>محادثات جديدة في مصر - صدى البلد</title></head><body>
    <nav>{layouts.links(["الأخبار", "العالم", "رياضة"])}</nav><div class="content"><h1>محادثات جديدة في مصر</h1>
    {layouts.paragraphs(main)}<p>{lines[at["المصدر"]]}</p><div class="tags">{lines[at["المصدر"] + 1]}</div>
    <h3>{lines[at["إقرأ أيضاً"]]}</h3><h2>{lines[at["إقرأ أيضاً"] + 1]}</h2>{layouts.paragraphs(more)}
    <h3>{lines[at["مقالات مشابهة"]]}</h3>{layouts.links(headlines)}</div><footer>© 2026</footer></body></html>"""


def test_the_example_page_gives_the_same_documents_as_html_and_as_flattened_text():
    flat, marked_up = segment(SEED_PAGE.read_text(encoding="utf-8")), segment(read_page(seed_as_html()).text)
    assert marked_up.body.split() == flat.body.split()
    assert [part.text.split() for part in marked_up.embedded] == [part.text.split() for part in flat.embedded]
    assert [part.title for part in marked_up.embedded] == [part.title for part in flat.embedded]
    assert marked_up.headlines == flat.headlines
    assert (marked_up.source_line, marked_up.keywords_line) == (flat.source_line, flat.keywords_line)


def test_a_second_full_article_element_is_embedded_and_a_card_is_a_headline():
    first = TEXTS * 4
    second = ("قررت وزارة التعليم تأجيل بدء العام الدراسي أسبوعا واحدا في جميع المدارس الحكومية والخاصة.",) + TEXTS * 3
    card = "<article><h3><a href=/9>وزارة الصحة تفتح ثلاثة مراكز جديدة للتطعيم</a></h3></article>"
    body = f"<article><h1>{TITLE}</h1>{layouts.paragraphs(first)}</article>{card}{card.replace('ثلاثة', 'أربعة')}"
    other = f"<article><h2>تأجيل العام الدراسي أسبوعا واحدا</h2>{layouts.paragraphs(second)}</article>"
    parts = segment(read_page(f"<html><body>{body}{other}</body></html>").text)
    assert parts.body.splitlines() == list(first)
    assert [(part.title, part.text.splitlines()) for part in parts.embedded] == [("تأجيل العام الدراسي أسبوعا واحدا", list(second))]
    assert parts.headlines == tuple(f"وزارة الصحة تفتح {n} مراكز جديدة للتطعيم" for n in ("ثلاثة", "أربعة"))


def test_a_list_inside_the_article_is_kept():
    steps = "<ul><li>الخط الأول من الميدان إلى الجامعة</li><li>الخط الثاني من <a href=/x>المطار</a> إلى الميناء</li></ul>"
    page = read_page(f"<html><body><article>{layouts.paragraphs(TEXTS)}{steps}{layouts.paragraphs(TEXTS[:1])}</article></body></html>")
    assert "من المطار إلى الميناء" in segment(page.text).body


def test_an_article_without_paragraphs_is_preferred_to_a_footer_with_some():
    footer = "<footer><p>جميع الحقوق محفوظة ولا يجوز نسخ أي مادة منها إلا بإذن</p></footer>"
    page = read_page(f"<html><body><div>{'<br>'.join(TEXTS)}</div>{footer}</body></html>".replace(" & ", " "))
    assert all(text.replace(" & ", " ") in page.text for text in TEXTS)


def test_a_feed_item_is_read_escaped_or_not_and_without_its_tail():
    item = f'<img src="x.jpg" alt="صورة"><p>{TEXTS[0]}</p><p>The post <a href="/">عنوان</a> appeared first on <a href="/">الموقع</a>.</p>'
    assert read_page(item).text == TEXTS[0]
    assert read_page(item.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")).text == TEXTS[0]
    assert read_page(f"{TEXTS[0]}&nbsp;").text == TEXTS[0]
    assert read_page("تكلفة العقد &lt; 5 ملايين و&lt;p&gt; كتبت هنا").text.startswith("تكلفة العقد < 5")


def test_a_page_filled_by_scripts_gives_the_text_of_its_json_ld():
    data = json.dumps({"@graph": [{"@type": "NewsArticle", "headline": "عنوان الخبر", "articleBody": " ".join(TEXTS[:2])}]})
    page = read_page(f'<html><head><script type="application/ld+json">{data}</script></head><body><div id="app"></div></body></html>')
    assert (page.title, page.text) == ("عنوان الخبر", " ".join(TEXTS[:2]))


# Metadata


def test_title_date_url_outlet_and_author_are_read_from_the_page():
    page = read_page(layouts.plain(TITLE, TEXTS), url="http://almada.example/?p=77")
    assert page.published == datetime(2026, 3, 5, 18, 30, tzinfo=UTC)
    assert (page.url, page.source, page.author) == ("https://almada.example/news/77", "صحيفة المدى", "ليلى حداد")


def head(inside, url="https://www.site.example/news/5", body=""):
    return read_page(f"<html><head>{inside}</head><body>{body}{layouts.paragraphs(TEXTS)}</body></html>", url=url)


@pytest.mark.parametrize(
    "tags, published",
    [
        ('<meta property="article:published_time" content="2026-03-05T21:30:00+03:00">', datetime(2026, 3, 5, 18, 30, tzinfo=UTC)),
        ('<meta name="date" content="5 مارس 2026">', datetime(2026, 3, 5, tzinfo=UTC)),
        ('<meta name="pubdate" content="not a date"><meta name="date" content="2026-03-05">', datetime(2026, 3, 5, tzinfo=UTC)),
        ('<meta name="date" content="1970-01-01T00:00:00Z">', None),
        ('<script type="application/ld+json">{broken</script>', None),
        ("", None),
    ],
)
def test_the_first_readable_date_is_used(tags, published):
    assert head(tags).published == published


def test_a_time_element_is_a_date_but_todays_date_above_the_page_is_not():
    assert head("", body='<div class="date">11/04/2026</div>').published is None
    assert head("", body='<time datetime="2026-03-05T10:00Z">اليوم</time>').published == datetime(2026, 3, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "tags, url",
    [
        ('<link rel="canonical" href="/news/five">', "https://www.site.example/news/five"),
        ('<link rel="canonical" href="https://www.site.example/">', "https://www.site.example/news/5"),
        ('<link rel="canonical" href="http://[broken"><meta property="og:url" content="https://site.example/5">', "https://site.example/5"),
        ('<link rel="canonical" href="javascript:void(0)">', "https://www.site.example/news/5"),
    ],
)
def test_an_implausible_canonical_url_is_ignored(tags, url):
    page = head(tags)
    assert page.url == url
    assert page.source in ("site.example",)


@pytest.mark.parametrize(
    "said, title",
    [
        ("بلدية المدينة تعلن خطة - صحيفة المدى", "بلدية المدينة تعلن خطة"),
        ("بلدية المدينة تعلن خطة | موقع آخر", "بلدية المدينة تعلن خطة"),
        ("قمة الرياض - خطوة جديدة نحو السلام", "قمة الرياض - خطوة جديدة نحو السلام"),
        ("بلدية المدينة تعلن خطة - Almada.com", "بلدية المدينة تعلن خطة"),
    ],
)
def test_the_name_of_the_site_is_removed_from_the_title(said, title):
    assert head(f'<title>{said}</title><meta property="og:site_name" content="صحيفة المدى">').title == title


# Pages without text, and hostile pages


def test_a_page_without_text_is_rejected_as_no_main_text():
    assert broken("<html><body><nav><ul><li>الرئيسية</li></ul></nav><script>x</script></body></html>").reason == "no_main_text"
    assert broken(b"").reason == "no_main_text"


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1", "cp1256"])
def test_a_page_that_was_decoded_wrongly_before_is_rejected_as_mojibake(wrong):
    data = layouts.plain(TITLE, TEXTS).encode().decode(wrong, "replace").encode()
    finding = broken(data)
    assert finding.reason == "mojibake"
    assert "UTF-8 read as" in finding.detail


def test_binary_data_is_rejected():
    assert broken(b"<html><body>" + bytes(range(128, 256)) * 20).reason == "unknown_charset"


def test_a_page_over_the_size_limit_is_rejected():
    assert broken(b"<p>" + b"x" * 100, limit=50).reason == "too_large"


def test_deep_nesting_is_rejected_but_unclosed_tags_are_not():
    assert broken("<html><body>" + "<div>" * 5000 + TEXTS[0]).reason == "too_deep"
    text = "<html><body>" + "".join(f"<font size={i}>" for i in range(3 * MAX_DEPTH)) + layouts.paragraphs(TEXTS[:2])
    assert read_page(text).text.splitlines() == list(TEXTS[:2])


@pytest.mark.parametrize(
    "unit",
    [
        "<b a{i}=1><p>س", "<p><font a{i}=1></p>", "<a href=x><div>", "<table><tr><td>", "<table><b>س<p>", "<ul><li><a href=x>خبر من أربع كلمات</a>",
        "<aside>خبر", "<article><h2>عنوان</h2><p>نص", "<b", "<", "<!--", "<script>", "&amp;", "&lt;p&gt;", "<svg><foreignObject>", "<template>",
        "<select><option>", "\0", "\u202e\u2066", "\u064e", "<h1>", " a{i}=1", "<time datetime=x>", "<meta name=a content=b>", "ا - ",
    ],
)  # fmt: skip
def test_markup_repeated_many_times_is_parsed_in_linear_time(unit):
    hostile = "".join(unit.format(i=i) for i in range(20_000))
    for page in ("<html><body><div " + hostile + layouts.paragraphs(TEXTS), "<html><body>" + hostile + layouts.paragraphs(TEXTS), hostile):
        assert outcome(page) in {"read", "no_main_text", "too_deep", "mojibake"}


def test_nul_bytes_half_surrogates_and_entities_become_text():
    page = read_page(
        "<html><body><p>" + TEXTS[0].replace("الخميس", "ال\0خميس\ud800") + "</p><p>&#0;&#xD800;&#x6270;" + TEXTS[1] + "</p></body></html>"
    )
    assert "ال خميس\ufffd" in page.text
    page.text.encode()


def test_the_message_without_the_extra_has_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "resiliparse.parse.html", None)
    with pytest.raises(InputError, match=r"pip install 'dedup-news\[crawl\]'"):
        read_page("<p>نص</p>")
