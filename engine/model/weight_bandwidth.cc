#include "engine/model/weight_bandwidth.h"

#include <algorithm>

#include "base/clock.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kProbeBytes = int64_t{128} << 20;
constexpr int64_t kProbeNs = 100'000'000;
constexpr int64_t kPartFloats = 64 * 1024;
constexpr int64_t kPartBytes = kPartFloats * int64_t{sizeof(float)};

}  // namespace

WeightBandwidth::WeightBandwidth(int threads, int64_t bytes)
    : kernels_(*kernels().front()),
      parts_(std::max<int64_t>(bytes / kPartBytes, 1)),
      team_(threads),
      memory_(parts_ * kPartFloats) {}

double WeightBandwidth::read_once() {
  const SystemClock clock;
  const int64_t start_ns = clock.monotonic_ns();
  team_.run(parts_, [&](int64_t part, int) {
    const float* from = memory_.data() + part * kPartFloats;
    kernels_.read(from, kPartFloats);
  });
  const int64_t took_ns = std::max<int64_t>(clock.monotonic_ns() - start_ns, 1);
  return static_cast<double>(parts_ * kPartBytes) * 1e9 / static_cast<double>(took_ns);
}

double measure_weight_bandwidth(int threads) {
  const SystemClock clock;
  WeightBandwidth bandwidth(threads, kProbeBytes);
  const int64_t start_ns = clock.monotonic_ns();
  double best = 0;
  do {
    best = std::max(best, bandwidth.read_once());
  } while (clock.monotonic_ns() - start_ns < kProbeNs);
  return best;
}

}  // namespace binnacle::engine
