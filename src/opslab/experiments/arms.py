"""The arms of an experiment, as the analyst declares them and as readers are shown them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from opslab.messages import Bilingual, Language, spoken
from opslab.specs import Declared, Label, Number, Text, fault


class ArmLabel(Bilingual):
    """The label of an arm in the data, which readers are shown by a name in their language."""

    __slots__ = ("name",)

    name: str

    @classmethod
    def named(cls, label: str, name: str) -> Self:
        """Return the label with the name that it is shown by."""
        shown = cls(label)
        shown.name = name
        return shown

    def __reduce__(self) -> tuple[object, ...]:
        return ArmLabel.named, (str.__str__(self), self.name)

    def spoken(self, language: Language) -> str:
        """Return the name in a language."""
        return str(spoken(self.name, language))


class Arms(Declared):
    """The arms, the control among them, and the shares by which units were to be assigned."""

    column: str
    """column that holds the arm of a row"""
    control: Label
    """label of the control arm"""
    weights: dict[Label, Annotated[Number, Field(gt=0)]] | None = None
    """designed weight of each arm; equal weights over the labels found when left out"""
    names: dict[Label, Text] = Field({}, exclude=True)
    """what readers are shown instead of a label"""

    @model_validator(mode="after")
    def _control_has_a_weight(self) -> Self:
        if self.weights is not None:
            if self.control not in self.weights:
                raise fault(
                    "experiments.control_weight", control=self.control, arms=list(self.weights)
                )
            if len(self.weights) < 2:  # noqa: PLR2004 - a comparison takes two
                raise fault("experiments.one_weight")
        return self

    def shown(self, label: str) -> str:
        """Return a label as the result holds it: equal to that of the data, shown by its name."""
        return ArmLabel.named(label, self.names[label]) if label in self.names else label
