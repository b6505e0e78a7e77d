"""Which values are dates, and that a column is parsed like its single values."""

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.readers.dates import parse_dates, parse_text
from dedup.schema import TIMESTAMP

MOMENT = datetime(2015, 7, 22, 9, 54, 23, tzinfo=UTC)
DAY = datetime(2015, 7, 22, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(2999, 12, 30))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def read(column):
    dates, bad = parse_dates(column)
    assert dates.type == TIMESTAMP
    return dates.to_pylist(), bad.tolist()


def read_one(text):
    return read(pa.array([text]))[0][0]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2015-07-22 09:54:23", MOMENT),
        ("2015-07-22T09:54:23", MOMENT),
        ("2015-07-22T09:54:23Z", MOMENT),
        ("2015-07-22 12:54:23+03:00", MOMENT),
        ("2015-07-22T12:54:23 +0300", MOMENT),
        ("2015-07-22T12:54:23+03", MOMENT),
        ("2015-07-22 09:54:23 UTC", MOMENT),
        ("2015-07-22T09:54:23.250Z", MOMENT.replace(microsecond=250000)),
        ("2015-07-22T09:54:23.123456789Z", MOMENT.replace(microsecond=123456)),
        ("2015-07-22T09:54", MOMENT.replace(second=0)),
        ("2015-07-22", DAY),
        ("  2015-07-22\n", DAY),
        ("2015-7-2", datetime(2015, 7, 2, tzinfo=UTC)),
        ("Wed, 22 Jul 2015 09:54:23 GMT", MOMENT),
        ("Wed, 22 Jul 2015 12:54:23 +0300", MOMENT),
        ("22 Jul 2015 04:54:23 EST", MOMENT),
        ("July 22, 2015", DAY),
        ("22 يوليو 2015", DAY),
        ("الأربعاء، ٢٢ تموز ٢٠١٥", DAY),
        ("20 كانون الأول 2015", datetime(2015, 12, 20, tzinfo=UTC)),
        ("20150722", DAY),
        ("20150722095423", MOMENT),
        ("20150722T095423Z", MOMENT),
        ("2015/07/22", DAY),
        ("22/07/2015", DAY),
        ("22-07-2015 09:54:23", MOMENT),
        ("22/07/2015 - 09:54 AM", MOMENT.replace(second=0)),
        ("22.07.2015 9:54 pm", MOMENT.replace(hour=21, second=0)),
        ("03/04/2015", datetime(2015, 4, 3, tzinfo=UTC)),
        ("٢٢/٠٧/٢٠١٥", DAY),
        ("۲۰۱۵-۰۷-۲۲", DAY),
        ("\u200f22/07/2015", DAY),
        ("1437558863", MOMENT),
        ("1437558863000", MOMENT),
        ("1437558863.5", MOMENT.replace(microsecond=500000)),
    ],
)
def test_common_formats_are_parsed(text, expected):
    assert read_one(text) == expected


@pytest.mark.parametrize(
    "text",
    ["31 Foo 2015", "2015-02-30", "2015-02-30 10:00:00Z", "0999-01-01", "3000-01-01", "22/13/2015", "25:00", "yesterday", "2015",
     "2015-07-22 24:00:00", "2015-07-22T09:54:23+03:75", "2015-07-22 13:00 PM", "22/07-2015", "22 Jul 2015 10:00 XYZ", "99999999", "-"],
)  # fmt: skip
def test_a_text_that_is_no_date_is_null_and_bad(text):
    assert read(pa.array([text])) == ([None], [True])
    assert read([text]) == ([None], [True])


def test_missing_values_are_not_bad():
    assert read(pa.array(["", "  ", None])) == ([None] * 3, [False] * 3)
    assert read(["", None, float("nan")]) == ([None] * 3, [False] * 3)
    assert read(pa.array([float("nan"), None])) == ([None] * 2, [False] * 2)
    assert read(pa.nulls(2)) == ([None] * 2, [False] * 2)
    assert read(pa.array([], pa.string())) == ([], [])


