#!/usr/bin/env bash
# Decoding with the engine's kernels against what memory gives, with random weights of the shape of Llama 3.2 1B. The
# model is written into a folder that goes afterwards: 2.5 GB in bf16, 5 GB in fp32.
#
#   TYPES="bf16 fp32"   THREADS=N   ROUNDS=N   of decoding
set -euo pipefail
BIN=${BIN:?the folder of the bench binaries}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for type in ${TYPES:-bf16 fp32}; do
  mkdir "$work/$type"
  "$BIN/engine_decode_bench" "$work/$type" "$type" "${THREADS:-2}" "${ROUNDS:-11}"
  rm -rf "${work:?}/$type"
done
