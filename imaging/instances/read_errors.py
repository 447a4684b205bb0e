"""What pydicom and h5py raise when they read bytes that are broken: one list of each.

So no reader lacks one. Neither library documents it; these were seen with damaged files
(tests/geometry/test_elements.py, tests/conversion, `make fuzz`).
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
    NotImplementedError,  # pydicom raises it for a VR that it does not know
    RecursionError,  # sequences in sequences, deeper than Python goes
)
READING_ERRORS = (*BROKEN, OSError)
"""With what the file system raises; pydicom raises OSError itself for a tag that is cut short."""
BROKEN_HDF5 = (
    OSError,  # no HDF5, cut off, a checksum that is wrong; and what the file system raises
    LookupError,  # a group, data set or attribute that is missing
    ValueError,  # a text or a shape that does not fit
    TypeError,  # a group where a data set belongs, and the reverse
    AttributeError,  # the same, found by what it cannot do
    RuntimeError,  # of the HDF5 library: damaged links and types
    OverflowError,  # counts beyond what a machine can address
    MemoryError,  # the same, found by asking for the memory
)
