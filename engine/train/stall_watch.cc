#include "engine/train/stall_watch.h"

#include <algorithm>
#include <vector>

namespace binnacle::engine {
namespace {

constexpr size_t kSteps = 32;

}  // namespace

void StallWatch::step_ended(int64_t now_ms, int64_t took_ms) {
  const MutexLock lock(mu_);
  alive_ms_ = now_ms;
  took_ms_.push_back(took_ms);
  if (took_ms_.size() > kSteps) took_ms_.pop_front();
}

void StallWatch::alive(int64_t now_ms) {
  const MutexLock lock(mu_);
  alive_ms_ = now_ms;
}

std::optional<int64_t> StallWatch::stalled_since(int64_t now_ms) const {
  const MutexLock lock(mu_);
  const int64_t limit = std::max(settings_.shortest_stall_ms, settings_.stall_factor * median());
  if (now_ms - alive_ms_ < limit) return std::nullopt;
  return alive_ms_;
}

int64_t StallWatch::median_step_ms() const {
  const MutexLock lock(mu_);
  return median();
}

int64_t StallWatch::median() const {
  if (took_ms_.empty()) return 0;
  std::vector<int64_t> sorted(took_ms_.begin(), took_ms_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace binnacle::engine
