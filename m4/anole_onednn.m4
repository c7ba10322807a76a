# SPDX-License-Identifier: MIT
#
# oneDNN (optional): bench/ compares the kernels with it.  Version 2: in version 3,
# descriptors of operations are gone.

AC_DEFUN([ANOLE_ONEDNN], [
    AC_ARG_WITH([onednn],
        [AS_HELP_STRING([--with-onednn],
            [let the benchmarks compare with oneDNN @<:@default: if there@:>@])],
        [], [with_onednn=check])
    have_onednn=no
    ONEDNN_LIBS=
    AS_IF([test "$with_onednn" != no], [
        anole_save_LIBS=$LIBS
        LIBS="-ldnnl $LIBS"
        AC_MSG_CHECKING([for oneDNN 2])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <oneapi/dnnl/dnnl.h>]],
            [[return (void *)&dnnl_dilated_convolution_forward_desc_init == (void *)0;]])],
            [have_onednn=yes; ONEDNN_LIBS=-ldnnl])
        AC_MSG_RESULT([$have_onednn])
        LIBS=$anole_save_LIBS
        AS_IF([test "$have_onednn$with_onednn" = noyes],
            [ANOLE_MISSING([oneDNN 2], [for --with-onednn], [libdnnl-dev])])
    ])
    AC_SUBST([ONEDNN_LIBS])
    AM_CONDITIONAL([ONEDNN], [test "$have_onednn" = yes])
])
