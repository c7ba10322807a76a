#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole report` on files with known content, and on hostile ones: whatever stands in them is
# shown, and is no markup, link, script or line of its own.
set -u
. "${srcdir:-.}/tests/script.sh"
program=$anole

python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "skipped: there is no python3, which writes the histories of this test"
    exit 77
}

# write.py NAME: a lock file of two layers, and a history of 60 trials of the first.  With
# "hostile", each text of them holds what is markup somewhere.
cat >write.py <<'END'
import json, sys, zlib

name, hostile = sys.argv[1], len(sys.argv) > 2
bad = '<script>alert(1)</script>\'"&]]>|`a`[l](http://x)\x1b[31m\n=1+1\u202e\uffff' if hostile else ''
conv = 'conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu'
fc = 'dense n1 i64 o48 f32 bias'
key = {'backend': 'cpu' + bad, 'backend_version': '1' + bad, 'generator': 1, 'device': 'Abacus' + bad,
       'driver': 'd' + bad, 'driver_version': '2' + bad, 'threads': 2}
knob = lambda n: n + bad[:20] if hostile else n

def task(text, count, seconds, default):
    return {'task': text, 'multiplicity': count, 'knobs': {'tile': 4, 'block': 8},
            'seconds': seconds, 'low': 0.9 * seconds, 'high': 1.1 * seconds, 'default_seconds': default,
            'speedup': default / seconds, 'speedup_low': 0.9 * default / seconds,
            'speedup_high': 1.1 * default / seconds, 'tie': False,
            'source_hash': '0123456789abcdef', 'trials': 60}

lock = {'anole_lock': 2, 'network': 'net' + bad, 'network_path': 'n.json' + bad, 'devices': [
    dict({'id': 'cpu:0' + bad}, **key, metric='seconds', tasks=[task(conv, 2, 1e-3, 2e-3), task(fc, 1, 1e-3, 1e-3)])]}
json.dump(lock, open(name + '.lock.json', 'w'))

def escape(text):
    out = ''
    for byte in text.encode():
        out += '\\' + chr(byte) if byte in b'"\\' else '\\u%04x' % byte if byte < 32 or byte > 126 else chr(byte)
    return '"' + out + '"'

def line(members, last='}\n'):
    text = '{' + ','.join(members)
    return text + ',"crc":"%08x"' % zlib.crc32(text.encode()) + last

def put(i, task_key):
    tile, block = 1 << i % 6, 8 << i // 6 % 8
    wrong = i % 20 == 19
    seconds = 1e-3 * (1 + abs(tile - 4) / 8 + 0.02 * (i % 5))
    number = lambda x: 'null' if wrong else repr(x)
    return line(['"v":2', '"task":' + escape(task_key)] + [
        '"%s":%s' % (k, escape(v) if isinstance(v, str) else v) for k, v in key.items()] + [
        '"metric":"seconds"', '"id":%d' % (i + 1),
        '"knobs":{%s:%d,%s:%d}' % (escape(knob('tile')), tile, escape(knob('block')), block),
        '"outcome":"%s"' % ('wrong-answer' if wrong else 'ok'), '"seconds":' + number(seconds),
        '"low":' + number(seconds), '"high":' + number(seconds), '"samples":5', '"error":0.5',
        '"abandoned":false', '"simulated":false',
        '"message":' + (escape('element %d is off' % i + bad) if wrong else '""'),
        '"cost":{"generate":0.001,"build":0.2,"transfer":0.01,"run":0.1,"verify":0.02}',
        '"clock":"host"', '"disturbed_samples":%d' % (i % 2), '"crowding":0.25',
        '"time":"2027-01-31T12:00:00Z"'])

with open(name + '.history', 'wb') as out:
    out.write(line(['"anole_history":1']).encode())
    for i in range(60):
        out.write(put(i, conv).encode())
    if hostile:
        for i in range(60, 80):
            out.write(put(i, 'no task' + bad).encode())
        # Bytes that are no UTF-8, and an outcome without a time.
        text = put(81, conv).replace('Abacus', 'Aba\\u00ff\\u00c3cus')
        body = text[:text.rindex(',"crc"')]
        out.write((body + ',"crc":"%08x"}\n' % zlib.crc32(body.encode())).encode())

