"""The parts of the PostgreSQL sink: sessions, tables, columns, modes, and the ledger."""
