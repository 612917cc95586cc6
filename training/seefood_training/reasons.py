"""The part of a library's exception that a user can act on."""

import re
from typing import Final

_MAX_CHARACTERS: Final = 200
_SAY_NOTHING: Final = ("Graph execution error", "Detected at node", "[[{{node", "File ", "<stack")
"""Where lines start that name a place in a graph and no reason."""
_IS_A_LIST: Final = "Tensorflow type 21 not convertible"
_LISTS: Final = "it keeps lists of tensors, as recurrent layers do"
_MISSING: Final = re.compile(r"(?:Custom|Flex|Select TF) ops: (.+)")
"""How LiteRT's converter names the operations that LiteRT does not have."""
NO_REASON: Final = "its converter gives no reason"
"""For a converter's exception without a message: a type's name tells nobody anything."""
_ERROR: Final = "error: "
"""What is before the reason in the lines of LiteRT's converter."""


def reason(error: Exception, otherwise: str = "") -> str:
    """Return the first line of the message that says what is wrong, shortened.

    Without a message it is `otherwise`, or the class's name.
    """
    if missing := _MISSING.search(str(error)):
        return f"LiteRT has no {missing[1].strip()}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    marked = [line.partition(_ERROR)[2] for line in lines if _ERROR in line]
    telling = [line for line in lines if not line.startswith(_SAY_NOTHING)]
    first = (marked or telling or lines or [otherwise or type(error).__name__])[0]
    return _LISTS if _IS_A_LIST in first else first[:_MAX_CHARACTERS]
