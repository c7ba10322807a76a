# SPDX-License-Identifier: MIT
"""libanole, loaded, and what every call of it takes: errors, contexts, callbacks."""
import ctypes.util
import enum
import logging
import os

import cffi

VERSION = "0.1.0"  # of the header that anole.cdef was made of

ffi = cffi.FFI()
with open(os.path.join(os.path.dirname(__file__), "anole.cdef"), encoding="ascii") as _cdef:
    ffi.cdef(_cdef.read())


def _open():
    named = os.environ.get("ANOLE_LIBRARY")
    if named:
        return ffi.dlopen(named)
    found = ctypes.util.find_library("anole")
    tried = ["libanole.so.0", "/usr/local/lib/libanole.so.0"] + ([found] if found else [])
    for name in tried:
        try:
            return ffi.dlopen(name)
        except OSError:
            pass
    raise ImportError(
        "there is no libanole: tried %s; install it (make install, then ldconfig), or set "
        "ANOLE_LIBRARY to its path" % ", ".join(tried)
    )


lib = _open()


def text(pointer):
    return ffi.string(pointer).decode("utf-8", "replace")


def c_text(value):
    """For a char *; keep what is returned alive over the call."""
    return ffi.NULL if value is None else ffi.new("char[]", os.fsencode(value))


def new_options(kind):
    """Options of a call, all of them 0 but for their size."""
    return ffi.new(kind + " *", {"size": ffi.sizeof(kind)})


if text(lib.anole_version()).split(".")[:2] != VERSION.split(".")[:2]:
    raise ImportError(
        "this package is made for libanole %s, found %s: install the two from one tree"
        % (VERSION, text(lib.anole_version()))
    )

Status = enum.IntEnum(
    "Status",
    {
        name[len("ANOLE_") :]: value
        for name, value in ffi.typeof("enum anole_status").relements.items()
    },
    module="anole",
)
Status.__doc__ = "What kind of failure an Error is; see anole/status.h."


class Error(Exception):
    """What libanole says when something fails: `status`, and the words as str()."""

    def __init__(self, status, words):
        super().__init__(words)
        try:
            self.status = Status(status)
        except ValueError:  # of a newer library
            self.status = status


Error.__module__ = "anole"

_logger = logging.getLogger("anole")
_levels = {
    lib.ANOLE_LEVEL_ERROR: logging.ERROR,
    lib.ANOLE_LEVEL_WARNING: logging.WARNING,
    lib.ANOLE_LEVEL_INFO: logging.INFO,
    lib.ANOLE_LEVEL_DEBUG: logging.DEBUG,
}


class Context:
    """A context, and the exceptions that callbacks raise while the library is at work.

    Python's handlers of signals run in callbacks, so that Ctrl-C raises KeyboardInterrupt in
    one of them: the call is stopped, and what was raised is raised again behind it."""

    def __init__(self, cache=None):
        self.raised = None
        folder = c_text(cache)
        options = new_options("struct anole_context_options")
        self._log = self.callback("anole_log_callback *", self._take_log)
        self._stop = self.callback("anole_stop_callback *", self._take_stop, error=True)
        options.level = lib.ANOLE_LEVEL_DEBUG
        options.log = self._log
        options.stop = self._stop
        options.cache = folder
        pointer = ffi.new("struct anole_context **")
        self.check(lambda error: lib.anole_context_create(pointer, options, error))
        self.pointer = ffi.gc(pointer[0], lib.anole_context_destroy)

    def callback(self, kind, function, **error):
        """`error`: what it returns where it raises something."""
        return ffi.callback(kind, function, onerror=self._keep, **error)

    def _keep(self, kind, value, traceback):
        if self.raised is None:
            self.raised = value

    @staticmethod
    def _take_log(_, level, words):
        _logger.log(_levels.get(level, logging.DEBUG), "%s", text(words))

    def _take_stop(self, _):
        return self.raised is not None

    def check(self, call):
        """Calls with a struct anole_error *; raises what a callback raised, or Error."""
        error = ffi.new("struct anole_error *")
        self.raised = None
        status = call(error)
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised
        if status != lib.ANOLE_DONE:
            raise Error(status, text(error.text))
