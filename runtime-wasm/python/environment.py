"""`os.environ` of a plugin: guest paths, and the variables of the server that its trigger was granted. A name that is missing
says how it could be there."""

import os
import sys

# Installed packages: after the standard library, which none of them can replace.
PACKAGES = "/venv/lib/python3.13/site-packages"


class GrantedEnviron(os._Environ):
    def __getitem__(self, key):
        try:
            return super().__getitem__(key)
        except KeyError:
            text = f"{key} (not set on the server, or not granted to this trigger: grant it with --allow-env {key} on create trigger or update trigger)"
        raise KeyError(text)


# WASI knows no users; libraries import these to find a folder or to name a file.
_USER_ID = 1000
_USER_FUNCTIONS = ("getuid", "geteuid", "getgid", "getegid")


def _user_id():
    return _USER_ID


def install():
    os.environ.__class__ = GrantedEnviron
    for name in _USER_FUNCTIONS:
        if not hasattr(os, name):
            setattr(os, name, _user_id)
    sys.path.append(PACKAGES)


def grant(variables):
    for name, value in variables.items():
        os.environ[name] = value
