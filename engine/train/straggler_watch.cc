#include "engine/train/straggler_watch.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::engine {
namespace {

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

StragglerWatch::StragglerWatch(int32_t ranks, double mark)
    : mark_(mark),
      window_(static_cast<size_t>(ranks)),
      scores_(window_.size(), 1),
      low_windows_(window_.size()) {}

std::vector<int32_t> StragglerWatch::add(const std::vector<double>& seconds) {
  CHECK(seconds.size() == window_.size());
  for (size_t rank = 0; rank < seconds.size(); ++rank) window_[rank].push_back(seconds[rank]);
  if (window_[0].size() < kWindow) return {};
  std::vector<double> medians;
  for (std::vector<double>& values : window_) {
    medians.push_back(median_of(values));
    values.clear();
  }
  score(medians);
  std::vector<int32_t> found;
  for (size_t rank = 0; rank < scores_.size(); ++rank) {
    low_windows_[rank] = scores_[rank] < mark_ ? low_windows_[rank] + 1 : 0;
    if (low_windows_[rank] == kWindows) found.push_back(static_cast<int32_t>(rank));
  }
  return found;
}

void StragglerWatch::score(const std::vector<double>& medians) {
  double quickest = *std::min_element(medians.begin(), medians.end());
  if (medians.size() == 1) {
    best_ = best_ == 0 ? quickest : std::min(best_, quickest);
    quickest = best_;
  }
  for (size_t rank = 0; rank < medians.size(); ++rank) {
    scores_[rank] = medians[rank] > 0 ? quickest / medians[rank] : 1;
  }
}

}  // namespace binnacle::engine
