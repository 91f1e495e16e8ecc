"""Other tools' records of traffic, in and out: HAR, WireMock's journal, access logs, tables, mitmproxy."""
