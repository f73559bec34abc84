"""Elements that threads of FnApiRunner hand to each other arrive whole.

FnApiRunner with several workers sends what is in a buffer once a second, from a thread of its own,
without a lock (Beam 2.77: ``data_plane.TimeBasedBufferingClosableOutputStream``). An element whose
coder gives up the interpreter's lock, as Arrow's does, is cut in two by that, and the parts may go
to different workers; what is written between sending and clearing the buffer is gone. Beam's other
runners send by size only, from the thread that writes. So does this one here.
"""

from __future__ import annotations


def send_by_size_only() -> None:
    """Makes FnApiRunner's workers send a buffer when it is full or done, never by the clock."""
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    worker_handlers.DATA_BUFFER_TIME_LIMIT_MS = 0
