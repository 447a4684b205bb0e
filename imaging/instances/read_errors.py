"""Exceptions that pydicom and h5py raise for damaged files, in one list for all readers.

Neither library documents them; these were observed with damaged files
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
    EOFError,  # the file ends where a value should be
    ValueError,  # text that is not the number or date it should be
    LookupError,  # a tag, an item or a UID that is missing or unknown
    TypeError,  # several values where one belongs, or none
    AttributeError,  # an element that is missing
    NotImplementedError,  # pydicom raises it for a VR that it does not know
    RecursionError,  # nested sequences beyond Python's recursion limit
)
READING_ERRORS = (*BROKEN, OSError)
"""Also errors of the file system; pydicom itself raises OSError for a truncated tag."""
BROKEN_HDF5 = (
    OSError,  # not HDF5, truncated, a wrong checksum; and errors of the file system
    LookupError,  # a group, data set or attribute that is missing
    ValueError,  # a text or a shape that does not fit
    TypeError,  # a group where a data set belongs, and the reverse
    AttributeError,  # the same, found when a method is missing
    RuntimeError,  # of the HDF5 library: damaged links and types
    OverflowError,  # sizes that cannot be addressed
    MemoryError,  # the same, found when memory is allocated
)
