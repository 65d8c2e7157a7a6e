"""Checks of a plugin's arguments with the texts that the reference's native object gives (spec: processing-engine §11)."""


def require(name, value, expected):
    """TypeError unless `value` is an `expected`."""
    if not isinstance(value, expected):
        found = type(value).__name__
        raise TypeError(f"argument '{name}': '{found}' object is not an instance of '{expected.__name__}'")


def require_text(name, value):
    """TypeError unless str; UnicodeEncodeError for lone surrogates, which no text outside Python can hold."""
    require(name, value, str)
    if not value.isascii():
        value.encode("utf-8")
