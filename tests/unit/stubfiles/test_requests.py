from __future__ import annotations

from typing import Any

import orjson
import pytest

from mockforge.matching.multi_values import MULTI_OPERATORS
from mockforge.matching.operators import OPERATORS, OPTIONS
from mockforge.model.stub import (
    BasicCredentials,
    MethodSet,
    MultipartPattern,
    RequestPattern,
    ScenarioStep,
    UrlPattern,
    ValuePattern,
)
from mockforge.stubfiles.pattern_form import PatternForm, ValuesForm
from mockforge.stubfiles.shorthand import parse_shorthand, shorthand_of


@pytest.mark.parametrize(
    ("text", "method", "kind"),
    [
        ("GET /orders", "GET", "urlPath"),
        ("GET /orders?page=2", "GET", "url"),
        ("DELETE /orders/{id}", "DELETE", "urlPathTemplate"),
        ("ANY /", "ANY", "urlPath"),
    ],
)
def test_the_shorthand_stands_for_method_and_url_and_back(text: str, method: str, kind: str) -> None:
    pattern = parse_shorthand(text)
    assert pattern == RequestPattern(method, UrlPattern(kind, text.split()[1]))
    assert shorthand_of(pattern) == text


@pytest.mark.parametrize(
    "pattern",
    [
        RequestPattern("GET"),
        RequestPattern("GET", UrlPattern("url", "/orders")),
        RequestPattern("GET", UrlPattern("urlPath", "/{id}")),
        RequestPattern("GET", UrlPattern("urlPathTemplate", "/orders")),
        RequestPattern("GET", UrlPattern("urlPath", "/a"), headers=(("X", ValuePattern("absent", True)),)),
        RequestPattern("GET", UrlPattern("urlPath", "/a"), body=(ValuePattern("absent", True),)),
    ],
)
def test_a_pattern_that_says_more_has_no_shorthand(pattern: RequestPattern) -> None:
    assert shorthand_of(pattern) is None


def test_matchers_of_values_are_those_that_the_engine_knows() -> None:
    assert set(PatternForm.keys()) == {*OPERATORS, *OPTIONS}
    assert set(ValuesForm.keys()) == {*OPERATORS, *OPTIONS, *MULTI_OPERATORS}


def test_query_parameters_and_headers_take_matchers(folder: Any) -> None:
    stub = folder.stub(
        """
        request:
          method: POST
          urlPath: /a
          queryParameters: {page: {equalTo: 1}, q: {matches: "a.*"}, x: {absent: true}}
          headers: {X-Debug: {equalTo: "On", caseInsensitive: true}, Accept: {doesNotContain: xml}}
        """
    )
    assert stub.request == RequestPattern(
        "POST",
        UrlPattern("urlPath", "/a"),
        (
            ("page", ValuePattern("equalTo", "1")),
            ("q", ValuePattern("matches", "a.*")),
            ("x", ValuePattern("absent", True)),
        ),
        (
            ("X-Debug", ValuePattern("equalTo", "On", {"caseInsensitive": True})),
            ("Accept", ValuePattern("doesNotContain", "xml")),
        ),
    )


def test_the_body_takes_matchers_of_text_json_and_jsonpath(folder: Any) -> None:
    stub = folder.stub(
        """
        request:
          method: POST
          bodyPatterns:
            - contains: 1.10
            - equalToJson: '{"n": 1.10}'
            - equalToJson: {n: 1.10, none: ~, "on": [no]}
              ignoreArrayOrder: true
              ignoreExtraElements: false
            - matchesJsonPath: $.items[?(@.n > 1)]
            - matchesJsonPath: {expression: $.sku, equalTo: B-17, caseInsensitive: true}
            - matchesJsonPath: {expression: $.sku, equalToJson: {a: 1}, ignoreExtraElements: true}
        """
    )
    beside = {"equalToJson": {"a": 1}, "ignoreExtraElements": True}
    assert stub.request == RequestPattern(
        "POST",
        body=(
            ValuePattern("contains", "1.10"),
            ValuePattern("equalToJson", '{"n": 1.10}'),
            ValuePattern(
                "equalToJson",
                {"n": 1.1, "none": None, "on": ["no"]},
                {"ignoreArrayOrder": True, "ignoreExtraElements": False},
            ),
            ValuePattern("matchesJsonPath", "$.items[?(@.n > 1)]"),
            ValuePattern(
                "matchesJsonPath", {"expression": "$.sku", "equalTo": "B-17", "caseInsensitive": True}
            ),
            ValuePattern("matchesJsonPath", {"expression": "$.sku", **beside}),
        ),
    )


