"""Keys of WireMock's stub mappings that MockForge does not know yet, by where they stand.

A file that holds one is refused, not half served; the message says that its author made no error.
"""

from __future__ import annotations

__all__ = ["IN_FILE", "IN_PATTERN", "IN_REQUEST", "IN_RESPONSE", "IN_STUB"]

IN_FILE = frozenset({"importOptions", "meta"})

IN_STUB = frozenset(
    {
        "insertionIndex",
        "newScenarioState",
        "persistent",
        "postServeActions",
        "requiredScenarioState",
        "scenarioName",
        "serveEventListeners",
    }
)

IN_REQUEST = frozenset(
    {
        "basicAuth",
        "basicAuthCredentials",
        "clientIp",
        "cookies",
        "customMatcher",
        "formParameters",
        "host",
        "multipartPatterns",
        "pathParameters",
        "port",
        "scheme",
    }
)

IN_PATTERN = frozenset(
    {
        "actualFormat",
        "after",
        "and",
        "applyTruncationLast",
        "before",
        "binaryEqualTo",
        "equalToDateTime",
        "equalToJson",
        "equalToNumber",
        "equalToXml",
        "greaterThanEqualNumber",
        "greaterThanNumber",
        "hasExactly",
        "ignoreArrayOrder",
        "ignoreExtraElements",
        "includes",
        "lessThanEqualNumber",
        "lessThanNumber",
        "matchesJsonPath",
        "matchesJsonSchema",
        "matchesXPath",
        "not",
        "or",
        "schemaVersion",
        "truncateActual",
        "truncateExpected",
        "xPathNamespaces",
    }
)

IN_RESPONSE = frozenset(
    {
        "additionalProxyRequestHeaders",
        "chunkedDribbleDelay",
        "fault",
        "fromConfiguredStub",
        "proxyBaseUrl",
        "proxyUrlPrefixToRemove",
        "removeProxyRequestHeaders",
        "statusMessage",
        "transformerParameters",
    }
)
