"""The everyday tools: what comes next, is a launch ready, what did it do, do standards hold."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.operations.contribution.parameters import (
        ContributionParameters as ContributionParameters,
    )
    from opslab.operations.contribution.result import ContributionResult as ContributionResult
    from opslab.operations.contribution.review import review_contribution as review_contribution
    from opslab.operations.contribution.spec import Contribution as Contribution
    from opslab.operations.decisions.calibration import brier as brier
    from opslab.operations.decisions.overlap import jaccard as jaccard
    from opslab.operations.decisions.overlap import rank_biased_overlap as rank_biased_overlap
    from opslab.operations.decisions.parameters import DecisionsParameters as DecisionsParameters
    from opslab.operations.decisions.result import DecisionsResult as DecisionsResult
    from opslab.operations.decisions.review import review_decisions as review_decisions
    from opslab.operations.decisions.spec import DecisionReview as DecisionReview
    from opslab.operations.digest.parameters import DigestParameters as DigestParameters
    from opslab.operations.digest.result import DigestResult as DigestResult
    from opslab.operations.digest.review import write_digest as write_digest
    from opslab.operations.digest.spec import Digest as Digest
    from opslab.operations.flow.parameters import FlowParameters as FlowParameters
    from opslab.operations.flow.result import FlowResult as FlowResult
    from opslab.operations.flow.review import review_flow as review_flow
    from opslab.operations.flow.spec import Flow as Flow
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
    from opslab.operations.practices.agreement import krippendorff as krippendorff
    from opslab.operations.practices.parameters import PracticesParameters as PracticesParameters
    from opslab.operations.practices.result import PracticesResult as PracticesResult
    from opslab.operations.practices.review import review_practices as review_practices
    from opslab.operations.practices.spec import PracticeReview as PracticeReview
    from opslab.operations.prioritisation.agreement import kendall_w as kendall_w
    from opslab.operations.prioritisation.parameters import (
        PrioritisationParameters as PrioritisationParameters,
    )
    from opslab.operations.prioritisation.ranking import prioritise as prioritise
    from opslab.operations.prioritisation.result import PrioritisationResult as PrioritisationResult
    from opslab.operations.prioritisation.score import rice as rice
    from opslab.operations.prioritisation.spec import Backlog as Backlog
    from opslab.operations.roadmap.parameters import RoadmapParameters as RoadmapParameters
    from opslab.operations.roadmap.plan import plan_roadmap as plan_roadmap
    from opslab.operations.roadmap.result import RoadmapResult as RoadmapResult
    from opslab.operations.roadmap.spec import Roadmap as Roadmap
    from opslab.operations.standards.parameters import StandardsParameters as StandardsParameters
    from opslab.operations.standards.result import StandardsResult as StandardsResult
    from opslab.operations.standards.review import review_standards as review_standards
    from opslab.operations.standards.spec import Standard as Standard
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        **{
            "contribution.parameters": "ContributionParameters",
            "contribution.result": "ContributionResult",
            "contribution.review": "review_contribution",
            "contribution.spec": "Contribution",
            "decisions.calibration": "brier",
            "decisions.overlap": "jaccard rank_biased_overlap",
            "decisions.parameters": "DecisionsParameters",
            "decisions.result": "DecisionsResult",
            "decisions.review": "review_decisions",
            "decisions.spec": "DecisionReview",
            "digest.parameters": "DigestParameters",
            "digest.result": "DigestResult",
            "digest.review": "write_digest",
            "digest.spec": "Digest",
            "flow.parameters": "FlowParameters",
            "flow.result": "FlowResult",
            "flow.review": "review_flow",
            "flow.spec": "Flow",
            "launch_readiness.gate": "readiness",
            "launch_readiness.parameters": "ReadinessParameters",
            "launch_readiness.result": "ReadinessResult",
            "launch_readiness.spec": "Launch",
            "launch_report.parameters": "LaunchReportParameters",
            "launch_report.result": "LaunchReportResult",
            "launch_report.review": "behaviour_limits review_launch",
            "launch_report.spec": "LaunchReview",
            "practices.agreement": "krippendorff",
            "practices.parameters": "PracticesParameters",
            "practices.result": "PracticesResult",
            "practices.review": "review_practices",
            "practices.spec": "PracticeReview",
            "prioritisation.agreement": "kendall_w",
            "prioritisation.parameters": "PrioritisationParameters",
            "prioritisation.ranking": "prioritise",
            "prioritisation.result": "PrioritisationResult",
            "prioritisation.score": "rice",
            "prioritisation.spec": "Backlog",
            "roadmap.parameters": "RoadmapParameters",
            "roadmap.plan": "plan_roadmap",
            "roadmap.result": "RoadmapResult",
            "roadmap.spec": "Roadmap",
            "standards.parameters": "StandardsParameters",
            "standards.result": "StandardsResult",
            "standards.review": "review_standards",
            "standards.spec": "Standard",
        },
    )
