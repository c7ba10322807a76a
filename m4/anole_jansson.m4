# SPDX-License-Identifier: MIT
#
# Jansson: networks, histories and results are JSON.

AC_DEFUN([ANOLE_JANSSON], [
    ANOLE_PKG([JANSSON], [jansson >= 2.12], [jansson.h], [json_loadb],
        [Jansson 2.12 or newer], [for JSON], [libjansson-dev])
])
