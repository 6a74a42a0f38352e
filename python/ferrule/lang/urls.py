"""What is left in one piece because it is a web or mail address."""

from __future__ import annotations

from ferrule.lang.characters import LOWER

_SCHEME = r"(?:[\w+\-.]{2,}://)?"
_USER = r"(?:\S+(?::\S*)?@)?"
_PORT = r"(?::\d{2,5})?"
_PATH = r"(?:[/?#]\S*)?"

# Four numbers to 255, the first not 0 and below 224, the last neither 0 nor 255; not of a private network.
_PRIVATE = (
    r"(?!(?:10|127)(?:\.\d{1,3}){3})"
    r"(?!(?:169\.254|192\.168)(?:\.\d{1,3}){2})"
    r"(?!172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})"
)
_IP_ADDRESS = (
    r"(?:[1-9]\d?|1\d\d|2[01]\d|22[0-3])"
    r"(?:\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])){2}"
    r"\.(?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-4])"
)

_NAME_CHARACTER = r"A-Za-z0-9\u00a1-\uffff"
_HOST_NAME = (
    rf"(?:(?:[{_NAME_CHARACTER}][{_NAME_CHARACTER}_-]{{0,62}})?[{_NAME_CHARACTER}]\.)+"
    rf"[{LOWER}]{{2,63}}"
)

URL_MATCH = f"^{_SCHEME}{_USER}(?:{_PRIVATE}{_IP_ADDRESS}|{_HOST_NAME}){_PORT}{_PATH}$"
"""A host name whose last part is in small letters, or a public IP address, with what addresses may have."""
