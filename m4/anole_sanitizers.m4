# SPDX-License-Identifier: MIT
#
# --enable-sanitizers: AddressSanitizer and UndefinedBehaviorSanitizer, for the
# second pass of the test suite; --enable-sanitizers=thread: ThreadSanitizer, which
# does not go with them.  Before ANOLE_COMPILER.

AC_DEFUN([ANOLE_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers],
            [build with AddressSanitizer and UndefinedBehaviorSanitizer (for developers);
             =thread: with ThreadSanitizer])],
        [], [enable_sanitizers=no])
    SANITIZER_FLAGS=
    AS_IF([test "$enable_sanitizers" != no], [
        AS_IF([test "$enable_sanitizers" = thread],
            [SANITIZER_FLAGS="-fsanitize=thread -fno-omit-frame-pointer"],
            [SANITIZER_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
        anole_save_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS $SANITIZER_FLAGS"
        AC_MSG_CHECKING([whether $CC can build with sanitizers])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes])],
            [AC_MSG_RESULT([no])
             AC_MSG_ERROR([--enable-sanitizers: $CC cannot link a program with $SANITIZER_FLAGS;
install the sanitizer libraries of your compiler (libasan, libubsan, libtsan; on Debian
and Ubuntu they come with gcc), or leave the option out])])
        CFLAGS=$anole_save_CFLAGS
    ])
    AC_SUBST([SANITIZER_FLAGS])
    AM_CONDITIONAL([SANITIZERS], [test "$enable_sanitizers" != no])
])
