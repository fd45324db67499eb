// What scraping counts about itself. The registry outlives it; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/instruments.h"

namespace binnacle::collect::scrape {

enum class ScrapeOutcome : uint8_t {
  kGood,
  kUnreachable,  // no connection, TLS, credentials, a broken answer
  kTimeout,
  kStatus,    // an answer other than 200
  kBody,      // not a page of metrics
  kLimit,     // over a limit of the job
  kStore,     // the store refused the batch
  kOverload,  // more scrapes than this server has threads for
};
inline constexpr size_t kScrapeOutcomes = 8;

enum class TargetHealth : uint8_t { kUnknown, kUp, kDown };
std::string_view target_health_name(TargetHealth health);  // "unknown", "up", "down"

class ScrapeInstruments {
 public:
  explicit ScrapeInstruments(Registry& registry);

  Counter& scrapes(ScrapeOutcome outcome) { return *scrapes_[static_cast<size_t>(outcome)]; }
  Gauge& targets(TargetHealth health) { return *targets_[static_cast<size_t>(health)]; }
  // A sample or series that the store or the page itself did not take, by the store's code.
  Counter& refused(Code code);

  Histogram& duration_seconds;
  Counter& body_bytes;
  Counter& samples;
  Counter& series_added;
  Counter& stale_markers;
  Counter& duplicates;
  Counter& sample_limit;
  Counter& max_samples;
  Counter& label_limits;
  Counter& body_size_limit;
  Counter& target_limit;
  Counter& unusable_targets;
  Counter& late;

 private:
  std::array<Counter*, kScrapeOutcomes> scrapes_{};
  std::array<Gauge*, 3> targets_{};
  Counter& out_of_range_;
  Counter& other_value_;
  Counter& series_limit_;
  Counter& bad_labels_;
};

}  // namespace binnacle::collect::scrape
