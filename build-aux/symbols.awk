# SPDX-License-Identifier: MIT
#
# symbols.awk HEADER...: the functions that the headers declare with ANOLE_API, sorted as
# they come, one a line.
/^ANOLE_API / { declaration = ""; inside = 1 }
inside {
    declaration = declaration " " $0
    if ($0 ~ /;/) {
        inside = 0
        if (match(declaration, /anole_[a-z0-9_]+\(/))
            print substr(declaration, RSTART, RLENGTH - 1)
    }
}
