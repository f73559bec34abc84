"""A copy without the ledger's protection, to show that the chaos test notices."""

from __future__ import annotations

import sys

from ferris_beam.ledger import LedgerState
from pipelines.copy import main

if __name__ == "__main__":
    LedgerState.is_masked = lambda self, origin: False  # type: ignore[method-assign]
    LedgerState.missing = lambda self, path, interval: [interval]  # type: ignore[method-assign]
    LedgerState.check_entries = lambda self, entries: None  # type: ignore[method-assign]
    sys.exit(main())
