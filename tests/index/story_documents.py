"""Documents for a story window, made of Arabic titles and texts or of random weights."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup import Config
from dedup.fingerprints.fingerprint import fingerprint
from dedup.index.story_window import StoryWindow
from dedup.index.window_arrays import TERMS, VectorRows

HOUR = 3600.0
#: Reports of five events, as outlets word them; the text continues the title.
EVENTS = {
    "السفانية": [
        ("أرامكو توقع عقدا لتوسعة حقل السفانية", "وقعت شركة أرامكو السعودية عقدا بقيمة ملياري دولار لتوسعة حقل السفانية البحري شرق المملكة"),
        ("عقد جديد لتوسعة حقل السفانية البحري", "قالت أرامكو إن توسعة حقل السفانية ستضيف إنتاجا جديدا وإن العقد الموقع يشمل منصات بحرية"),
        ("ملياران لمنصات بحرية في السفانية", "تشمل توسعة السفانية التي أعلنتها أرامكو بناء منصات بحرية ومد أنابيب في الحقل البحري"),
    ],
    "الديربي": [
        ("الهلال يهزم النصر بثلاثية في الديربي", "فاز الهلال على غريمه النصر بثلاثة أهداف دون رد في ديربي الرياض على ملعب الملك فهد"),
        ("ديربي الرياض: ثلاثية هلالية في مرمى النصر", "سجل مهاجم الهلال هدفين في مرمى النصر وحسم ديربي الرياض بثلاثية نظيفة"),
        ("النصر يخسر الديربي أمام الهلال", "تلقى النصر خسارة ثقيلة أمام الهلال بثلاثية في ديربي الرياض وسط حضور جماهيري"),
    ],
    "سيول": [
        ("سيول تغرق أحياء في جازان", "أغرقت السيول أحياء في مدينة جازان بعد أمطار غزيرة وأنقذ الدفاع المدني عشرات المحتجزين"),
        ("الدفاع المدني ينقذ محتجزين في سيول جازان", "باشر الدفاع المدني في جازان إنقاذ محتجزين داخل مركباتهم بعد أن جرفتها السيول والأمطار الغزيرة"),
        ("أمطار جازان: إنقاذ عشرات المحتجزين من السيول", "تسببت أمطار غزيرة على جازان في سيول جارفة وأنقذ الدفاع المدني المحتجزين في الأحياء"),
    ],
    "البركان": [
        ("ثوران بركان في إندونيسيا وإغلاق مطار بالي", "أغلقت إندونيسيا مطار بالي بعد أن قذف بركان راونج الرماد إلى ارتفاع كبير"),
        ("رماد بركان راونج يغلق مطار بالي", "ألغيت رحلات إلى بالي بسبب رماد بركان راونج في إندونيسيا وأغلق المطار أمام المسافرين"),
        ("آلاف المسافرين عالقون في بالي بسبب البركان", "علق آلاف المسافرين في مطار بالي المغلق بسبب رماد بركان راونج في إندونيسيا"),
    ],
    "اللقاح": [
        ("لقاح تجريبي للإيبولا ينجح في غينيا", "أعلنت منظمة الصحة العالمية أن لقاحا تجريبيا ضد فيروس إيبولا نجح في غينيا بنسبة كاملة"),
        ("الصحة العالمية: نجاح لقاح إيبولا في غينيا", "قالت منظمة الصحة العالمية إن اختبار لقاح إيبولا في غينيا أظهر حماية كاملة من الفيروس"),
        ("نتائج واعدة للقاح ضد فيروس إيبولا", "أظهر لقاح ضد إيبولا جرب في غينيا نتائج واعدة بحسب منظمة الصحة العالمية"),
    ],
}  # fmt: skip


def vectors(window: StoryWindow, documents: list[tuple[str, str]]) -> VectorRows:
    """Vectors of (title, text), a headline where the text is empty."""
    titles, texts = (pa.array([document[side] for document in documents], pa.large_string()) for side in (0, 1))
    prints = fingerprint(texts, titles, Config())
    runs, offsets = prints.title_shingles
    letters = [runs[offsets[row] : offsets[row + 1] if not text else offsets[row]] for row, (_, text) in enumerate(documents)]
    return window.rows(prints.title_terms, prints.terms, (np.concatenate(letters), np.cumsum([0, *map(len, letters)])))


def assign_one(window: StoryWindow, title: str, text: str, hours: float, number: int) -> int:
    """Assign one document, which founds the story of its number if it joins none; returns its story."""
    rows = vectors(window, [(title, text)])
    proposed = window.propose(rows, 0, hours * HOUR, not text)
    stories, _ = window.assign(rows, np.array([number]), np.array([hours * HOUR]), np.array([not text]), np.array([number]))
    assert proposed.story == (None if stories[0] == -1 else stories[0])
    return number if proposed.story is None else proposed.story


def random_rows(random: np.random.Generator, n: int, terms: int = 60) -> VectorRows:
    """Vectors of a few terms each out of ``terms``, so that some are similar."""
    values, weights = np.zeros((n, TERMS), np.uint64), np.zeros((n, TERMS), np.float32)
    lengths = random.integers(0, 10, n).astype(np.int32)
    for row, length in enumerate(lengths):
        values[row, :length] = random.choice(terms, length, replace=False) * 7919 + 17
        own = random.uniform(0.2, 1, length)
        weights[row, :length] = own / max(np.sqrt((own**2).sum()), 1e-9)
    words = np.minimum(lengths, random.integers(0, 10, n)).astype(np.int32)
    return VectorRows(values, weights, words, lengths, random.random(n) < 0.8)
