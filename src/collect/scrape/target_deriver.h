// A tap on what a target exposes, from which further series of the same target are made: the seam
// between scraping and the engines' adapters. Called by the target's own loop, never by two threads
// at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::collect::scrape {

// Series made of a scrape. They get the scrape's time, and stale markers like the target's own when
// they are not appended again or the scrape fails.
class DerivedSink {
 public:
  virtual ~DerivedSink() = default;
  // `labels` has __name__; the target's labels are put on as on its own samples (honor_labels
  // false), metric relabelling is not applied.
  virtual void append(model::LabelsView labels, double value) = 0;
};

class TargetDeriver {
 public:
  virtual ~TargetDeriver() = default;
  // Once for each series of the target, when it is first seen; `labels` as the target exposes them,
  // before relabelling. What is returned comes with each of its samples; 0: no interest.
  virtual uint32_t series(model::LabelsView labels, model::MetricType type) = 0;
  virtual void sample(uint32_t token, double value) = 0;
  // The scrape is over and was good; what was seen since the last call is turned into series.
  virtual void finish(int64_t time_ms, DerivedSink& sink) = 0;
  // The target was not reached or its body was refused: what was seen since is void.
  virtual void failed(int64_t time_ms) = 0;
};

class TargetDerivers {
 public:
  virtual ~TargetDerivers() = default;
  // Null: nothing is derived from it. `target` has its labels after relabelling, `discovered` those
  // before it, `__engine__` and the like among them. Any thread.
  virtual std::unique_ptr<TargetDeriver> for_target(model::LabelsView target,
                                                    model::LabelsView discovered) = 0;
};

}  // namespace binnacle::collect::scrape
