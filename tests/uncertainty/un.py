"""The public names of opslab.uncertainty in one place, as the tests call them."""

from opslab.uncertainty.calibration import *  # noqa: F403
from opslab.uncertainty.distributions import *  # noqa: F403
from opslab.uncertainty.draws import *  # noqa: F403
from opslab.uncertainty.information import *  # noqa: F403
from opslab.uncertainty.sensitivity import *  # noqa: F403
from opslab.uncertainty.update import *  # noqa: F403
from opslab.uncertainty.words import *  # noqa: F403
