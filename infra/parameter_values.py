"""The forms of the stack's parameters that a pattern in the template does not express.

Each would pass CloudFormation's check and fail later: while the stack is made, or when the function
starts.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import available_timezones

_WHOLE: Final = re.compile(r"-?[0-9]+", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]+([.][0-9]+)?", re.ASCII)
_RATE: Final = re.compile(r"rate\([1-9][0-9]* (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\(((?:\S+ ){5}\S+)\)")
_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Of a cron expression: lowest, highest, names of the numbers from the lowest on, other signs.
_FIELDS: Final = {
    "minute": (0, 59, (), ""),
    "hour": (0, 23, (), ""),
    "day of the month": (1, 31, (), r"\?|L|LW|[0-9]{1,2}W"),
    "month": (1, 12, _MONTHS, ""),
    "day of the week": (1, 7, _DAYS, r"\?|L|[1-7]L|[1-7]#[1-5]"),
    "year": (1970, 2199, (), ""),
}
_ORIGIN: Final = re.compile(r"\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_BUCKET: Final = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|\.mrap|--table-s3)$)"
    r"(?!([0-9]+\.){3}[0-9]+$)(?!.*(\.\.|\.-|-\.)).*"
)
# Parameter, the form of its value, and what it must be.
_FORMS: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    "LabelTag": (
        re.compile(r"(?!aws:)[\w +=.:/@-]*"),
        "the key of a tag: letters, digits, spaces and + - = . _ : / @, and not aws: in front",
    ),
    "ImagePrefix": (re.compile(r"[^*?\[]*"), "the beginning of keys, and no pattern"),
    "VpcId": (re.compile(r"|vpc-[0-9a-f]+"), "the id of a VPC, such as vpc-0123456789abcdef0"),
    "SubnetIds": (
        re.compile(r"|subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*"),
        "ids such as subnet-0123456789abcdef0, with commas between them",
    ),
    "AlarmEmail": (re.compile(r"|[^@\s]+@[^@\s]+\.[^@\s.]+"), "a mail address"),
    "ImageBucketName": (_BUCKET, "the name of a general purpose bucket, and no alias"),
    "ResultsBucketName": (_BUCKET, "the name of a general purpose bucket, and no alias"),
    **{
        name: (
            re.compile(r"|arn:[^:]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+"),
            (
                "the ARN of a key, such as arn:aws:kms:eu-west-1:123456789012:key/1234abcd, and "
                "not of an alias, which IAM does not take"
            ),
        )
        for name in ("PicturesKeyArn", "ResultsKeyArn", "QueueKeyArn")
    },
}


def fault_of_number(value: str, *, is_whole: bool) -> str | None:
    """Return what is wrong with the text of a number; None if nothing is."""
    if not _DECIMAL.fullmatch(value):
        return "is no number"
    return "must be a whole number" if is_whole and not _WHOLE.fullmatch(value) else None


def fault_of(name: str, value: str) -> str | None:
    """Return what the value of the parameter `name` must be, if it is not; else None."""
    form, wanted = _FORMS.get(name, (None, ""))
    if form is not None and not form.fullmatch(value):
        return f"must be {wanted}"
    check = _CHECKS.get(name)
    return check(value) if check is not None else None


def _fault_of_origins(value: str) -> str | None:
    for origin in value.split(",") if value else ():
        if not _ORIGIN.fullmatch(origin.strip()):
            return f"has {origin!r}, which is no origin; write https://example.org, without a path"
    return None


def _fault_of_time_zone(value: str) -> str | None:
    known = available_timezones()  # empty on a machine without the database
    return "is no time zone; write one such as Europe/Berlin" if known - {value} == known else None


def _fault_of_schedule(value: str) -> str | None:
    form = "is no schedule; write cron(0 2 * * ? *), rate(1 day) or at(2026-12-31T02:00:00)"
    if _RATE.fullmatch(value):
        return None
    if value.startswith("at("):
        try:
            moment = datetime.strptime(value, "at(%Y-%m-%dT%H:%M:%S)")  # noqa: DTZ007 (AWS writes no zone)
        except ValueError:
            return form
        return None if value == moment.strftime("at(%Y-%m-%dT%H:%M:%S)") else form
    cron = _CRON.fullmatch(value)
    if cron is None:
        return form
    fields = cron[1].split()
    for text, (name, rule) in zip(fields, _FIELDS.items(), strict=True):
        if not all(_is_in_field(one, *rule) for one in text.split(",")):
            return f"has the {name} {text!r}, which is not from {rule[0]} to {rule[1]}"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "must have `?` as the day of the month or as the day of the week, and not as both"
    return None


def _is_in_field(text: str, low: int, high: int, names: tuple[str, ...], signs: str) -> bool:
    """Whether `text` is `*`, a number or a name, a range, one of them with a step, or a sign."""
    if signs and re.fullmatch(signs, text):
        return True
    span, slash, step = text.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if span == "*":
        return True
    known = {name: number for number, name in enumerate(names, low)}
    bounds = [known.get(one, int(one) if re.fullmatch("[0-9]{1,4}", one) else -1)
              for one in span.upper().split("-")]  # fmt: skip
    return len(bounds) <= 2 and all(low <= one <= high for one in bounds)


_CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "CorsOrigins": _fault_of_origins,
    "ScheduleExpression": _fault_of_schedule,
    "ScheduleTimezone": _fault_of_time_zone,
}
