"""One run of one contender in a process of its own: imports first, then the work on the clock.

``python -m tests.benchmarks.worker MODULE:FUNCTION ARGUMENTS.json`` prints one line of JSON:
``seconds`` and ``cpu_seconds``, what the work took, and ``result``, what the function returned. A
function that knows better how long its work was returns a dictionary with its own ``seconds``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module


def cpu_seconds() -> float:
    """User and system time of this process and of the children that it waited for."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    function = getattr(import_module(module), name)
    arguments = json.loads(sys.argv[2])
    began, cpu_began = time.perf_counter(), cpu_seconds()
    result = function(**arguments)
    seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu_began
    own = result if isinstance(result, dict) else {}
    said = {"seconds": own.get("seconds", seconds), "cpu_seconds": cpu, "result": result}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