def test_every_key_of_a_request_is_read(folder: Any) -> None:
    stub = folder.stub(
        """
        scenarioName: order
        requiredScenarioState: Started
        newScenarioState: shipped
        request:
          method: {noneOf: [GET, HEAD]}
          scheme: https
          host: {matches: ".*example.com"}
          port: 8443
          clientIp: {equalTo: 127.0.0.1}
          urlPathTemplate: /orders/{order-id}
          pathParameters: {order-id: {greaterThanNumber: 5}}
          queryParameters: {tag: {hasExactly: [{equalTo: a}, {not: {contains: b}}]}}
          formParameters: {a: {includes: [{equalTo: 1}]}}
          cookies: {session: {absent: true}}
          basicAuthCredentials: {username: ada, password: engine}
          multipartPatterns:
            - {name: file, fileName: a.txt, headers: {X: {equalTo: y}}, bodyPatterns: [{matchesXPath: //a}]}
        """
    )
    assert stub.scenario == ScenarioStep("order", "Started", "shipped")
    assert stub.request == RequestPattern(
        method="ANY",
        methods=MethodSet(("GET", "HEAD"), excluded=True),
        scheme="https",
        host=ValuePattern("matches", ".*example.com"),
        port=8443,
        client_ip=ValuePattern("equalTo", "127.0.0.1"),
        url=UrlPattern("urlPathTemplate", "/orders/{order-id}"),
        path=(("order-id", ValuePattern("greaterThanNumber", 5.0)),),
        query=(("tag", ValuePattern("hasExactly", [{"equalTo": "a"}, {"not": {"contains": "b"}}])),),
        form=(("a", ValuePattern("includes", [{"equalTo": "1"}])),),
        cookies=(("session", ValuePattern("absent", True)),),
        basic_auth=BasicCredentials("ada", "engine"),
        multipart=(
            MultipartPattern(
                name="file",
                file_name="a.txt",
                headers=(("X", ValuePattern("equalTo", "y")),),
                body=(ValuePattern("matchesXPath", "//a"),),
            ),
        ),
    )


def test_a_list_of_one_method_is_that_method(folder: Any) -> None:
    stub = folder.stub("request: {method: {oneOf: [PUT]}, urlPath: /a}")
    assert stub.request == RequestPattern("PUT", UrlPattern("urlPath", "/a"))


