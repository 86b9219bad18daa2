"""The registry of themes: what a run knows of them, written beside its page for the next one.

A run never changes a registry: it reads its predecessor's, by hash, and writes its own.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat, PlainSerializer, PlainValidator, TypeAdapter

from opslab import provenance, workspace
from opslab.errors import DataError
from opslab.feedback.encoders import hashes
from opslab.feedback.naming import Phrases

SCHEMA = "opslab.themes/1"

Status = Literal["active", "dormant", "merged", "split"]
Kind = Literal["born", "merged", "split", "dormant", "revived"]
_ID = re.compile(r"T(\d+)[a-e]?")


def _unpacked(record: Mapping[str, str]) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(record["base64"], validate=True), record["dtype"])


def _packed(array: NDArray[Any]) -> dict[str, str]:
    little = array.astype(array.dtype.newbyteorder("<"))
    return {"dtype": little.dtype.str, "base64": base64.b64encode(little.tobytes()).decode()}


Array = Annotated[NDArray[Any], PlainValidator(_unpacked), PlainSerializer(_packed)]
"""Numbers; in the file the base64 of their bytes."""


@dataclass(frozen=True, kw_only=True)
class KnownTheme:
    """A theme as a registry knows it, before people's merges.

    Attributes
    ----------
    id : str
        ``T01`` …; never given to another theme.
    centroid : array, shape (dimensions,)
        At length 1, in the space of ``Registry.encoder`` less ``Registry.levels``.
    phrases : tuple of Phrases
        What the theme is called, without people's names.
    status : {"active", "dormant", "merged", "split"}
    parents : tuple of str
        The theme that it is a part of, or those that it took in.
    into : str or None
        The theme that took it in.
    born, seen : date or None
        Days of the run that first had it, and of the last message in it.
    messages : int
        In the run that wrote this.
    near : float
        Cosine to the centroid from which a new text is near enough to join.
    """

    id: str
    centroid: Array = field(default_factory=lambda: np.empty(0, np.float32))
    phrases: tuple[Phrases, ...] = ()
    status: Status = "active"
    parents: tuple[str, ...] = ()
    into: str | None = None
    born: datetime.date | None = None
    seen: datetime.date | None = None
    messages: int = 0
    near: FiniteFloat = 0.5


@dataclass(frozen=True)
class Event:
    """What happened to a theme in a run: an entry of the ledger.

    Attributes
    ----------
    day : date or None
        As of which the run speaks.
    kind : {"born", "merged", "split", "dormant", "revived"}
    theme : str
    others : tuple of str
        Merged: into which; split: the parts that left it, or all of them where people split it.
    """

    day: datetime.date | None
    kind: Kind
    theme: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Registry:
    """What a run hands to the next one.

    Attributes
    ----------
    study : str
        The study's slug.
    encoder, encoder_name : str
        Hash and name of the encoder that the centroids are of.
    as_of, refitted : date or None
        The run's day, and that of the last run that looked for themes anew.
    next : int
        The number of the next new theme.
    themes : tuple of KnownTheme
        By id: those of all runs, also the dormant ones, those merged and those split.
    ledger : tuple of Event
        Of all runs, the oldest first.
    points : bool
        Whether points of messages shaped the themes, and not whole messages.
    levels : mapping of str to array
        What is taken off the vectors of a language.
    keys, owners : array
        Hashes of passages (`key_of`), in their order, and the number of each one's theme in
        ``themes``, -1 of none: texts of this run and of runs before.
    history : tuple of (day, source, theme, messages)
        Messages a day, source and theme (``""`` is all), of this run and of runs before.
    previous, previous_sha256 : str
        Of a registry that was loaded: the id of its run, and the hash of its file. Of one that a
        run writes: of the registry that it continues; empty for the first.
    """

    study: str
    encoder: str
    encoder_name: str
    as_of: datetime.date | None = None
    refitted: datetime.date | None = None
    next: int = 1
    themes: tuple[KnownTheme, ...] = ()
    ledger: tuple[Event, ...] = ()
    points: bool = False
    levels: Mapping[str, Array] = field(default_factory=dict)
    keys: Array = field(default_factory=lambda: np.empty(0, np.uint64))
    owners: Array = field(default_factory=lambda: np.empty(0, np.int32))
    history: tuple[tuple[str, str, str, int], ...] = ()
    previous: str = ""
    previous_sha256: str = ""

    def owners_of(self, met: Array) -> Array:
        """Return the number of the theme that each key's passage is known in; -1 of none."""
        at = np.searchsorted(self.keys, met)
        return np.where(np.append(self.keys, 0)[at] == met, np.append(self.owners, -1)[at], -1)

    def theme(self, name: str) -> KnownTheme | None:
        """Return a theme by its id, whatever became of it."""
        return next((each for each in self.themes if each.id == name), None)

    def content(self) -> bytes:
        """Return the file's bytes: the same for the same registry."""
        record = {"schema": SCHEMA} | _FILE.dump_python(self, mode="json")
        return json.dumps(record, indent=1, sort_keys=True).encode()

    @classmethod
    def load(cls, path: Path) -> Registry:
        """Return the registry of a run's folder, and note its hash.

        Raises
        ------
        DataError
            When the file holds none, or that of another opslab.
        """
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        provenance.note(path, sha256)
        registry = cls.of(content, workspace.shown(path))
        run = "/".join(path.parts[-4:-1])
        return replace(registry, previous=run, previous_sha256=sha256)

    @classmethod
    def of(cls, content: bytes, file: str) -> Registry:
        """Return the registry that a file's bytes hold; see `load`."""
        try:
            schema = (record := json.loads(content))["schema"]
            registry = _FILE.validate_json(content, strict=True) if schema == SCHEMA else None
            # nothing is missing, and nothing is there that is not known
            sound = registry is None or (
                _is_sound(registry) and json.loads(registry.content()) == record
            )
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            sound = False
        if not sound:
            raise DataError.of("feedback.bad_registry", file=file)
        if registry is None:
            raise DataError.of("feedback.other_registry", file=file, schema=schema, known=SCHEMA)
        return registry


def keys_of(passages: Sequence[str]) -> Array:
    """Return by what passages are known again: of their words in lower case."""
    return hashes(passage.casefold() for passage in passages)


def _is_sound(registry: Registry) -> bool:
    """Return whether a registry's parts fit together, so that no id can mean another theme."""
    themes, keys, owners = registry.themes, registry.keys, registry.owners
    ids = {each.id: each for each in themes}
    numbers = [int(met[1]) for name in ids if (met := _ID.fullmatch(name))]
    ends = {*ids}
    for _ in themes:  # merges come to an end
        ends = {ids[end].into or end for end in ends}
    vectors = [each.centroid for each in themes if len(each.centroid)]
    vectors += registry.levels.values()
    return (
        [each.id for each in themes] == sorted(ids)
        and len(numbers) == len(ids)
        and max(numbers, default=0) < registry.next
        and all((each.status == "merged") == bool(each.into) for each in themes)
        and not any(ids[end].into for end in ends)
        and {each.dtype for each in vectors} <= {np.dtype(np.float32)}
        and bool(np.isfinite(np.array(vectors)).all())
        and (keys.dtype.str, owners.dtype.str, len(keys)) == ("<u8", "<i4", len(owners))
        and bool((keys[1:] > keys[:-1]).all())
        and bool(((owners >= -1) & (owners < len(themes))).all())
        and all(datetime.date.fromisoformat(row[0]) for row in registry.history)
    )


_FILE = TypeAdapter(Registry)
