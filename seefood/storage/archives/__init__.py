"""Archives as folders: the members of a tar or zip file are pictures of their own.

    members  a member, and the entity tag that says where it lies in the archive
    tar      lists and reads tar files, also compressed ones
    zip      lists and reads zip files
    store    the `Store` of one archive

`seefood.storage.archive_names` tells archives and members by their names. Nothing is unpacked to
disk. A member's entity tag holds the archive's tag and the member's place, so that a worker reads
it without the archive's directory, and never from a replaced archive.
"""
