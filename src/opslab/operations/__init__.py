"""The everyday tools: what comes next, is a launch ready, what did it do, do standards hold."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.operations.launch_readiness.gate import readiness as readiness
    from opslab.operations.launch_readiness.parameters import (
        ReadinessParameters as ReadinessParameters,
    )
    from opslab.operations.launch_readiness.result import ReadinessResult as ReadinessResult
    from opslab.operations.launch_readiness.spec import Launch as Launch
    from opslab.operations.launch_report.parameters import (
        LaunchReportParameters as LaunchReportParameters,
    )
    from opslab.operations.launch_report.result import LaunchReportResult as LaunchReportResult
    from opslab.operations.launch_report.review import behaviour_limits as behaviour_limits
    from opslab.operations.launch_report.review import review_launch as review_launch
    from opslab.operations.launch_report.spec import LaunchReview as LaunchReview
    from opslab.operations.prioritisation.agreement import kendall_w as kendall_w
    from opslab.operations.prioritisation.parameters import (
        PrioritisationParameters as PrioritisationParameters,
    )
    from opslab.operations.prioritisation.ranking import prioritise as prioritise
    from opslab.operations.prioritisation.result import PrioritisationResult as PrioritisationResult
    from opslab.operations.prioritisation.score import rice as rice
    from opslab.operations.prioritisation.spec import Backlog as Backlog
    from opslab.operations.standards.parameters import StandardsParameters as StandardsParameters
    from opslab.operations.standards.result import StandardsResult as StandardsResult
    from opslab.operations.standards.review import review_standards as review_standards
    from opslab.operations.standards.spec import Standard as Standard
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        **{
            "launch_readiness.gate": "readiness",
            "launch_readiness.parameters": "ReadinessParameters",
            "launch_readiness.result": "ReadinessResult",
            "launch_readiness.spec": "Launch",
            "launch_report.parameters": "LaunchReportParameters",
            "launch_report.result": "LaunchReportResult",
            "launch_report.review": "behaviour_limits review_launch",
            "launch_report.spec": "LaunchReview",
            "prioritisation.agreement": "kendall_w",
            "prioritisation.parameters": "PrioritisationParameters",
            "prioritisation.ranking": "prioritise",
            "prioritisation.result": "PrioritisationResult",
            "prioritisation.score": "rice",
            "prioritisation.spec": "Backlog",
            "standards.parameters": "StandardsParameters",
            "standards.result": "StandardsResult",
            "standards.review": "review_standards",
            "standards.spec": "Standard",
        },
    )
