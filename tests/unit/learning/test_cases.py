"""What tells requests of one operation apart becomes a stub's matcher; what is chance does not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mockforge.learning.cases import by_kind, levels
from mockforge.model.exchange import Exchange
from tests.unit.learning.made import answer, answers_of, exchange, learn, stub_of, stub_that_answers

CSV, JSON = {"Content-Type": "text/csv"}, {"Content-Type": "application/json"}


def report(number: int, is_csv: bool, asked: str, **sent: object) -> Exchange:
    body = b"a,b\n" if is_csv else {"a": 1}
    return exchange(asked.format(n=number), body, headers=CSV if is_csv else JSON, **sent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "name", "asked", "sent", "headers"),
    [
        (
            lambda number, csv: report(number, csv, f"GET /report?format={'csv' if csv else 'json'}&n={{n}}"),
            "GET /report: format=csv",
            "GET /report?format=csv&n=999",
            b"",
            None,
        ),
        (
            lambda number, csv: report(number, csv, f"GET /report?n={{n}}{'&raw=1' * csv}"),
            "GET /report: raw=1",
            "GET /report?raw=1",
            b"",
            None,
        ),
        (
            lambda number, csv: report(
                number, csv, "GET /report?n={n}", sent_headers={"Accept": "text/csv" if csv else "*/*"}
            ),
            "GET /report: Accept: text/csv",
            "GET /report?n=999",
            b"",
            {"accept": "text/csv"},
        ),
        (
            lambda number, csv: report(
                number, csv, "POST /report", sent={"n": number, "as": {"kind": "csv" if csv else "json"}}
            ),
            "POST /report: as.kind=csv",
            "POST /report",
            {"as": {"kind": "csv"}, "n": 12345},
            None,
        ),
        (
            lambda number, csv: report(
                number, csv, "POST /report", sent=f"n={number}&kind={'csv' if csv else 'json'}".encode()
            ),
            "POST /report: kind=csv",
            "POST /report",
            b"kind=csv&n=99999",
            None,
        ),
    ],
    ids=["query", "presence", "header", "JSON member", "form field"],
)
def test_the_field_that_tells_answers_apart_becomes_a_matcher(
    make: Callable[[int, bool], Exchange], name: str, asked: str, sent: object, headers: dict[str, str] | None
) -> None:
    learned = learn([make(number, number % 3 == 0) for number in range(60)])
    assert stub_that_answers(learned, asked, sent, headers) == name
    assert answer(learned, asked, sent, headers).body == b"a,b\n"
    assert stub_of(learned, name).priority < 5


def test_what_was_not_asked_like_this_gets_the_rest() -> None:
    learned = learn(
        [
            report(number, number % 3 == 0, f"GET /report?format={'csv' if number % 3 == 0 else 'json'}")
            for number in range(60)
        ]
    )
    assert answer(learned, "GET /report?format=pdf").body == b'{"a":1}'


def test_ids_of_another_length_that_are_never_found_are_a_case_of_their_own() -> None:
    learned = learn(
        [
            exchange(f"GET /orders/{number}", {"id": number, "price": number**3 % 101})
            if number % 8
            else exchange(
                f"GET /orders/{9_000_000 + number}", {"error": f"no order {9_000_000 + number}"}, 404
            )
            for number in range(1, 161)
        ]
    )
    unknown = answer(learned, "GET /orders/9123456?x=1")
    assert (unknown.status, unknown.body) == (404, b'{"error":"no order 9123456"}')
    assert answer(learned, "GET /orders/77").body == b'{"id":77,"price":13}'


def test_content_that_a_header_chooses_is_told_apart_beside_the_key() -> None:
    words = {"de": "Hallo", "en": "Hello", "fr": "Bonjour"}
    learned = learn(
        [
            exchange(
                f"GET /texts/{number % 5}",
                {"text": f"{words[language]} {number % 5 * 7 % 11}"},
                sent_headers={"Accept-Language": language},
            )
            for number in range(90)
            for language in words
        ]
    )
    for language, word in words.items():
        body = answer(learned, "GET /texts/3", headers={"Accept-Language": language}).body
        assert body == f'{{"text":"{word} 10"}}'.encode()


def test_a_body_that_never_repeats_is_cut_by_the_member_that_matters() -> None:
    prices = {"EUR": 10, "USD": 12, "GBP": 9}
    currencies = [*prices] * 20
    learned = learn(
        [
            exchange("POST /rates", {"rate": prices[each]}, sent={"currency": each, "nonce": number**2})
            for number, each in enumerate(currencies)
        ]
    )
    for currency, rate in prices.items():
        body = answer(learned, "POST /rates", {"currency": currency, "nonce": -1}).body
        assert body == b'{"rate":%d}' % rate


def test_malformed_json_gets_what_malformed_json_got() -> None:
    learned = learn(
        [
            exchange("POST /a", b"bad", 400, sent=b'{"a":%d' % number)
            if number % 5 == 0
            else exchange("POST /a", {"ok": True}, 201, sent={"a": number})
            for number in range(60)
        ]
    )
    assert answer(learned, "POST /a", b'{"oops').status == 400
    assert answer(learned, "POST /a", {"a": 999}).status == 201


def test_failures_by_chance_make_no_case() -> None:
    drawn = random.Random(4)
    answers = answers_of(
        exchange(
            f"GET /orders/{number % 40}",
            b"busy" if number % 9 == 0 else {"id": 1},
            503 if number % 9 == 0 else 200,
            sent_headers={"X-Client": drawn.choice("abcd"), "Accept": drawn.choice(("*/*", "text/html"))},
        )
        for number in range(400)
    )
    assert len(by_kind(answers, digits=True)) == 1


def test_few_samples_make_no_case() -> None:
    answers = answers_of([report(n, n % 2 == 0, f"GET /orders/{n}?csv={n % 2}") for n in range(18)])
    assert len(by_kind(answers, digits=True)) == 1


def test_two_fields_in_a_row_make_cases_that_go_before_one_another() -> None:
    exchanges = []
    for number in range(240):
        kind, admin = "ab"[number % 2], number % 3 == 0
        headers = {"X-Role": "admin"} if admin else {}
        body = {f"{kind}{'Admin' if admin else ''}": number}
        exchanges.append(exchange(f"GET /x?kind={kind}", body, sent_headers=headers))
    learned = learn(exchanges)
    for kind in "ab":
        for admin in (False, True):
            headers = {"X-Role": "admin"} if admin else {}
            answered = answer(learned, f"GET /x?kind={kind}", headers=headers).body
            assert answered.startswith(f'{{"{kind}{"Admin" if admin else ""}":'.encode())


def test_cases_that_exclude_one_another_share_a_level() -> None:
    answers = answers_of(
        [
            exchange(f"GET /orders/1?kind={kind}", {kind: number})
            for number in range(30)
            for kind in ("a", "b", "c")
        ],
        query=["kind"],
    )
    cases = by_kind(answers, digits=False)
    assert [case.words for case in cases] == ["kind=a", "kind=b", ""]
    assert levels(cases) == [1, 1, 0]


def test_cache_busters_make_no_case_and_are_named_in_the_comment() -> None:
    learned = learn(
        [exchange(f"GET /a?q={n % 3}&_={n + 10**9}&lang=en", {"v": n % 3 * 5}) for n in range(60)]
    )
    (stub,) = learned.service.stubs
    variants = stub.responses[0].variants
    assert variants is not None
    assert variants.by == ("query.q",)
    comment = learned.comments[stub.name]
    assert "query: _ only keeps caches away; left out" in comment
    assert "query: no answer depends on lang; left out" in comment


@pytest.mark.parametrize("field", ["Authorization", "X-Api-Key", "X-Session-Id"])
def test_of_secrets_only_the_presence_counts(field: str) -> None:
    learned = learn(
        [
            exchange("GET /a", {"ok": 1}, sent_headers={field: f"made-up-{number % 2}"})
            if number % 3
            else exchange("GET /a", {"error": 1}, 401)
            for number in range(60)
        ]
    )
    assert answer(learned, "GET /a").status == 401
    assert answer(learned, "GET /a", headers={field: "another"}).status == 200
    assert "made-up" not in repr(learned)


def test_endings_of_a_path_parameter_tell_kinds_of_answers_apart() -> None:
    json_type, html = {"Content-Type": "application/json"}, {"Content-Type": "text/html"}
    learned = learn(
        [
            each
            for number in range(60)
            for each in (
                exchange(f"GET /plants/{number % 30}.json", {"id": number % 30}, headers=json_type),
                exchange(f"GET /plants/{number % 30}", b"<p>%d" % (number % 30), headers=html),
            )
        ]
    )
    assert answer(learned, "GET /plants/7.json").body == b'{"id":7}'
    assert answer(learned, "GET /plants/7").body == b"<p>7"
    assert answer(learned, "GET /plants/977.json").body.startswith(b"{")
    assert answer(learned, "GET /plants/977").body.startswith(b"<p>")
