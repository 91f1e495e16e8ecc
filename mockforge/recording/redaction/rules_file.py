"""Rules of redaction from a YAML file: a file of their own, or the key `redaction` of a project's."""

from __future__ import annotations

from pathlib import Path

from mockforge.errors import UsageError
from mockforge.recording.redaction.rules import RedactionRules, WrongRuleError, read_rules
from mockforge.stubfiles.problems import RefusedError, brief
from mockforge.stubfiles.yaml_text import parse_yaml

__all__ = ["rules_from_file"]


def rules_from_file(path: Path) -> RedactionRules:
    """The rules under `redaction` in the file, whose other keys are of no concern here.

    A file without that key holds nothing but the rules. UsageError, one line with file and line, where it
    cannot be read or something in it cannot be.
    """
    try:
        parsed = parse_yaml(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 at byte {error.start}", where=str(path)) from error
    except RefusedError as error:
        raise _refused(path, error) from None
    for refused in parsed.refused:
        raise _refused(path, refused)
    value = parsed.value
    if not isinstance(value, dict):
        found = "is empty" if value is None else f"holds {brief(value)}, no rules"
        raise UsageError(found, where=str(path), hint="the rules stand under redaction:")
    try:
        return read_rules(value)
    except WrongRuleError as error:
        raise error.as_usage_error(f"{path}:{parsed.line(error.loc)}") from None


def _refused(path: Path, error: RefusedError) -> UsageError:
    where = str(path) if error.line is None else f"{path}:{error.line}"
    return UsageError(error.what, where=where, hint=error.hint)
