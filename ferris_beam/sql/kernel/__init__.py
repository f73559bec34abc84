"""Expressions over one batch, computed by DataFusion."""
