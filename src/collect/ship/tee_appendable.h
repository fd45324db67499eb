// A store whose samples go to receivers too: what the store took in is in each queue before
// commit() returns, so that killing this process loses nothing acknowledged at any receiver. What
// the store refuses is not shipped: receivers get what a query here would show. A queue that cannot
// be written (its disk is full) does not hold the store back: the loss is counted and told as a
// gap. Without queues it hands out the store's own Appender. Any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "collect/ship/sample_queue.h"
#include "model/appender.h"

namespace binnacle::collect::ship {

class TeeAppendable final : public model::Appendable {
 public:
  // `store` outlives it. `labels_of` tells the labels of a ref of the store.
  TeeAppendable(model::Appendable& store, LabelsOfRef labels_of);

  std::unique_ptr<model::Appender> appender() override;

  // The destinations from now on, at start and at reload; batches begun before still go to theirs.
  // Shared with these batches.
  void set_queues(std::vector<std::shared_ptr<SampleQueue>> queues) EXCLUDES(mu_);

 private:
  class Batch;
  using Queues = std::shared_ptr<const std::vector<std::shared_ptr<SampleQueue>>>;

  // Fixed after construction.
  model::Appendable& store_;
  const LabelsOfRef labels_of_;

  mutable Mutex mu_;
  Queues queues_ GUARDED_BY(mu_);  // null: none
};

}  // namespace binnacle::collect::ship
