"""A file of YAML or JSON, parsed with the line of every part."""

from __future__ import annotations

from pathlib import Path

from mockforge.stubfiles.json_text import parse_json
from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.yaml_text import parse_yaml

__all__ = ["parse_file"]


def parse_file(file: Path) -> Parsed:
    """What stands in the file; RefusedError where nothing can be made of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RefusedError(f"is not UTF-8 at byte {error.start}") from None
    return parse_json(text) if file.suffix.lower() == ".json" else parse_yaml(text)
