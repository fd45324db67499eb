#include "store/metrics/store_querier.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/check.h"
#include "store/metrics/downsample.h"
#include "store/metrics/head_flush.h"
#include "store/metrics/head_image.h"
#include "store/metrics/tier_plan.h"

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

struct TimeRange {
  int64_t min_ms = 0;
  int64_t end_ms = 0;  // first after it
};

bool within(const std::vector<TimeRange>& ranges, int64_t time_ms) {
  return std::ranges::any_of(ranges, [&](const TimeRange& range) {
    return range.min_ms <= time_ms && time_ms < range.end_ms;
  });
}

// Takes away what tiers stand for.
void leave_out(const std::vector<TimeRange>& ranges, Columns& columns) {
  if (ranges.empty()) return;
  size_t kept = 0;
  for (size_t i = 0; i < columns.times_ms.size(); ++i) {
    if (within(ranges, columns.times_ms[i])) continue;
    columns.times_ms[kept] = columns.times_ms[i];
    columns.values[kept++] = columns.values[i];
  }
  columns.times_ms.resize(kept);
  columns.values.resize(kept);
}

// The whole windows of a tier that lie within [min_ms, max_ms]; empty when there is none.
TimeRange whole_windows(const BlockMeta& tier, int64_t min_ms, int64_t max_ms) {
  const int64_t window_ms = tier.resolution_ms;
  const int64_t begin_ms = std::max(min_ms, tier.min_ms);
  const int64_t end_ms = std::min(max_ms, tier.max_ms - 1) + 1;
  return {range_start(begin_ms + window_ms - 1, window_ms), range_start(end_ms, window_ms)};
}

// The series of one block that were chosen, one after the other. A tier's come without the label of
// their aggregate.
class BlockCursor {
 public:
  BlockCursor(std::shared_ptr<const Block> block, std::vector<uint32_t> series, TimeRange range,
              ColumnCache* columns)
      : block_(std::move(block)),
        reader_(block_->reader(columns)),
        series_(std::move(series)),
        range_(range) {}

  bool done() const { return at_ == series_.size(); }
  bool is_tier() const { return block_->meta().resolution_ms != 0; }
  const BlockMeta& meta() const { return block_->meta(); }
  LabelsView labels() const { return labels_; }
  void keep_labels(std::span<const std::string> names) { reader_->keep_labels(names); }
  void allow_any_number() { reader_->allow_any_number(); }
  Status load() {
    if (done()) return {};
    TRY(reader_->labels(series_[at_], labels_));
    if (!is_tier()) return {};
    tier_labels_ = model::LabelsBuilder(labels_).remove(kAggregateLabel).build();
    labels_ = tier_labels_.view();
    return {};
  }
  // By their labels without the aggregate: a label that sorts before it may change the order.
  Status sort_tier(model::ReadBudget* budget) {
    model::HeldBytes held(budget);
    std::vector<std::pair<Labels, uint32_t>> sorted;
    for (at_ = 0; !done(); ++at_) {
      TRY(load());
      TRY(held.add(2 * sizeof(sorted[0]) + tier_labels_.packed().size()));
      sorted.emplace_back(std::move(tier_labels_), series_[at_]);
    }
    std::ranges::sort(
        sorted, [](const auto& a, const auto& b) { return model::compare(a.first, b.first) < 0; });
    for (size_t i = 0; i < sorted.size(); ++i) series_[i] = sorted[i].second;
    at_ = 0;
    return {};
  }
  Status next() {
    ++at_;
    return load();
  }
  Status read(BlockReader::Samples& out) const {
    return reader_->read(series_[at_], range_.min_ms, range_.end_ms - 1, out);
  }

 private:
  std::shared_ptr<const Block> block_;
  std::unique_ptr<BlockReader> reader_;
  std::vector<uint32_t> series_;
  TimeRange range_;  // that is read
  size_t at_ = 0;
  LabelsView labels_;
  Labels tier_labels_;  // what `labels_` views where the block is a tier
};

