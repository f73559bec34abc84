"""``python -m ferris_beam``."""

from __future__ import annotations

import sys

from ferris_beam.cli.main import main

sys.exit(main())
