// The way in to a metric store. One Appender is one batch: nothing of it is visible or durable
// before commit(), all that was accepted is after it. Not shared between threads; a store hands out
// many.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::model {

using SeriesRef = uint64_t;  // 0: not known yet; valid as long as the store runs
inline constexpr SeriesRef kNoSeries = 0;

class Appender {
 public:
  virtual ~Appender() = default;  // without commit(): rolled back

  // Returns the series' ref; handing it in next time saves the look-up (`labels` must stay the same
  // set). Refused samples (kOutOfRange: too old or too far ahead; kAlreadyExists: another value at
  // that time; kResourceExhausted: a limit) leave the rest of the batch as it is.
  virtual Result<SeriesRef> append(SeriesRef ref, LabelsView labels, Sample sample) = 0;
  virtual Status commit() = 0;
  virtual void rollback() = 0;
};

class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> appender() = 0;  // any thread
};

}  // namespace binnacle::model
