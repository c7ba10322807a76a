#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A backend built against the header of the first release still loads, keeps the
# contract, and tunes.  If this fails, plugins that are installed somewhere broke:
# mend the change, or raise ANOLE_PLUGIN_ABI.
set -eu

anole=${ANOLE:-./anole}
plugins=${ANOLE_TEST_PLUGINS:-tests/plugins/built}
networks=${ANOLE_NETWORKS:-networks}
header=${ANOLE_FIRST_HEADER:-tests/plugins/abi1/plugin.h}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# That header is a record: nobody mends it.
sum=$(sha256sum <"$header")
[ "${sum%% *}" = f7163bcb2425cbdb3f50c5526e13fb5c67737a92dff2533eb7530edfd3865e55 ] ||
    { echo "$header is no longer that of the first release"; exit 1; }

mkdir "$folder/plugins"
cp "$plugins/first.so" "$folder/plugins"
ANOLE_PLUGIN_PATH=$folder/plugins
ANOLE_PLUGIN_DIR=
export ANOLE_PLUGIN_PATH ANOLE_PLUGIN_DIR
"$anole" plugin list
"$anole" plugin check "$folder/plugins/first.so" --samples 2
"$anole" tune "$networks/tiny.json" --device first --trials 8 --seed 1 \
    --history "$folder/history" --output "$folder/lock.json" >"$folder/out"
cat "$folder/out"
[ "$(grep -c '"outcome":"ok"' "$folder/history")" -eq 8 ] ||
    { echo "expected 8 trials that went well:"; cat "$folder/history"; exit 1; }
echo "the first release's plugin works"
