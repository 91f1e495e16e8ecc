"""A project's file: its services, how far their mocks may be off, and what is secret in their traffic."""
