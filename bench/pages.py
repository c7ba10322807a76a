#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# What a report costs: writes a history of many trials, and times `anole report` on it, or, with
# --list, `anole history ls`.
#
#   bench/pages.py [--trials 100000] [--layers 20] [--anole ./anole] [--keep FOLDER] [--list]
#
# Prints, for each format, seconds of wall time (the least of three), the largest memory of the
# process, and the bytes that were written.
import argparse, os, random, resource, subprocess, sys, tempfile, time, zlib

KEY = ('"backend":"cpu","backend_version":"0.1","generator":1,"device":"Made up","driver":"none",'
       '"driver_version":"1","threads":2')
TILES, BLOCKS, VECTORS = (1, 2, 4, 6, 8, 14, 16, 28), (8, 16, 32, 64), (4, 8, 16)


def sign(text):
    return '%s,"crc":"%08x"}\n' % (text, zlib.crc32(text.encode()))


def trial(draw, number, layer, channels):
    knobs = {'tile_h': draw.choice(TILES), 'tile_w': draw.choice(TILES), 'block_c': draw.choice(BLOCKS),
             'vector': draw.choice(VECTORS), 'unroll': draw.choice((1, 2, 4)), 'order': draw.choice((0, 1)),
             'prefetch': draw.choice((0, 1)), 'split': draw.choice((1, 2, 4, 8))}
    seconds = 1e-4 * (1 + layer) * (1 + abs(knobs['tile_w'] - 8) / 6 + 64 / knobs['block_c'] / 8 +
                                    4 / knobs['vector'] + 0.1 * draw.random())
    failed = draw.random() < 0.03
    time_text = 'null' if failed else '%.9g' % seconds
    return sign('{"v":2,"task":"conv2d n1 28x28x%d k3x3 s1x1 p1,1,1,1 d1x1 g1 o%d f32 bias relu",%s,'
                '"metric":"seconds","id":%d,"knobs":{%s},"outcome":"%s","seconds":%s,"low":%s,"high":%s,'
                '"samples":9,"error":0.1,"abandoned":false,"simulated":false,"message":"%s","cost":{"generate":1e-4,'
                '"build":0.1,"transfer":1e-3,"run":0.05,"verify":1e-3},"clock":"host","time":"2027-01-31T12:00:00Z"'
                % (channels, channels, KEY, number, ','.join('"%s":%d' % k for k in knobs.items()),
                   'compile' if failed else 'ok', time_text, time_text, time_text,
                   'line %d: an error' % number if failed else ''))


def write(path, trials, layers):
    draw = random.Random(1)
    with open(path, 'w') as out:
        out.write(sign('{"anole_history":1'))
        for number in range(trials):
            layer = number % layers
            out.write(trial(draw, number + 1, layer, 8 * (1 + layer)))


def measure(name, command, output):
    """Three runs; what it prints goes to `output`, unless the command writes that itself."""
    best = float('inf')
    for _ in range(3):
        before = time.monotonic()
        with open(output, 'wb') as out:
            subprocess.run(command, check=True, stdout=out)
        best = min(best, time.monotonic() - before)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print('%-5s %6.2f s  %5.0f MiB at most so far  %9d bytes' % (name, best, memory, os.path.getsize(output)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--trials', type=int, default=100000)
    parser.add_argument('--layers', type=int, default=20)
    parser.add_argument('--anole', default='./anole')
    parser.add_argument('--keep', help='leave history and reports in this folder')
    parser.add_argument('--list', action='store_true', help='time `anole history ls` instead')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or scratch
        history = os.path.join(folder, 'made.history')
        write(history, options.trials, options.layers)
        print('%d trials of %d layers, %d bytes' % (options.trials, options.layers, os.path.getsize(history)))
        if options.list:
            measure('ls', [options.anole, 'history', 'ls', history], os.path.join(folder, 'listed.txt'))
            return
        for suffix in ('html', 'md', 'json', 'svg'):
            output = os.path.join(folder, 'report.' + suffix)
            measure(suffix, [options.anole, 'report', history, '--output', output], output)


if __name__ == '__main__':
    sys.exit(main())
