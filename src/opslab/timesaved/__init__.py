"""Time saved: tasks and what a change saves of them, from ranges to hours that can be defended."""

from typing import TYPE_CHECKING

from opslab.lazy import lazy

if TYPE_CHECKING:
    from opslab.timesaved.change.parameters import ChangeParameters as ChangeParameters
    from opslab.timesaved.change.review import review_change as review_change
    from opslab.timesaved.change.spec import ChangeReview as ChangeReview
    from opslab.timesaved.estimation import estimate as estimate
    from opslab.timesaved.inventory import Inventory as Inventory
    from opslab.timesaved.parameters import TimeSavedParameters as TimeSavedParameters
    from opslab.timesaved.result import TimeSavedResult as TimeSavedResult
    from opslab.timesaved.sheets import interview_sheet as interview_sheet
    from opslab.timesaved.simulation import shapley as shapley
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        **{
            "change.parameters": "ChangeParameters",
            "change.review": "review_change",
            "change.spec": "ChangeReview",
        },
        estimation="estimate",
        inventory="Inventory",
        parameters="TimeSavedParameters",
        result="TimeSavedResult",
        sheets="interview_sheet",
        simulation="shapley",
    )
