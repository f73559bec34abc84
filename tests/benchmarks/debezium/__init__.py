"""Debezium's embedded engine, fetched by Maven and compiled once into the cache."""
