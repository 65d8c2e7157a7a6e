"""`influxdb_client_3` (influxdb3-python) for plugins: its writing and querying over HTTP, with the standard library alone. What
the real one does with Arrow and pandas is refused, since neither runs here. Every write is sent at once, also with batching options,
whose callbacks are called."""

import http.client
import json
import math
import numbers
import os
import ssl
import sys
import types
import urllib.parse
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

__version__ = "0.16.0+plugin"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNIT_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_NAMES = {"nanosecond": "ns", "microsecond": "us", "millisecond": "ms", "second": "s", "n": "ns", "u": "us"}
_LONG_NAMES = {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}


class WritePrecision:
    MS = "ms"
    S = "s"
    US = "us"
    NS = "ns"


class InfluxDB3ClientError(Exception):
    pass


class InfluxDB3ClientQueryError(InfluxDB3ClientError):
    def __init__(self, error_message, *args, **kwargs):
        super().__init__(error_message, *args)
        self.message = error_message


class InfluxDBError(InfluxDB3ClientError):
    """A refusal of the server; `response` has status, reason, headers and data."""

    def __init__(self, response=None, message=None):
        self.response = response
        self.message = message or ("no response" if response is None else _message_of(response))
        self.retry_after = None if response is None else response.headers.get("Retry-After")
        super().__init__(self.message)


class _Response:
    def __init__(self, answer, data):
        self.status, self.reason, self.headers, self.data = answer.status, answer.reason, answer.headers, data


def _message_of(response):
    text = response.data.decode(errors="replace")
    try:
        body = json.loads(text)
        found = body.get("message") or body.get("error") if isinstance(body, dict) else None
        lines = body.get("data") if isinstance(body, dict) else None
        if isinstance(lines, list):
            details = "; ".join(f"line {line.get('line_number')}: {line.get('error_message')}" for line in lines if isinstance(line, dict))
            return f"{found}: {details}" if details else str(found)
    except ValueError:
        found = None
    return str(found or text.strip() or response.reason)


# ---- points and line protocol ----

_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ ", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ ", "\n": r"\n", "\t": r"\t", "\r": r"\r"})
_STRING = str.maketrans({'"': r"\"", "\\": r"\\"})


def _precision(word):
    short = _NAMES.get(word, word)
    if short not in _UNIT_NS:
        raise ValueError(f"unknown write precision: {word!r}; it is one of ns, us, ms, s")
    return short


def _timestamp(value, precision):
    """Text of a time in units of the precision; numbers are in it already."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = (value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)) - _EPOCH
    elif isinstance(value, date):
        value = datetime(value.year, value.month, value.day, tzinfo=timezone.utc) - _EPOCH
    if isinstance(value, timedelta):
        nanoseconds = ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1_000
        return str(nanoseconds // _UNIT_NS[precision])
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return str(int(value))
    raise ValueError(f"a time is a number, datetime, timedelta or ISO text, not {type(value).__name__}")


def _field(value):
    """None: it is left out, as nothing and what is no number are."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, numbers.Integral):
        return f"{int(value)}i"
    if isinstance(value, (float, Decimal)):
        if not math.isfinite(value):
            return None
        text = str(value)
        return text[:-2] if text.endswith(".0") else text
    if isinstance(value, str):
        return f'"{value.translate(_STRING)}"'
    raise ValueError(f"a field is a number, text or bool, not {type(value).__name__}")


