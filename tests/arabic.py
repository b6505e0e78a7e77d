"""Invented Arabic news of common words; only a test adds numbers and rare names."""

from __future__ import annotations

import random

_SENTENCE = (
    "أعلنت الحكومة خطة جديدة لدعم الاقتصاد الوطني وزيادة فرص العمل أمام الشباب وقال الوزير خلال مؤتمر صحفي عقد في مقر "
    "الوزارة إن المشروع يشمل بناء مدارس ومستشفيات في المدن الكبرى وتطوير شبكة الطرق العامة بالتعاون مع القطاع الخاص "
    "وأشار الرئيس إلى أهمية العلاقات الدولية في المنطقة العربية مؤكدا ضرورة الحوار بين جميع الأطراف للوصول إلى حل سياسي "
    "الأزمة ويحقق الأمن والسلام للشعب وطالب المجلس بفتح تحقيق حول الحادث الذي وقع مساء الأحد وأدى إلى مقتل وإصابة عدد "
    "من المواطنين وسط ظروف صعبة تعيشها البلاد منذ سنوات كما بحث اللقاء سبل تعزيز التعاون المشترك ودعم جهود التنمية"
)
WORDS = sorted(set(_SENTENCE.split()))


def news(seed: int, words: int = 80) -> str:
    """A text of common words in random order: texts of two seeds share three consecutive words only by chance."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def edited(text: str, *places: int) -> str:
    """The text with the words at these places replaced by another common one."""
    words = text.split()
    for place in places:
        words[place] = "كذلك" if words[place] != "كذلك" else "أيضا"
    return " ".join(words)
