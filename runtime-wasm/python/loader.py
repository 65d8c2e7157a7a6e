"""Loading of a plugin's code (spec: processing-engine §14.1, §14.2). A single file runs in fresh globals every time, its
code compiled once per revision; a package is imported once per revision."""

import builtins
import importlib
import linecache
import sys

from _tidemark.failure import PluginError, describe

PLUGIN_FOLDER = "/plugins"
_SIGNATURES = {
    "process_writes": "process_writes(influxdb3_local, table_batches, args=None)",
    "process_scheduled_call": "process_scheduled_call(influxdb3_local, call_time, args=None)",
    "process_request": "process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None)"
    " -> Tuple[str, Optional[Dict[str, str]]]",
}

_compiled = (None, None)
_imported = {}


def load_function(file_name, source, module, revision, function_name):
    """The entry point. PluginError with the reference's sentence when it is missing or a package cannot be imported."""
    if source is None:
        function = _from_package(module, revision, function_name)
    else:
        function = _from_text(file_name, source, revision).get(function_name)
    if function is None:
        signature = _SIGNATURES[function_name]
        raise PluginError(f"the {function_name} function is not present in the plugin. Should be defined as: {signature}")
    return function


def _from_text(file_name, source, revision):
    plugin_globals = {"__builtins__": builtins}
    exec(_compile(file_name, source, revision), plugin_globals)
    return plugin_globals


def _compile(file_name, source, revision):
    global _compiled
    key, code = _compiled
    if key == (file_name, revision):
        return code
    if "\0" in source:
        raise PluginError("plugin code contains null bytes")
    # No modification time: linecache keeps the entry, so that tracebacks show the plugin's lines.
    lines = source.splitlines(keepends=True)
    linecache.cache[file_name] = (len(source), None, lines, file_name)
    try:
        code = compile(source, file_name, "exec", dont_inherit=True)
    except SyntaxError as problem:
        if problem.text is None and problem.lineno is not None and 0 < problem.lineno <= len(lines):
            problem.text = lines[problem.lineno - 1]
        raise
    _compiled = ((file_name, revision), code)
    return code


def _from_package(module, revision, function_name):
    package = _import(module, revision)
    try:
        return getattr(package, function_name, None)
    except Exception as problem:
        text = f"Failed to load function '{function_name}' from plugin module '{module}': {describe(problem)}"
        raise PluginError(text) from problem


def _import(module, revision):
    known = _imported.get(module)
    if known is not None and known[0] == revision:
        return known[1]
    _forget(module)
    sys.path.insert(0, PLUGIN_FOLDER)
    try:
        importlib.invalidate_caches()
        __import__(module)
        package = sys.modules[module]
    except Exception as problem:
        _forget(module)
        text = (
            f"Failed to import plugin module '{module}': {describe(problem)}\n"
            "Hint: Check for syntax errors or missing dependencies in Python files."
        )
        raise PluginError(text) from problem
    finally:
        if PLUGIN_FOLDER in sys.path:
            sys.path.remove(PLUGIN_FOLDER)
    _imported[module] = (revision, package)
    return package


def _forget(module):
    """Drops an older revision with its submodules, and the source lines that tracebacks would show."""
    _imported.pop(module, None)
    for name in [name for name in sys.modules if name == module or name.startswith(module + ".")]:
        if _is_plugin_file(sys.modules[name]):
            del sys.modules[name]
    for file_name in [name for name in linecache.cache if name.startswith(PLUGIN_FOLDER + "/")]:
        del linecache.cache[file_name]


def _is_plugin_file(module):
    return str(getattr(module, "__file__", "")).startswith(PLUGIN_FOLDER + "/")
