"""When a picture was taken, as its EXIF states it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from PIL import ExifTags, Image

_TIME: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)")
_FIRST_YEAR: Final = 1826
"""Of the oldest photograph. A camera whose clock was never set states the year 0."""


def taken_at(image: Image.Image) -> datetime | None:
    """Return the EXIF time of exposure (DateTimeOriginal, else DateTimeDigitized) in UTC.

    EXIF 2.32, sections 4.6.5-F and G. Without OffsetTimeOriginal the camera's clock is taken as
    UTC. None if the EXIF has no such time or is damaged.
    """
    try:
        exif = image.getexif()
        if ExifTags.IFD.Exif not in exif:
            return None
        tags = exif.get_ifd(ExifTags.IFD.Exif)
        for time, offset in (
            (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
            (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
        ):
            if (moment := _moment(tags.get(time), tags.get(offset))) is not None:
                return moment
    except Exception:  # noqa: BLE001 (damaged EXIF raises anything; the pixels are intact)
        return None
    return None


def _moment(time: object, offset: object) -> datetime | None:
    found = _TIME.match(str(time).strip())
    if found is None or int(found[1]) < _FIRST_YEAR:
        return None
    zone = UTC
    if (ahead := _OFFSET.match(str(offset).strip())) is not None:
        minutes = int(ahead[2]) * 60 + int(ahead[3])
        zone = timezone(timedelta(minutes=minutes if ahead[1] == "+" else -minutes))
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
