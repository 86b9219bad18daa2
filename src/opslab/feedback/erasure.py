"""What this area knows of a customer who is to be erased: keys, exports, vectors, registries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from opslab import workspace
from opslab.errors import InputError, ParameterError
from opslab.feedback.clauses import clauses
from opslab.feedback.customer_message import CustomerMessage
from opslab.feedback.intake import CUSTOMERS, customer_key, rows_of
from opslab.feedback.points import passages
from opslab.feedback.predecessor import FILE
from opslab.feedback.redaction import without_tokens
from opslab.feedback.registry.state import Registry, keys_of
from opslab.feedback.spec import Source, Study
from opslab.feedback.words import table as word_table
from opslab.secret import secret_for
from opslab.tables import open_export
from opslab.tables.source import ROW

VECTORS = (".npz", ".vectors")


@dataclass(frozen=True)
class Known:
    """What is known of a customer.

    Attributes
    ----------
    keys : mapping of str to str
        Their keys, each with the secret that it was made with.
    met : set of str
        Those that exports hold.
    remarks : sequence of (str, sequence)
        What is to be said: ``held`` with study, export and its rows, as a spreadsheet numbers them;
        ``unnamed``, with study and export, of no column of customers; ``lost`` of what cannot be
        read.
    files : sequence of Path
        Beside the runs: what people filled in, and kept vectors.
    """

    keys: dict[str, str]
    met: set[str]
    remarks: Sequence[tuple[str, Sequence[Any]]]
    files: Sequence[Path]


def known(customer: str, source: str | None, specs: Iterable[str], labels: set[str]) -> Known:
    """Return what is known of a customer.

    Parameters
    ----------
    customer : str
        Their address, or their id in a source.
    source : str, optional
        What readers call the source of the id; by default it is tried for every one.
    specs : iterable of str
        Studies; those that cannot be read are remarks.
    labels : set of str
        Sources that the runs name.

    Raises
    ------
    ParameterError
        When there is no such source, or the name is nobody's.
    """
    name = customer.strip().casefold()
    studies, remarks, files = list[Study](), list[tuple[str, Sequence[Any]]](), list[Path]()
    for spec in specs:
        try:
            studies.append(Study.load(workspace.resolve(spec), spec))
        except (InputError, OSError):
            remarks.append(("lost", (spec, spec)))
    labels = labels | {each.source or Path(each.path).stem for at in studies for each in at.sources}
    if source is not None and source not in labels:
        raise ParameterError.of("feedback.erase_source", given=source, known=sorted(labels))
    keys = {
        key: secret
        for secret in {secret_for(()), *(secret_for(study.files()) for study in studies)}
        for label in ([source] if source else {"", *labels})
        if (label or "@" in name) and (key := customer_key(secret, label, name))
    }
    if not keys:
        raise ParameterError.of("feedback.erase_nobody", given=customer)
    met = set[str]()
    for study in studies:
        others = [path for at, path in study.named().items() if at[0] != "sources"]
        files += filter(Path.is_file, map(study.beside, others))
        if study.themes.cache:
            cache = study.beside(study.themes.cache)
            kept = [*cache.glob("vectors-*"), *cache.glob("vectors-*/*")]
            files += (path for path in kept if path.suffix.startswith(VECTORS))
        for each in study.sources:
            for kind, *rows in _held(study, each, name, keys, met):
                remarks.append((kind, (study.slug, each.path, *rows)))
    return Known(keys, met, remarks, files)


def _held(
    study: Study, source: Source, name: str, keys: dict[str, str], met: set[str]
) -> Iterator[Sequence[Any]]:
    """Yield what is to be said of an export, with the customer's rows; add the keys there."""
    secret = secret_for(study.files())
    try:
        with open_export(study.beside(source.path), answers=source) as table:
            frame = table.frame()
            (places,) = table.aggregates([f"list({ROW} ORDER BY {ROW})"])
            rows = [
                (row.message.row - 1, row.message.customer)
                for row in rows_of(source, table, secret)
            ]
    except (InputError, OSError):
        yield ("lost",)
        return
    names = frame[[column for column in CUSTOMERS if column in frame]].astype(str)
    if names.columns.empty:
        yield ("unnamed",)
        return
    named = names.apply(lambda column: column.str.strip().str.casefold() == name).any(axis=1)
    keys |= {key: secret for at, key in rows if key and "@" in name and named.iat[at]}
    theirs = [(places[at] + 1, key) for at, key in rows if key in keys]
    met |= {key for _, key in theirs if key}
    if theirs:
        yield "held", *sorted({place for place, _ in theirs})


def phrases(texts: Iterable[str]) -> set[str]:
    """Return the parts of texts that vectors are kept of: passages, and clauses that may be titles.

    Parameters
    ----------
    texts : iterable of str
        As they were filed.
    """
    said = passages([CustomerMessage("", "", "", 1, text) for text in texts])
    heard = {without_tokens(each.text, " . ") for each in said}
    parts = (clauses(text, language) for text in heard for language in word_table("clauses.toml"))
    return {each.words for each in said}.union(*parts)


def forget(name: str, content: bytes, said: set[str], mark: str) -> bytes:
    """Return a registry without what some phrases left there as hashes; of vectors, nothing.

    A theme whose name was theirs has none from then on: the next run finds one.

    A file of vectors is never changed, as a run may be reading it: where it has one of theirs, it
    goes as a whole, and is made anew.

    Parameters
    ----------
    name : str
    content : bytes
        Those of another file, or of a broken registry, are returned as they are.
    said : set of str
    mark : str
        What stands in place of their words.
    """
    path = PurePosixPath(name)
    if path.suffix.startswith(VECTORS):  # hashes, or, as opslab kept them once, texts of hashes
        hashes = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in said]
        forms = [(each[7::-1], each.hex()[:32].encode("utf-32-le")) for each in hashes]
        return b"" if any(short in content or long in content for short, long in forms) else content
    with suppress(InputError):
        if path.name == FILE:
            registry = Registry.of(content, name)
            kept = ~np.isin(registry.keys, keys_of(sorted(said)))
            named = [mark in str(each.phrases) for each in registry.themes]
            themes = tuple(
                replace(each, phrases=()) if erased else each
                for each, erased in zip(registry.themes, named, strict=True)
            )
            if not kept.all() or any(named):
                keys, owners = registry.keys[kept], registry.owners[kept]
                return replace(registry, keys=keys, owners=owners, themes=themes).content()
    return content
