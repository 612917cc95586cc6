"""The part of a library's exception that a user can act on."""

from typing import Final

_MAX_CHARACTERS: Final = 200
_SAY_NOTHING: Final = ("Graph execution error", "Detected at node", "[[{{node", "File ", "<stack")
"""Where lines start that name a place in a graph and no reason."""
_IS_A_LIST: Final = "Tensorflow type 21 not convertible"
_LISTS: Final = "it keeps lists of tensors, as recurrent layers do"


def reason(error: Exception) -> str:
    """Return the first line of the message that says what is wrong, shortened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_SAY_NOTHING)]
    first = (telling or lines or [type(error).__name__])[0]
    return _LISTS if _IS_A_LIST in first else first[:_MAX_CHARACTERS]
