"""The parameters of the feedback notebooks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from opslab import workspace
from opslab.errors import ParameterError
from opslab.feedback.predecessor import cited, predecessor
from opslab.parameters import Inputs, Parameters
from opslab.secret import fingerprint, secret_for

if TYPE_CHECKING:
    from opslab.feedback.registry.state import Registry
    from opslab.feedback.spec import Study


class ThemesParameters(Parameters):
    """Parameters of ``feedback_themes``."""

    spec: str = Field("data/sample/shop_feedback.yaml", min_length=1)
    """feedback study, from the workspace's root"""
    seed: int = Field(0, ge=0, le=2**31 - 1)
    """seed of clustering and of the audit sheet's draw"""

    def study(self) -> Study:
        """Return the study; raises `SpecError` when the spec needs correcting."""
        from opslab.feedback.spec import Study  # only now: unknown parameters are told without it

        return Study.load(workspace.resolve(self.spec), self.spec)

    def day(self, study: Study) -> datetime.date:
        """Return the day as of which the readout speaks: as given, or the last day of the study."""
        day = self.as_of or study.end
        if day is None:
            raise ParameterError.of("feedback.as_of_needed", field="as_of")
        return day

    def stands_on(self) -> Inputs:
        """Return the run's name, day and files."""
        study = self.study()
        day = self.day(study)
        ParameterError.refuse(study.lacking())
        known = predecessor(study, day)
        files = (*study.files(), *filter(None, [known]), *cited(study, day))
        return Inputs(study.slug, day, files, fingerprint(secret_for(study.files())))

    def registry(self, study: Study) -> Registry | None:
        """Return what the run before knew of the themes; None where there is none.

        Raises `InputError` as of `predecessor`, and for a registry that cannot be read.
        """
        from opslab.feedback.registry.state import Registry  # only now: numpy takes a while

        known = predecessor(study, self.day(study))
        return Registry.load(known) if known else None
