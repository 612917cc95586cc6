"""Text of strangers (file names, labels, decoders' messages) made harmless for a terminal."""


def printable(text: str) -> str:
    """Return `text` with control characters and lone surrogates as visible escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
