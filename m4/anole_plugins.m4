# SPDX-License-Identifier: MIT
#
# Backends are shared objects that are loaded at run time: which to build, where
# they go, and that this system can do it at all.

AC_DEFUN([ANOLE_PLUGINS], [
    AS_IF([test "$enable_shared" = no],
        [AC_MSG_ERROR([backends are shared objects: leave --disable-shared out])])

    AC_ARG_ENABLE([cpu-plugin],
        [AS_HELP_STRING([--disable-cpu-plugin], [do not build the CPU backend])],
        [], [enable_cpu_plugin=yes])
    AC_ARG_ENABLE([gpu-plugin],
        [AS_HELP_STRING([--disable-gpu-plugin], [do not build the GPU backend])],
        [], [enable_gpu_plugin=yes])
    AC_ARG_ENABLE([replay-plugin],
        [AS_HELP_STRING([--disable-replay-plugin], [do not build the backend of recorded spaces])],
        [], [enable_replay_plugin=yes])
    AM_CONDITIONAL([PLUGIN_REPLAY], [test "$enable_replay_plugin" != no])
    AS_IF([test "$enable_cpu_plugin" != no || test "$enable_gpu_plugin" != no], [ANOLE_OPENCL])
    AM_CONDITIONAL([PLUGIN_CPU], [test "$enable_cpu_plugin" != no])
    AM_CONDITIONAL([PLUGIN_GPU], [test "$enable_gpu_plugin" != no])

    AC_SEARCH_LIBS([dlopen], [dl], [],
        [AC_MSG_ERROR([dlopen() is missing: this system cannot load backends])])

    AC_SUBST([plugindir], ['${pkglibdir}/plugins'])
])
