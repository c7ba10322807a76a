# SPDX-License-Identifier: MIT
#
# CMocka: the test suite.  --disable-tests builds without it.

AC_DEFUN([ANOLE_CMOCKA], [
    AC_ARG_ENABLE([tests],
        [AS_HELP_STRING([--disable-tests], [build no tests; CMocka is then not needed])],
        [], [enable_tests=yes])
    AS_IF([test "$enable_tests" != no], [
        ANOLE_PKG([CMOCKA], [cmocka >= 1.1], [cmocka.h], [_cmocka_run_group_tests],
            [CMocka 1.1 or newer], [for the tests; or configure with --disable-tests],
            [libcmocka-dev])
    ])
    AM_CONDITIONAL([TESTS_WANTED], [test "$enable_tests" != no])
])
