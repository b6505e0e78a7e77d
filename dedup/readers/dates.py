"""Parses dates of any type and format into timestamp[us, UTC].

A time without a zone is UTC; years outside 1000 to 2999 are no dates; ``03/04/2015`` is 3 April, as
on Arabic sites.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from ..schema import EPOCH, TIMESTAMP
from .values import is_missing, is_string_type, plain_column

_FIRST = (datetime(1000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_AFTER = (datetime(3000, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
#: Microseconds in a tick of each unit, as (multiply, divide).
_UNITS = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}
#: A number below the first limit is in seconds, below the second in milliseconds, then
#: microseconds, else nanoseconds.
_MAGNITUDES = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))
#: Ranges of numbers that are a date without separators (as epochs they would be in 1970 or the year
#: 2570).
_COMPACT = ((19_000_101, 21_001_231), (19_000_101_000_000, 21_001_231_235_959))

# ISO formats that Arrow parses a column at a time, with the same result as ``parse_text``.
_NAIVE = r"^[12]\d{3}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$"
_ZONED = r"^[12]\d{3}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$"

_TIME = r"(?:(?:[T,\s]|\sat\s|\s-\s)\s*(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*([AP]M)?\s*([+-]\d\d(?::?\d\d)?|[A-Z]{1,4})?)?$"
_NAME = r"([^\W\d_]+(?:\s[^\W\d_]+)?)"
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _TIME, re.IGNORECASE)
_DAY_FIRST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _TIME, re.IGNORECASE)
_DAY_MONTH = re.compile(r"(?:[^\W\d_]+,?\s+)?(\d{1,2})[\s-]+" + _NAME + r"\.?,?[\s-]+(\d{4})" + _TIME, re.IGNORECASE)
_MONTH_DAY = re.compile(r"(?:[^\W\d_]+,\s+)?" + _NAME + r"\.?\s+(\d{1,2}),?\s+(\d{4})" + _TIME, re.IGNORECASE)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)Z?)?$", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d{9,19}(?:\.\d+)?$")

_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "ut": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "ast": 3,
}
#: Names of each month: English, then of Egypt and the Gulf, the Levant and Iraq, the Maghreb; alef
#: without hamza.
_MONTH_NAMES = (
    "jan january يناير,كانون الثاني,جانفي", "feb february فبراير,شباط,فيفري", "mar march مارس,اذار",
    "apr april ابريل,نيسان,افريل", "may مايو,ايار,ماي", "jun june يونيو,يونيه,حزيران,جوان",
    "jul july يوليو,يوليه,تموز,جويلية", "aug august اغسطس,اب,اوت", "sep sept september سبتمبر,ايلول",
    "oct october اكتوبر,تشرين الاول", "nov november نوفمبر,تشرين الثاني", "dec december ديسمبر,كانون الاول",
)  # fmt: skip


def _months() -> dict[str, int]:
    months = {}
    for number, names in enumerate(_MONTH_NAMES, start=1):
        latin, arabic = re.fullmatch(r"([a-z ]+) (.+)", names).groups()  # type: ignore[union-attr]
        months.update(dict.fromkeys([*latin.split(), *arabic.split(",")], number))
    return months


_MONTHS = _months()
_FOLD = str.maketrans(
    {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)}  # Arabic-Indic and Persian digits
    | dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], "")  # direction marks
    | {"\u060c": ",", "\u0623": "\u0627", "\u0625": "\u0627", "\u0622": "\u0627"}  # Arabic comma; alef with hamza or madda
)


def parse_dates(column: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    """Parse a column of dates.

    Parameters
    ----------
    column : Arrow array of strings, timestamps, dates or numbers, or a list of Python values of any
        type

    Returns
    -------
    (dates, bad) : timestamp[us, UTC] array, bool[n]
        ``bad`` is true of values that are no date; their date is null. An empty string is missing,
        not bad.
    """
    if isinstance(column, list):
        micros, missing, bad = _from_values(column)
    else:
        micros, missing, bad = _from_array(column)
    bad |= ~missing & ((micros < _FIRST) | (micros >= _AFTER))
    return pa.array(micros, mask=missing | bad).cast(pa.timestamp("us")).cast(TIMESTAMP), bad


def parse_text(text: str) -> int | None:
    """Microseconds since 1970 of a date written as text, or None if it is no date."""
    text = " ".join(text.translate(_FOLD).split())
    for pattern, read in _FORMATS:
        found = pattern.match(text)
        if found:
            try:
                return read(found)
            except (ValueError, KeyError, OverflowError):  # the 31st of February, a month named Foo
                return None
    return None


#: Microseconds, which values are missing, which are no date; all of length n.
_Parsed = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def _from_array(column: Any) -> _Parsed:
    column = plain_column(column)
    kind = column.type
    if is_string_type(kind):
        return _from_strings(column.cast(pa.large_string()))
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pt.is_date32(kind):
        column, kind = column.cast(pa.timestamp("s")), pa.timestamp("s")
    elif pt.is_date64(kind):
        column, kind = column.cast(pa.timestamp("ms")), pa.timestamp("ms")
    if pt.is_timestamp(kind):
        ticks = column.cast(pa.int64()).fill_null(0).to_numpy()
        return _from_ticks(ticks, missing, kind.unit)
    if pt.is_integer(kind) and not pt.is_uint64(kind):
        return _from_numbers(column.cast(pa.int64()).fill_null(0).to_numpy(), missing)
    if pt.is_floating(kind):
        return _from_numbers(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), missing)
    return _from_values(column.to_pylist())


def _from_ticks(ticks: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_], unit: str) -> _Parsed:
    times, per = _UNITS[unit]
    low, high = max(_FIRST * per // times, _INT64.start), min(_AFTER * per // times, _INT64.stop - 1)
    inside = (ticks >= low) & (ticks <= high)  # so that the product cannot overflow
    return np.where(inside, ticks, 0) * times // per, missing, ~missing & ~inside


def _from_numbers(numbers: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> _Parsed:
    """Epochs of any unit; NaN is a missing value."""
    missing = missing | np.isnan(numbers)
    bad = ~missing & ~np.isfinite(numbers)
    numbers = np.where(missing | bad, 0, numbers)
    micros = np.zeros(len(numbers), dtype=np.int64)
    below = 0
    for limit, unit in (*_MAGNITUDES, (_INT64.stop, "ns")):
        # abs() of the smallest int64 is negative: hence both comparisons.
        here = ((numbers >= below) & (numbers < limit)) | ((numbers <= -below) & (numbers > -limit))
        times, per = _UNITS[unit]
        some = numbers[here]
        micros[here] = some * times // per if numbers.dtype == np.int64 else np.rint(some * times / per).astype(np.int64)
        below = limit
    bad |= (numbers >= float(_INT64.stop)) | (numbers <= -float(_INT64.stop))
    for first, last in _COMPACT:
        for i in np.flatnonzero((numbers >= first) & (numbers <= last)):
            compact = parse_text(str(int(numbers[i])))
            micros[i] = micros[i] if compact is None else compact
    return micros, missing, bad


def _from_strings(column: Any) -> _Parsed:
    column = pc.utf8_trim_whitespace(column)
    missing = pc.fill_null(pc.equal(pc.utf8_length(column), 0), True).to_numpy(zero_copy_only=False)
    micros = np.zeros(len(column), dtype=np.int64)
    left = ~missing
    for pattern, kind in ((_NAIVE, pa.timestamp("us")), (_ZONED, TIMESTAMP)):
        mask = pc.match_substring_regex(column, pattern).fill_null(False)
        here = mask.to_numpy(zero_copy_only=False)
        if here.any():
            try:
                micros[here] = column.filter(mask).cast(kind).cast(pa.int64()).to_numpy()
            except pa.ArrowInvalid:  # somewhere a 31st of February: these are parsed one by one
                continue
            left &= ~here
    bad = np.zeros(len(column), dtype=np.bool_)
    known: dict[str, int | None] = {}
    rest = np.flatnonzero(left)
    for i, text in zip(rest, column.take(pa.array(rest)).to_pylist(), strict=True):
        if text not in known:
            known[text] = parse_text(text)
        value = known[text]
        bad[i] = value is None
        micros[i] = value or 0
    return micros, missing, bad


def _from_values(values: Sequence[Any]) -> _Parsed:
    """Python values of mixed types, each by the rule for its type."""
    micros = np.zeros(len(values), dtype=np.int64)
    missing = np.zeros(len(values), dtype=np.bool_)
    bad = np.zeros(len(values), dtype=np.bool_)
    for i, value in enumerate(values):
        if hasattr(value, "dtype") and hasattr(value, "item"):  # a NumPy scalar
            value = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
        if isinstance(value, Decimal):
            value = float(value)
        if is_missing(value) or (isinstance(value, str) and not value.strip()):
            missing[i] = True
            continue
        found = _from_value(value)
        bad[i] = found is None
        micros[i] = found or 0
    return micros, missing, bad


def _from_value(value: Any) -> int | None:
    if isinstance(value, str):
        return parse_text(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return _from_value(datetime(value.year, value.month, value.day))
    if isinstance(value, float) or (isinstance(value, int) and value in _INT64):
        micros, _, bad = _from_numbers(np.array([value]), np.zeros(1, dtype=np.bool_))
        return None if bad[0] else int(micros[0])
    return None


def _micros(year: str, month: str | int, day: str, time: Sequence[str | None]) -> int:
    """Microseconds since 1970; ``time`` is hour, minute, second, fraction, AM/PM, zone."""
    hour, minute, second, fraction, half, zone = time
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(half)
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), micro, tzinfo=_zone(zone))
    if not 1000 <= moment.year <= 2999:
        raise ValueError(year)
    return (moment - EPOCH) // timedelta(microseconds=1)


def _parse_slashed(m: re.Match[str]) -> int:
    """Day, month, year, as Arabic sites write; month first only where it must be: 7/21/2015."""
    day, month = (m[3], m[1]) if m[2] == "/" and int(m[3]) > 12 else (m[1], m[3])
    return _micros(m[4], month, day, m.groups()[4:])


def _zone(zone: str | None) -> timezone:
    if not zone:
        return UTC
    if zone[0] not in "+-":
        return timezone(timedelta(hours=_ZONES[zone.lower()]))
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError(zone)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if zone[0] == "-" else offset)


def _month(name: str) -> int:
    return _MONTHS[name.lower()]


def _parse_number(found: re.Match[str]) -> int | None:
    text = found.group()
    return _from_value(float(text) if "." in text else int(text))


def _parse_digits(found: re.Match[str]) -> int:
    year, month, day, *time = found.groups()
    return _micros(year, month, day, [*time, None, None, None])


_FORMATS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int | None]], ...] = (
    (_YEAR_FIRST, lambda m: _micros(m[1], m[3], m[4], m.groups()[4:])),
    (_DAY_MONTH, lambda m: _micros(m[3], _month(m[2]), m[1], m.groups()[3:])),
    (_DIGITS, _parse_digits),
    (_DAY_FIRST, _parse_slashed),
    (_MONTH_DAY, lambda m: _micros(m[3], _month(m[1]), m[2], m.groups()[3:])),
    (_NUMBER, _parse_number),
)
