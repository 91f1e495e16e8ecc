"""Rules as people write them, and what is said of those that cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockforge.errors import UsageError
from mockforge.recording.redaction import RedactionRules, rules_from_file
from mockforge.recording.redaction.names import HEADER_NAMES, PARAMETER_NAMES
from mockforge.recording.redaction.patterns import PATTERNS

PAGE = (Path(__file__).parents[3] / "docs" / "redaction.md").read_text()

WRITTEN = r"""
tolerances: {gap: 10%}
redaction:
  headers: [X-Tenant]
  parameters: [customer_*]
  jsonPaths: ["$.customer.phone"]
  patterns:
    - {name: phone, regex: '\+49\d+', replace: mask}
    - {name: room, regex: 'room (?P<value>\d+)'}
  keep: {headers: [X-CSRF-Token], parameters: [sid], patterns: [email]}
"""


def test_a_file_may_hold_other_things_beside_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "mockforge.yaml"
    path.write_text(WRITTEN)
    rules = rules_from_file(path)
    assert rules.headers == ("X-Tenant",)
    assert rules.parameters == ("customer_*",)
    assert [each.expression for each in rules.json_paths] == ["$.customer.phone"]
    assert [(each.name, each.replace) for each in rules.patterns] == [
        ("phone", "mask"),
        ("room", "pseudonym"),
    ]
    assert (rules.kept_headers, rules.kept_parameters) == (("X-CSRF-Token",), ("sid",))
    assert rules.kept_patterns == {"email"}
    assert not rules.off


def test_a_file_may_hold_the_rules_alone(tmp_path: Path) -> None:
    path = tmp_path / "redaction.yaml"
    path.write_text("headers: [X-Tenant]\noff: true\n")
    assert rules_from_file(path) == RedactionRules(headers=("X-Tenant",), off=True)


@pytest.mark.parametrize("mapping", [{}, {"redaction": {}}, {"redaction": None}])
def test_without_a_word_the_rules_are_the_default_ones(mapping: dict[str, object]) -> None:
    assert RedactionRules.from_mapping(mapping) == RedactionRules()


@pytest.mark.parametrize(
    ("mapping", "line"),
    [
        ({"header": []}, "header: unknown key 'header', did you mean 'headers'?"),
        ({"keep": {"pattern": []}}, "keep.pattern: unknown key 'pattern', did you mean 'patterns'?"),
        ({"zzz": 1}, "zzz: unknown key 'zzz' (known: headers, parameters, jsonPaths, patterns, keep, off)"),
        ({"headers": "X-A"}, "headers: 'X-A' is no list (write ['X-A'])"),
        ({"headers": ["X-A", 5]}, "headers[1]: 5 is no text (put it in quotes)"),
        ({"headers": ["X: A"]}, "headers[0]: 'X: A' is no name (letters, digits, - _ . and * for anything)"),
        ({"parameters": ["*"]}, "parameters[0]: '*' is no name (letters, digits, - _ . and * for anything)"),
        ({"jsonPaths": ["customer"]}, "jsonPaths[0]: JSONPath 'customer' does not begin with $ ($.customer)"),
        ({"off": "yes"}, "off: 'yes' is neither true nor false"),
        ({"keep": ["email"]}, "keep: a list is no mapping (known: headers, parameters, patterns)"),
        ({"patterns": {"name": "x"}}, "patterns: a mapping is no list (each with name, regex and replace)"),
        ({"patterns": [None]}, "patterns[0]: nothing is no mapping (it needs name and regex)"),
        (
            {"patterns": [{"regex": "x"}]},
            "patterns[0].name: nothing is no text (the report tells patterns by name)",
        ),
        (
            {"patterns": [{"name": "x"}]},
            "patterns[0].regex: nothing is no text (put the regular expression in quotes)",
        ),
        (
            {"patterns": [{"name": "x", "regex": "x", "replace": 5}]},
            "patterns[0].replace: 5 is no text (pseudonym, mask or a text in quotes)",
        ),
        (
            {"patterns": [{"name": "x", "regex": "x("}]},
            "patterns[0].regex: 'x(' is no regular expression: missing ), unterminated subpattern"
            " at position 1",
        ),
        (
            {"patterns": [{"name": "x", "regex": "x"}, {"name": "x", "regex": "y"}]},
            "patterns[1].name: there is a pattern 'x' already",
        ),
        (
            {"patterns": [{"name": "email", "regex": "x"}]},
            "patterns[0].name: there is a pattern 'email' already",
        ),
        (
            {"keep": {"patterns": ["emial"]}},
            "keep.patterns[0]: unknown pattern 'emial', did you mean 'email'? "
            "(known: private-key, url-credentials, jwt, email, access-key, card)",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_one_line(mapping: dict[str, object], line: str) -> None:
    with pytest.raises(UsageError) as refused:
        RedactionRules.from_mapping(mapping)
    assert str(refused.value) == line


def test_a_json_path_that_does_not_parse_is_refused() -> None:
    with pytest.raises(UsageError, match=r"redaction.jsonPaths\[0\]: JSONPath '\$\.\.\[' does not parse"):
        RedactionRules.from_mapping({"redaction": {"jsonPaths": ["$..["]}})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("redaction:\n  off: 5\n", ":2: redaction.off: 5 is neither true nor false"),
        (
            "redaction:\n  haeders: []\n",
            ":2: redaction.haeders: unknown key 'haeders', did you mean 'headers'?",
        ),
        ("", ": is empty (the rules stand under redaction:)"),
        ("- x\n", ": holds a list, no rules (the rules stand under redaction:)"),
        ("a: [\n", ":2: is not YAML"),
        ("headers: [a]\nheaders: [b]\n", ":2: key 'headers' stands twice, first on line 1"),
        ("\udcff", ": is not UTF-8 at byte 0"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(UsageError) as refused:
        rules_from_file(path)
    assert str(refused.value).startswith(f"{path}{line}")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rules.yaml: cannot be read: No such file or directory"):
        rules_from_file(tmp_path / "rules.yaml")


def test_a_projects_own_name_outdoes_the_exceptions() -> None:
    names = RedactionRules.from_mapping({"headers": ["X-RateLimit-Token"]}).secret_headers()
    assert "X-RateLimit-Token" in names
    assert "X-RateLimit-Tokens-Left" not in names


@pytest.mark.parametrize("name", [*HEADER_NAMES, *PARAMETER_NAMES])
def test_every_default_name_stands_in_the_docs(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_rules_in_the_docs_are_ones_that_can_be(tmp_path: Path) -> None:
    written = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "rules.yaml"
    path.write_text(written[0])
    assert len(written) == 1
    assert rules_from_file(path) != RedactionRules()


def test_the_program_in_the_docs_prints_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    program, printed = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(compile(program, "docs/redaction.md", "exec"), {})
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", PATTERNS)
def test_every_default_pattern_stands_in_the_docs(name: str) -> None:
    assert f"| `{name}` |" in PAGE
