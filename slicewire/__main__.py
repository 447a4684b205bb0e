"""`python -m slicewire VERB`: the program `slicewire`, also from a checkout."""

import sys

from slicewire.program import main

if __name__ == "__main__":
    sys.exit(main())