REFUSED = [
    ("GET", ": 'GET' is not METHOD /PATH (such as"),
    ("GET orders", ": 'GET orders' is not METHOD /PATH (such as"),
    ("get /a", ".method: method 'get' must be in capitals (write GET)"),
    ("GET /a/{id}?x=1", ": 'GET /a/{id}?x=1' has a template and a query, which the shorthand cannot join"),
    ("GET /a/{b/c}", ".urlPathTemplate: '{b' in template '/a/{b/c}' (a {name} fills the whole segment)"),
    ("GET /{id}/{id}", ".urlPathTemplate: {id} stands twice in template '/{id}/{id}' (names must differ)"),
    ("GET /{a.b}", ".urlPathTemplate: {a.b} in template '/{a.b}' is not a name (letters, digits"),
    ("GET /{}", ".urlPathTemplate: {} in template '/{}' is not a name (letters"),
    (17, ": must be a mapping, not 17 (such as GET /orders/{id}, or"),
    ({"method": ["GET"]}, ".method: must be a string, not a list"),
    ({"method": "G T"}, ".method: 'G T' is not a method (such as GET"),
    ({"url": "a"}, ".url: 'a' must begin with / (a path, without"),
    ({"urlPath": "http://h/a"}, ".urlPath: 'http://h/a' must begin with / (a path, without scheme and host)"),
    ({"urlPath": "/a b"}, ".urlPath: '/a b' holds white space, which no URL does (write %20)"),
    ({"urlPathTemplate": "/a?b"}, ".urlPathTemplate: template '/a?b' has a query (templates are of the path"),
    ({"urlPattern": "("}, ".urlPattern: regular expression '(' does not parse: missing )"),
    (
        {"urlPathPattern": "a{99999999999}"},
        ".urlPathPattern: regular expression 'a{99999999999}' is too large",
    ),
    ({"url": "/a", "urlPath": "/a"}, ": url and urlPath exclude one another (keep one of them)"),
    ({"headers": []}, ".headers: must be a mapping, not a list"),
    ({"headers": {"X": "a"}}, ".headers.X: must be a mapping, not 'a' (such as {equalTo: some value})"),
    ({"headers": {"X": {}}}, ".headers.X: needs one of equalTo, contains, doesNotContain"),
    ({"headers": {"X Y": {"equalTo": ""}}}, ".headers.X Y: 'X Y' is not a header name"),
    ({"headers": {"X": {"equalTo": None}}}, ".headers.X: needs one of equalTo"),
    ({"headers": {"X": {"equalTo": "a", "contains": "b"}}}, ".headers.X: equalTo and contains exclude one"),
    ({"headers": {"X": {"absent": False}}}, ".headers.X: absent can only be true (leave the pattern out"),
    ({"headers": {"X": {"absent": "yes"}}}, ".headers.X.absent: must be true or false, not 'yes'"),
    ({"headers": {"X": {"contains": "a", "caseInsensitive": True}}}, ".headers.X: caseInsensitive goes with"),
    (
        {"headers": {"X": {"equalsTo": "a"}}},
        ".headers.X.equalsTo: unknown key 'equalsTo', did you mean 'equalTo'?",
    ),
    ({"headers": {"X": {"equalToNumber": "a"}}}, ".headers.X.equalToNumber: must be a number, not 'a'"),
    ({"headers": {"X": {"before": "soon"}}}, ".headers.X: before 'soon' is not a date and time (such as"),
    (
        {"headers": {"X": {"after": "now", "expectedOffset": 1, "expectedOffsetUnit": "moons"}}},
        ".headers.X: 'moons' is not a unit of an offset (known: seconds,",
    ),
    (
        {"headers": {"X": {"after": "now", "truncateActual": "noon"}}},
        ".headers.X: truncateActual 'noon' is not known (known: first second of minute",
    ),
    (
        {"headers": {"X": {"after": "now", "actualFormat": "QQ"}}},
        ".headers.X: 'QQ' in the date format 'QQ' is not known",
    ),
    ({"headers": {"X": {"and": []}}}, ".headers.X.and: "),
    ({"headers": {"X": {"not": {"matches": "("}}}}, ".headers.X.not.matches: regular expression '(' does"),
    ({"headers": {"X": {"hasExactly": [{"equalTo": "a", "contains": "b"}]}}}, ".headers.X.hasExactly[0]: "),
    ({"queryParameters": {"q": {"matches": "["}}}, ".queryParameters.q.matches: regular expression '[' does"),
    ({"customMatcher": {"name": "x"}}, ".customMatcher: customMatcher 'x' is not registered ("),
    ({"method": {}}, ".method: needs oneOf or noneOf (such as GET, ANY, or"),
    ({"method": {"oneOf": ["get"]}}, ".method.oneOf[0]: method 'get' must be in capitals"),
    ({"scheme": "ftp"}, ".scheme: scheme 'ftp' is not known (known: http, https)"),
    ({"port": 0}, ".port: must be at least 1, not 0"),
    ({"basicAuth": {"username": "a"}}, ".basicAuth.password: is missing (such as {username: ada,"),
    ({"pathParameters": {"id": {"equalTo": "1"}}}, ": id is no parameter of the urlPathTemplate (pathPar"),
    (
        {"urlPathTemplate": "/{id}", "pathParameters": {"ID": {"equalTo": "1"}}},
        ": ID is no parameter of the urlPathTemplate (known: id)",
    ),
    ({"multipartPatterns": [{"matchingType": "SOME"}]}, ".multipartPatterns[0].matchingType: matchingType"),
    ({"bodyPatterns": {}}, ".bodyPatterns: must be a list, not a mapping"),
    ({"bodyPatterns": ["a"]}, ".bodyPatterns[0]: must be a mapping, not 'a' (such as {equalTo: some"),
    ({"bodyPatterns": [{}]}, ".bodyPatterns[0]: needs one of equalTo, contains, doesNotContain"),
    (
        {"bodyPatterns": [{"equalToXml": "<a>"}]},
        ".bodyPatterns[0]: '<a>' is not XML: ",
    ),
    (
        {"bodyPatterns": [{"equalToXml": "<a/>", "namespaceAwareness": "SOME"}]},
        ".bodyPatterns[0]: namespaceAwareness 'SOME' is not known (LEGACY, STRICT, NONE)",
    ),
    (
        {"bodyPatterns": [{"equalToXml": "<a>${xmlunit.no}</a>", "enablePlaceholders": True}]},
        ".bodyPatterns[0]: placeholder xmlunit.no is not known",
    ),
    ({"bodyPatterns": [{"matchesXPath": "//["}]}, ".bodyPatterns[0]: XPath '//[' does not parse"),
    ({"bodyPatterns": [{"matchesJsonSchema": "{"}]}, ".bodyPatterns[0]: the schema '{' is not JSON"),
    (
        {"bodyPatterns": [{"matchesJsonSchema": {}, "schemaVersion": "V5"}]},
        ".bodyPatterns[0]: schemaVersion 'V5' is not known (V4, V6",
    ),
    (
        {"bodyPatterns": [{"equalToGraphql": "{ a "}]},
        ".bodyPatterns[0]: the GraphQL query does not parse: ",
    ),
    (
        {"bodyPatterns": [{"contains": "a"}, {"equalToJson": "{a: 1}"}]},
        ".bodyPatterns[1].equalToJson: '{a: 1}' is not JSON: ",
    ),
    (
        {"bodyPatterns": [{"equalToJson": {"id": "${json-unit.any-strin}"}}]},
        ".bodyPatterns[0].equalToJson: placeholder '${json-unit.any-strin}' is not known (known: ignore,",
    ),
    (
        {"bodyPatterns": [{"equalTo": "a", "ignoreArrayOrder": True}]},
        ".bodyPatterns[0]: ignoreArrayOrder goes with equalToJson",
    ),
    (
        {"bodyPatterns": [{"equalTo": "a", "matchesJsonPath": "$.a"}]},
        ".bodyPatterns[0]: equalTo and matchesJsonPath exclude one another (keep one of them)",
    ),
    (
        {"bodyPatterns": [{"matchesJsonPath": "$.a["}]},
        ".bodyPatterns[0].matchesJsonPath: JSONPath '$.a[' does not parse: ",
    ),
    (
        {"bodyPatterns": [{"matchesJsonPath": {"expression": "$.a[", "equalTo": "a"}}]},
        ".bodyPatterns[0].matchesJsonPath.expression: JSONPath '$.a[' does not parse: ",
    ),
    (
        {"bodyPatterns": [{"matchesJsonPath": {"equalTo": "a"}}]},
        ".bodyPatterns[0].matchesJsonPath.expression: is missing (such as $.items[0].sku, or {expression",
    ),
    (
        {"bodyPatterns": [{"matchesJsonPath": {"expression": "$.a", "equalsTo": "a"}}]},
        ".bodyPatterns[0].matchesJsonPath.equalsTo: unknown key 'equalsTo', did you mean 'equalTo'?",
    ),
    ({"bodyPatterns": [{"matchesJsonPath": []}]}, ".bodyPatterns[0].matchesJsonPath: must be a mapping, not"),
    (
        {"bodyPatterns": [{"matchesJsonSchema": {"type": "objct"}}]},
        ".bodyPatterns[0].matchesJsonSchema: is not a JSON Schema: 'objct' is not valid under any",
    ),
    (
        {"headers": {"X": {"not": {"matchesJsonSchema": '{"$ref": "https://example.com/s.json"}'}}}},
        ".headers.X.not.matchesJsonSchema: $ref 'https://example.com/s.json' leads to nothing in the schema",
    ),
    (
        {
            "bodyPatterns": [
                {"and": [{"absent": True}, {"matchesJsonSchema": {"items": {"$ref": "#/$defs/a"}}}]}
            ]
        },
        ".bodyPatterns[0].and[1].matchesJsonSchema: $ref '#/$defs/a' leads to nothing",
    ),
    ({"urlpath": "/a"}, ".urlpath: unknown key 'urlpath', did you mean 'urlPath'?"),
]


@pytest.mark.parametrize(("written", "problem"), REFUSED)
def test_a_request_that_cannot_be_is_refused(folder: Any, written: object, problem: str) -> None:
    stub = orjson.dumps({"name": "x", "request": written})
    assert folder.problem(stub, "a.json").startswith(f"a.json:1: stub 'x': request{problem}")


def test_a_refused_body_pattern_is_named_by_its_line(folder: Any) -> None:
    problem = folder.problem(
        """\
name: x
request:
  bodyPatterns:
    - equalTo: a
    - matchesJsonPath:
        expression: $.a[
        equalTo: a
"""
    )
    assert problem.startswith(
        "a.yaml:6: stub 'x': request.bodyPatterns[1].matchesJsonPath.expression: JSONPath"
    )
