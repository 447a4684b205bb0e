"""What pydicom raises when it reads bytes that are broken: one list, so that no reader lacks one.

pydicom documents none of it; these were seen with damaged files (tests/geometry/test_elements.py,
`make fuzz`).
"""

import struct
import zlib

from pydicom.errors import BytesLengthException, InvalidDicomError

BROKEN = (
    InvalidDicomError,  # no preamble, no prefix
    BytesLengthException,  # a value whose length does not fit its VR
    struct.error,  # a number that is cut off
    zlib.error,  # a deflated data set that is cut off or damaged
    EOFError,  # the end, where a value should be
    ValueError,  # a number, a date or a text that is none
    LookupError,  # a tag, an item or a UID that is missing or unknown
    TypeError,  # several values where one belongs, or none
    AttributeError,  # an element that is missing
    NotImplementedError,  # a VR that there is not
    RecursionError,  # sequences in sequences, deeper than Python goes
)
READING_ERRORS = (*BROKEN, OSError)
"""With what the file system raises; pydicom raises OSError itself for a tag that is cut short."""
