# SPDX-License-Identifier: MIT
#
# XGBoost's C interface: the cost model.  Not every build of it brings a .pc
# file, hence without pkg-config.

AC_DEFUN([ANOLE_XGBOOST], [
    AC_ARG_VAR([XGBOOST_LIBS], [linker flags for XGBoost, overriding -lxgboost])
    AS_IF([test -z "$XGBOOST_LIBS"], [XGBOOST_LIBS=-lxgboost])
    anole_save_LIBS=$LIBS
    LIBS="$XGBOOST_LIBS $LIBS"
    AC_MSG_CHECKING([for XGBoost with its C interface])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <stddef.h>
#include <xgboost/c_api.h>
]], [[return (void *)&XGBoosterPredictFromDense == NULL;]])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         ANOLE_MISSING([XGBoost 1.5 or newer], [for the cost model], [libxgboost-dev])])
    LIBS=$anole_save_LIBS
])
