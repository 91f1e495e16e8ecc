"""Names that tell a secret: of headers, and of parameters, form fields, JSON keys and XML elements.

Names are compared in lower case and without punctuation, so that `api_key`, `Api-Key` and `user[api.key]` all
end with `apikey`. In a pattern `*` stands for anything.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable

__all__ = ["HEADER_NAMES", "NOT_SECRET_HEADERS", "PARAMETER_NAMES", "Names", "normalised"]

HEADER_NAMES = (
    "*accesskey*",
    "*apikey*",
    "*authorization*",
    "*csrf*",
    "*passphrase*",
    "*passwd*",
    "*password*",
    "*privatekey*",
    "*secret*",
    "*sessionid*",
    "*sessionkey*",
    "*signature*",
    "*token*",
    "*xsrf*",
    "cookie",
    "setcookie",
    "xauth",
    "xauthkey",
)

#: Headers that have such a name and hold no secret: how much of a limit is left, what CORS permits.
NOT_SECRET_HEADERS = ("*ratelimit*", "accesscontrol*")

PARAMETER_NAMES = (
    "*accesskey",
    "*accesskeyid",
    "*accountkey",
    "*apikey",
    "*authkey",
    "*authorization",
    "*encryptionkey",
    "*passcode",
    "*passphrase",
    "*passwd",
    "*password",
    "*passwordconfirmation",
    "*privatekey",
    "*secret",
    "*secretkey",
    "*securitycode",
    "*sessionid",
    "*sessionkey",
    "*signature",
    "*signingkey",
    "*token",
    "*csrf",
    "csrf*",
    "*xsrf",
    "xsrf*",
    "clientassertion",
    "codeverifier",
    "connectionstring",
    "connectsid",
    "cookie",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "hmac",
    "idtokenhint",
    "jwt",
    "otp",
    "pass",
    "phpsessid",
    "pin",
    "pwd",
    "samlresponse",
    "setcookie",
    "sid",
    "sig",
    "xamzcredential",
    "xgoogcredential",
)

_PUNCTUATION = re.compile(r"[\W_]+")
_NO_GLOB = re.compile(r"[^\w*?]+|_+")
_MOST_REMEMBERED = 20_000


def normalised(name: str) -> str:
    """`name` in lower case, without punctuation."""
    return _PUNCTUATION.sub("", name).lower()


class Names:
    """The test whether a name tells a secret.

    One of `default` does, unless it is one of `excepted`, too; one of `own` does; one of `kept` never does.
    """

    def __init__(
        self,
        default: Iterable[str],
        *,
        excepted: Iterable[str] = (),
        own: Iterable[str] = (),
        kept: Iterable[str] = (),
    ) -> None:
        self._default, self._excepted = _any_of(default), _any_of(excepted)
        self._own, self._kept = _any_of(own), _any_of(kept)
        self._known: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._test(normalised(name))
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = known
        return known

    def _test(self, name: str) -> bool:
        if self._kept.fullmatch(name):
            return False
        if self._own.fullmatch(name):
            return True
        return bool(self._default.fullmatch(name)) and not self._excepted.fullmatch(name)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """A regex of all patterns; one that fits nothing where there are none."""
    alternatives = [fnmatch.translate(_NO_GLOB.sub("", each).lower()) for each in patterns]
    return re.compile("|".join(alternatives) or r"(?!)")
