"""Small previews of pictures, as data that a page carries in itself."""

import base64
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image

from seefood.errors import PictureError, SeefoodError
from seefood.imaging.decode import open_upright
from seefood.records import ImageRef, Row
from seefood.sanitize import printable

Image.preinit()  # what saving imports: now, while pictures are classified, and not at the end
Fetch = Callable[[ImageRef], bytes]

_MAX_SIDE: Final = 200
_QUALITY: Final = 75  # a quarter more bytes than WebP, and a twentieth of its time
_THREADS: Final = 6
# Some of these at once must not be what fills a worker's memory.
_LARGEST_BYTES: Final = 40 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """A small picture, or why there is none."""

    data_uri: str = ""
    """JPEG; empty where there is a `reason`."""
    width: int = 0
    height: int = 0
    reason: str = ""


def make_previews(rows: Iterable[Row], fetch: Fetch) -> dict[str, Preview]:
    """Return the preview of each row's picture by its URI; several threads call `fetch`.

    Whatever goes wrong with a picture becomes the reason in its preview; nothing is raised.
    """
    unique = {row.uri: row for row in rows}
    with ThreadPoolExecutor(_THREADS, "preview") as pool:
        previews = pool.map(lambda row: _preview(row, fetch), unique.values())
        return dict(zip(unique, previews, strict=True))


def _preview(row: Row, fetch: Fetch) -> Preview:
    if row.size_bytes > _LARGEST_BYTES:
        return Preview(reason=f"{row.size_bytes / 1e6:,.0f} MB are too large for a preview")
    try:
        data = fetch(ImageRef(row.uri, row.etag, row.size_bytes, row.version_id))
        image = open_upright(data, _MAX_SIDE)
    except PictureError as error:
        return Preview(reason=printable(f"{error.code}: {error}"))
    except (SeefoodError, OSError) as error:
        return Preview(reason=printable(str(error)))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return Preview(f"data:image/jpeg;base64,{encoded}", image.width, image.height)
