"""Small copies of pictures, as data URIs."""

import base64
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Final

from PIL import Image

from seefood.errors import PictureError, SeefoodError, StopError, UsageError
from seefood.imaging.decode import open_upright
from seefood.pages import Thumbnail
from seefood.records import ImageRef
from seefood.sanitize import printable
from seefood.storage.uris import parse_location

Image.preinit()  # imports the encoders while pictures are classified, not at the end of the run
Fetch = Callable[[ImageRef], bytes]

_MAX_SIDE: Final = 200
_QUALITY: Final = 75  # a quarter more bytes than WebP in a twentieth of its time
_THREADS: Final = 6
_MAX_BYTES: Final = 40 * 1024 * 1024
"""Larger objects are not fetched, because several of them at once could fill the memory."""


def make_thumbnails(refs: Iterable[ImageRef], fetch: Fetch) -> dict[str, Thumbnail]:
    """Return the thumbnail of each picture by URI; several threads call `fetch`.

    A picture that cannot be fetched or decoded has the error as its `reason`; nothing is raised. A
    bucket that cannot be read at all, for example without credentials, is asked once.
    """
    unique = {ref.uri: ref for ref in refs}
    closed: dict[str, Thumbnail] = {}
    with ThreadPoolExecutor(_THREADS, "thumbnail") as pool:
        thumbnails = pool.map(lambda ref: _thumbnail(ref, fetch, closed), unique.values())
        return dict(zip(unique, thumbnails, strict=True))


def _thumbnail(ref: ImageRef, fetch: Fetch, closed: dict[str, Thumbnail]) -> Thumbnail:
    """`closed` has the reason of each store that cannot be read, by its root."""
    if ref.size_bytes > _MAX_BYTES:
        return Thumbnail(reason=f"{ref.size_bytes / 1e6:,.0f} MB is too large for a thumbnail")
    try:
        root = parse_location(ref.uri).root
    except UsageError as error:  # the key of bytes in a pipeline may be anything
        return Thumbnail(reason=printable(str(error)))
    if root in closed:
        return closed[root]
    try:
        image = open_upright(fetch(ref), _MAX_SIDE)
    except PictureError as error:
        return Thumbnail(reason=printable(f"{error.code}: {error}"))
    except StopError as error:
        closed[root] = Thumbnail(reason=printable(str(error)))
        return closed[root]
    except (SeefoodError, OSError) as error:
        return Thumbnail(reason=printable(str(error)))
    stream = BytesIO()
    # A copy: an image of a file would ask for the working directory, which may be deleted.
    image.copy().save(stream, "JPEG", quality=_QUALITY)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return Thumbnail(f"data:image/jpeg;base64,{encoded}", image.width, image.height)
