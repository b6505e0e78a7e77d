"""Copies of whole runs on short reports: a brief, a report that holds it, its reprint, and a round-up of three wires."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

import dedup
from dedup import schema
from dedup.copies.survivor_policy import survivor_key
from dedup.text.normalization import tokenize
from tests.batch.base_runs import by_id, check, ran, report, row

BRIEF = (
    "أعلنت وزارة الصحة اليوم الأحد تسجيل خمس إصابات جديدة بفيروس كورونا في مدينة الرياض وشفاء ثلاثة مصابين "
    "كانوا يتلقون العلاج في مستشفيات العاصمة منذ أسبوعين ودعت السكان إلى الالتزام بغسل اليدين"
)
MORE = (
    "وقال المتحدث الرسمي باسم الوزارة في مؤتمر صحفي إن فرق التقصي الوبائي فحصت جميع المخالطين للمصابين داخل المنشآت الصحية "
    "وخارجها ولم تظهر على أي منهم أعراض المرض وأضاف أن المختبر الإقليمي يستقبل العينات على مدار الساعة وأن نتائجها تصدر خلال "
    "يوم واحد وأوضح أن الوزارة وزعت على مراكز الرعاية الأولية أدلة إرشادية للتعامل مع الحالات المشتبه فيها وأنها ستواصل نشر "
    "الإحصاءات اليومية على موقعها حتى تنتهي موجة الإصابات التي بدأت في مطلع الشهر الماضي"
)
REPORT = f"{BRIEF} {MORE}"
REPRINT = REPORT.replace("أوضح", "أكد").replace("إصابات جديدة", "إصاباتٍ جديدةٍ")
BANK = (
    "خفض البنك المركزي المصري أسعار الفائدة على الإيداع والإقراض بمقدار نقطة مئوية كاملة في اجتماع لجنة السياسة النقدية مساء الخميس "
    "للمرة الثانية هذا العام وأرجع القرار إلى تراجع معدلات التضخم وتحسن سعر صرف الجنيه أمام الدولار"
)
CUP = (
    "تأهل منتخب المغرب إلى نهائيات كأس العالم بعد فوزه على مضيفه منتخب ساحل العاج بهدفين نظيفين سجلهما درار وبنعطية في الشوط الأول "
    "من المباراة التي أقيمت في أبيدجان ضمن الجولة الأخيرة من التصفيات الأفريقية"
)
ROUND_UP = f"{BRIEF} {BANK} {CUP}"
OTHER = (
    "افتتح أمير منطقة عسير معرض الزهور السنوي في مدينة أبها بمشاركة ثلاثين مزارعا ومشتلا وأقيمت على هامشه ورش لتعليم الأطفال "
    "زراعة الورد وعروض شعبية تستمر حتى نهاية الأسبوع المقبل"
)
TEXTS = {"brief": BRIEF, "report": REPORT, "reprint": REPRINT, "bank": BANK, "cup": CUP, "round-up": ROUND_UP, "other": OTHER}
OUTLETS = {"brief": "واس", "report": "الرياض", "reprint": "سبق", "bank": "الأهرام", "cup": "هسبريس", "round-up": "الحياة"}


def rows(*names):
    """One row a day, in this order."""
    return [row(name, TEXTS[name], day=day, source=OUTLETS.get(name)) for day, name in enumerate(names or TEXTS, 1)]


def found(*names, keep="earliest"):
    return dedup.find_copies(rows(*names), dedup.Config().replace({"copies.keep": keep}))


def column(result, name):
    return {document["doc_id"]: document[name] for document in result.documents.to_pylist()}


def shingles(text):
    words = tokenize(text, "shingle")
    return {tuple(words[place : place + 3]) for place in range(len(words) - 2)}


def share(one, other):
    return pytest.approx(len(shingles(TEXTS[one]) & shingles(TEXTS[other])) / len(shingles(TEXTS[one])))


@pytest.fixture(scope="module")
def earliest():
    return found()


def test_a_report_extends_the_brief_and_the_reprint_is_a_copy_of_the_report(earliest):
    assert column(earliest, "status") == {
        "brief": "unique", "report": "extended", "reprint": "copy", "bank": "unique", "cup": "unique", "round-up": "extended",
        "other": "unique",
    }  # fmt: skip
    canonical = {name: name for name in TEXTS} | {"reprint": "report"}
    assert column(earliest, "canonical_id") == canonical
    assert column(earliest, "extends_id") == dict.fromkeys(TEXTS) | {"report": "brief", "round-up": "bank"}
    assert column(earliest, "copy_group") == {"brief": 0, "report": 0, "reprint": 0, "bank": 3, "cup": 4, "round-up": 3, "other": 6}


def test_the_fuller_document_is_the_largest_that_holds_nearly_all(earliest):
    fuller = dict.fromkeys(TEXTS) | {"brief": "report", "bank": "round-up", "cup": "round-up"}
    assert len(shingles(REPORT)) > len(shingles(ROUND_UP))
    assert column(earliest, "fuller_id") == fuller


def test_a_round_up_of_three_wires_is_covered_by_them_and_kept(earliest):
    wires = shingles(BRIEF) | shingles(BANK) | shingles(CUP)
    covered = column(earliest, "covered")
    assert covered["round-up"] == pytest.approx(len(shingles(ROUND_UP) & wires) / len(shingles(ROUND_UP)))
    assert covered["round-up"] > 0.95
    assert {match["doc_id_a"] for match in earliest.matches.to_pylist() if match["doc_id_b"] == "round-up"} >= {"brief", "bank", "cup"}
    assert [covered[name] for name in ("brief", "bank", "cup", "other")] == [0, 0, 0, 0]
    assert covered["report"] == share("report", "brief")
    assert covered["reprint"] == share("reprint", "report")


def test_a_copy_has_its_share_in_the_canonical_and_other_documents_have_none(earliest):
    copy = by_id(earliest)["reprint"]
    assert copy["share"] == share("reprint", "report")
    assert copy["share"] > by_id(earliest)["reprint"]["jaccard"]
    assert copy["containment"] == max(match["containment"] for match in earliest.matches.to_pylist() if match["kind"] == "near")
    for name in ("kind", "share", "jaccard", "containment"):
        assert [other for other, value in column(earliest, name).items() if value is not None] == ["reprint"]


def test_a_match_has_the_share_of_each_side(earliest):
    for match in earliest.matches.to_pylist():
        one, other = match["doc_id_a"], match["doc_id_b"]
        assert match["share_a"] == share(one, other)
        assert match["share_b"] == share(other, one)
        assert match["containment"] == max(match["share_a"], match["share_b"])


def test_the_tables_have_their_schemas(earliest):
    assert earliest.documents.schema.equals(schema.DOCUMENTS)
    assert earliest.matches.schema.equals(schema.MATCHES)
    for table in (earliest.documents, earliest.matches):
        for field in table.schema:
            assert field.nullable or table.column(field.name).null_count == 0
    nullable = {field.name for field in schema.DOCUMENTS if field.nullable}
    assert nullable >= {"extends_id", "fuller_id", "share", "jaccard", "containment", "kind"} and not {"covered", "copy_group"} & nullable
    assert set(pc.unique(earliest.documents.column("status")).to_pylist()) <= set(schema.STATUSES)


def test_the_fullest_text_is_kept_and_what_stands_in_it_is_a_copy():
    result = found(keep="fullest")
    assert column(result, "status") == {
        "brief": "copy", "report": "canonical", "reprint": "copy", "bank": "copy", "cup": "copy", "round-up": "canonical",
        "other": "unique",
    }  # fmt: skip
    canonical = column(result, "canonical_id")
    assert [canonical[name] for name in ("brief", "reprint", "bank", "cup")] == ["report", "report", "round-up", "round-up"]
    assert set(column(result, "extends_id").values()) == {None}
    assert column(result, "share")["brief"] == 1
    # A copy's own text stands in what is kept, but for the edits of the reprint.
    assert result.manifest["counts"]["copies"] == 4


def test_of_the_outlets_in_order_of_trust_the_first_is_kept():
    result = found("brief", "report", "reprint", keep="سبق,الرياض")
    assert column(result, "canonical_id") == dict.fromkeys(("brief", "report", "reprint"), "reprint")
    result = found("brief", "report", "reprint", keep="الجزيرة, الرياض")
    assert column(result, "canonical_id") == dict.fromkeys(("brief", "report", "reprint"), "report")
    # Of other outlets the earliest.
    result = found("brief", "report", "reprint", keep="الجزيرة")
    assert column(result, "extends_id") == {"brief": None, "report": "brief", "reprint": None}


@pytest.mark.parametrize("keep", ["earliest", "fullest", "الحياة,سبق"])
def test_what_is_lost_and_repeated_equals_a_count_of_the_texts(keep):
    result = found(keep=keep)
    documents = by_id(result)
    days = {name: day for day, name in enumerate(TEXTS)}
    keys = {name: survivor_key(keep, "article", OUTLETS.get(name), days[name], documents[name]["words"], name) for name in TEXTS}
    kept = [name for name in sorted(TEXTS, key=keys.get) if documents[name]["status"] != "copy"]
    dropped = [name for name in TEXTS if name not in kept]
    known, repeated = set(), 0
    for name in kept:
        repeated += len(shingles(TEXTS[name]) & known)
        known |= shingles(TEXTS[name])
    lost = {name: len(shingles(TEXTS[name]) - known) for name in dropped}
    of = {name: len(shingles(TEXTS[name])) for name in TEXTS}
    assert len(dropped) > 0
    assert result.manifest["lost"] == pytest.approx(sum(lost.values()) / sum(of[name] for name in dropped), abs=1e-6)
    assert result.manifest["repeated"] == pytest.approx(repeated / sum(of[name] for name in kept), abs=1e-6)
    assert result.manifest["losing_copies"] == {
        limit: sum(lost[name] / of[name] > float(limit) for name in dropped) for limit in ("0.4", "0.5")
    }


def test_documents_that_lose_nothing_are_counted_as_extended(earliest):
    counts = earliest.manifest["counts"]
    assert (counts["copies"], counts["extended"]) == (1, 2)


@pytest.mark.parametrize("keep", ["earliest", "fullest", "الرياض"])
def test_documents_of_a_base_stay_whatever_the_policy(keep):
    base = ran(rows("brief", "other"), copies__keep=keep, stories__enabled=False)
    result = ran(rows("report", "reprint"), base)
    check(result, base)
    assert column(result, "status") == {"brief": "unique", "other": "unique", "report": "extended", "reprint": "copy"}
    assert column(result, "canonical_id")["reprint"] == "report"
    assert column(result, "extends_id")["report"] == "brief"
    assert column(result, "fuller_id")["brief"] == "report"
    assert result.manifest["counts"]["joined_copy_groups"] == 2


def test_a_base_of_another_policy_is_refused():
    base = ran(rows("brief"), copies__keep="fullest")
    with pytest.raises(dedup.ConfigError, match="copies.keep is 'earliest', but 'fullest' in the base"):
        dedup.run(rows("report"), dedup.Config(), base=base)


def test_days_one_by_one_find_what_one_run_over_all_finds():
    names = list(TEXTS)
    result = ran(rows()[:1], stories__enabled=False)
    for one in rows()[1:]:
        base, result = result, ran([one], result)
        check(result, base)
    together = found()
    for name in ("status", "canonical_id", "extends_id", "copy_group", "share", "fuller_id"):
        assert column(result, name) == column(together, name), name
    assert np.allclose([column(result, "covered")[name] for name in names], [column(together, "covered")[name] for name in names])


# Stories of a base


def follow_up(name, day):
    return row(name, REPORT, day=day, source="الرياض")


@pytest.mark.parametrize("day", [2, 28])
def test_a_document_that_extends_an_old_one_joins_its_story_however_late(day):
    base = ran([*rows("brief"), row("else", report(2, topics=[2]), day=1)])
    result = ran([follow_up("report", day), row("reprint", REPRINT, day=day, hour=10)], base)
    check(result, base)
    documents = by_id(result)
    assert (documents["report"]["status"], documents["report"]["extends_id"]) == ("extended", "brief")
    assert {documents[name]["story_id"] for name in ("brief", "report", "reprint")} == {by_id(base)["brief"]["story_id"]}
    story = next(story for story in result.stories.to_pylist() if story["lead_id"] in ("brief", "report"))
    assert (story["documents"], story["copies"], story["last_published"].day) == (2, 1, day)
    assert result.stories.num_rows == base.stories.num_rows == 2
    assert result.events.num_rows == 0


def test_a_document_that_extends_a_new_one_of_an_old_family_joins_its_story():
    base = ran([*rows("brief"), row("else", report(2, topics=[2]), day=1)])
    fuller = f"{REPORT} {OTHER} {BANK} {CUP}"
    result = ran([follow_up("report", 28), row("fuller", fuller, day=29, source="عكاظ")], base)
    check(result, base)
    documents = by_id(result)
    assert (documents["fuller"]["status"], documents["fuller"]["extends_id"]) == ("extended", "report")
    assert len({documents[name]["story_id"] for name in ("brief", "report", "fuller")}) == 1


def test_a_document_that_extends_a_new_one_is_in_its_story():
    result = ran(rows("brief", "report", "other"))
    story = column(result, "story_id")
    assert story["brief"] == story["report"] != story["other"]


def test_a_round_up_ties_old_families_once():
    base = ran(rows("brief", "bank", "cup"))
    result = ran([row("round-up", ROUND_UP, day=4, source="الحياة")], base)
    check(result, base)
    assert by_id(result)["round-up"]["status"] == "extended"
    merged = [(event["canonical_id"], event["other_id"], event["members"]) for event in result.events.to_pylist()]
    assert merged == [("bank", "brief", ["round-up"]), ("bank", "cup", ["round-up"])]
    # A reprint of the round-up, and a longer one, say nothing new.
    again = ran([row("copy", ROUND_UP, day=5), row("longer", f"{ROUND_UP} {OTHER}", day=6)], result)
    check(again, result)
    assert again.events.equals(result.events)
