#include "collect/ship/tee_appendable.h"

#include <utility>

namespace binnacle::collect::ship {

class TeeAppendable::Batch final : public model::Appender {
 public:
  Batch(std::unique_ptr<model::Appender> store, Queues queues, const LabelsOfRef& labels_of)
      : store_(std::move(store)), queues_(std::move(queues)), labels_of_(labels_of) {}

  Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                  model::Sample sample) override {
    auto known = store_->append(ref, labels, sample);
    samples_.push_back({known.value_or(model::kNoSeries), sample});
    return known;
  }

  size_t append_known(std::span<const model::KnownSample> samples) override {
    const size_t in = store_->append_known(samples);
    samples_.insert(samples_.end(), samples.begin(), samples.begin() + static_cast<ptrdiff_t>(in));
    if (in < samples.size()) samples_.emplace_back();
    return in;
  }

  void append_metadata(std::string_view metric, const model::MetricMetadata& words) override {
    store_->append_metadata(metric, words);
  }

  Result<model::CommitReport> commit() override {
    auto report = store_->commit();
    if (report) {
      leave_out(report->refused);
      for (const auto& queue : *queues_) {
        // Counted and told by the queue: a receiver's queue does not hold the store back.
        if (!samples_.empty()) (void)queue->append(samples_, labels_of_);
      }
    }
    samples_.clear();
    return report;
  }

  void rollback() override {
    store_->rollback();
    samples_.clear();
  }

 private:
  // A sample's place is its index in the batch, so those refused at append() have one too.
  void leave_out(const std::vector<model::Refusal>& refused) {
    for (const model::Refusal& refusal : refused) samples_.at(refusal.index).ref = model::kNoSeries;
    std::erase_if(samples_, [](const auto& known) { return known.ref == model::kNoSeries; });
  }

  const std::unique_ptr<model::Appender> store_;
  const Queues queues_;
  const LabelsOfRef& labels_of_;
  std::vector<model::KnownSample> samples_;
};

TeeAppendable::TeeAppendable(model::Appendable& store, LabelsOfRef labels_of)
    : store_(store), labels_of_(std::move(labels_of)) {}

std::unique_ptr<model::Appender> TeeAppendable::appender() {
  Queues queues;
  {
    const MutexLock held(mu_);
    queues = queues_;
  }
  auto store = store_.appender();
  if (queues == nullptr) return store;
  return std::make_unique<Batch>(std::move(store), std::move(queues), labels_of_);
}

void TeeAppendable::set_queues(std::vector<std::shared_ptr<SampleQueue>> queues) {
  Queues next;
  if (!queues.empty())
    next = std::make_shared<const std::vector<std::shared_ptr<SampleQueue>>>(std::move(queues));
  const MutexLock held(mu_);
  queues_ = std::move(next);
}

}  // namespace binnacle::collect::ship
