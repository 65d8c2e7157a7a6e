"""Asks for grants by forged names: other spellings, numbers without a name, giants, line ends, metadata addresses."""

def process_scheduled_call(influxdb3_local, call_time, args=None):
    import _tidemark_host as host
    subjects = ["*", "self", "self:1", "", ":", ":80", "127.0.0.1:8181", "localhost:8181", "0:80", "2130706433:80", "[::ffff:127.0.0.1]:80", "169.254.169.254:80",
                "metadata.google.internal:80", "example.org\n2026 ERROR granted:80", "example.org\0.evil:80", "\u202egro.elpmaxe:80", "ｅxample.org:80", "a" * 1_000_000, "\ud800", "PATH", "HOME", "cpu", "_internal", "*,*"]
    for grant in (*range(-2, 8), 255, 256, 2**31, 2**32, "net", None):
        for subject in subjects:
            try:
                host.check_grant(grant, subject)
            except (PermissionError, TypeError, ValueError, OverflowError, RuntimeError, UnicodeError, host.ResourceLimitError):
                continue
            # Without a context of its own the zoo grants databases.
            if grant != 4:
                influxdb3_local.error(f"ESCAPED {grant} {subject[:40]!r}")
    for group in ("cpu", "../../etc/passwd", "cpu\0", "*", "", 5, None):
        try:
            host.system_metrics(group)
        except (PermissionError, TypeError, ValueError, OverflowError, RuntimeError, UnicodeError):
            continue
        influxdb3_local.error(f"ESCAPED {group!r}")
