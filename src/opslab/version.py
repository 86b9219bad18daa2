"""The version of opslab, which every run notes."""

__version__ = "0.1.0"
