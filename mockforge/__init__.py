"""MockForge: record a backend, learn a mock that performs like it, and measure how far the mock is off."""

__all__ = ["__version__"]

__version__ = "0.1.0"
