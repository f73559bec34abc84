"""What a run did and does: reports for machines, progress and results for people."""

from __future__ import annotations

from ferris_beam.monitoring.report import Endpoint, Report

__all__ = ["Endpoint", "Report"]
