// The way in to a metric store. One Appender is one batch: nothing of it is visible or durable
// before commit(), all that was accepted is after it. Not shared between threads; a store hands out
// many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::model {

using SeriesRef = uint64_t;  // 0: not known yet; valid as long as the store runs
inline constexpr SeriesRef kNoSeries = 0;

struct KnownSample {
  SeriesRef ref = kNoSeries;
  Sample sample;
};

struct Refusal {
  size_t index = 0;  // of the append() that brought the sample, counted from 0 in this batch
  Error error;  // kOutOfRange: too old or too far ahead; kAlreadyExists: another value at that time
};

struct CommitReport {
  size_t stored = 0;             // samples that are there now, repeated ones included
  std::vector<Refusal> refused;  // by index; all others were stored
};

class Appender {
 public:
  virtual ~Appender() = default;  // without commit(): rolled back

  // Returns the series' ref; handing it in next time saves the look-up. `labels` must stay the same
  // set, or may be empty beside a ref: then kNotFound when the store has forgotten the series.
  // Refused here is a series (kResourceExhausted: a limit, kInvalidArgument: its labels); whether
  // the sample fits is known when the batch meets the others, at commit().
  virtual Result<SeriesRef> append(SeriesRef ref, LabelsView labels, Sample sample) = 0;
  // The same as append() of each without labels, up to the first that is refused, which counts in
  // the batch too; returns how many went in before it. For senders of millions of samples a second,
  // to whom a call and a Result each are dear.
  virtual size_t append_known(std::span<const KnownSample> samples) {
    size_t in = 0;
    while (in < samples.size() && append(samples[in].ref, {}, samples[in].sample)) ++in;
    return in;
  }
  // The latest word on a metric wins. A store that keeps none ignores it.
  virtual void append_metadata(std::string_view /*metric*/, const MetricMetadata& /*metadata*/) {}
  // An error: nothing of the batch is acknowledged (kUnavailable, kResourceExhausted: no room on
  // the disk). A refused sample leaves the rest of the batch as it is.
  virtual Result<CommitReport> commit() = 0;
  virtual void rollback() = 0;
};

class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> appender() = 0;  // any thread; the store outlives it
};

}  // namespace binnacle::model
