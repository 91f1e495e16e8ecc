"""The redactor of `mockforge recordings redact`: its rules, and where its key is."""

from __future__ import annotations

import os
from pathlib import Path

from mockforge.recording.redaction import (
    RedactionRules,
    Redactor,
    key_from_hex,
    load_or_create_key,
    rules_from_file,
)

__all__ = ["redactor_for"]

_VARIABLE = "MOCKFORGE_REDACTION_KEY"


def redactor_for(recording: Path, rules: Path | RedactionRules | None, key: Path | None) -> Redactor:
    """With the rules given or of a file, else the defaults; UsageError for rules or keys that are none."""
    if isinstance(rules, Path):
        rules = rules_from_file(rules)
    return Redactor(rules or RedactionRules(), _key(recording, key))


def _key(recording: Path, key: Path | None) -> bytes:
    """The key of a file, of the environment, or the one beside the recording, made where there is none."""
    if key is not None:
        return load_or_create_key(key)
    if text := os.environ.get(_VARIABLE):
        return key_from_hex(text, _VARIABLE)
    return load_or_create_key(recording.parent / ".mockforge" / "redaction.key")
