"""Protobuf: schemas, their compiler, and the messages that they describe."""
