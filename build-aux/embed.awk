# Turns a text file into a C header with one string literal.
#
#   awk -v name=kernel_conv_direct -f embed.awk conv_direct.cl > conv_direct.cl.h
#
# Comments of whole lines and blank lines stay: the text that a compiler's log
# speaks of is the file that one reads.

BEGIN {
    if (name == "") {
        print "embed.awk: give -v name=IDENTIFIER" > "/dev/stderr"
        failed = 1
        exit 1
    }
    print "/* Made by build-aux/embed.awk; do not edit. */"
    printf "static const char %s[] =\n", name
}

{
    gsub(/\\/, "&&")
    gsub(/"/, "\\\"")
    gsub(/\t/, "\\t")
    printf "    \"%s\\n\"\n", $0
}

END {
    if (!failed)
        print "    \"\";"
}
