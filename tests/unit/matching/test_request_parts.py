"""Every part of a request that a pattern can test: what matches, and what a near miss tells."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from mockforge.errors import StubFileError
from mockforge.matching.request import RequestMatcher
from mockforge.model.request import Connection, RequestView
from mockforge.model.stub import (
    BasicCredentials,
    MethodSet,
    MultipartPattern,
    RequestPattern,
    UrlPattern,
    ValuePattern,
)

ADA = BasicCredentials("ada", "secret: engine")
UPLOAD = (
    b'--x1\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a \\"b\\".txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nline\r\n--x2\r\n\r\n--x1--\r\n"
)


def equal(value: str) -> ValuePattern:
    return ValuePattern("equalTo", value)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def request(
    target: str = "/",
    method: str = "GET",
    body: bytes = b"",
    connection: Connection | None = None,
    **headers: str,
) -> RequestView:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return RequestView(method, target, raw, body, connection or Connection("https", "127.0.0.1"))


def upload(content_type: str = 'Multipart/Form-Data; boundary="x1"') -> RequestView:
    return request(body=UPLOAD, Content_Type=content_type)


CASES: list[tuple[RequestPattern, list[RequestView], list[RequestView]]] = [
    (
        RequestPattern(methods=MethodSet(("GET", "HEAD"))),
        [request(), request(method="HEAD")],
        [request(method="PUT")],
    ),
    (RequestPattern(methods=MethodSet(("GET",), excluded=True)), [request(method="PUT")], [request()]),
    (
        RequestPattern(
            url=UrlPattern("urlPathTemplate", "/a/{0}/{item-id}"),
            path=(("0", equal("x y")), ("item-id", ValuePattern("lessThanNumber", 5))),
        ),
        [request("/a/x%20y/4"), request("/a/x%20y/4?q=1")],
        [request("/a/x/4"), request("/a/x%20y/6")],
    ),
    (
        RequestPattern(query=(("q", ValuePattern("hasExactly", [{"equalTo": "1"}, {"equalTo": "2"}])),)),
        [request("/?q=2&q=1")],
        [request("/?q=1"), request("/?q=1&q=2&q=3"), request("/")],
    ),
    (
        RequestPattern(headers=(("X", ValuePattern("includes", [{"equalTo": "1"}, {"contains": "2"}])),)),
        [RequestView("GET", "/", [(b"X", b"1"), (b"x", b"12"), (b"X", b"3")])],
        [request(X="1"), request()],
    ),
    (
        RequestPattern(cookies=(("a", equal("1")), ("b", ValuePattern("absent", True)))),
        [request(Cookie='z=0; a="1"; c=2'), request(Cookie="a=2;a=1")],
        [request(Cookie="a=2"), request(Cookie="a=1; b="), request(Cookie="a"), request()],
    ),
    (
        RequestPattern(form=(("a", equal("x y")),)),
        [
            request(body=b"b=&a=x+y"),
            request(body=b"a=x%20y", Content_Type="application/x-www-form-urlencoded; charset=utf-8"),
        ],
        [request(body=b"a=x"), request("/?a=x+y"), request(body=b"a=x+y", Content_Type="text/plain")],
    ),
    (
        RequestPattern(basic_auth=ADA),
        [request(Authorization=basic("ada:secret: engine"))],
        [
            request(),
            request(Authorization=basic("ada:secret")),
            request(Authorization="Basic %%%"),
            request(Authorization="Bearer " + basic("ada:secret: engine")[6:]),
        ],
    ),
    (RequestPattern(scheme="https"), [request()], [request(connection=Connection("http"))]),
    (
        RequestPattern(host=equal("shop.example.com")),
        [request(Host="shop.example.com"), request(Host="shop.example.com:8080")],
        [request(Host="example.com"), request()],
    ),
    (
        RequestPattern(port=443),
        [request(Host="a"), request(Host="a:443"), request(connection=Connection("http", "", 443))],
        [request(Host="a:80")],
    ),
    (
        RequestPattern(client_ip=ValuePattern("matches", r"127\..*")),
        [request()],
        [request(connection=Connection("http", "10.0.0.1"))],
    ),
    (
        RequestPattern(multipart=(MultipartPattern(name="note", body=(equal("hello"),)),)),
        [upload(), upload("multipart/mixed;boundary=x1")],
        [
            upload("text/plain; boundary=x1"),
            upload("multipart/form-data"),
            request(),
        ],
    ),
    (
        RequestPattern(
            multipart=(
                MultipartPattern(
                    file_name='a "b".txt',
                    headers=(("content-type", equal("text/plain")),),
                    body=(ValuePattern("binaryEqualTo", base64.b64encode(b"line\r\n--x2\r\n").decode()),),
                ),
            )
        ),
        [upload()],
        [],
    ),
    (
        RequestPattern(multipart=(MultipartPattern("ALL", body=(ValuePattern("contains", "l"),)),)),
        [upload()],
        [request()],
    ),
    (
        RequestPattern(multipart=(MultipartPattern("ALL", body=(ValuePattern("contains", "hello"),)),)),
        [],
        [upload()],
    ),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), CASES)
def test_it_matches_what_it_should_and_nothing_else(
    pattern: RequestPattern, yes: list[RequestView], no: list[RequestView]
) -> None:
    matcher = RequestMatcher(pattern)
    assert [matcher.matches(each) for each in yes] == [True] * len(yes)
    assert [matcher.matches(each) for each in no] == [False] * len(no)


@pytest.mark.parametrize(("pattern", "yes", "no"), CASES)
def test_the_distance_is_zero_for_a_match_and_only_then(
    pattern: RequestPattern, yes: list[RequestView], no: list[RequestView]
) -> None:
    matcher = RequestMatcher(pattern)
    assert {matcher.compare(each).distance for each in yes} <= {0.0}
    assert all(0 < matcher.compare(each).distance <= 1 for each in no)


@pytest.mark.parametrize(
    ("pattern", "asked", "told"),
    [
        (CASES[0][0], request(method="PUT"), ("method", "one of GET, HEAD", "PUT")),
        (CASES[1][0], request(), ("method", "none of GET", "GET")),
        (CASES[2][0], request("/a/x%20y/6"), ("path parameter item-id", "lessThanNumber 5", "6")),
        (
            CASES[3][0],
            request("/?q=1"),
            ("query q", 'hasExactly [{"equalTo":"1"},{"equalTo":"2"}]', "1"),
        ),
        (CASES[5][0], request(Cookie="a=2"), ("cookie a", "equalTo 1", "2")),
        (CASES[6][0], request(), ("form parameter a", "equalTo x y", "absent")),
        (
            CASES[7][0],
            request(Authorization=basic("bob:x")),
            ("basic authentication", "user ada and the password", "user bob"),
        ),
        (CASES[8][0], request(connection=Connection()), ("scheme", "https", "http")),
        (CASES[9][0], request(Host="a:1"), ("host", "equalTo shop.example.com", "a")),
        (CASES[10][0], request(Host="a:1"), ("port", "443", "1")),
        (CASES[11][0], request(connection=Connection()), ("client IP", r"matches 127\..*", "absent")),
        (
            CASES[12][0],
            request(),
            ("multipart", "ANY part named note with body equalTo hello", "no parts"),
        ),
        (
            CASES[15][0],
            upload(),
            ("multipart", "ALL part with body contains hello", "2 parts: note, file"),
        ),
    ],
)
def test_a_near_miss_tells_each_part(
    pattern: RequestPattern, asked: RequestView, told: tuple[str, str, str]
) -> None:
    (difference,) = RequestMatcher(pattern).compare(asked).differences
    assert (difference.part, difference.wanted, difference.found) == told


def test_no_difference_shows_a_password() -> None:
    differences = RequestMatcher(CASES[7][0]).compare(request(Authorization=basic("ada:wrong"))).differences
    assert "secret" not in str(differences)
    assert "wrong" not in str(differences)


def test_a_path_parameter_needs_its_template() -> None:
    pattern = replace(CASES[2][0], url=UrlPattern("urlPath", "/a"))
    with pytest.raises(StubFileError, match="pathParameters are those of a urlPathTemplate"):
        RequestMatcher(pattern)


def test_parts_of_a_request_are_parsed_once_for_all_stubs() -> None:
    made: list[RequestView] = []
    asked = request()
    for _ in range(2):
        asked.remembered("x", made.append)
    assert made == [asked]
