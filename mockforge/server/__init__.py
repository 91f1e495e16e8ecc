"""Serving a virtual service over HTTP."""