# Numbers as large and as small as they come.
def wild(i):
    seconds = (5e-324, 1e-300, 1e308, 1e300, 1e-9, 1.7e308)[i % 6]
    return line(['"v":2', '"task":' + escape(conv)] + [
        '"%s":%s' % (k, escape(v) if isinstance(v, str) else v) for k, v in key.items()] + [
        '"metric":"seconds"', '"id":%d' % (2 ** 63 - i),
        '"knobs":{"a":%d,"b":%d}' % ((-1) ** i * (2 ** 63 - 1 - i), 2 ** (i % 62)), '"outcome":"ok"',
        '"seconds":%r' % seconds, '"low":0', '"high":"inf"', '"samples":4294967295', '"error":"inf"',
        '"abandoned":%s' % ('true' if i % 7 == 0 else 'false'), '"simulated":true', '"message":""',
        '"cost":{"generate":"inf","build":1e308,"transfer":-1e308,"run":null,"verify":1e-320}',
        '"crowding":1e300', '"time":""'])

with open(name + '-wild.history', 'w') as out:
    out.write(line(['"anole_history":1']))
    for i in range(60):
        out.write(wild(i))

json.dump({'network': 'net' + bad, 'device_name': 'Abacus' + bad, 'latency_seconds': {'median': 3e-3, 'low': 2.9e-3, 'high': 3.1e-3},
           'profile': [{'node': 'n%d' % i + bad, 'label': 'conv' + bad, 'kernel': ('tuned', 'default', 'built in', 'host', bad)[i % 5],
                        'seconds': 1e-5 * (1 + i)} for i in range(70)]}, open(name + '.run.json', 'w'))
END
"$python" write.py good && "$python" write.py bad hostile || exit 1

has() {
    check "$1: $2" "grep -q -e '$2' '$1'"
}

# -- words and bad input --
expect 0 'Usage: anole report' report --help
expect 2 'expected LOCKFILE' report
expect 2 'did you mean --format' report good.lock.json --formt html
expect 2 'expected html, markdown, json or svg' report good.lock.json --format pdf
expect 2 'expected a positive number' report good.lock.json --peak -1
expect 2 'none.json' report none.json
echo 'neither' >neither
expect 2 'this is no history' report neither
expect 2 'is one of the files that are read' report good.lock.json --output ./good.lock.json
expect 2 'neither "profile" nor' report good.lock.json --network good.lock.json
sed 's/"network": "net"/"network": "other"/' good.lock.json >other.lock.json
expect 2 'a report is of one network' report good.lock.json other.lock.json
printf '{"anole_lock": 2, "network": "n", "network_path": "n", "devices": []}' >empty.lock.json
expect 2 'no device and no trial' report empty.lock.json

# written WORD...: a report was, without a word.
written() {
    "$anole" report "$@" >out 2>err </dev/null
    check "report $*" "[ $? -eq 0 ] && [ ! -s out ]"
}

# -- what a report says: 2 x 2 ms + 1 ms before, 2 x 1 ms + 1 ms after --
expect 0 '^| A | `cpu:0` | 2 | 60 | 5.00 ms | 3.00 ms | 1.67x' report good.lock.json good.history
expect 0 '| 1 | `conv 3x3/1 8>16 @8x8 relu` | 2 | 66.7 % | 2.00 ms | 1.00 ms \[900 us, 1.10 ms\] | 2.00x \[1.80, 2.20\]' report good.lock.json good.history
cp out good.md
has good.md '^| build | 12.0 s | 60.4 % '
has good.md '^| wrong-answer | 3 | 5.0 %'
has good.md '^| 3 | wrong-answer | `element 19 is off`'
has good.md '`tile` [0-9.]* %'
has good.md 'Other work had the cores for 25.0 %'
has good.md '| driver | `d 2` |'
expect 0 '^| A | `Abacus` | 1 | 60 | 1.3[78] ms | 1.00 ms' report good.history
expect 0 'file.*good.history' report good.history
sed 's/"device": "Abacus"/"device": "Loom"/; s/"seconds": 0.001/"seconds": 0.002/; s/"low": 0.0009/"low": 0.0019/; s/"high": 0.0011/"high": 0.0021/' good.lock.json >loom.lock.json
expect 0 '^| `conv 3x3/1 8>16 @8x8 relu` | 2 | 1.00 ms | 2.00 ms | A 2.00x' report good.lock.json loom.lock.json
expect 0 'trials are left out' report loom.lock.json good.history

for kind in good bad; do
    for format in html svg json markdown; do
        written $kind.lock.json $kind.history --network $kind.run.json --format $format --output $kind.$format --peak 100
        written $kind.history --format $format --output $kind-alone.$format
        written $kind-wild.history --format $format --output $kind-wild.$format
    done
done
written good.lock.json good.history --output again.html --network good.run.json --peak 100
check 'the name says the format, and the same files give the same page' 'cmp -s good.html again.html'
check 'nothing is left behind' '[ -z "$(ls -A | grep -v "^[a-z]")" ]'
has good.html 'How the search went'
has good.html 'Which knobs mattered'
has good.html '70 steps'
has good.svg '<title>Tuning report: net</title>'
has good.json '"explained":'

