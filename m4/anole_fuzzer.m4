# SPDX-License-Identifier: MIT
#
# Fuzzers are built by clang, whatever the rest is built by: it has libFuzzer.
# Only `make fuzz` needs it.

AC_DEFUN([ANOLE_FUZZER], [
    AC_ARG_VAR([FUZZ_CC], [compiler with libFuzzer, for make fuzz (clang)])
    AC_CHECK_PROGS([FUZZ_CC], [clang clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14])
    FUZZ_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
    have_fuzzer=no
    AS_IF([test -n "$FUZZ_CC"], [
        anole_save_CC=$CC anole_save_CFLAGS=$CFLAGS anole_save_LIBS=$LIBS
        CC=$FUZZ_CC CFLAGS="$FUZZ_FLAGS -fsanitize=fuzzer" LIBS=
        AC_MSG_CHECKING([whether $FUZZ_CC has libFuzzer and its sanitizers])
        AC_LINK_IFELSE([AC_LANG_SOURCE([[
int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size);
int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)
{
    return size > 0 && data[0] == 0 ? 0 : 0;
}]])], [have_fuzzer=yes])
        AC_MSG_RESULT([$have_fuzzer])
        CC=$anole_save_CC CFLAGS=$anole_save_CFLAGS LIBS=$anole_save_LIBS
    ])
    AC_SUBST([FUZZ_FLAGS])
    AM_CONDITIONAL([FUZZER], [test "$have_fuzzer" = yes])
])
