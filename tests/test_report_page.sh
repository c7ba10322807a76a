#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The page of `anole report` in a browser, where Chromium is installed: it says nothing on its
# console, asks for nothing, and is drawn in light and dark, on a wide screen and a narrow one.
set -u
. "${srcdir:-.}/tests/script.sh"

browser=
for name in chromium chromium-browser google-chrome; do
    command -v $name >/dev/null && browser=$name && break
done
[ -n "$browser" ] || {
    echo "skipped: Chromium is not installed; on Debian: apt-get install chromium"
    exit 77
}
old=$data/release-96a419c
"$anole" report "$old/tiny.lock" "$old/tiny.jsonl" --output page.html 2>err || {
    fail 'no page was written'
    show
    exit 1
}

# look NAME WIDTH OPTION...: a picture of the page; the browser's words are in NAME.log
look() {
    name=$1 width=$2
    shift 2
    timeout 120 $browser --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
        --user-data-dir="$folder/profile" --enable-logging=stderr --v=0 \
        --window-size="$width,900" --screenshot="$folder/$name.png" "$@" "file://$folder/page.html" \
        >"$name.log" 2>&1
    check "$name: there is a picture" "[ -s $name.png ]"
    check "$name: the console is empty" "! grep -i 'CONSOLE' $name.log"
}
look light 1280
look dark 1280 --force-dark-mode
look narrow 400
check 'light and dark are two' '! cmp -s light.png dark.png'
timeout 120 $browser --headless=new --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
    --print-to-pdf="$folder/page.pdf" "file://$folder/page.html" >pdf.log 2>&1
check 'it prints' '[ -s page.pdf ]'
timeout 120 $browser --headless=new --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
    --dump-dom "file://$folder/page.html" >dom.html 2>dom.log
check 'the browser read it as it was written' 'grep -q "<h1>" dom.html && ! grep -q "<script" dom.html'
exit $failed
