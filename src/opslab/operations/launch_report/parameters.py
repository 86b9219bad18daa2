"""The parameters of the notebook ``launch_report``."""

from typing import ClassVar

from pydantic import Field

from opslab.parameters import SpecParameters


class LaunchReportParameters(SpecParameters):
    """Parameters of ``launch_report``."""

    MODEL: ClassVar[str] = "opslab.operations.launch_report.spec:LaunchReview"

    spec: str = Field("data/sample/launch_review.yaml", min_length=1)
    """the review: a spec"""
