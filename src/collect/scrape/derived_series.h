// The series that a TargetDeriver makes of a target's pages: their references, and the stale
// markers of those that are made no more. Bounded by kMaxSeries. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "collect/scrape/target_deriver.h"
#include "model/appender.h"

namespace binnacle::collect::scrape {

class DerivedSeries final : public DerivedSink {
 public:
  static constexpr size_t kMaxSeries = 10'000;  // of a target; more are left out

  explicit DerivedSeries(model::LabelsView target) : target_(target) {}

  // Between begin() and finish() the deriver appends to `to`.
  void begin(int64_t time_ms, model::Appender& to);
  void append(model::LabelsView labels, double value) override;
  // Ends those that were not appended since begin(); how many.
  size_t finish();
  size_t end_all(int64_t time_ms, model::Appender& to);

  // Goes on with the series of one that ends.
  void adopt(DerivedSeries& other) {
    series_.swap(other.series_);
    std::swap(pass_, other.pass_);
  }

 private:
  struct Series {
    model::Labels labels;
    model::SeriesRef ref = model::kNoSeries;
    uint32_t pass = 0;
  };

  const model::Labels target_;                      // Fixed after construction
  std::unordered_map<std::string, Series> series_;  // by packed labels as the deriver gives them
  std::string key_;
  uint32_t pass_ = 0;
  int64_t time_ms_ = 0;
  model::Appender* to_ = nullptr;
};

}  // namespace binnacle::collect::scrape
