#include "store/metrics/store_querier.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "store/metrics/head_image.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::LabelsView;
using model::Matchers;

// So many times a reader takes a newer snapshot; then commits wait for it.
constexpr int kSnapshotTries = 3;

struct Columns {
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

// The series of one block that were chosen, one after the other.
class BlockCursor {
 public:
  BlockCursor(std::shared_ptr<const Block> block, std::vector<uint32_t> series)
      : block_(std::move(block)), series_(std::move(series)) {}

  bool done() const { return at_ == series_.size(); }
  LabelsView labels() const { return labels_; }
  Status load() { return done() ? Status() : block_->labels(series_[at_], labels_); }
  Status next() {
    ++at_;
    return load();
  }
  Status read(int64_t min_ms, int64_t max_ms, Columns& out) const {
    return block_->read(series_[at_], min_ms, max_ms, out.times_ms, out.values);
  }

 private:
  std::shared_ptr<const Block> block_;
  std::vector<uint32_t> series_;
  size_t at_ = 0;
  Labels labels_;
};

// `over` wins where both have a time.
void merge_into(Columns& base, const Columns& over) {
  if (over.times_ms.empty()) return;
  if (base.times_ms.empty() || base.times_ms.back() < over.times_ms.front()) {
    base.times_ms.insert(base.times_ms.end(), over.times_ms.begin(), over.times_ms.end());
    base.values.insert(base.values.end(), over.values.begin(), over.values.end());
    return;
  }
  Columns merged;
  size_t i = 0;
  size_t k = 0;
  while (i < base.times_ms.size() || k < over.times_ms.size()) {
    const bool from_over = i == base.times_ms.size() ||
                           (k < over.times_ms.size() && over.times_ms[k] <= base.times_ms[i]);
    if (from_over && i < base.times_ms.size() && base.times_ms[i] == over.times_ms[k]) ++i;
    merged.times_ms.push_back(from_over ? over.times_ms[k] : base.times_ms[i]);
    merged.values.push_back(from_over ? over.values[k] : base.values[i]);
    (from_over ? k : i) += 1;
  }
  base = std::move(merged);
}

class MergedSet final : public model::SeriesSet {
 public:
  MergedSet(HeadImage image, std::vector<BlockCursor> blocks, int64_t min_ms, int64_t max_ms,
            const model::SelectHints& hints)
      : image_(std::move(image)),
        blocks_(std::move(blocks)),
        min_ms_(min_ms),
        max_ms_(max_ms),
        labels_only_(hints.series_only),
        limit_(hints.limit) {
    for (BlockCursor& block : blocks_) {
      if (status_) status_ = block.load();
    }
  }

  bool next(model::SeriesColumns& out) override {
    while (status_ && (limit_ == 0 || given_ < limit_)) {
      if (!step()) return false;
      if (!status_) return false;
      if (columns_.times_ms.empty() && !labels_only_) continue;
      ++given_;
      if (columns_.times_ms != before_ms_) {
        ++timestamps_id_;
        before_ms_ = columns_.times_ms;
      }
      out = {labels_, columns_.times_ms, columns_.values, labels_only_ ? 0 : timestamps_id_};
      return true;
    }
    return false;
  }

  Status status() const override { return status_; }

 private:
  // The next series in label order, from all that have it; false at the end.
  bool step() {
    const LabelsView* lowest = nullptr;
    LabelsView here;
    const auto consider = [&](LabelsView labels) {
      if (lowest == nullptr || model::compare(labels, here) < 0) {
        here = labels;
        lowest = &here;
      }
    };
    for (const BlockCursor& block : blocks_) {
      if (!block.done()) consider(block.labels());
    }
    if (in_head_ < image_.size()) consider(image_.labels(in_head_));
    if (lowest == nullptr) return false;
    labels_ = Labels(here);
    columns_.times_ms.clear();
    columns_.values.clear();
    status_ = take();
    return true;
  }

  Status take() {
    for (BlockCursor& block : blocks_) {
      if (block.done() || block.labels() != labels_.view()) continue;
      if (!labels_only_) {
        TRY(block.read(min_ms_, max_ms_, part_));
        merge_into(columns_, part_);
      }
      TRY(block.next());
    }
    if (in_head_ < image_.size() && image_.labels(in_head_) == labels_.view()) {
      if (!labels_only_) {
        TRY(image_.decode(in_head_, min_ms_, max_ms_, part_.times_ms, part_.values));
        merge_into(columns_, part_);
      }
      ++in_head_;
    }
    return {};
  }

