"""What every page is made of."""

from __future__ import annotations

import json

import numpy as np

from mockforge.report.page import data_of_pictures, drawn_numbers, page_environment


def test_data_cannot_end_its_script_element() -> None:
    written = str(data_of_pictures({"</script>": "<!--&"}))
    assert "<" not in written
    assert json.loads(written) == {"</script>": "<!--&"}


def test_numbers_are_drawn_with_four_digits_and_what_is_not_finite_as_gaps() -> None:
    assert drawn_numbers(np.array([1.23456, np.nan, np.inf, 0.0])) == [1.235, None, None, 0.0]


def test_figures_stay_with_their_signs_and_units() -> None:
    template = page_environment().from_string("{{ text|unbroken }}|{{ share|signed_percent }}")
    assert template.render(text="off by -4 % at 10 ms", share=-0.04) == (
        "off by −4\u00a0% at 10\u00a0ms|−4.0\u00a0%"
    )


def test_names_may_break_before_a_slash_and_are_escaped() -> None:
    template = page_environment().from_string("{{ name|breakable }}")
    assert template.render(name="GET /a/<b>") == "GET\u00a0/a<wbr>/&lt;b&gt;"
