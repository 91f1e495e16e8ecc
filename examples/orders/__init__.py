"""A small, fragile orders backend to record, to mock and to compare a mock with."""
