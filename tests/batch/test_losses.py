"""The copies that lose most are named in the log, the worst first."""

import logging

import numpy as np
import pyarrow as pa
import pytest

import dedup
from dedup.batch.losses import WORST, log_losses, worst_losses
from dedup.copies.covered import Covered
from tests.arabic import news

SENTENCES = [sentence + " " for sentence in (
    "افتتح محافظ مدينة النخيل صباح اليوم الجسر المعلق الجديد على نهر الوادي بعد أربع سنوات من أعمال البناء",
    "وقال المحافظ سالم الحارثي إن الجسر سيخفف الازدحام عن وسط المدينة وسيختصر زمن الرحلة بين الضفتين",
    "وحضر الافتتاح مئات السكان الذين عبروا الجسر سيرا على الأقدام قبل السماح بمرور السيارات مساء اليوم نفسه",
    "وذكرت شركة الأفق للإنشاءات أن كلفة المشروع بلغت ستين مليون دينار تحملتها خزينة الدولة ومصرف التنمية",
)]  # fmt: skip


def measured(lost, kinds=None, titles=None):
    """``Covered`` of copies of 100 shingles of which ``lost`` stand nowhere, and their table; the last document is kept."""
    sizes = np.full(len(lost) + 1, 100)
    covered = Covered(sizes * 0, sizes - np.array([*lost, 100]), sizes, np.arange(len(sizes)) == len(lost))
    ids = [f"d{place:02d}" for place in range(len(lost))]
    table = pa.table({
        "doc_id": [*ids, "kept"],
        "canonical_id": ["kept"] * len(sizes),
        "kind": pa.array([*(kinds or ["near"] * len(lost)), None], pa.string()),
        "title": pa.array([*(titles or [None] * len(lost)), None], pa.string()),
    })  # fmt: skip
    return covered, table


def test_the_worst_losses_come_first_and_equal_ones_by_id():
    found = worst_losses(*measured([10, 30, 0, 20, 30, 5]))
    assert [(loss["doc_id"], loss["lost"]) for loss in found] == [("d01", 0.3), ("d04", 0.3), ("d03", 0.2), ("d00", 0.1), ("d05", 0.05)]


def test_ten_copies_are_named_however_many_are_equal():
    assert [loss["doc_id"] for loss in worst_losses(*measured([7] * 40))] == [f"d{place:02d}" for place in range(WORST)]
    assert [loss["doc_id"] for loss in worst_losses(*measured([7] * 20 + [9] + [7] * 20))] == [
        "d20",
        *(f"d{place:02d}" for place in range(9)),
    ]


def test_kept_documents_and_title_copies_lose_nothing():
    assert [loss["doc_id"] for loss in worst_losses(*measured([90, 40], ["title", "excerpt"]))] == ["d01"]


def test_nothing_is_logged_if_no_copy_loses_text(caplog):
    caplog.set_level(logging.INFO, "dedup")
    log_losses(*measured([0, 0]))
    assert caplog.records == []


def test_a_title_cannot_write_control_characters_into_the_log(caplog):
    caplog.set_level(logging.INFO, "dedup")
    log_losses(*measured([50], titles=["عنوان\x1b[31m\n\u202eالجسر"]))
    [record] = caplog.records
    assert record.getMessage() == "50.0 % of 'd00' stands in no kept document, it is a copy of 'kept': 'عنوان\\x1b[31m\\n\\u202eالجسر'"
    assert record.title == "عنوان\x1b[31m\n\u202eالجسر"


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_a_run_logs_what_its_copies_lose(caplog, level):
    caplog.set_level(level, "dedup")
    reprint = "".join(SENTENCES[:3]) + "وأكد المهندس أن الصيانة تبدأ بعد شهر"
    rows = [
        {"id": "برقية", "text": "".join(SENTENCES), "title": "افتتاح الجسر المعلق", "published": "2025-03-02"},
        {"id": "طبعة", "text": reprint, "title": "الجسر المعلق يفتح أبوابه", "published": "2025-03-03"},
        {"id": "أخرى", "text": news(5), "published": "2025-03-03"},
    ]
    result = dedup.run(rows)
    copy = result.documents.to_pylist()[1]
    assert (copy["status"], copy["canonical_id"]) == ("copy", "برقية")
    losses = [record for record in caplog.records if getattr(record, "event", None) == "loss"]
    if level == logging.WARNING:
        assert losses == []
        return
    [loss] = losses
    assert (loss.doc_id, loss.canonical_id, loss.title) == ("طبعة", "برقية", "الجسر المعلق يفتح أبوابه")
    assert loss.lost == pytest.approx(1 - copy["share"], abs=1e-6) == pytest.approx(result.manifest["lost"], abs=1e-6)
