// How fast a team of threads reads memory: what bounds decoding, where every weight is read once
// for each step. One thread at a time.
#pragma once

#include <cstdint>

#include "engine/model/aligned_floats.h"
#include "engine/model/kernels.h"
#include "engine/model/thread_team.h"

namespace binnacle::engine {

class WeightBandwidth {
 public:
  WeightBandwidth(int threads, int64_t bytes);
  double read_once();  // bytes a second over the whole of its memory

 private:
  const Kernels& kernels_;
  const int64_t parts_;
  ThreadTeam team_;
  AlignedFloats memory_;
};

// The best of a few readings of 128 MiB, within some 0.2 s on a machine that has time.
double measure_weight_bandwidth(int threads);

}  // namespace binnacle::engine
