#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ONNX's operators at the versions that they had since opset 7 (tests/data/onnx/make_opsets.py), and
# graphs as exporters write them (make_graphs.py), small models with what is unusual in their kinds
# (make_lifelike.py), and what real models were wrong with (make_found.py): all by the references,
# before and after the graph's passes; some on the device.
set -eu
cases=${ANOLE_TEST_DATA:-tests/data}/onnx

said=$(tests/onnx_conformance "$cases/opsets.npz" "$cases/graphs.npz" "$cases/lifelike.npz" \
    "$cases/found.npz") || {
    echo "$said" | grep '^wrong'
    exit 1
}
if echo "$said" | grep '^refused'; then
    exit 1
fi
echo "$said" | tail -n 1
# A whole network by the references, and that what is off is seen.
tests/onnx_reference "$cases/../run/small.onnx" "$cases/../run/small.npz"
code=0
tests/onnx_reference --tolerance 1e-12 "$cases/../run/small.onnx" "$cases/../run/small.npz" || code=$?
if [ $code != 5 ]; then
    echo "FAIL: an error of more than 1e-12 was not seen: exit code $code"
    exit 1
fi
said=$(tests/onnx_conformance --device --only resize_12_tf_half --only resize_10_nearest \
    --only hardmax_11 --only softmax_9_axis_0 --only averagepool_19_count_ceil \
    --only batchnormalization_7_not --only if_11_run_time_false --only embedding_13 \
    --only normalized_rows_16 --only sizes_of_data_13 --only best_of_data_12 --only three_dimensions_11 --only parts_of_boxes_16 --only ends_are_beginnings_13 \
    "$cases/opsets.npz" "$cases/graphs.npz" "$cases/lifelike.npz" "$cases/found.npz") || {
    status=$?
    [ $status != 77 ] || exit 0 # there is no device
    echo "$said"
    exit 1
}
echo "on the device: $(echo "$said" | tail -n 1)"