// What is added wins where both have a time.
void merge_into(Columns& base, std::span<const int64_t> times_ms, std::span<const double> values) {
  if (times_ms.empty()) return;
  const bool behind = base.times_ms.empty() || base.times_ms.back() < times_ms.front();
  if (behind || times_ms.back() < base.times_ms.front()) {
    base.times_ms.insert(behind ? base.times_ms.end() : base.times_ms.begin(), times_ms.begin(),
                         times_ms.end());
    base.values.insert(behind ? base.values.end() : base.values.begin(), values.begin(),
                       values.end());
    return;
  }
  Columns merged;
  size_t i = 0;
  size_t k = 0;
  while (i < base.times_ms.size() || k < times_ms.size()) {
    const bool added =
        i == base.times_ms.size() || (k < times_ms.size() && times_ms[k] <= base.times_ms[i]);
    if (added && i < base.times_ms.size() && base.times_ms[i] == times_ms[k]) ++i;
    merged.times_ms.push_back(added ? times_ms[k] : base.times_ms[i]);
    merged.values.push_back(added ? values[k] : base.values[i]);
    (added ? k : i) += 1;
  }
  base = std::move(merged);
}

// Whether each block ends before the next begins; puts them into that order then.
bool put_in_a_row(std::vector<BlockCursor>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return blocks[i].meta().min_ms; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (blocks[order[i - 1]].meta().max_ms > blocks[order[i]].meta().min_ms) return false;
  }
  std::vector<BlockCursor> sorted;
  sorted.reserve(blocks.size());
  for (const size_t i : order) sorted.push_back(std::move(blocks[i]));
  blocks = std::move(sorted);
  return true;
}

// Whether most samples of the block are none that count, so that those that do are worth finding.
bool leaves_out(const BlockMeta& block, const std::optional<model::TimeGrid>& newest_at) {
  return newest_at && newest_at->count * 2 <= block.samples / std::max<uint64_t>(block.series, 1);
}

// The samples of one series after another, each made of parts that follow upon each other in time.
// Where the parts have the times of the series before, as neighbours mostly do, their times are not
// looked at.
class JoinedColumns {
 public:
  explicit JoinedColumns(std::optional<model::TimeGrid> newest_at) : newest_at_(newest_at) {}

  void begin() {
    columns_.values.clear();
    parts_.clear();
  }
  // `found` holds until end().
  void add(size_t block, const BlockReader::Samples& found) {
    if (found.times_ms.empty()) return;
    Part part{block, found.times_id, found.times_ms, nullptr};
    const size_t at = parts_.size();
    const bool known = at < before_.size() && part.same_times(before_[at]);
    part.picks = known ? before_[at].picks : pick(found.times_ms);
    append(found.values, part.picks.get(), columns_.values);
    parts_.push_back(std::move(part));
  }
  // The times are there after it; false, and nothing is, where `last` does not follow upon them.
  bool end(const Columns& last) {
    if (!same_parts()) join();
    auto& times = columns_.times_ms;
    if (!last.times_ms.empty() && joined_ > 0 && times[joined_ - 1] >= last.times_ms.front()) {
      forget();
      return false;
    }
    if (!std::ranges::equal(std::span(times).subspan(joined_), last.times_ms)) {
      ++times_id_;
      times.resize(joined_);
      times.insert(times.end(), last.times_ms.begin(), last.times_ms.end());
    }
    columns_.values.insert(columns_.values.end(), last.values.begin(), last.values.end());
    return true;
  }
  std::span<const int64_t> times_ms() const { return columns_.times_ms; }
  std::span<const double> values() const { return columns_.values; }
  uint64_t times_id() const { return times_id_ | uint64_t{1} << 62; }  // apart from others

 private:
  using Picks = std::vector<uint32_t>;
  struct Part {
    size_t block = 0;
    uint64_t times_id = 0;  // in that block; 0: not known
    std::span<const int64_t> times_ms;
    std::shared_ptr<const Picks> picks;  // the samples that are taken; null: all
    bool same_times(const Part& other) const {
      return block == other.block && times_id == other.times_id && times_id != 0;
    }
  };

