"""The only top-level package of an installation; importing it makes the rooms importable.

Installed, the rooms (`core`, `imaging`, ...) and the doors lie in its folder `app`, apart from
other packages with such names. In a checkout they lie beside this package.
"""

import sys
from pathlib import Path

_INSTALLED = Path(__file__).parent / "app"
_ROOMS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1]

if str(_ROOMS) not in sys.path:
    sys.path.insert(0, str(_ROOMS))
