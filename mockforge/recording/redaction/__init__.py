"""Redaction: what is secret in an exchange gives way to pseudonyms before anything reaches the disk.

`rules` says what is secret, `pseudonyms` what stands in its place, `redactor` applies both to exchanges.
In between, from the outside in: `fields` and `targets` (headers, URLs), `codings`, `media` and `bodies`
(what a body's bytes are), `json_text` and `text` (where in a text the secrets stand), `patterns` (secrets
that are known by their own look). All of these find *edits*, places in a text and what goes there, so
that every other byte stays as it was.
"""

from __future__ import annotations

from mockforge.recording.redaction.key import fingerprint, key_from_hex, load_or_create_key
from mockforge.recording.redaction.redactor import Redactor
from mockforge.recording.redaction.report import RedactionReport
from mockforge.recording.redaction.rules import RedactionRules
from mockforge.recording.redaction.rules_file import rules_from_file

__all__ = [
    "RedactionReport",
    "RedactionRules",
    "Redactor",
    "fingerprint",
    "key_from_hex",
    "load_or_create_key",
    "rules_from_file",
]