# -- the page loads and runs nothing, and is well-formed, whatever the files hold --
cat >look.py <<'END'
import json, re, sys
from html.parser import HTMLParser
import xml.dom.minidom

class Page(HTMLParser):
    void = {'meta', 'br', 'link', 'img', 'input', 'hr'}
    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.ids, self.links, self.problems = [], {}, set(), [], []
        self.levels, self.unnamed = [], 0
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs.items():
            if name.startswith('on') or name in ('src', 'srcset', 'data', 'action', 'xlink:href'):
                self.problems.append('attribute ' + name)
        if 'href' in attrs:
            self.links.append(attrs['href'])
        if 'id' in attrs:
            if attrs['id'] in self.ids:
                self.problems.append('id twice: ' + attrs['id'])
            self.ids.add(attrs['id'])
        if re.fullmatch('h[1-6]', tag):
            self.levels.append(int(tag[1]))
        if tag == 'svg' and not (attrs.get('role') == 'img' and attrs.get('aria-label')):
            self.problems.append('a chart without a name')
        if tag not in self.void:
            self.stack.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.stack.pop()
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.problems.append('</%s> closes nothing' % tag)

def controls(text):
    return [c for c in text if (ord(c) < 32 and c != '\n') or 127 <= ord(c) < 160 or c == '\u202e']

def page(path):
    text = open(path, encoding='utf-8').read()
    seen = Page()
    seen.feed(text)
    seen.close()
    if seen.stack:
        seen.problems.append('open at the end: %s' % seen.stack)
    if set(seen.tags) & {'script', 'img', 'iframe', 'object', 'link', 'form', 'foreignobject', 'use', 'base'}:
        seen.problems.append('a tag that loads or runs something')
    if seen.tags.get('h1') != 1 or any(b > a + 1 for a, b in zip(seen.levels, seen.levels[1:])):
        seen.problems.append('headings: %s' % seen.levels)
    if any(not l.startswith('#') or l[1:] not in seen.ids for l in seen.links):
        seen.problems.append('links: %s' % seen.links)
    if re.search(r' (x|y|cx|cy|r|d|width|height|viewBox)="[^"]*(nan|inf)', text):
        seen.problems.append('a coordinate that is no number')
    if controls(text) or '\uffff' in text:
        seen.problems.append('control characters')
    return seen.problems

def picture(path):
    text = open(path, encoding='utf-8').read()
    tags = {e.tagName for e in xml.dom.minidom.parseString(text).getElementsByTagName('*')}
    problems = sorted(tags - {'svg', 'title', 'style', 'rect', 'path', 'circle', 'text'})
    if re.search(r' (x|y|cx|cy|r|d|width|height|viewBox)="[^"]*(nan|inf)', text):
        problems.append('a coordinate that is no number')
    return problems + controls(text)

def data(path):
    text = open(path, encoding='utf-8').read()
    json.loads(text, parse_constant=lambda x: 1 / 0)
    return controls(text)

def markdown(path):
    cells = 0
    text = open(path, encoding='utf-8').read()
    problems = controls(text)
    # What is left outside of code: words of ours alone.
    for line in re.sub(r'`[^`\n]*`', 'C', text).split('\n'):
        if re.search(r'[<>]|\]\(|alert|http|`', line):
            problems.append('outside of code: ' + line)
        if line.startswith('|') and cells and line.count('|') != cells:
            problems.append('another number of cells: ' + line)
        cells = line.count('|') if line.startswith('|') else 0
    return problems
failed = False
for path in sys.argv[1:]:
    problems = {'html': page, 'svg': picture, 'json': data, 'markdown': markdown}[path.rsplit('.', 1)[1]](path)
    print(path, problems)
    failed |= bool(problems)
sys.exit(failed)
END
number=0
for file in "$data"/lockfiles/valid/*.json; do
    number=$((number + 1))
    for format in html svg; do
        "$anole" report "$file" --output "valid-$number.$format" 2>err || grep -q 'nothing to report' err ||
            fail "$file: no report"
    done
done
for format in html svg json markdown; do
    for file in *."$format"; do
        case $file in *.run.json | *.lock.json | empty* | other* | loom*) ;; *) printf '%s\n' "$file" ;; esac
    done >files
    # shellcheck disable=SC2046 # several files
    check "all $format files are what they say" "\"$python\" look.py $(tr '\n' ' ' <files) >out 2>err"
    grep -v '\[\]$' out
done
has bad.html '&lt;script&gt;alert(1)&lt;/script&gt;&#39;&quot;&amp;\]\]&gt;|'
has bad.html 'x1b\[31m.x0a=1+1'
has bad.html 'xef.xbf.xbf'

exit $failed
