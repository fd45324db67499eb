#!/usr/bin/env bash
# Training of the own engine beside plain libtorch. BIN: the folder of the release binaries.
set -euo pipefail
export OMP_WAIT_POLICY=passive DNNL_MAX_CPU_ISA=AVX512_CORE_BF16
if grep -qm1 avx512vl /proc/cpuinfo; then export OPENBLAS_CORETYPE=SkylakeX; fi
"${BIN:?}/engine_train_bench" "${1:-6}"
