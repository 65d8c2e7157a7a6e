"""Hands forged table batches to the row decoder."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import struct
    import _tidemark_host as host
    def header(rows, columns, size=40, magic=b"TMB1"):
        return struct.pack("<4sIIIIIqq", magic, size, rows, columns, 0, 0, 0, 0)
    def column(kind, flags, name, body, size=None):
        return struct.pack("<BBHI", kind, flags, len(name), len(body) if size is None else size) + name + bytes(-len(name) % 8) + body + bytes(-len(body) % 8)
    tag = lambda *words: struct.pack(f"<{len(words)}I", *words)
    forged = [header(2**32 - 1, 0), header(0, 2**32 - 1), header(67_108_864, 65_536), header(1, 1), header(1, 1, 2**32 - 8), header(1, 1, magic=b"XXXX"), b"", b"TMB1",
              header(1, 1, 64) + column(1, 0, b"a", b"12345678", 2**32 - 1), header(1, 1, 64) + column(99, 0, b"a", b"12345678"),
              header(1, 1, 64) + column(1, 255, b"a", b"12345678"), header(1, 1, 72) + column(5, 0, b"t", tag(2**32 - 1, 0, 0, 0)),
              header(1, 1, 72) + column(5, 0, b"t", tag(1, 7, 0, 4)), header(1, 1, 72) + column(4, 0, b"s", tag(8, 2**32 - 1, 0, 0)),
              header(1, 1, 64) + column(1, 0, b"\xff\xfe", b"12345678"), header(2, 2, 104) + column(1, 0, b"a", bytes(16)) * 2]
    for index, batch in enumerate(forged):
        for columns in (None, ("a",), ("a", "a"), (5, None), ()):
            for sparse in (False, True):
                try:
                    host.decode_rows(columns, batch, sparse)
                except (ValueError, MemoryError, TypeError):
                    continue
    influxdb3_local.info("decoded none")