class Point:
    def __init__(self, measurement_name):
        self._name = measurement_name
        self._tags = {}
        self._fields = {}
        self._time = None
        self._write_precision = WritePrecision.NS

    @staticmethod
    def measurement(measurement):
        return Point(measurement)

    @staticmethod
    def from_dict(dictionary, write_precision=WritePrecision.NS, **kwargs):
        name = kwargs.get("record_measurement_name") or dictionary[kwargs.get("record_measurement_key", "measurement")]
        point = Point(name)
        tag_keys, field_keys = kwargs.get("record_tag_keys"), kwargs.get("record_field_keys")
        tags = dictionary.get("tags", {}) if tag_keys is None else {key: dictionary[key] for key in tag_keys if key in dictionary}
        fields = dictionary.get("fields", {}) if field_keys is None else {key: dictionary[key] for key in field_keys if key in dictionary}
        for key, value in tags.items():
            point.tag(key, value)
        for key, value in fields.items():
            point.field(key, value)
        time = dictionary.get(kwargs.get("record_time_key", "time"))
        return point if time is None else point.time(time, write_precision)

    def tag(self, key, value):
        self._tags[key] = value
        return self

    def field(self, field, value):
        self._fields[field] = value
        return self

    def time(self, time, write_precision=WritePrecision.NS):
        self._time = time
        self._write_precision = _precision(write_precision)
        return self

    def get_measurement(self):
        return self._name

    @property
    def write_precision(self):
        return self._write_precision

    def to_line_protocol(self, precision=None):
        """Empty when there is no field to write."""
        fields = [(key, text) for key, text in ((key, _field(value)) for key, value in sorted(self._fields.items())) if text is not None]
        if not fields:
            return ""
        tags = [(str(key), str(value)) for key, value in sorted(self._tags.items()) if value is not None and str(value) != ""]
        head = "".join([str(self._name).translate(_MEASUREMENT), *(f",{key.translate(_KEY)}={value.translate(_KEY)}" for key, value in tags)])
        body = ",".join(f"{str(key).translate(_KEY)}={text}" for key, text in fields)
        end = "" if self._time is None else f" {_timestamp(self._time, precision or self._write_precision)}"
        return f"{head} {body}{end}"

    def __str__(self):
        return self.to_line_protocol()


def _lines(record, precision, options):
    """(precision, line) of every record, in order."""
    if isinstance(record, bytes):
        record = record.decode()
    if isinstance(record, str):
        yield precision, record
    elif isinstance(record, Point):
        yield record.write_precision, record.to_line_protocol()
    elif isinstance(record, dict):
        yield precision, Point.from_dict(record, precision, **options).to_line_protocol()
    elif hasattr(record, "to_pandas") or hasattr(record, "iterrows"):
        raise NotImplementedError("data frames cannot be written in a plugin: pandas does not run there; write points or dicts")
    elif hasattr(record, "__iter__"):
        for one in record:
            yield from _lines(one, precision, options)
    else:
        raise TypeError(f"a record is text, a Point, a dict or a list of them, not {type(record).__name__}")


# ---- options ----


class WriteType:
    batching = 1
    asynchronous = 2
    synchronous = 3


class WriteOptions:
    def __init__(self, write_type=WriteType.batching, write_precision=WritePrecision.NS, no_sync=False, timeout=10_000, **kwargs):
        self.write_type, self.write_precision, self.no_sync, self.timeout = write_type, write_precision, no_sync, timeout
        self.__dict__.update(kwargs)


SYNCHRONOUS = WriteOptions(write_type=WriteType.synchronous)
ASYNCHRONOUS = WriteOptions(write_type=WriteType.asynchronous)
DefaultWriteOptions = SYNCHRONOUS


class PointSettings:
    def __init__(self, **default_tags):
        self.defaultTags = default_tags

    def add_default_tag(self, key, value):
        self.defaultTags[key] = value


def write_client_options(**kwargs):
    return kwargs


def default_client_options(**kwargs):
    return kwargs


def flight_client_options(**kwargs):
    return kwargs


# ---- results ----


class Column(list):
    """Values of one column, in order."""

    def to_pylist(self):
        return list(self)


