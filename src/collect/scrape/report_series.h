// up and the scrape_* series that every scrape of a target gives beside what the target exposes.
// One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "model/appender.h"
#include "model/labels.h"

namespace binnacle::collect::scrape {

struct ScrapeReport {
  bool up = false;
  double duration_seconds = 0;
  uint64_t scraped = 0;  // samples of the page
  uint64_t kept = 0;     // of them after relabelling
  uint64_t added = 0;    // series that the page before did not have
  // With `extra` alone.
  double timeout_seconds = 0;
  uint64_t sample_limit = 0;
  double body_bytes = 0;  // -1: over the limit
};

class ReportSeries {
 public:
  // `target` is what every series of the target has.
  ReportSeries(model::LabelsView target, bool extra);

  void append(const ScrapeReport& report, int64_t time_ms, model::Appender& to);
  // Markers for what was appended before, if anything was.
  void append_stale(int64_t time_ms, model::Appender& to);

 private:
  struct Series {
    model::Labels labels;
    model::SeriesRef ref = model::kNoSeries;
  };
  std::vector<Series> series_;  // in the order of their names in the .cc
};

}  // namespace binnacle::collect::scrape
