"""Functions over Arrow arrays that the engine lacks."""