  // Fixed after construction.
  const HeadImage image_;
  std::vector<BlockCursor> blocks_;  // oldest ULID first
  const int64_t min_ms_;
  const int64_t max_ms_;
  const bool labels_only_;
  const size_t limit_;

  size_t in_head_ = 0;
  size_t given_ = 0;
  Labels labels_;
  Columns columns_;
  Columns part_;
  std::vector<int64_t> before_ms_;
  uint64_t timestamps_id_ = 0;
  Status status_;
};

class StoreQuerier final : public model::Querier {
 public:
  StoreQuerier(const Head& head, CommitOrder& order, const BlockSet& blocks, int64_t min_ms,
               int64_t max_ms)
      : head_(head), order_(order), block_set_(blocks), min_ms_(min_ms), max_ms_(max_ms) {}

  Result<std::unique_ptr<model::SeriesSet>> select(const Matchers& matchers,
                                                   const model::SelectHints& hints) override {
    // The head before the blocks: what moves from one to the other meanwhile is seen twice, which
    // the merge mends, never missed.
    HeadImage image = capture(matchers, hints.series_only);
    image.sort();
    std::vector<BlockCursor> cursors;
    for (const auto& block : blocks()) {
      TRY_ASSIGN(auto series, block->select(matchers));
      if (!series.empty()) cursors.emplace_back(block, std::move(series));
    }
    return std::make_unique<MergedSet>(std::move(image), std::move(cursors), min_ms_, max_ms_,
                                       hints);
  }

  Result<std::vector<std::string>> label_names(const Matchers& matchers, size_t limit) override {
    std::vector<std::vector<std::string>> parts;
    if (head_overlaps()) parts.push_back(head_.index().label_names(matchers));
    for (const auto& block : blocks()) {
      TRY_ASSIGN(auto some, block->label_names(matchers));
      parts.push_back(std::move(some));
    }
    return joined(std::move(parts), limit);
  }

  Result<std::vector<std::string>> label_values(std::string_view name, const Matchers& matchers,
                                                size_t limit) override {
    std::vector<std::vector<std::string>> parts;
    if (head_overlaps()) parts.push_back(head_.index().label_values(name, matchers));
    for (const auto& block : blocks()) {
      TRY_ASSIGN(auto some, block->label_values(name, matchers));
      parts.push_back(std::move(some));
    }
    return joined(std::move(parts), limit);
  }

 private:
  bool head_overlaps() const {
    return head_.oldest_ms() <= max_ms_ && head_.newest_ms() >= min_ms_;
  }

  HeadImage capture(const Matchers& matchers, bool labels_only) const {
    HeadImage image;
    for (int i = 0; i < kSnapshotTries; ++i) {
      image.clear();
      if (head_.capture(matchers, min_ms_, max_ms_, labels_only, order_.snapshot(), image))
        return image;
    }
    const CommitOrder::Hold hold(order_);
    image.clear();
    CHECK(head_.capture(matchers, min_ms_, max_ms_, labels_only, order_.snapshot(), image));
    return image;
  }

  // Those that overlap, oldest ULID first.
  BlockList blocks() const {
    BlockList found;
    const auto list = block_set_.list();
    for (const auto& block : *list) {
      const BlockMeta& meta = block->meta();
      if (meta.resolution_ms == 0 && meta.min_ms <= max_ms_ && meta.max_ms > min_ms_)
        found.push_back(block);
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a->meta().ulid < b->meta().ulid; });
    return found;
  }

  static std::vector<std::string> joined(std::vector<std::vector<std::string>> parts,
                                         size_t limit) {
    std::set<std::string> all;
    for (auto& part : parts)
      all.insert(std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
    std::vector<std::string> out(all.begin(), all.end());
    if (limit != 0 && out.size() > limit) out.resize(limit);
    return out;
  }

  // Fixed after construction.
  const Head& head_;
  CommitOrder& order_;
  const BlockSet& block_set_;
  const int64_t min_ms_;
  const int64_t max_ms_;
};

}  // namespace

std::unique_ptr<model::Querier> make_store_querier(const Head& head, CommitOrder& order,
                                                   const BlockSet& blocks, int64_t min_ms,
                                                   int64_t max_ms) {
  return std::make_unique<StoreQuerier>(head, order, blocks, min_ms, max_ms);
}

}  // namespace binnacle::store::metrics