class Table:
    """Rows of an answer, with the parts of `pyarrow.Table` that need no Arrow. The column `time` holds datetimes in UTC without a zone."""

    def __init__(self, rows):
        self._rows = [{**row, "time": _datetime(row["time"])} if "time" in row else row for row in rows]
        self.column_names = list(dict.fromkeys(name for row in rows for name in row))

    @property
    def num_rows(self):
        return len(self._rows)

    @property
    def num_columns(self):
        return len(self.column_names)

    def column(self, which):
        name = self.column_names[which] if isinstance(which, int) else which
        if name not in self.column_names:
            raise KeyError(f'Field "{name}" does not exist in schema')
        return Column(row.get(name) for row in self._rows)

    def to_pylist(self):
        return [{name: row.get(name) for name in self.column_names} for row in self._rows]

    def to_pydict(self):
        return {name: self.column(name).to_pylist() for name in self.column_names}

    def to_pandas(self, *args, **kwargs):
        raise NotImplementedError("to_pandas needs pandas, which does not run in plugins; to_pylist gives dicts")

    def __getitem__(self, which):
        return self.column(which)

    def __len__(self):
        return len(self._rows)


def _datetime(value):
    """Beyond microseconds times are cut off, as datetime has no place for them."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return found if found.tzinfo is None else found.astimezone(timezone.utc).replace(tzinfo=None)


# ---- the client ----


class InfluxDBClient3:
    def __init__(self, host=None, org=None, database=None, token=None, write_client_options=None, flight_client_options=None,
                 write_port_overwrite=None, query_port_overwrite=None, disable_grpc_compression=False, **kwargs):
        if not host:
            raise ValueError("host is required, such as http://127.0.0.1:8181")
        parsed = urllib.parse.urlsplit(host if "://" in host else f"https://{host}")
        self._secure = parsed.scheme != "http"
        self._hostname = parsed.hostname
        self._port = parsed.port or (443 if self._secure else 80)
        self._ports = {"write": write_port_overwrite or self._port, "query": query_port_overwrite or self._port}
        self._org, self._database, self._token = org or "default", database, token
        self._scheme = kwargs.get("auth_scheme") or "Bearer"
        self._client_options = write_client_options or {}
        self._write_options = self._client_options.get("write_options") or SYNCHRONOUS
        settings = self._client_options.get("point_settings")
        self._default_tags = {} if settings is None else settings.defaultTags
        self._timeout = (kwargs.get("timeout") or kwargs.get("write_timeout") or self._write_options.timeout) / 1000
        self._query_timeout = (kwargs.get("query_timeout") or kwargs.get("timeout") or 60_000) / 1000
        self._context = _tls(kwargs) if self._secure else None
        self._connections = {}

    @classmethod
    def from_env(cls, **kwargs):
        found = {name: os.environ.get(f"INFLUX_{name.upper()}") for name in ("host", "token", "database", "org")}
        missing = [f"INFLUX_{name.upper()}" for name in ("host", "token", "database") if not found[name]]
        if missing:
            raise ValueError(f"missing environment variables: {', '.join(missing)}")
        return cls(**{**found, **kwargs})

    def write(self, record=None, database=None, **kwargs):
        if kwargs.get("data_frame_measurement_name") is not None:
            raise NotImplementedError("data frames cannot be written in a plugin: pandas does not run there; write points or dicts")
        options = {name: value for name, value in kwargs.items() if name.startswith("record_")}
        default = _precision(kwargs.get("write_precision") or self._write_options.write_precision)
        by_precision = {}
        for precision, line in _lines(self._tagged(record), default, options):
            if line:
                by_precision.setdefault(precision, []).append(line)
        for precision, lines in by_precision.items():
            self._send(database or self._database, precision, "\n".join(lines))

    def _tagged(self, record):
        if not self._default_tags:
            return record
        if isinstance(record, Point):
            record._tags = {**self._default_tags, **record._tags}
        elif isinstance(record, dict):
            return {**record, "tags": {**self._default_tags, **record.get("tags", {})}}
        elif isinstance(record, (list, tuple)):
            return [self._tagged(one) for one in record]
        return record

    def _send(self, database, precision, body):
        if self._write_options.no_sync:
            path = "/api/v3/write_lp?" + urllib.parse.urlencode({"db": database, "precision": _LONG_NAMES[precision], "no_sync": "true"})
        else:
            path = "/api/v2/write?" + urllib.parse.urlencode({"org": self._org, "bucket": database, "precision": precision})
        batching = self._write_options.write_type == WriteType.batching
        conf = (database, self._org, precision)
        try:
            response = self._exchange("write", path, body.encode(), "text/plain; charset=utf-8", self._timeout)
            if response.status >= 300:
                raise InfluxDBError(response)
        except (InfluxDBError, OSError) as problem:
            callback = self._client_options.get("error_callback") if batching else None
            if callback is None:
                raise
            callback(conf, body, problem)
        else:
            callback = self._client_options.get("success_callback") if batching else None
            if callback is not None:
                callback(conf, body)

    def query(self, query, language="sql", mode="all", database=None, **kwargs):
        if language not in ("sql", "influxql"):
            raise ValueError("language is 'sql' or 'influxql'")
        if mode != "all":
            raise NotImplementedError(f"mode={mode!r} needs pyarrow or pandas, which do not run in plugins; mode='all' gives a table with to_pylist()")
        wanted = {"db": database or self._database, "q": query, "format": "json"}
        if kwargs.get("query_parameters"):
            wanted["params"] = kwargs["query_parameters"]
        response = self._exchange("query", f"/api/v3/query_{language}", json.dumps(wanted).encode(), "application/json", self._query_timeout)
        if response.status >= 300:
            raise InfluxDB3ClientQueryError(_message_of(response))
        return Table(json.loads(response.data or b"[]"))

    def get_server_version(self):
        response = self._exchange("query", "/ping", None, None, self._timeout)
        version = response.headers.get("X-Influxdb-Version")
        return version if version is not None else json.loads(response.data or b"{}").get("version")

    def _exchange(self, purpose, path, body, content_type, timeout):
        headers = {"User-Agent": f"influxdb3-python/{__version__}", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"{self._scheme} {self._token}"
        if content_type is not None:
            headers["Content-Type"] = content_type
        for attempt in (1, 2):
            connection, is_new = self._connection(self._ports[purpose], timeout)
            try:
                connection.request("GET" if body is None else "POST", path, body, headers)
                answer = connection.getresponse()
                return _Response(answer, answer.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # The server may have let go of a connection that was kept.
                connection.close()
                if is_new or attempt == 2:
                    raise
            except BaseException:
                connection.close()
                raise

    def _connection(self, port, timeout):
        kept = self._connections.get((port, timeout))
        if kept is not None and kept.sock is not None:
            return kept, False
        if self._secure:
            made = http.client.HTTPSConnection(self._hostname, port, timeout=timeout, context=self._context)
        else:
            made = http.client.HTTPConnection(self._hostname, port, timeout=timeout)
        self._connections[(port, timeout)] = made
        return made, True

    def flush(self):
        """Nothing waits."""

    def close(self):
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.close()


def _tls(options):
    context = ssl.create_default_context(cafile=options.get("ssl_ca_cert"))
    if options.get("verify_ssl") is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _submodule(name, **members):
    """Paths that code imports from."""
    module = types.ModuleType(f"{__name__}.{name}")
    module.__dict__.update(members, __path__=[])
    sys.modules[module.__name__] = module


__path__ = []
_errors = {"InfluxDBError": InfluxDBError, "InfluxDB3ClientError": InfluxDB3ClientError, "InfluxDB3ClientQueryError": InfluxDB3ClientQueryError}
_options = {"WriteOptions": WriteOptions, "WriteType": WriteType, "SYNCHRONOUS": SYNCHRONOUS, "ASYNCHRONOUS": ASYNCHRONOUS, "PointSettings": PointSettings}
_submodule("exceptions", **_errors)
_submodule("exceptions.exceptions", **_errors)
_submodule("write_client", Point=Point, WriteOptions=WriteOptions, WritePrecision=WritePrecision)
_submodule("write_client.client", **{})
_submodule("write_client.client.exceptions", **_errors)
_submodule("write_client.client.write_api", **_options)
_submodule("write_client.client.write", Point=Point)
_submodule("write_client.client.write.point", Point=Point)
_submodule("write_client.domain", WritePrecision=WritePrecision)
_submodule("write_client.domain.write_precision", WritePrecision=WritePrecision)
