# SPDX-License-Identifier: MIT
#
# The language, warnings, and hardening.  All of it goes into ANOLE_CFLAGS,
# ANOLE_CPPFLAGS and ANOLE_LDFLAGS: CFLAGS and its like stay the user's.

# ANOLE_TRY_FLAG(VARIABLE, FLAG...): adds each flag that compiler and linker take.
AC_DEFUN([ANOLE_TRY_FLAG], [
    for anole_flag in $2; do
        anole_save_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS $anole_flag -Werror"
        AC_MSG_CHECKING([whether $CC takes $anole_flag])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AC_MSG_RESULT([yes]); $1="$$1 $anole_flag"],
            [AC_MSG_RESULT([no])])
        CFLAGS=$anole_save_CFLAGS
    done
])

AC_DEFUN([ANOLE_COMPILER], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [treat warnings as errors (for developers)])],
        [], [enable_werror=no])

    AC_MSG_CHECKING([whether $CC knows C11 with GNU extensions])
    anole_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -std=gnu11"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <stdatomic.h>
#include <stdint.h>
_Static_assert(sizeof(uint64_t) == 8, "");
]], [[_Thread_local static atomic_int n; return __builtin_mul_overflow_p(n, 2, 0);]])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([Anole needs GCC 9 or newer, or another compiler with C11 and GNU extensions;
found: $CC.  On Debian and Ubuntu: sudo apt-get install gcc libc6-dev])])
    CFLAGS=$anole_save_CFLAGS

    ANOLE_CPPFLAGS="-D_GNU_SOURCE"
    ANOLE_CFLAGS="-std=gnu11 -fvisibility=hidden"
    ANOLE_LDFLAGS=
    ANOLE_TRY_FLAG([ANOLE_CFLAGS], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes])
    ANOLE_TRY_FLAG([ANOLE_CFLAGS], [-Wformat=2 -Wvla -Wpointer-arith])
    ANOLE_TRY_FLAG([ANOLE_CFLAGS], [-fstack-protector-strong -fstack-clash-protection -fcf-protection])
    ANOLE_TRY_FLAG([ANOLE_LDFLAGS], [-Wl,-z,relro -Wl,-z,now -Wl,--as-needed])

    # Needs optimisation, and would hide from a sanitizer what it is to see.
    AS_IF([test "$enable_sanitizers" = no], [
        AC_MSG_CHECKING([for _FORTIFY_SOURCE])
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#if !defined(__OPTIMIZE__) || defined(_FORTIFY_SOURCE)
#error not wanted or there already
#endif
]])],
            [AC_MSG_RESULT([added]); ANOLE_CPPFLAGS="$ANOLE_CPPFLAGS -D_FORTIFY_SOURCE=2"],
            [AC_MSG_RESULT([left as it is])])
    ])

    AS_IF([test "$enable_werror" = yes], [ANOLE_CFLAGS="$ANOLE_CFLAGS -Werror"])
    AC_SUBST([ANOLE_CPPFLAGS])
    AC_SUBST([ANOLE_CFLAGS])
    AC_SUBST([ANOLE_LDFLAGS])
])
