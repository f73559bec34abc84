"""``kafka://b1:9092,b2:9092/topic``: topics of Kafka and of brokers that speak its protocol."""

from __future__ import annotations

from ferris_beam.connectors.kafka.declaration import CONNECTOR

__all__ = ["CONNECTOR"]
