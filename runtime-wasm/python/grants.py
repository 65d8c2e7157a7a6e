"""What a trigger must have been granted and the limits that are counted here, by their numbers in plugin.wit. The host
decides and words every refusal."""

NET, ENV, SCRATCH, SYS, DB = range(5)
WRITE_BYTES, RESPONSE_BYTES, CACHE_BYTES = range(3)
