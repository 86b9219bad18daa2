"""Packages whose public names load when they are first asked for: importing one costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple


class Face(NamedTuple):
    """What a package's module takes as its ``__getattr__``, ``__dir__`` and ``__all__``."""

    find: Callable[[str], Any]
    names: Callable[[], list[str]]
    public: list[str]


def lazy(package: str, **homes: str) -> Face:
    """Return the face of a package: its public names, and nothing else.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    **homes
        Each module of the package and the public names that it holds, with spaces between them;
        without any, the module is public itself.

    Examples
    --------
    In a package's ``__init__.py``, beside imports under ``TYPE_CHECKING`` that tell the types::

        __getattr__, __dir__, __all__ = lazy(__name__, analysis="analyze", spec="Experiment Arms")
    """
    home = {name: module for module, names in homes.items() for name in (names or module).split()}
    public = sorted(home)

    def find(name: str) -> Any:
        if name not in home:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[package])
        module = import_module(f"{package}.{home[name]}")
        return getattr(module, name) if homes[home[name]] else module

    return Face(find, lambda: public, public)
