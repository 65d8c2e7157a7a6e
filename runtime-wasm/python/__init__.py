"""The guest side of Tidemark: what stands between the C module `_tidemark_host` and a plugin."""
