"""`python -m tests.chaos`: the chaos run, with its table of counts; exit code 1 when not clean."""

import argparse
import sys
import time

from tests.chaos.campaign import Campaign


def main() -> int:
    """Run one campaign and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--senders", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--engine", choices=("embedded", "external"), default="embedded")
    campaign = Campaign(**vars(parser.parse_args()))
    begun = time.monotonic()
    counts = campaign.run()
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{campaign}, {seconds:.0f} s\n{counts.table()}\n")
    sys.stdout.write("".join(f"\n{history}\n" for history in counts.histories))
    sys.stdout.write("clean\n" if counts.is_clean else "NOT CLEAN\n")
    return 0 if counts.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