  bool same_parts() const {
    return std::ranges::equal(parts_, before_,
                              [](const Part& a, const Part& b) { return a.same_times(b); });
  }
  // Those that count, the last among them; null where most do.
  std::shared_ptr<const Picks> pick(std::span<const int64_t> times_ms) const {
    if (!newest_at_ || newest_at_->step_ms <= 0) return nullptr;
    const auto [start_ms, step_ms, count] = *newest_at_;
    const auto span_ms = times_ms.back() - times_ms.front();
    if (static_cast<uint64_t>(span_ms / step_ms + 2) * 2 > times_ms.size()) return nullptr;
    auto picks = std::make_shared<Picks>();
    const int64_t before_ms = std::max<int64_t>(times_ms.front() - start_ms, 0);
    size_t next = 0;  // first after the time
    for (auto i = static_cast<size_t>(before_ms / step_ms); i < count && next < times_ms.size();
         ++i) {
      const int64_t t = start_ms + static_cast<int64_t>(i) * step_ms;
      while (next < times_ms.size() && times_ms[next] <= t) ++next;
      if (next > 0 && (picks->empty() || picks->back() + 1 != next))
        picks->push_back(static_cast<uint32_t>(next - 1));
    }
    return picks;
  }
  template <typename T>
  static void append(std::span<const T> from, const Picks* picks, std::vector<T>& to) {
    if (picks == nullptr) {
      to.insert(to.end(), from.begin(), from.end());
      return;
    }
    const size_t size = to.size();
    to.resize(size + picks->size());
    for (size_t i = 0; i < picks->size(); ++i) to[size + i] = from[(*picks)[i]];
  }
  void join() {
    columns_.times_ms.clear();
    for (const Part& part : parts_) append(part.times_ms, part.picks.get(), columns_.times_ms);
    joined_ = columns_.times_ms.size();
    ++times_id_;
    before_ = parts_;
  }
  void forget() {
    before_.clear();
    columns_.times_ms.clear();
    joined_ = 0;
  }

  const std::optional<model::TimeGrid> newest_at_;
  Columns columns_;
  size_t joined_ = 0;  // times of the blocks' parts
  std::vector<Part> parts_;
  std::vector<Part> before_;  // whose times were joined; their spans are of no use
  uint64_t times_id_ = 0;
};

class MergedSet final : public model::SeriesSet {
 public:
  MergedSet(model::HeldBytes held, HeadImage image, std::vector<BlockCursor> blocks,
            std::vector<TimeRange> summed_up, int64_t min_ms, int64_t max_ms,
            const model::SelectHints& hints)
      : held_(std::move(held)),
        image_(std::move(image)),
        blocks_(std::move(blocks)),
        summed_up_(std::move(summed_up)),
        min_ms_(min_ms),
        max_ms_(max_ms),
        labels_only_(hints.series_only),
        limit_(hints.limit),
        from_one_(image_.size() == 0 && blocks_.size() == 1 &&
                  (labels_only_ || !leaves_out(blocks_[0].meta(), hints.newest_at))),
        from_head_(blocks_.empty()),
        in_a_row_(!labels_only_ && summed_up_.empty() && put_in_a_row(blocks_)),
        joined_(hints.newest_at) {
    for (BlockCursor& block : blocks_) {
      if (status_) status_ = block.load();
    }
  }

  bool next(model::SeriesColumns& out) override {
    while (status_ && (limit_ == 0 || given_ < limit_)) {
      if (!(from_one_ ? step_in_block(out) : from_head_ ? step_in_head(out) : step(out)))
        return false;
      if (!status_) return false;
      if (out.timestamps_ms.empty() && !labels_only_) continue;
      ++given_;
      if (labels_only_) {
        out.timestamps_id = 0;
      } else if (out.timestamps_id == 0) {
        out.timestamps_id = id_of(out.timestamps_ms);
      }
      return true;
    }
    return false;
  }

  Status status() const override { return status_; }

 private:
  // Ids that are found by comparing, apart from those that a block gives.
  uint64_t id_of(std::span<const int64_t> times_ms) {
    if (!std::ranges::equal(times_ms, before_ms_)) {
      ++timestamps_id_;
      before_ms_.assign(times_ms.begin(), times_ms.end());
    }
    return timestamps_id_ | uint64_t{1} << 63;
  }

  // Nothing but one block: its series as they come.
  bool step_in_block(model::SeriesColumns& out) {
    BlockCursor& block = blocks_[0];
    if (begun_) status_ = block.next();
    begun_ = true;
    if (!status_ || block.done()) return false;
    out = {block.labels(), {}, {}, 0};
    if (labels_only_) return true;
    BlockReader::Samples found;
    status_ = block.read(found);
    out.timestamps_ms = found.times_ms;
    out.values = found.values;
    out.timestamps_id = found.times_id;
    return true;
  }

