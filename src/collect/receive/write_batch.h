// One decoded body on its way into the store: references from the cache, labels only for series
// that it does not know, one batch of the Appender. A malformed label is found before the first
// sample is appended, so that a body is taken apart whole or not at all; what is wrong with single
// samples refuses these alone. One object is used for body after body. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collect/receive/label_fields.h"
#include "collect/receive/series_cache.h"
#include "collect/receive/write_report.h"
#include "collect/receive/write_request.h"
#include "model/appender.h"

namespace binnacle::collect::receive {

struct WriteOutcome {
  size_t stored = 0;
  size_t known_series = 0;  // found in the cache
  size_t new_series = 0;    // looked up by their labels
  size_t exemplars = 0;     // dropped
  WriteReport report;
};

class WriteBatch {
 public:
  explicit WriteBatch(SeriesCache& cache) : cache_(cache) {}

  // kInvalidArgument: malformed, nothing is stored. Other errors are those of commit(): nothing is
  // acknowledged.
  // Labels that are a guess are settled in `request` unless the cache knows them.
  Result<WriteOutcome> store(WriteRequest& request, const LabelLimits& limits,
                             model::Appendable& into);

 private:
  struct Unknown {
    uint32_t series = 0;
    LabelVerdict verdict = LabelVerdict::kGood;
    uint32_t packed_begin = 0;  // in packed_
    uint32_t packed_size = 0;
  };
  struct Fresh {
    SeriesKey key;
    model::SeriesRef ref = model::kNoSeries;
  };

  void look_up(const WriteRequest& request);
  Status settle_unknown(WriteRequest& request);
  Status read_unknown(const WriteRequest& request, const LabelLimits& limits);
  Status append_all(const WriteRequest& request, const LabelLimits& limits, model::Appender& to);
  void gather_known(const WriteRequest& request, uint32_t series);
  Status append_known(const WriteRequest& request, const LabelLimits& limits, model::Appender& to);
  Status append_forgotten(const WriteRequest& request, uint32_t series, const SeriesEntry& entry,
                          const LabelLimits& limits, model::Appender& to);
  Status append_series(const WriteRequest& request, uint32_t series, const SeriesEntry& entry,
                       model::LabelsView labels, model::Appender& to);
  void refuse_series(const SeriesEntry& series, Refused reason, std::string_view why);
  void refuse_histograms(const SeriesEntry& series);
  void name_refused(const WriteRequest& request, const model::CommitReport& report);
  std::string describe(const SeriesEntry& series);

  SeriesCache& cache_;

  // Of the body at hand.
  std::vector<SeriesKey> keys_;
  std::vector<model::SeriesRef> refs_;
  std::vector<Unknown> unknown_;
  std::string packed_;  // labels of the unknown series
  std::vector<Fresh> fresh_;
  struct Appended {
    uint32_t series = 0;
    uint32_t sample = 0;
  };
  std::vector<Appended> appended_;  // by the Appender's count
  // Samples of known series, one after the other, that are still to be appended.
  std::vector<model::KnownSample> known_;
  std::vector<Appended> known_at_;
  LabelFields fields_;
  WriteOutcome outcome_;
};

}  // namespace binnacle::collect::receive
