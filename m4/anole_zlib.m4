# SPDX-License-Identifier: MIT
#
# zlib: recorded design spaces are passed on compressed.

AC_DEFUN([ANOLE_ZLIB], [
    ANOLE_PKG([ZLIB], [zlib >= 1.2.8], [zlib.h], [inflate],
        [zlib 1.2.8 or newer], [for compressed files], [zlib1g-dev])
])
