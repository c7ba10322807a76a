# SPDX-License-Identifier: MIT
#
# OpenCL headers and ICD loader: for the plugins that drive an OpenCL device.

AC_DEFUN([ANOLE_OPENCL], [
    ANOLE_PKG([OPENCL], [OpenCL], [CL/cl.h], [clGetPlatformIDs],
        [the OpenCL headers and ICD loader], [for the backends], [ocl-icd-opencl-dev])

    # No part of the build, but nothing can be tuned without one.
    AC_MSG_CHECKING([for OpenCL drivers])
    anole_drivers=
    for anole_icd in "${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}"/*.icd; do
        AS_IF([test -f "$anole_icd"], [anole_drivers="$anole_drivers `basename "$anole_icd" .icd`"])
    done
    AS_IF([test -n "$anole_drivers"], [AC_MSG_RESULT([$anole_drivers])], [
        AC_MSG_RESULT([none])
        anole_missing_packages="$anole_missing_packages pocl-opencl-icd" # with the others
        AC_MSG_WARN([no OpenCL driver is installed: Anole will build, but find no device.
PoCL drives the CPU; on Debian and Ubuntu: sudo apt-get install pocl-opencl-icd])
    ])
])
