"""JSON documents (RFC 8259): an array of objects, one object, or objects one after the other."""