  // Nothing but the head.
  bool step_in_head(model::SeriesColumns& out) {
    if (in_head_ == image_.size()) return false;
    out = {image_.labels(in_head_), {}, {}, 0};
    if (!labels_only_) {
      status_ = image_.decode(in_head_, min_ms_, max_ms_, columns_.times_ms, columns_.values);
      out.timestamps_ms = columns_.times_ms;
      out.values = columns_.values;
    }
    ++in_head_;
    return true;
  }

  // The next series in label order, from all that have it; false at the end.
  bool step(model::SeriesColumns& out) {
    const LabelsView* lowest = nullptr;
    LabelsView here;
    const auto consider = [&](LabelsView labels) {
      if (lowest == nullptr || (labels != here && model::compare(labels, here) < 0)) {
        here = labels;
        lowest = &here;
      }
    };
    for (const BlockCursor& block : blocks_) {
      if (!block.done()) consider(block.labels());
    }
    if (in_head_ < image_.size()) consider(image_.labels(in_head_));
    if (lowest == nullptr) return false;
    labels_.assign(here.packed());
    out = {LabelsView(labels_), {}, {}, 0};
    if (in_a_row_) {
      bool joined = false;
      status_ = join(LabelsView(labels_), joined);
      if (joined) {
        out.timestamps_ms = joined_.times_ms();
        out.values = joined_.values();
        out.timestamps_id = joined_.times_id();
        return true;
      }
      if (!status_) return true;
    } else {
      columns_.times_ms.clear();
      columns_.values.clear();
      status_ = take(LabelsView(labels_));
    }
    out.timestamps_ms = columns_.times_ms;
    out.values = columns_.values;
    return true;
  }

  // Blocks that follow upon each other, and the head, which mostly follows upon them: `joined` says
  // whether `joined_` holds the samples, or else `columns_` does.
  Status join(LabelsView labels, bool& joined) {
    joined_.begin();
    parts_.clear();
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].done() || blocks_[i].labels() != labels) continue;
      BlockReader::Samples found;
      TRY(blocks_[i].read(found));
      joined_.add(i, found);
      parts_.push_back(found);
    }
    TRY(take_head(labels));
    joined = joined_.end(part_);
    if (!joined) {
      columns_.times_ms.clear();
      columns_.values.clear();
      for (const auto& found : parts_) merge_into(columns_, found.times_ms, found.values);
      merge_into(columns_, part_.times_ms, part_.values);
    }
    for (BlockCursor& block : blocks_) {
      if (!block.done() && block.labels() == labels) TRY(block.next());
    }
    return {};
  }

  // What the head has of the series, in `part_`.
  Status take_head(LabelsView labels) {
    part_.times_ms.clear();
    part_.values.clear();
    if (in_head_ == image_.size() || image_.labels(in_head_) != labels) return {};
    TRY(image_.decode(in_head_, min_ms_, max_ms_, part_.times_ms, part_.values));
    ++in_head_;
    return {};
  }

  Status take(LabelsView labels) {
    for (BlockCursor& block : blocks_) {
      if (block.done() || block.labels() != labels) continue;
      if (!labels_only_) {
        BlockReader::Samples found;
        TRY(block.read(found));
        if (block.is_tier() || summed_up_.empty()) {
          merge_into(columns_, found.times_ms, found.values);
        } else {
          part_.times_ms.assign(found.times_ms.begin(), found.times_ms.end());
          part_.values.assign(found.values.begin(), found.values.end());
          leave_out(summed_up_, part_);
          merge_into(columns_, part_.times_ms, part_.values);
        }
      }
      TRY(block.next());
    }
    if (in_head_ < image_.size() && image_.labels(in_head_) == labels) {
      if (!labels_only_) {
        TRY(image_.decode(in_head_, min_ms_, max_ms_, part_.times_ms, part_.values));
        leave_out(summed_up_, part_);
        merge_into(columns_, part_.times_ms, part_.values);
      }
      ++in_head_;
    }
    return {};
  }

  // Fixed after construction.
  const model::HeldBytes held_;  // of the blocks' series
  const HeadImage image_;
  std::vector<BlockCursor> blocks_;         // oldest ULID first, unless they are in a row
  const std::vector<TimeRange> summed_up_;  // by tiers among them
  const int64_t min_ms_;
  const int64_t max_ms_;
  const bool labels_only_;
  const size_t limit_;
  const bool from_one_;   // block, and nothing else
  const bool from_head_;  // and nothing else
  const bool in_a_row_;   // samples of blocks that follow upon each other

  bool begun_ = false;  // of the one block
  size_t in_head_ = 0;
  size_t given_ = 0;
  std::string labels_;
  Columns columns_;
  Columns part_;
  JoinedColumns joined_;
  std::vector<BlockReader::Samples> parts_;  // of the series that is joined
  std::vector<int64_t> before_ms_;
  uint64_t timestamps_id_ = 0;
  Status status_;
};

