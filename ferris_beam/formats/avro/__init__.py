"""Apache Avro: object container files."""
