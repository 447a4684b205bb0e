"""The table: which cases each reader misses, and why; every other one it reads to the pixel."""

from tests.readers.cases import Form
from tests.readers.reasons import AVERAGED, BY_Z, CUT_SQUARE, SCALED, TURNED, Reason

Misses = dict[str, Reason]

_UNEVEN: Misses = {"uneven distances": AVERAGED, "two slices missing": AVERAGED}
_Z_VARIES: Misses = {"oblique": BY_Z, "coronal": BY_Z}


def expected(all_names: list[str]) -> dict[str, dict[Form, Misses]]:
    """For each peer and form of the phantoms its misses."""
    return {
        "rt_utils": {
            "oblong": dict.fromkeys(all_names, TURNED),
            "square": {"oblong pixels": SCALED, "oblong image": TURNED},
        },
        "plastimatch": {"oblong": {}, "square": {}},
        "dcmrtstruct2nii": {"oblong": _UNEVEN, "square": _UNEVEN},
        "platipy": {
            "oblong": _UNEVEN | {"oblong image": CUT_SQUARE},
            "square": _UNEVEN | {"oblong image": CUT_SQUARE},
        },
        "dicomrttool": {"oblong": _Z_VARIES, "square": _Z_VARIES},
    }
