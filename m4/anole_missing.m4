# SPDX-License-Identifier: MIT
#
# What is missing is collected and reported once, at the end: all of it, with
# the one line that installs it on Debian and Ubuntu.

# ANOLE_MISSING(WHAT, WHAT-FOR, PACKAGE)
AC_DEFUN([ANOLE_MISSING], [
    anole_missing="$anole_missing
  - $1 ($2): package $3"
    case " $anole_missing_packages " in #(
    *" $3 "*) ;; #(
    *) anole_missing_packages="$anole_missing_packages $3" ;;
    esac
])

# ANOLE_PKG(VARIABLE, MODULE, HEADER, FUNCTION, WHAT, WHAT-FOR, PACKAGE)
# Sets VARIABLE_CFLAGS and VARIABLE_LIBS by pkg-config, and checks that they
# compile and link.
AC_DEFUN([ANOLE_PKG], [
    PKG_CHECK_MODULES([$1], [$2], [
        anole_save_CFLAGS=$CFLAGS
        anole_save_LIBS=$LIBS
        CFLAGS="$CFLAGS $$1_CFLAGS"
        LIBS="$$1_LIBS $LIBS"
        AC_MSG_CHECKING([whether a program can use $2])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
]m4_if([$3], [CL/cl.h], [[#define CL_TARGET_OPENCL_VERSION 120]])[
#include <$3>]], [[return (void *)&$4 == NULL;]])],
            [AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])
             ANOLE_MISSING([$5], [$6], [$7])])
        CFLAGS=$anole_save_CFLAGS
        LIBS=$anole_save_LIBS
    ], [ANOLE_MISSING([$5], [$6], [$7])])
])

# ANOLE_REPORT_MISSING: fails if anything was missing.
AC_DEFUN([ANOLE_REPORT_MISSING], [
    AS_IF([test -n "$anole_missing"], [
        AC_MSG_ERROR([some of what Anole needs is missing:
$anole_missing

On Debian and Ubuntu, this installs it:

  sudo apt-get install --no-install-recommends$anole_missing_packages

Elsewhere, install it as your system does.  What stands in an unusual place is
found through PKG_CONFIG_PATH, CPPFLAGS and LDFLAGS.  Then run configure again.])
    ])
])
