"""One run of one contender in a process of its own: imports first, then the work on the clock.

``python -m tests.benchmarks.worker MODULE:FUNCTION ARGUMENTS.json`` prints one line of JSON:
``seconds``, the work's duration, and ``result``, what the function returned. A function that
knows better what its work took returns a dictionary with its own ``seconds``.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    function = getattr(import_module(module), name)
    arguments = json.loads(sys.argv[2])
    began = time.perf_counter()
    result = function(**arguments)
    seconds = time.perf_counter() - began
    own = result if isinstance(result, dict) else {}
    print(json.dumps({"seconds": own.get("seconds", seconds), "result": result}))


if __name__ == "__main__":
    main()
