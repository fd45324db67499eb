#include "store/metrics/compactor.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/check.h"
#include "base/kill_points.h"
#include "model/labels.h"

namespace binnacle::store::metrics {
namespace {

struct Samples {
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

void append(Samples& to, const Samples& from, size_t begin, size_t end) {
  const auto first = static_cast<ptrdiff_t>(begin), last = static_cast<ptrdiff_t>(end);
  to.times_ms.insert(to.times_ms.end(), from.times_ms.begin() + first,
                     from.times_ms.begin() + last);
  to.values.insert(to.values.end(), from.values.begin() + first, from.values.begin() + last);
}

// Both ascending; at equal times the newer's sample stays.
Samples merge(const Samples& older, const Samples& newer) {
  Samples out;
  const size_t all = older.times_ms.size() + newer.times_ms.size();
  out.times_ms.reserve(all);
  out.values.reserve(all);
  size_t a = 0, b = 0;
  while (a < older.times_ms.size() && b < newer.times_ms.size()) {
    // Whole stretches at once: blocks mostly lie one behind the other.
    const auto upto = [](const Samples& in, size_t from, int64_t before) {
      const auto at = in.times_ms.begin() + static_cast<ptrdiff_t>(from);
      return static_cast<size_t>(std::lower_bound(at, in.times_ms.end(), before) -
                                 in.times_ms.begin());
    };
    const size_t a_end = upto(older, a, newer.times_ms[b]);
    append(out, older, a, a_end);
    a = a_end;
    if (a == older.times_ms.size()) break;
    if (older.times_ms[a] == newer.times_ms[b]) ++a;
    const size_t b_end =
        a < older.times_ms.size() ? upto(newer, b, older.times_ms[a]) : newer.times_ms.size();
    append(out, newer, b, b_end);
    b = b_end;
  }
  append(out, older, a, older.times_ms.size());
  append(out, newer, b, newer.times_ms.size());
  return out;
}

// One block's series, in order.
class Cursor {
 public:
  explicit Cursor(const Block& block) : end_(block.series_count()), reader_(block.reader()) {}

  bool at_end() const { return next_ == end_; }
  model::LabelsView labels() const { return labels_; }
  Status load() { return at_end() ? Status{} : reader_->labels(next_, labels_); }
  // The samples of the series it stands on; then it stands on the next.
  Status take(Samples& out) {
    BlockReader::Samples found;
    TRY(reader_->read(next_, INT64_MIN, INT64_MAX, found));
    out.times_ms.assign(found.times_ms.begin(), found.times_ms.end());
    out.values.assign(found.values.begin(), found.values.end());
    ++next_;
    return load();
  }

 private:
  size_t end_;
  std::unique_ptr<BlockReader> reader_;
  uint32_t next_ = 0;
  model::LabelsView labels_;
};

BlockMeta merged_meta(std::span<const std::shared_ptr<const Block>> oldest_first,
                      std::string ulid) {
  BlockMeta out = oldest_first.back()->meta();
  out.ulid = std::move(ulid);
  out.parents.clear();
  std::set<std::string> sources;
  for (const auto& block : oldest_first) {
    const BlockMeta& meta = block->meta();
    CHECK(meta.resolution_ms == out.resolution_ms);
    out.min_ms = std::min(out.min_ms, meta.min_ms);
    out.max_ms = std::max(out.max_ms, meta.max_ms);
    out.level = std::max(out.level, meta.level);
    sources.insert(meta.sources.begin(), meta.sources.end());
    out.parents.push_back(meta.ulid);
  }
  if (oldest_first.size() > 1) ++out.level;
  out.sources.assign(sources.begin(), sources.end());
  return out;
}

const Cursor* least(const std::vector<Cursor>& cursors) {
  const Cursor* out = nullptr;
  for (const Cursor& cursor : cursors) {
    if (cursor.at_end()) continue;
    if (out == nullptr || model::compare(cursor.labels(), out->labels()) < 0) out = &cursor;
  }
  return out;
}

// The samples of one series in all blocks; every cursor on it moves on.
Status take_series(std::vector<Cursor>& cursors, const model::Labels& labels, Samples& out) {
  Samples part;
  for (Cursor& cursor : cursors) {
    if (cursor.at_end() || cursor.labels() != labels.view()) continue;
    TRY(cursor.take(part));
    if (out.times_ms.empty()) {
      std::swap(out, part);
    } else {
      out = merge(out, part);
    }
  }
  return {};
}

}  // namespace

Result<BlockMeta> merge_blocks(FileSystem& files, const std::string& blocks_folder,
                               std::span<const std::shared_ptr<const Block>> blocks,
                               std::string ulid, const MergeOptions& options) {
  CHECK(!blocks.empty());
  std::vector<std::shared_ptr<const Block>> oldest_first(blocks.begin(), blocks.end());
  std::ranges::sort(oldest_first, {},
                    [](const auto& block) -> const std::string& { return block->meta().ulid; });
  TRY_ASSIGN(const auto writer,
             BlockWriter::create(files, blocks_folder, merged_meta(oldest_first, std::move(ulid)),
                                 options.write));
  std::vector<Cursor> cursors;
  for (const auto& block : oldest_first) {
    cursors.emplace_back(*block);
    TRY(cursors.back().load());
  }
  Samples samples;
  while (const Cursor* const first = least(cursors)) {
    if (options.cancelled && options.cancelled())
      return fail(Code::kCancelled, "merge blocks: cancelled");
    kill_point("merge");
    const model::Labels labels(first->labels());
    samples.times_ms.clear();
    samples.values.clear();
    TRY(take_series(cursors, labels, samples));
    if (!samples.times_ms.empty()) TRY(writer->add(labels, samples.times_ms, samples.values));
  }
  return writer->finish();
}

}  // namespace binnacle::store::metrics
