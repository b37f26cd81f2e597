"""Assembly: a running Tenon put together from a home folder, with every port filled."""

from tenon.assembly.tenon import Tenon, open_tenon

__all__ = ["Tenon", "open_tenon"]
