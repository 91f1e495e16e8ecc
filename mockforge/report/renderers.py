"""Every rendering of the one report: a function from the report to a file's text, and its line in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockforge.report.deviation import DeviationReport
from mockforge.report.render_html import render_html
from mockforge.report.render_json import render_json
from mockforge.report.render_junit import render_junit
from mockforge.report.render_markdown import render_markdown
from mockforge.report.render_prometheus import render_prometheus
from mockforge.report.render_terminal import render_text

__all__ = ["RENDERERS", "Renderer"]

Renderer = Callable[[DeviationReport], str]

RENDERERS: Mapping[str, Renderer] = {
    "html": render_html,
    "json": render_json,
    "junit": render_junit,
    "markdown": render_markdown,
    "prometheus": render_prometheus,
    "text": render_text,
}
