"""docs/wiremock-compatibility.md is what the tables of keys and routes say: it is written from them.

`python -m tests.unit.docs.test_wiremock_compatibility` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from mockforge.engine import Engine, compile_service
from mockforge.model.service import Service
from mockforge.server.admin import ADMIN_PREFIX, Admin, AdminOptions
from mockforge.server.admin.routing import admin_routes
from mockforge.server.admin.store import StubStore
from mockforge.server.lane import Lane
from mockforge.state.journal import Journal
from mockforge.stubfiles.form import RequestForm, ResponseForm, StubForm
from mockforge.stubfiles.pattern_form import PatternForm, ValuesForm

PAGE = Path(__file__).parents[3] / "docs" / "wiremock-compatibility.md"

HEAD = """# Compatibility with WireMock

MockForge reads WireMock's stub mappings and answers WireMock's admin API, so that files and clients that you
have work as they are. This page lists every key of a stub mapping and every admin route of WireMock 3.13.
It is made by a test from the tables that the code runs on.

*Supported*: as in WireMock. *Different*: there, with the difference that stands beside it. *Missing*: refused
with a message that says so, never ignored.

"""

STUB_KEYS = (
    "id uuid name request response priority scenarioName requiredScenarioState newScenarioState persistent "
    "metadata postServeActions serveEventListeners insertionIndex"
)
REQUEST_KEYS = (
    "method url urlPattern urlPath urlPathPattern urlPathTemplate pathParameters queryParameters headers "
    "cookies formParameters basicAuthCredentials bodyPatterns multipartPatterns scheme host port clientIp "
    "customMatcher"
)
PATTERN_KEYS = (
    "equalTo caseInsensitive contains doesNotContain matches doesNotMatch absent and or not binaryEqualTo "
    "equalToJson ignoreArrayOrder ignoreExtraElements matchesJsonPath matchesJsonSchema schemaVersion "
    "equalToXml enablePlaceholders placeholderOpeningDelimiterRegex placeholderClosingDelimiterRegex "
    "exemptedComparisons ignoreOrderOfSameNode namespaceAwareness matchesXPath xPathNamespaces "
    "before after equalToDateTime actualFormat truncateExpected truncateActual applyTruncationLast "
    "equalToNumber greaterThanNumber greaterThanEqualNumber lessThanNumber lessThanEqualNumber "
    "hasExactly includes"
)
RESPONSE_KEYS = (
    "status statusMessage headers body jsonBody base64Body bodyFileName fixedDelayMilliseconds "
    "delayDistribution chunkedDribbleDelay fault proxyBaseUrl additionalProxyRequestHeaders "
    "removeProxyRequestHeaders proxyUrlPrefixToRemove transformers transformerParameters fromConfiguredStub"
)
ROUTES = """
GET /mappings
POST /mappings
DELETE /mappings
GET /mappings/{id}
PUT /mappings/{id}
DELETE /mappings/{id}
POST /mappings/reset
POST /mappings/save
POST /mappings/import
POST /mappings/remove
POST /mappings/edit
POST /mappings/find-by-metadata
POST /mappings/remove-by-metadata
GET /mappings/unmatched
DELETE /mappings/unmatched
GET /requests
DELETE /requests
GET /requests/{id}
DELETE /requests/{id}
POST /requests/reset
POST /requests/count
POST /requests/find
POST /requests/remove
POST /requests/remove-by-metadata
GET /requests/unmatched
GET /requests/unmatched/near-misses
POST /near-misses/request
POST /near-misses/request-pattern
GET /scenarios
POST /scenarios/reset
PUT /scenarios/{name}/state
GET /settings
POST /settings
PUT /settings
PATCH /settings/extended
GET /files
GET /files/{name}
PUT /files/{name}
DELETE /files/{name}
POST /recordings/start
POST /recordings/stop
POST /recordings/snapshot
GET /recordings/status
POST /reset
POST /shutdown
GET /health
GET /version
GET /certs/wiremock-ca.crt
GET /docs
GET /recorder
"""

#: What differs from WireMock in something that is there.
DIFFERENCES: Mapping[str, str] = {
    "customMatcher": "a function that a Python package registers: [extending](extending.md)",
    "id": "over the admin API a UUID, as in WireMock; in files any name",
    "persistent": "over the admin API only: the stub is saved at once",
    "insertionIndex": "over the admin API only, where it says nothing",
    "fromConfiguredStub": "over the admin API only, where it says nothing",
    "postServeActions": "the webhook, with Jinja as its templates; other listeners are refused",
    "serveEventListeners": "the webhook, with Jinja as its templates; adds `retry`; others are refused",
    "proxyBaseUrl": "delays count from arrival, and are not added; a failing upstream is 502 or 504, not 500",
    "chunkedDribbleDelay": "the head leaves at once, in WireMock with the first chunk; the end is the same",
    "fault": "WireMock's four, and four more; they count from arrival, after any delay",
    "bodyFileName": "the file must be there when the stub comes",
    "transformers": "`jinja`; WireMock's `response-template` is refused",
    "GET /files": "names only, sorted",
    "DELETE /mappings": "files that saving wrote go too; those that people wrote stay",
    "DELETE /mappings/{id}": "a file that saving wrote goes too; one that people wrote stays",
    "POST /mappings": "the file of a `bodyFileName` must be there",
    "POST /mappings/reset": "brings back the stubs of the files, and leaves the journal as it is",
    "POST /mappings/save": "writes `mappings/saved/`; a file that people wrote is not written over",
    "GET /requests": "bodies beyond 64 KiB are cut in lists; adds `requestJournalEvicted` and `mockforge`",
    "POST /recordings/start": "`transformers` are refused",
    "POST /recordings/snapshot": "`transformers` are refused; an answer that broke off becomes no stub",
}

TAIL = """
## What else differs

