"""What is furniture on a page, what is a second article, and above all what is neither."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from importlib import resources

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.segmentation.cues import LINK_LETTERS, may_have_furniture
from dedup.segmentation.segment import Page, needs_segmenting, segment
from dedup.text.spellings import fold
from tests.effort import cases
from tests.paths import SEED_PAGE

SEED = SEED_PAGE.read_text(encoding="utf-8")
#: Characters that may be removed from a headline: bullets, enumeration, weightless signs.
BULLETS = set("•▪●◄►◦‣⁃○■□◆*–—-·»>.)0123456789٠١٢٣٤٥٦٧٨٩ـ") | {chr(0x200F), chr(0x064B)}
RIGHT_TO_LEFT_MARK, NO_BREAK_SPACE = chr(0x200F), chr(0xA0)

FIRST = "أعلنت بلدية المدينة اليوم عن افتتاح جسر جديد فوق الوادي الكبير بعد أعمال استمرت ثلاث سنوات كاملة وشارك فيها مئات العمال."
SECOND = "وقال رئيس البلدية إن الجسر سيخفف الزحام عن وسط المدينة ويقرب بين الأحياء الشرقية والغربية ويفتح الباب أمام مشاريع أخرى."
THIRD = "وأضاف أن كلفة المشروع لم تتجاوز الميزانية المقررة وأن العمل في الطرق المؤدية إليه سيبدأ في مطلع الشهر المقبل."
ARTICLE = f"{FIRST}\n{SECOND}\n{THIRD}"
OTHER_TITLE = "فريق الوادي يفوز بكأس الشطرنج للمرة الثالثة"
OTHER = (
    "توج فريق الوادي بكأس الشطرنج للمرة الثالثة في تاريخه بعد فوزه مساء أمس على منافسه في المباراة النهائية.\n"
    "وقاد اللاعب الشاب سامر فريق الوادي إلى الفوز في الجولة الأخيرة التي امتدت خمس ساعات أمام جمهور كبير.\n"
    "وقال المدرب إن اللاعبين يستحقون هذا اللقب بعد موسم طويل وشاق من التدريب والسفر بين المدن."
)
LIST = "• وزير النقل يزور مدينة الجسور\n• افتتاح مدرسة جديدة في الحي الشرقي\n• أمطار غزيرة على الساحل"


def kept_whole(text: str) -> bool:
    return segment(text) == Page(text)


# --- the seed page --------------------------------------------------------------------------------


def test_the_seed_page_holds_an_article_an_embedded_one_and_ten_headlines():
    page = segment(SEED)
    assert page.source_line == "صدى البلد"
    assert page.keywords_line == "لوقف إطلاق النار إلى اتفاق"
    assert page.body.startswith("في محاولة للتوصل إلى اتفاق") and page.body.endswith("للصراع الطويل الأمد.")
    assert len(page.body.split("\n")) == 8
    (embedded,) = page.embedded
    assert embedded.title is not None and embedded.title.endswith("بلينكن يلتقي السيسي بمصر")
    assert embedded.text.startswith("وصل وزير الخارجية") and len(embedded.text.split("\n")) == 10
    assert len(page.headlines) == 10
    assert page.headlines[5].startswith("عاجل| مجلس الأمن") and page.headlines[7] == embedded.title
    assert [line.split(":")[0] for line in page.furniture] == ["المصدر", "كلمات دلالية", "إقرأ أيضاً", "مقالات مشابهة"]


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n\n\n"], ids=["crlf", "cr", "blank_lines"])
def test_line_ends_do_not_change_the_parts(line_end):
    assert segment(SEED.replace("\n", line_end)) == segment(SEED)


def test_the_body_of_the_seed_page_is_stable():
    body = segment(SEED).body
    assert segment(body) == Page(body)


# --- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "وأوضح المصدر أن اللجنة ستجتمع غدا للنظر في جميع الطلبات.",
        "المصدر قال إن الاجتماع تأجل",
        "المصدر الرئيسي للدخل في القرية هو الزيتون.",
        "مواضيع متعلقة بالهجرة والعمل كانت على جدول الاجتماع.",
        "أخبار مشابهة لما ورد في التقرير انتشرت قبل عام.",
        "كان الوسم الأكثر تداولا في البلاد طوال الأسبوع.",
        "تحرير الرهائن استغرق ثلاث ساعات.",
        "كتب الوزير على حسابه في تويتر أن الموعد لم يتغير.",
        "شاهد المئات العرض من ضفة النهر.",
        "شاهد، وهو خائف، كيف ارتفع الماء في الوادي",
        "شاهد عيان: رأيت الدخان يتصاعد من المبنى.",
        "شارك في الاجتماع عدد من الوزراء",
        "قد يهمك أن تعرف أن الجسر هو الأطول في البلاد.",
        "للمزيد من الأمان وضعت البلدية حواجز جديدة",
        "نقلا عن مصادر طبية فإن حالة المصابين مستقرة ولا تدعو إلى القلق.",
        "إعداد التقرير استغرق شهرا كاملا.",
        "العلامات التجارية المسجلة زادت هذا العام.",
        "كلمات مفتاحية كثيرة استعملها الباحثون في بحثهم.",
        "التعليقات التي وصلت إلى البلدية كانت إيجابية.",
        "نشر في العام الماضي ثلاث روايات.",
        "اقرأ أيضاًالرياضة",
        "ودعا المعلم تلاميذه قائلا اقرأ أيضا: فالقراءة حياة.",
    ],
)
def test_a_cue_inside_a_sentence_is_text(line):
    assert kept_whole(f"{FIRST}\n{line}\n{SECOND}\n{THIRD}")
    assert kept_whole(line)


def test_a_page_without_furniture_is_returned_unchanged():
    text = f"  {FIRST} \r\n\r\n {NO_BREAK_SPACE}{SECOND}\t\n"
    assert segment(text).body == text


@pytest.mark.parametrize("bullet", ["•", "-", "*", "1."])
def test_a_list_without_a_cue_is_news(bullet):
    items = "\n".join(f"{bullet} {item}" for item in ("تقديم الطلب قبل نهاية الشهر", "دفع الرسوم المقررة", "إرفاق صورة حديثة"))
    assert kept_whole(f"{FIRST}\nوحددت البلدية الشروط كما يلي:\n{items}")


def test_a_list_cue_above_prose_is_a_heading():
    assert kept_whole(f"{FIRST}\nالمزيد من الأخبار\n{SECOND}\n{THIRD}")


def test_a_list_cue_above_one_line_is_not_a_list():
    assert kept_whole(f"{FIRST}\nمقالات مشابهة\nوزير النقل يزور مدينة الجسور")


def test_a_list_followed_by_prose_is_kept():
    assert kept_whole(f"{FIRST}\nمواضيع متعلقة\n{LIST}\n{SECOND}")


def test_a_speaker_called_source_is_a_dialogue():
    assert kept_whole(f"{FIRST}\nالمصدر: لا أعرف\n{SECOND}\nالمصدر: ربما\n{THIRD}\nالمصدر: نعم")


def test_a_headline_that_begins_with_a_weak_cue_is_kept():
    assert kept_whole("شاهد.. افتتاح الجسر الجديد فوق الوادي")
    assert kept_whole(f"شاهد: افتتاح الجسر الجديد فوق الوادي\n{FIRST}")


@pytest.mark.parametrize("text", ["", " \n\t\n", "كلمة", FIRST, "مقالات مشابهة"])
def test_short_and_empty_texts_are_kept(text):
    assert kept_whole(text)


# --- one line of furniture ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"اقرأ أيضا: {OTHER_TITLE}",
        f"إقرأ أيضاً {OTHER_TITLE}",
        f"أقرأ أيضـــاً.. {OTHER_TITLE}",
        f"{RIGHT_TO_LEFT_MARK}اقرأ{NO_BREAK_SPACE}ايضا : {OTHER_TITLE}",
        f"اقرأ أيضًا:{OTHER_TITLE}.",
        f"قد يهمك/ {OTHER_TITLE}",
        f"قد يهمك أيضا: {OTHER_TITLE}",
        f"للمزيد - {OTHER_TITLE}",
        f"للمزيد، {OTHER_TITLE}",
        f"اقرأ.. {OTHER_TITLE}",
        f"شاهد.. {OTHER_TITLE}",
        "المصدر: وكالات",
        "(المصدر: صحيفة الوادي)",
        "تابعونا على فيسبوك",
        "جميع الحقوق محفوظة",
        "إعلان",
        "Advertisement",
    ],
)
def test_only_the_furniture_line_in_the_middle_is_removed(line):
    page = segment(f"{FIRST}\n{line}\n{SECOND}\n{THIRD}" if "الحقوق" not in line else f"{ARTICLE}\n{line}")
    assert page.body == ARTICLE
    assert page.furniture == (line,)
    assert page.embedded == () and page.headlines == ()


@pytest.mark.parametrize(
    "line",
    [
        "بقلم: سامر الوادي",
        "كتب/ سامر الوادي",
        "كتب - سامر الوادي",
        "تصوير: سامر الوادي",
        "تاريخ النشر: الخميس 12 يوليو 2012",
        "تاريخ النشر :23 مايو ٢٠١٢",
    ],
)
def test_a_byline_or_time_at_the_edge_is_removed(line):
    assert segment(f"{line}\n{ARTICLE}").body == ARTICLE
    assert segment(f"{ARTICLE}\n{line}").furniture == (line,)


def test_a_byline_in_the_middle_is_kept():
    assert kept_whole(f"{ARTICLE}\nكتب: سامر الوادي\n{ARTICLE}")


def test_a_quote_or_a_number_is_no_byline():
    assert kept_whole(f'كتب: "لن نتراجع"\n{ARTICLE}')
    assert kept_whole(f"إعداد: 20 دقيقة\n{ARTICLE}")


def test_the_closing_lines_of_an_opinion_piece_are_removed_together():
    lines = ("*نقلاً عن صحيفة الوادي", "** جميع المقالات المنشورة تمثل رأي كتابها فقط.")
    page = segment("\n".join([ARTICLE, *lines]))
    assert page.body == ARTICLE and page.furniture == lines
    assert page.source_line == "صحيفة الوادي"


def test_contact_lines_under_a_column_are_removed():
    lines = (
        "للتواصل مع الكاتب ارسل رسالة SMS",
        "تبدأ بالرمز (10) ثم مسافة ثم نص الرسالة إلى",
        "88000 - Stc",
        "635000 - Mobily",
        "samer@example.com",
    )
    page = segment("\n".join([ARTICLE, *lines]))
    assert page.body == ARTICLE and page.furniture == lines


def test_the_pages_own_link_is_removed_from_the_last_line():
    page = segment(f"{ARTICLE} رابط الخبر بصحيفة الوادي: افتتاح جسر جديد")
    assert page.body == ARTICLE
    assert page.furniture == ("رابط الخبر بصحيفة الوادي: افتتاح جسر جديد",)


def test_a_link_in_the_middle_is_text():
    assert kept_whole(f"ونشر رابط الخبر: افتتاح الجسر\n{ARTICLE}")


def test_only_the_gallery_buttons_of_a_line_are_removed():
    page = segment(f"Next Previous الوادي – سامر\n{FIRST}")
    assert page.body == f"الوادي – سامر\n{FIRST}"


def test_a_source_line_near_the_start_does_not_end_the_article():
    page = segment(f"{FIRST}\nالمصدر: وكالات\n{SECOND}\n{THIRD}\nاقرأ أيضا:\n{OTHER_TITLE}\n{FIRST}")
    assert page.embedded == ()
    assert page.body == f"{ARTICLE}\n{FIRST}"


def test_tags_under_a_lone_keywords_cue_are_keywords():
    page = segment(f"{ARTICLE}\nالكلمات الدلالية:\nجسر\nالوادي الكبير\nبلدية")
    assert page.body == ARTICLE and page.keywords_line == "جسر الوادي الكبير بلدية"


def test_a_page_of_furniture_has_no_body():
    assert segment("اقرأ أيضا:\nفريق الوادي يفوز بالكأس\nأمطار غزيرة على الساحل").body == ""


# --- teasers, embedded articles, lists ------------------------------------------------------------


def test_a_lone_cue_and_its_headline_are_removed():
    page = segment(f"{FIRST}\nاقرأ أيضا:\n{OTHER_TITLE}\n{SECOND}\n{THIRD}")
    assert page.body == ARTICLE
    assert page.furniture == ("اقرأ أيضا:", OTHER_TITLE)


def test_a_block_of_teasers_is_removed_and_the_article_continues():
    teasers = ["اقرأ أيضا:", OTHER_TITLE, "هل تعود الأمطار إلى الساحل هذا العام؟", "أزمة الخبز في خمسة أسئلة"]
    page = segment("\n".join([FIRST, *teasers, SECOND, THIRD]))
    assert page.body == ARTICLE and page.furniture == tuple(teasers) and page.headlines == ()


def test_a_sub_heading_after_teasers_is_kept():
    page = segment(f"{FIRST}\nاقرأ أيضا:\n{OTHER_TITLE}\nأمطار غزيرة على الساحل\nكلفة المشروع النهائية\n{SECOND}\n{THIRD}")
    assert page.body == f"{FIRST}\nكلفة المشروع النهائية\n{SECOND}\n{THIRD}"


def test_an_end_block_makes_the_next_article_an_embedded_one():
    page = segment(f"{ARTICLE}\nالمصدر: صحيفة الوادي\nإقرأ أيضاً:\n{OTHER_TITLE}\n{OTHER}")
    assert page.body == ARTICLE
    assert [(e.title, e.text) for e in page.embedded] == [(OTHER_TITLE, OTHER)]


def test_the_title_of_an_embedded_article_may_begin_with_a_weak_cue():
    page = segment(f"{ARTICLE}\nالمصدر: صحيفة الوادي\nإقرأ أيضاً:\nشاهد.. {OTHER_TITLE}\n{OTHER}")
    assert [(e.title, e.text) for e in page.embedded] == [(f"شاهد.. {OTHER_TITLE}", OTHER)]


def test_two_embedded_articles_are_separated():
    text = f"{ARTICLE}\nالمصدر: الوادي\nاقرأ أيضا:\n{OTHER_TITLE}\n{OTHER}\nالمصدر: الساحل\nاقرأ أيضا:\nافتتاح جسر جديد\n{ARTICLE}"
    page = segment(text)
    assert [e.title for e in page.embedded] == [OTHER_TITLE, "افتتاح جسر جديد"]
    assert [e.text for e in page.embedded] == [OTHER, ARTICLE]
    assert page.source_line == "الوادي"


def test_a_list_that_repeats_the_title_shows_that_an_article_is_embedded():
    page = segment(f"{ARTICLE}\nاقرأ أيضا:\n{OTHER_TITLE}\n{OTHER}\nمقالات مشابهة\n{LIST}\n• {OTHER_TITLE}")
    assert page.body == ARTICLE and page.embedded[0].text == OTHER and len(page.headlines) == 4


def test_a_list_at_the_end_does_not_turn_the_rest_of_an_article_into_a_second_one():
    page = segment(f"{ARTICLE}\nاقرأ أيضا:\n{OTHER_TITLE}\n{FIRST}\n{SECOND}\n{THIRD}\nمقالات مشابهة\n{LIST}")
    assert page.embedded == () and page.body == f"{ARTICLE}\n{ARTICLE}" and len(page.headlines) == 3


@pytest.mark.parametrize("cue", ["مقالات مشابهة", "مواضيع ذات صلة:", "الأكثر قراءة", "اخترنا لكم", "اقرأ أيضا:", "المواضيع ذات الصله"])
def test_a_list_up_to_the_end_gives_headlines(cue):
    page = segment(f"{ARTICLE}\n{cue}\n{LIST}")
    assert page.body == ARTICLE
    assert page.headlines == ("وزير النقل يزور مدينة الجسور", "افتتاح مدرسة جديدة في الحي الشرقي", "أمطار غزيرة على الساحل")


def test_a_list_without_bullets_gives_headlines_too():
    bare = LIST.replace("• ", "")
    assert segment(f"{ARTICLE}\nأخبار ذات صلة\n{bare}").headlines == tuple(bare.split("\n"))


def test_a_dash_inside_a_headline_is_kept():
    page = segment(f"{ARTICLE}\nمقالات مشابهة\n  • الجسر الجديد - خمس  صور من الوادي\nمطار الساحل - المدينة * رحلات أكثر")
    assert page.headlines == ("الجسر الجديد - خمس صور من الوادي", "مطار الساحل - المدينة * رحلات أكثر")


def test_a_news_list_below_a_teaser_is_kept():
    page = segment(f"{ARTICLE}\nاقرأ أيضا:\n{OTHER_TITLE}\n1- جسر الوادي الكبير\n2- جسر الساحل القديم\n3- جسر المدينة الشرقي")
    assert page.headlines == () and page.body == f"{ARTICLE}\n1- جسر الوادي الكبير\n2- جسر الساحل القديم\n3- جسر المدينة الشرقي"


def test_two_lists_with_a_share_line_between_them_give_headlines():
    page = segment(f"{ARTICLE}\nأخبار ذات صلة\n{LIST}\nنسخ الرابط\nالأكثر قراءة\n{LIST}")
    assert page.body == ARTICLE and len(page.headlines) == 6


# --- properties -----------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        *ARTICLE.split("\n"),
        *OTHER.split("\n"),
        *LIST.split("\n"),
        OTHER_TITLE,
        "",
        " ",
        "عنوان قصير",
        "اقرأ أيضا:",
        "إقرأ أيضاً:",
        "مقالات مشابهة",
        f"اقرأ أيضا: {OTHER_TITLE}",
        "المصدر: صدى الوادي",
        "كلمات دلالية: جسر واد",
        "كلمات دلالية:",
        "شاهد: جسر الوادي الجديد",
        "شاهد:",
        "نسخ الرابط",
        "* نقلا عن الوادي",
        "نقلا عن الوادي",
        "بقلم: سامر",
        "تاريخ النشر: 2012",
        "Next Previous جسر",
        "رابط الخبر: جسر جديد",
        "88000 - Stc",
        "a@b.com",
        "المزيد",
        "...المزيد",
        "19:23 ت م",
        "الأكثر قراءة",
        "خلاصة القول هنا: رابط الخبر بصحيفة س: ص",
        "© الوادي",
        "(إعداد سامر للنشرة)",
    ]
)
SIGNS = st.text(alphabet="اأإقرأيضىةصدمهلم:.-•* \n\r\t\x0b\x1c" + NO_BREAK_SPACE + RIGHT_TO_LEFT_MARK + "ًـ1@", max_size=60)
PAGES = st.lists(st.one_of(LINES, SIGNS), max_size=24).map("\n".join)


def signs(text: str) -> Counter[str]:
    return Counter(sign for sign in text if not sign.isspace())


@settings(max_examples=cases(400), deadline=None)
@given(PAGES)
def test_no_character_is_lost_except_bullets_of_headlines(text):
    page = segment(text)
    parts = [page.body, *page.headlines, *page.furniture, *(f"{e.title or ''}{e.text}" for e in page.embedded)]
    kept, given_ = signs("".join(parts)), signs(text)
    assert not kept - given_
    lost = given_ - kept
    assert set(lost) <= BULLETS
    assert not lost or page.headlines


@settings(max_examples=cases(400), deadline=None)
@given(PAGES)
def test_segmenting_a_body_again_changes_nothing(text):
    body = segment(text).body
    assert segment(body) == Page(body)


@settings(max_examples=cases(400), deadline=None)
@given(PAGES)
def test_the_prefilter_passes_every_page_that_changes(text):
    if segment(text) != Page(text):
        assert needs_segmenting(pa.array([text])).to_pylist() == [True]


@settings(max_examples=cases(400), deadline=None)
@given(PAGES)
def test_the_prefilter_of_one_text_agrees_with_that_of_a_column(text):
    assert may_have_furniture(text) == needs_segmenting(pa.array([text])).to_pylist()[0]


def test_all_link_phrases_contain_the_link_letters():
    links = tomllib.loads((resources.files("dedup") / "data/cues.toml").read_text(encoding="utf-8"))["self_link"]["phrases"]
    assert links
    for phrase in links:
        assert LINK_LETTERS in fold(phrase)
        assert may_have_furniture(f"{FIRST} {phrase}: {OTHER_TITLE}")


def test_the_prefilter_reads_slices_chunks_and_nulls():
    texts = [FIRST, f"{FIRST}\nاقرأ أيضا: {OTHER_TITLE}", None, SEED]
    for kind in (pa.string(), pa.large_string()):
        array = pa.array(texts, kind)
        assert needs_segmenting(array).to_pylist() == [False, True, False, True]
        assert needs_segmenting(array.slice(1, 2)).to_pylist() == [True, False]
        assert needs_segmenting(pa.chunked_array([array, array.slice(3)])).to_pylist() == [False, True, False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join([FIRST] * 100_000),
        "كلمة " * 1_000_000,
        "اقرأ أيضا: " + "كلمة " * 1_000_000,
        "ا" + chr(0x064B) * 2_000_000,
        "•" * 2_000_000,
        "\n".join(["اقرأ أيضا:"] * 10_000),
        "\n".join(["اقرأ أيضا:", OTHER_TITLE, FIRST] * 10_000),
        "\n".join([ARTICLE, "المصدر: وكالات", "اقرأ أيضا:", OTHER_TITLE, OTHER, "مقالات مشابهة"] * 3_000),
        "\n".join(["* نقلا عن الوادي"] * 10_000),
        ARTICLE + " رابط الخبر: جسر" * 10_000,
    ],
    ids=["lines", "one_line", "cue_line", "marks", "bullets", "cues", "teasers", "articles", "sources", "links"],
)
def test_hostile_pages_take_linear_time(text):
    start = time.perf_counter()
    segment(text)
    assert time.perf_counter() - start < 20  # far more than linear time, far less than quadratic time