@pytest.mark.parametrize("unit, times", [("s", 1), ("ms", 1000), ("us", 10**6), ("ns", 10**9)])
def test_numbers_are_epochs_of_the_unit_that_fits(unit, times):
    number = 1437558863 * times
    assert read(pa.array([number, None])) == ([MOMENT, None], [False, False])
    assert read(pa.array([float(number)])) == ([MOMENT], [False])
    assert read([number, str(number)])[0] == [MOMENT, MOMENT]
    assert read(pa.array([number]).cast(pa.timestamp(unit)))[0] == [MOMENT]


def test_a_number_can_be_a_date_without_separators():
    assert read(pa.array([20150722, 20150722095423]))[0] == [DAY, MOMENT]
    assert read(pa.array([20150722.0]))[0] == [DAY]


def test_numbers_out_of_range_are_bad():
    assert read([2**70, -(2**63), True, float("inf"), [1], {}]) == ([None] * 6, [True] * 6)
    assert read(pa.array([2**64 - 1], pa.uint64())) == ([None], [True])
    assert read(pa.array([2**62], pa.int64()).cast(pa.timestamp("s"))) == ([None], [True])
    assert read(pa.array([-(2**62)], pa.int64()).cast(pa.timestamp("ns")))[1] == [False]  # the year 1823


def test_arrow_dates_and_zones_become_utc():
    riyadh = pa.array([MOMENT], pa.timestamp("ms", tz="Asia/Riyadh"))
    assert read(riyadh)[0] == [MOMENT]
    assert read(pa.array([datetime(2015, 7, 22, 9, 54, 23)], pa.timestamp("us")))[0] == [MOMENT]
    assert read(pa.array([date(2015, 7, 22)], pa.date32()))[0] == [DAY]
    assert read(pa.array([date(2015, 7, 22)], pa.date64()))[0] == [DAY]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_every_string_type_is_parsed(kind):
    column = pa.array(["2015-07-22", "22/07/2015", None, "?"]).cast(kind)
    assert read(column) == ([DAY, DAY, None, None], [False, False, False, True])
    assert read(column[1:]) == ([DAY, None, None], [False, False, True])


def test_one_invalid_day_does_not_affect_its_neighbours():
    column = pa.array(["2015-07-22 09:54:23", "2015-02-30 00:00:00", "2015-07-22"])
    assert read(column) == ([MOMENT, None, DAY], [False, True, False])


def test_python_values_are_parsed_by_their_type():
    riyadh = MOMENT.astimezone(timezone(timedelta(hours=3)))
    assert read([MOMENT, riyadh, MOMENT.replace(tzinfo=None), date(2015, 7, 22), "2015-07-22"])[0] == [MOMENT, MOMENT, MOMENT, DAY, DAY]


@given(MOMENTS, ZONES)
def test_iso_round_trip(moment, zone):
    aware = moment.replace(tzinfo=zone)
    texts = [aware.isoformat(), aware.isoformat(" "), moment.isoformat(), f"{moment.isoformat()}Z"]
    utc = moment.replace(tzinfo=UTC)
    assert read(pa.array(texts))[0] == [aware.astimezone(UTC)] * 2 + [utc] * 2
    assert read(list(texts)) == read(pa.array(texts))


@given(MOMENTS, ZONES)
def test_rfc_2822_round_trip(moment, zone):
    aware = moment.replace(tzinfo=zone, microsecond=0)
    assert read_one(format_datetime(aware)) == aware.astimezone(UTC)


@given(MOMENTS)
def test_day_first_round_trip(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    day_first = f"{moment.day:02}/{moment.month:02}/{moment.year:04} {moment:%H:%M:%S}"
    arabic = day_first.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})
    assert read(pa.array([day_first, arabic]))[0] == [moment, moment]


@given(st.lists(st.from_regex(r"[12]\d{3}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:?\d\d)?)?", fullmatch=True), max_size=5))
def test_a_column_is_parsed_like_its_single_values(texts):
    assert read(pa.array(texts, pa.string())) == read(texts)


@given(st.text(max_size=30))
def test_no_text_raises_an_error(text):
    parse_text(text)
    read([text])


def test_month_first_is_used_only_if_day_first_is_no_date():
    assert read_one("7/21/2015 11:30:00 PM") == datetime(2015, 7, 21, 23, 30, tzinfo=UTC)
    assert read_one("09/07/2015 11:30 PM") == datetime(2015, 7, 9, 23, 30, tzinfo=UTC)
