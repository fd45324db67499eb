#include "store/metrics/head_flush.h"

#include <algorithm>

#include "base/kill_points.h"
#include "store/metrics/head_image.h"

namespace binnacle::store::metrics {

int64_t range_start(int64_t ms, int64_t range_ms) {
  const int64_t into = ms % range_ms;
  return ms - (into < 0 ? into + range_ms : into);
}

HeadFlush::HeadFlush(Head& head, CommitOrder& order, int64_t cut_ms, FlushOptions options)
    : head_(head), cut_ms_(cut_ms), options_(std::move(options)) {
  const CommitOrder::Hold hold(order);
  head_.begin_cut(cut_ms);
  upto_ = order.snapshot();
  late_sequence_ = head_.late_sequence();
}

HeadFlush::~HeadFlush() { head_.end_cut(); }

Result<bool> HeadFlush::take(uint32_t number, Columns& out) {
  HeadImage image;
  head_.visit_cut(number, [&](model::SeriesRef ref, HeadSeries& series, uint32_t came_since) {
    if (series.empty() || series.first_ms() >= cut_ms_) return;
    const size_t in_order = series.count_before(cut_ms_) - came_since;
    const Taken taken{.number = number, .in_order = static_cast<uint32_t>(in_order), .ref = ref};
    // With those that came since all behind them are left out, which lie behind the cut.
    const size_t hidden =
        came_since == 0 ? 0 : series.count_before(std::numeric_limits<int64_t>::max()) - in_order;
    image.add(series, std::numeric_limits<int64_t>::min(), cut_ms_ - 1,
              static_cast<uint32_t>(hidden), upto_, false,
              [&](std::string& packed) { head_.append_labels(series, packed); });
    taken_.push_back(taken);
  });
  if (image.size() == 0) return false;
  out.labels = model::Labels(image.labels(0));
  TRY(image.decode(0, std::numeric_limits<int64_t>::min(), cut_ms_ - 1, out.times_ms, out.values));
  return !out.times_ms.empty();
}

Status HeadFlush::write_ranges(const Columns& columns, FileSystem& files,
                               const std::string& blocks_folder, int64_t ulid_ms, Random& random) {
  kill_point("block.cut");
  const auto& times = columns.times_ms;
  for (size_t begin = 0; begin < times.size();) {
    const int64_t first_ms = range_start(times[begin], options_.range_ms);
    const int64_t end_ms = first_ms + options_.range_ms;
    const auto end = static_cast<size_t>(
        std::lower_bound(times.begin() + static_cast<ptrdiff_t>(begin), times.end(), end_ms) -
        times.begin());
    auto& writer = writers_[first_ms];
    if (writer == nullptr) {
      BlockMeta meta;
      meta.ulid = make_ulid(ulid_ms, random);
      meta.min_ms = first_ms;
      meta.max_ms = end_ms;
      meta.sources = {meta.ulid};
      meta.cluster = options_.cluster;
      meta.external_labels = options_.external_labels;
      TRY_ASSIGN(writer, BlockWriter::create(
                             files, blocks_folder, std::move(meta),
                             {.zstd = false, .format = options_.format, .pace = options_.pace}));
    }
    TRY(writer->add(columns.labels, std::span(times).subspan(begin, end - begin),
                    std::span(columns.values).subspan(begin, end - begin)));
    begin = end;
  }
  return {};
}

Result<std::vector<BlockMeta>> HeadFlush::write(FileSystem& files, const std::string& blocks_folder,
                                                int64_t ulid_ms, Random& random) {
  Columns columns;
  for (const uint32_t number : head_.ordered()) {
    TRY_ASSIGN(const bool some, take(number, columns));
    if (some) TRY(write_ranges(columns, files, blocks_folder, ulid_ms, random));
  }
  std::vector<BlockMeta> made;
  for (auto& [first_ms, writer] : writers_) {
    TRY_ASSIGN(BlockMeta meta, writer->finish());
    made.push_back(std::move(meta));
  }
  writers_.clear();
  return made;
}

void HeadFlush::drop() {
  for (const Taken& taken : taken_) {
    head_.visit(taken.number, [&](model::SeriesRef ref, HeadSeries& series) {
      if (ref != taken.ref) return;
      series.drop_oldest(taken.in_order);
      series.drop_late(cut_ms_, late_sequence_);
    });
  }
  taken_.clear();
}

}  // namespace binnacle::store::metrics
