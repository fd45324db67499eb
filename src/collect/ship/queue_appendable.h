// A SampleQueue as a metric store to write to, for an agent that has none: labels and refs are kept
// in memory, samples go to the queue at commit(). Any thread; each Appender belongs to one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "collect/ship/sample_queue.h"
#include "model/appender.h"

namespace binnacle::collect::ship {

struct QueueAppendableOptions {
  // New series are refused beyond (kResourceExhausted); those unused for `forget_after_ms` make
  // room.
  size_t max_series = 200'000;
  int64_t forget_after_ms = 15 * 60 * 1000;
  size_t max_metadata = 20'000;  // metrics whose type and help are kept
};

class QueueAppendable final : public model::Appendable {
 public:
  // All outlive it.
  QueueAppendable(SampleQueue& queue, QueueAppendableOptions options, const Clock& clock,
                  Registry& registry);
  ~QueueAppendable() override;

  std::unique_ptr<model::Appender> appender() override;

  // For ShipperDeps::metadata.
  std::vector<std::pair<std::string, model::MetricMetadata>> metadata() const;
  size_t series() const;

 private:
  class Batch;
  struct Table;
  const std::unique_ptr<Table> table_;
};

}  // namespace binnacle::collect::ship
