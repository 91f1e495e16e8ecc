"""pyarrow, which reads and writes Parquet; an extra, and loaded only where it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from mockforge.interop.source import SourceError

__all__ = ["pyarrow"]


def pyarrow() -> Any:
    """The library, with its `parquet` part loaded. Raises SourceError where it is not installed."""
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise SourceError(
            "Parquet needs pyarrow, which is not installed", hint='pip install "mockforge-server[parquet]"'
        ) from error