size_t bytes_of(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof(text) + text.size();
  return bytes;
}

class StoreQuerier final : public model::Querier {
 public:
  StoreQuerier(const Head& head, CommitOrder& order, const BlockSet& blocks, ColumnCache* columns,
               int64_t min_ms, int64_t max_ms)
      : head_(head),
        order_(order),
        block_set_(blocks),
        columns_(columns),
        min_ms_(min_ms),
        max_ms_(max_ms) {}

  void charge_to(model::ReadBudget& budget) override { budget_ = &budget; }

  Result<std::unique_ptr<model::SeriesSet>> select(const Matchers& matchers,
                                                   const model::SelectHints& hints) override {
    // The head before the blocks: what moves from one to the other meanwhile is seen twice, which
    // the merge mends, never missed.
    HeadImage image(budget_);
    if (hints.newest_only) image.only_newest();
    // With some labels left out series cannot be told apart, and thus not be merged.
    const auto* const names = hints.any_order && hints.labels ? &*hints.labels : nullptr;
    const bool head_alone = names != nullptr && !any_overlaps(*block_set_.list());
    TRY_ASSIGN(auto all, capture(matchers, hints.series_only, head_alone ? names : nullptr, image));
    if (head_alone && any_overlaps(*all)) {
      TRY_ASSIGN(all, capture(matchers, hints.series_only, nullptr, image));
    }
    model::HeldBytes held(budget_);
    std::vector<BlockCursor> cursors;
    const BlockList tiers = tiers_of(*all, hints);
    std::vector<TimeRange> summed_up;
    for (const auto& tier : tiers) {
      // Of windows that the range cuts the samples are given.
      const TimeRange range = whole_windows(tier->meta(), min_ms_, max_ms_);
      if (range.end_ms <= range.min_ms) continue;
      TRY_ASSIGN(auto cursor, tier_cursor(tier, range, matchers, hints.aggregate, held));
      cursors.push_back(std::move(cursor));
      summed_up.push_back(range);
    }
    for (const auto& block : raw_of(*all)) {
      if (within_one(summed_up, block->meta())) continue;
      TRY_ASSIGN(auto series, block->select(matchers, budget_));
      TRY(held.add(series.capacity() * sizeof(series[0])));
      if (!series.empty()) cursors.emplace_back(block, std::move(series), whole(), columns_);
    }
    // Merging needs the order; what comes from the head alone does not.
    if (!hints.any_order || !cursors.empty()) image.sort();
    if (names != nullptr && image.size() == 0 && cursors.size() == 1)
      cursors[0].keep_labels(*names);
    for (BlockCursor& cursor : cursors) {
      if (hints.any_number) cursor.allow_any_number();
    }
    return std::make_unique<MergedSet>(std::move(held), std::move(image), std::move(cursors),
                                       std::move(summed_up), min_ms_, max_ms_, hints);
  }

  Result<std::vector<std::string>> label_names(const Matchers& matchers, size_t limit) override {
    std::vector<std::vector<std::string>> parts;
    if (head_overlaps()) {
      TRY_ASSIGN(auto some, head_.index().label_names(matchers, budget_));
      parts.push_back(std::move(some));
    }
    for (const auto& block : raw_of(*block_set_.list())) {
      TRY_ASSIGN(auto some, block->label_names(matchers, budget_));
      parts.push_back(std::move(some));
    }
    return joined(std::move(parts), limit);
  }

  Result<std::vector<std::string>> label_values(std::string_view name, const Matchers& matchers,
                                                size_t limit) override {
    std::vector<std::vector<std::string>> parts;
    model::HeldBytes held(budget_);
    if (head_overlaps()) {
      TRY_ASSIGN(auto some, head_.index().label_values(name, matchers, limit, budget_));
      TRY(held.add(bytes_of(some)));
      parts.push_back(std::move(some));
    }
    for (const auto& block : raw_of(*block_set_.list())) {
      TRY_ASSIGN(auto some, block->label_values(name, matchers, limit, budget_));
      TRY(held.add(bytes_of(some)));
      parts.push_back(std::move(some));
    }
    return joined(std::move(parts), limit);
  }

