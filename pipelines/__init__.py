"""Pipelines that run as they are (``python -m pipelines.NAME``) and show how to write one."""

from __future__ import annotations

import logging


def _is_about_bigquery(record: logging.LogRecord) -> bool:
    return "apitools not found" in str(record.msg)


# Beam, where it is installed without its Google extras, warns of that when it is imported.
logging.getLogger().addFilter(lambda record: not _is_about_bigquery(record))
