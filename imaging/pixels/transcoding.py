"""Decoder process `python -m imaging.pixels.transcoding FOLDER`: one task per line of its input.

A line of input is a JSON list: "copy", source and transfer syntax UID; or "compare" and two files.
A line of output is a JSON object with `copy`, or with `same`, or with `error` and `words`. The
process ends when its standard input does, and then removes FOLDER with the copies.
"""

import json
import os
import resource
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from core.errors import NotADataSetError, PixelError
from imaging.instances.read_errors import BROKEN
from imaging.instances.reading_faults import explain_file
from imaging.pixels.same_pixels import same_pixels
from imaging.pixels.transcode import write_uncompressed

_MOST_BYTES = 16 << 30
"""Limit of address space, so that decoding a huge instance fails without harm to the machine."""


def main() -> None:
    """Answer tasks from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal: the parent decides
    _bound_memory()
    folder = Path(sys.argv[1])
    answers = os.dup(1)
    os.dup2(2, 1)  # keep output of decoders apart from answers
    try:
        for number, line in enumerate(sys.stdin):
            answer = _answer(json.loads(line), folder / f"{number}.dcm")
            os.write(answers, (json.dumps(answer) + "\n").encode())
    except BrokenPipeError:
        pass  # the parent is gone
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(question: list[str], copy: Path) -> dict[str, str | bool]:
    what, source, last = question[0], Path(question[1]), question[2]
    words: dict[str, str | bool]
    try:
        if what == "compare":
            return {"same": same_pixels(source, Path(last))}
        write_uncompressed(source, copy, last)
    except (PixelError, NotADataSetError) as error:
        words = {"error": type(error).__name__, "words": str(error)}
    except MemoryError:
        words = {"error": "PixelError", "words": f"{source.name}: too large to be decoded here"}
    except OSError as error:
        words = {"error": "OSError", "words": f"{source.name}: {error.strerror or 'not readable'}"}
    except BROKEN as error:
        words = {"error": "PixelError", "words": f"{source.name}: {explain_file(source, error)}"}
    else:
        return {"copy": str(copy)}
    copy.unlink(missing_ok=True)
    return words


def _bound_memory() -> None:
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))


if __name__ == "__main__":
    main()
