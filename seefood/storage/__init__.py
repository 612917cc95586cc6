"""Stores: files and buckets behind one protocol.

    local         local files, through the operating system
    object_store  Google Cloud Storage, Azure and memory, through obstore
    s3_store      S3: obstore, and a client of our own for listings and for keys it cannot express

`memory://name` is the fake that ships: obstore's `MemoryStore`, one for each name in a process.
"""

from seefood.storage.store import (
    Store,
    current_etag,
    fetch,
    list_existing,
    open_store,
    read,
    write,
)

__all__ = ["Store", "current_etag", "fetch", "list_existing", "open_store", "read", "write"]