 private:
  bool head_overlaps() const {
    return head_.oldest_ms() <= max_ms_ && head_.newest_ms() >= min_ms_;
  }

  // The head, then the blocks, as one snapshot sees both: not when a cut came in between with
  // commits that the snapshot does not know.
  Result<std::shared_ptr<const BlockList>> capture(const Matchers& matchers, bool labels_only,
                                                   const std::vector<std::string>* names,
                                                   HeadImage& image) const {
    const Head::Wanted wanted{min_ms_, max_ms_, labels_only, names, budget_};
    for (int i = 0; i < kSnapshotTries; ++i) {
      image.clear();
      const CommitNumber snapshot = order_.snapshot();
      TRY_ASSIGN(const bool captured, head_.capture(matchers, wanted, snapshot, image));
      if (!captured) continue;
      auto all = block_set_.list();
      if (!order_.cut_behind(snapshot)) return all;
    }
    const CommitOrder::Hold hold(order_);
    image.clear();
    TRY_ASSIGN(const bool captured, head_.capture(matchers, wanted, order_.snapshot(), image));
    CHECK(captured);
    return block_set_.list();
  }

  bool overlaps(const BlockMeta& meta) const {
    return meta.min_ms <= max_ms_ && meta.max_ms > min_ms_;
  }
  bool any_overlaps(const BlockList& all) const {
    return std::ranges::any_of(all, [&](const auto& block) { return overlaps(block->meta()); });
  }
  template <typename Wanted>
  BlockList overlapping(const BlockList& all, Wanted wanted) const {
    BlockList found;
    for (const auto& block : all) {
      if (overlaps(block->meta()) && wanted(block->meta())) found.push_back(block);
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a->meta().ulid < b->meta().ulid; });
    return found;  // oldest ULID first
  }
  BlockList raw_of(const BlockList& all) const {
    return overlapping(all, [](const BlockMeta& meta) { return meta.resolution_ms == 0; });
  }
  BlockList tiers_of(const BlockList& all, const model::SelectHints& hints) const {
    if (hints.resolution_ms == 0 || hints.aggregate.empty() || hints.series_only) return {};
    std::vector<BlockMeta> metas;
    for (const auto& block : all) metas.push_back(block->meta());
    const auto usable = usable_tiers(metas, hints.resolution_ms, head_.oldest_ms());
    return overlapping(all, [&](const BlockMeta& meta) {
      return std::ranges::find(usable, meta.ulid) != usable.end();
    });
  }
  static bool within_one(const std::vector<TimeRange>& ranges, const BlockMeta& meta) {
    return std::ranges::any_of(ranges, [&](const TimeRange& range) {
      return range.min_ms <= meta.min_ms && meta.max_ms <= range.end_ms;
    });
  }
  TimeRange whole() const { return {min_ms_, max_ms_ == INT64_MAX ? INT64_MAX : max_ms_ + 1}; }
  Result<BlockCursor> tier_cursor(const std::shared_ptr<const Block>& tier, const TimeRange& range,
                                  const Matchers& matchers, const std::string& aggregate,
                                  model::HeldBytes& held) const {
    Matchers with = matchers;
    TRY_ASSIGN(auto of_aggregate, model::Matcher::create(model::MatchOp::kEqual,
                                                         std::string(kAggregateLabel), aggregate));
    with.push_back(std::move(of_aggregate));
    TRY_ASSIGN(auto series, tier->select(with, budget_));
    TRY(held.add(series.capacity() * sizeof(series[0])));
    BlockCursor cursor(tier, std::move(series), range, columns_);
    TRY(cursor.sort_tier(budget_));
    return cursor;
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
  ColumnCache* const columns_;
  const int64_t min_ms_;
  const int64_t max_ms_;

  model::ReadBudget* budget_ = nullptr;
};

}  // namespace

std::unique_ptr<model::Querier> make_store_querier(const Head& head, CommitOrder& order,
                                                   const BlockSet& blocks, ColumnCache* columns,
                                                   int64_t min_ms, int64_t max_ms) {
  return std::make_unique<StoreQuerier>(head, order, blocks, columns, min_ms, max_ms);
}

}  // namespace binnacle::store::metrics
