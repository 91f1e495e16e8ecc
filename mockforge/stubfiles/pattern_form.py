"""The written form of matchers: which operators stand in a pattern, and which options beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema

from mockforge.errors import StubFileError
from mockforge.matching.multi_values import MULTI_OPERATORS, compile_values
from mockforge.matching.operators import OPERATORS as REGISTRY
from mockforge.matching.operators import OPTIONS
from mockforge.model.stub import ValuePattern
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import RefusedError
from mockforge.stubfiles.values import Base64Text, JsonPathText, Regex, WantedJson, WrittenNumber, jsonpath
from mockforge.stubfiles.written import Flag, Json, Spelled, Text, as_text

__all__ = [
    "OPERATORS",
    "ExpressionForm",
    "OrText",
    "PatternForm",
    "ValuesForm",
    "plain",
    "to_value",
]

OPERATORS = tuple(REGISTRY)
#: Those that a form compiles to find out whether they can be: the others are checked where they stand.
_CHECKED_IN_PLACE = {"equalTo", "contains", "doesNotContain", "matches", "doesNotMatch", "absent"}


@dataclass(frozen=True, slots=True)
class OrText:
    """In the JSON Schema: a string will do as well, such as `example`."""

    example: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "examples": [self.example]}, handler(schema)]}


def _path_alone(written: object, validate: ModelWrapValidatorHandler[JsonPathForm]) -> JsonPathForm:
    """A JSONPath without a pattern stands as a string."""
    text = as_text(written)
    return (
        JsonPathForm.model_construct(expression=jsonpath(text))
        if isinstance(text, str)
        else validate(written)
    )


def _xpath_alone(written: object, validate: ModelWrapValidatorHandler[XPathForm]) -> XPathForm:
    """An XPath without a pattern stands as a string."""
    text = as_text(written)
    return XPathForm.model_construct(expression=text) if isinstance(text, str) else validate(written)


class PatternForm(Form):
    """The test of one value."""

    example: ClassVar[str | None] = "such as {equalTo: some value}"
    operators: ClassVar[tuple[str, ...]] = OPERATORS

    equal_to: Text | None = None
    contains: Text | None = None
    does_not_contain: Text | None = None
    matches: Regex | None = None
    does_not_match: Regex | None = None
    absent: Flag | None = None
    binary_equal_to: Base64Text | None = None
    and_: list[PatternForm] | None = Field(default=None, alias="and", min_length=1)
    or_: list[PatternForm] | None = Field(default=None, alias="or", min_length=1)
    not_: PatternForm | None = Field(default=None, alias="not")
    equal_to_number: WrittenNumber | None = None
    greater_than_number: WrittenNumber | None = None
    greater_than_equal_number: WrittenNumber | None = None
    less_than_number: WrittenNumber | None = None
    less_than_equal_number: WrittenNumber | None = None
    before: Text | None = None
    after: Text | None = None
    equal_to_date_time: Text | None = None
    equal_to_json: WantedJson = None
    matches_json_path: (
        Annotated[JsonPathForm, WrapValidator(_path_alone), OrText("$.items[0].sku")] | None
    ) = Field(default=None, alias="matchesJsonPath")
    matches_json_schema: Json = Field(default=None, description="A JSON Schema, as text or written out.")
    equal_to_xml: Text | None = None
    matches_x_path: Annotated[XPathForm, WrapValidator(_xpath_alone), OrText("//item/@sku")] | None = Field(
        default=None, alias="matchesXPath"
    )
    equal_to_graphql: Json = Field(
        default=None, description="A query, or a mapping of query, variables and operationName."
    )

    case_insensitive: Flag | None = None
    ignore_array_order: Flag | None = None
    ignore_extra_elements: Flag | None = None
    schema_version: Text | None = None
    x_path_namespaces: dict[str, Text] | None = None
    actual_format: Text | None = None
    expected_offset: Annotated[int, Spelled] | None = None
    expected_offset_unit: Text | None = None
    truncate_expected: Text | None = None
    truncate_actual: Text | None = None
    apply_truncation_last: Flag | None = None
    enable_placeholders: Flag | None = None
    placeholder_opening_delimiter_regex: Text | None = None
    placeholder_closing_delimiter_regex: Text | None = None
    exempted_comparisons: list[Text] | None = None
    ignore_order_of_same_node: Flag | None = None
    namespace_awareness: Text | None = None

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        self.at_most_one(self.operators)
        given = self.written(self.operators)
        if not given:
            self._without_operator()
        if self.absent is False:
            raise RefusedError("absent can only be true", "leave the pattern out to allow any value")
        for option in self.written(tuple(OPTIONS)):
            if not set(OPTIONS[option]) & set(given):
                hint = "in a regular expression write (?i)" if option == "caseInsensitive" else None
                raise RefusedError(f"{option} goes with {' or '.join(OPTIONS[option])}", hint)
        if given and not set(given) & _CHECKED_IN_PLACE:
            try:
                compile_values(to_value(self))
            except StubFileError as error:
                raise RefusedError(error.what, error.hint) from None
        return self

    def _without_operator(self) -> None:
        raise RefusedError("needs one of " + ", ".join(self.operators))


class ExpressionForm(PatternForm):
    """The test of what an expression finds; alone it is whether it finds something."""

    expression: Text

    def _without_operator(self) -> None:
        """An expression may stand alone."""


class JsonPathForm(ExpressionForm):
    """The test of what a JSONPath finds."""

    example: ClassVar[str | None] = "such as $.items[0].sku, or {expression: $.items[0].sku, equalTo: b-17}"

    expression: JsonPathText


class XPathForm(ExpressionForm):
    """The test of what an XPath finds."""

    example: ClassVar[str | None] = "such as //item/@sku, or {expression: //item/@sku, equalTo: b-17}"


class ValuesForm(PatternForm):
    """The test of the values of one name."""

    operators: ClassVar[tuple[str, ...]] = (*OPERATORS, *MULTI_OPERATORS)

    has_exactly: list[PatternForm] | None = Field(default=None, min_length=1)
    includes: list[PatternForm] | None = Field(default=None, min_length=1)


# Their forms contain one another.
for _form in (PatternForm, ExpressionForm, JsonPathForm, XPathForm, ValuesForm):
    _form.model_rebuild()


def to_value(form: PatternForm) -> ValuePattern:
    """The pattern that is written."""
    ((operator, operand),) = form.written(form.operators).items()
    return ValuePattern(operator, plain(operand), form.written(tuple(OPTIONS)))


def plain(operand: object) -> object:
    """An operand in which no forms are left: an expression alone is a text again."""
    if isinstance(operand, list):
        return [plain(each) for each in operand]
    if isinstance(operand, PatternForm):
        beside = {key: plain(value) for key, value in operand.written((*operand.operators, *OPTIONS)).items()}
        if not isinstance(operand, ExpressionForm):
            return beside
        return {"expression": operand.expression, **beside} if beside else operand.expression
    return operand
