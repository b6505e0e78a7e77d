"""Example rows, commands and readers of their output, for the tests of the command line."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from dedup.cli import main

TABLES = ("documents", "matches", "stories", "rejects")

BRIDGE = (
    "افتتح محافظ مدينة النخيل صباح اليوم الجسر المعلق الجديد على نهر الوادي بعد أربع سنوات من أعمال البناء التي نفذتها "
    "شركة الأفق للإنشاءات بكلفة بلغت ستين مليون دينار. وقال المحافظ سالم الحارثي إن الجسر سيخفف الازدحام عن وسط المدينة "
    "وسيختصر زمن الرحلة بين الضفتين إلى خمس دقائق. وحضر الافتتاح مئات السكان الذين عبروا الجسر سيرا على الأقدام قبل السماح "
    "بمرور السيارات مساء اليوم نفسه."
)
BRIDGE_EDITED = BRIDGE.replace("صباح اليوم", "صباح الأحد").replace("مئات السكان", "عدد كبير من الأهالي")
BRIDGE_IN_OTHER_WORDS = (
    "عبر سكان مدينة النخيل نهر الوادي مشيا لأول مرة فوق الجسر المعلق الذي دشنه المحافظ سالم الحارثي. وتولت شركة الأفق للإنشاءات "
    "بناء الجسر في مشروع طال انتظاره، ويأمل أصحاب المتاجر على الضفة الشرقية أن يعيد الجسر الزبائن إلى أسواقهم."
)
HONEY = (
    "أعلنت جمعية النحالين في جبال السرو أن موسم العسل هذا العام تضاعف مقارنة بالعام الماضي بفضل أمطار الربيع المتأخرة. "
    "وأوضح رئيس الجمعية كمال الراوي أن المناحل أنتجت ثلاثين طنا من عسل السدر والزعتر، وأن الأسعار انخفضت بنحو الربع في "
    "الأسواق الشعبية. ويستعد النحالون لمعرض سنوي يقام في ساحة البلدة القديمة الأسبوع المقبل."
)
ROWS = [
    {"id": "b1", "source": "الضفة", "date": "2025-03-02T08:00:00Z", "title": "افتتاح الجسر المعلق في مدينة النخيل", "text": BRIDGE},
    {"id": "b2", "source": "المنارة", "date": "2025-03-02T09:00:00Z", "title": "محافظ النخيل يفتتح الجسر الجديد", "text": BRIDGE},
    {"id": "b3", "source": "الجدول", "date": "2025-03-02T12:00:00Z", "title": "الجسر المعلق يفتح أبوابه", "text": BRIDGE_EDITED},
    {
        "id": "b4",
        "source": "النخلة",
        "date": "2025-03-02T15:00:00Z",
        "title": "سكان النخيل يعبرون الجسر المعلق",
        "text": BRIDGE_IN_OTHER_WORDS,
    },
    {"id": "h1", "source": "الجدول", "date": "2025-03-04T10:00:00Z", "title": "موسم وفير لعسل جبال السرو", "text": HONEY},
]


def lines_of(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def dedup_command(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="dedup")


def run(*arguments):
    """Run ``dedup run``, which must succeed, and return what ``--json`` prints."""
    result = dedup_command("run", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def table(name, folder="out"):
    return pq.read_table(Path(folder) / f"{name}.parquet").to_pylist()


def rejects(folder="out"):
    return [(row["input_file"], row["input_row"], row["reason"]) for row in table("rejects", folder)]


def error_of(result, exit_code):
    """The message of a failed command that printed nothing else."""
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    return result.stderr.removesuffix("\n")


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def must_not_run(*_, **__):
    raise AssertionError("the work has begun")


def raising(error):
    def run_instead(*_, **__):
        raise error

    return run_instead
