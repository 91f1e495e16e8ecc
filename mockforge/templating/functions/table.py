"""Every function of templates, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockforge.templating.functions import dates, drawn, encoded, found, numbers, remembered

__all__ = ["FUNCTIONS"]

#: Each can be called, `sha256(request.body)`, and used as a filter, `request.body | sha256`.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "base64_decode": encoded.base64_decode,
    "base64_encode": encoded.base64_encode,
    "counter": remembered.counter,
    "date": dates.date,
    "fake": drawn.fake,
    "file": remembered.file,
    "format_number": numbers.format_number,
    "hmac": encoded.hmac,
    "jsonpath": found.jsonpath,
    "jwt": encoded.jwt,
    "md5": encoded.md5,
    "now": dates.now,
    "parse_json": found.parse_json,
    "random_bool": drawn.random_bool,
    "random_choice": drawn.random_choice,
    "random_float": drawn.random_float,
    "random_hex": drawn.random_hex,
    "random_int": drawn.random_int,
    "random_string": drawn.random_string,
    "regex_all": found.regex_all,
    "regex_find": found.regex_find,
    "regex_replace": found.regex_replace,
    "sha1": encoded.sha1,
    "sha256": encoded.sha256,
    "sha512": encoded.sha512,
    "shuffled": drawn.shuffled,
    "split": found.split,
    "state": remembered.state,
    "url_decode": encoded.url_decode,
    "uuid": drawn.uuid,
    "xpath": found.xpath,
}
