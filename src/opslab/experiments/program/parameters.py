"""The parameters of the notebook ``experiment_program``."""

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class ProgramParameters(SpecParameters):
    """Parameters of ``experiment_program``."""

    MODEL: ClassVar[str] = "opslab.experiments.program.spec:Program"

    spec: str = Field("data/sample/program.yaml", min_length=1)
    """the program: a spec"""
