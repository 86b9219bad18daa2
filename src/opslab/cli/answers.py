"""The answers that the reader of files may need, as options of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_OPPOSITES = {"day_first": "--month-first", "swapped_dates": "--true-dates"}


class WithAnswers(click.Command):
    """A command that takes each answer of the reader of files as an option."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, then the answers."""
        from opslab.tables import Answers

        answers = (_option(name, field) for name, field in Answers.model_fields.items())
        return [*super().get_params(ctx), *answers]


def _option(name: str, field: FieldInfo) -> click.Option:
    """Return an answer as an option: a text or several, one of some words, yes or no, or YAML."""
    kind, *others = get_args(field.annotation)
    flag = f"--{name.replace('_', '-')}"
    if kind is bool:
        names = [f"{flag}/{_OPPOSITES.get(name, f'--no{flag[1:]}')}"]
        return click.Option(names, default=None, help=field.description)
    if get_origin(kind) is Literal and len(others) == 1:
        return click.Option([flag], type=click.Choice(get_args(kind)), help=field.description)
    read = str if kind is str else _value
    several = others == [...]
    return click.Option(
        [flag], type=read, metavar="VALUE", multiple=several, help=field.description
    )


def _value(given: str) -> Any:
    """Return a value as it would be read in a spec."""
    from opslab.documents import parse

    return parse(given, given).values