- **Messages.** The 404 of a request that matched nothing is a list of differences, field by field, and not
  WireMock's two columns. `detail` of a refused stub is in MockForge's words; status, `title` and `pointer`
  are WireMock's.
- **Methods.** A method that HTTP does not register (`RANDOM /`) is answered with 400 where its request is
  pipelined behind another.
- **Proxying.** `Via` is added to what goes on, and a request that comes back here is answered with 508; a
  stub that names the mock's own address is refused. Certificates of upstreams are checked unless
  `--proxy-insecure` is given.
- **Content-Length.** A body goes out with its length, where WireMock sends it in chunks.
- **Headers.** `Matched-Stub-Id` and `Matched-Stub-Name` are in the answers of stubs that came over the admin
  API. Stubs of files answer with just what their file says.
- **The journal** is bounded: 10,000 events, or 64 MiB of request and proxied bodies. Counts say how
  many were let go.
- **Events** are entered when their answer is out or its caller has left, with the times that were observed.
  WireMock enters them before the delay runs.
- **Compression.** Answers go out as they are written; WireMock compresses them for callers that accept gzip.

## Tests of WireMock's that are answered otherwise

Of WireMock's own acceptance tests, these are answered otherwise, for a reason:

"""

#: WireMock's tests that MockForge does not pass, and why it stays so.
OTHERWISE: Mapping[str, str] = {
    "MappingsAcceptanceTest.appendsTransferEncodingHeaderIfNoContentLengthHeaderIsPresentInMapping": (
        "wants chunks. The length is known, and chunks cost both sides of a load test time"
    ),
    "GzipAcceptanceTest.ChunkedTransferEncoding.servesGzippedResponseForPost": (
        "wants gzip that nobody wrote. A backend's own coding is part of what is compared; a stub has it by "
        "`Content-Encoding` and a `base64Body`"
    ),
    "NotMatchedPageAcceptanceTest.showsADefaultMessageWhenNoStubsWerePresent": (
        'wants a sentence about "this WireMock instance", which it is not'
    ),
    "ResponseDelayAcceptanceTest.requestIsRecordedInJournalBeforePerformingDelay": (
        "wants the event before its answer. An event holds the times that were observed, and comes with them"
    ),
    "ResponseDelayAcceptanceTest.inFlightDelayedRequestsAreNotRecordedInJournalAfterReset": "wants the same",
    "XmlHandlingAcceptanceTest.doesNotDownloadExternalDtdDocumentsWhenEvaluatingXPathInTemplate": (
        "is written in WireMock's Handlebars dialect, which is refused"
    ),
}


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == page(), "python -m tests.unit.docs.test_wiremock_compatibility writes it anew"


def test_every_difference_is_of_something_that_is_listed() -> None:
    listed = {
        *f"{STUB_KEYS} {REQUEST_KEYS} {PATTERN_KEYS} {RESPONSE_KEYS}".split(),
        *ROUTES.strip().splitlines(),
    }
    assert set(DIFFERENCES) <= listed


def page() -> str:
    """The whole page."""
    over_api = {
        "persistent",
        "insertionIndex",
        "fromConfiguredStub",
    }
    patterns = {*PatternForm.keys(), *ValuesForm.keys()}
    parts = [
        HEAD,
        "".join(_table("Keys of a stub mapping", STUB_KEYS.split(), {*StubForm.keys(), *over_api})),
        "".join(_table("Keys of a request", REQUEST_KEYS.split(), set(RequestForm.keys()))),
        "".join(_table("Keys of a matcher", PATTERN_KEYS.split(), patterns)),
        "".join(_table("Keys of a response", RESPONSE_KEYS.split(), {*ResponseForm.keys(), *over_api})),
        "".join(_table("Admin routes, under `/__admin`", ROUTES.strip().splitlines(), set(_routes()))),
    ]
    otherwise = "".join(f"- `{test}` {why}.\n" for test, why in OTHERWISE.items())
    return "\n".join(parts) + TAIL + otherwise


def _table(title: str, names: list[str], there: set[str]) -> Iterator[str]:
    yield f"## {title}\n\n| | | |\n|---|---|---|\n"
    for name in names:
        note = DIFFERENCES.get(name, "")
        status = "missing" if name not in there else "different" if note else "supported"
        yield f"| `{name}` | {status} | {note if name in there else ''} |\n"


def _routes() -> Iterator[str]:
    """`METHOD /path` of every route that there is."""
    engine = Engine(compile_service(Service("s")), Random(1))
    lane = Lane(engine, Journal())
    for route in admin_routes(Admin(lane, StubStore(engine, lane.clock.now_ns), AdminOptions())):
        path = route.path.removeprefix(ADMIN_PREFIX).replace(":path}", "}")
        yield from (f"{method} {path}" for method in (route.methods or ()) if method != "HEAD")


if __name__ == "__main__":
    PAGE.write_text(page())
