#include "store/metrics/index_builder.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

constexpr int kZstdLevel = 12;
constexpr size_t kPostingPageBytes = size_t{64} << 10;

Status append_page(std::string raw, uint64_t extent, std::vector<BlockPage>& pages,
                   const std::function<Status(std::string_view)>& append) {
  if (raw.size() > kMaxPageBytes)
    return fail(Code::kOutOfRange, "write a block's index: a page is too large");
  BlockPage page;
  page.extent = extent;
  const std::string stored = pack_page(std::move(raw), kZstdLevel, page);
  pages.push_back(std::move(page));
  return append(stored);
}

}  // namespace

uint32_t IndexBuilder::pair_number(const model::Label& label) {
  std::string text;
  ByteWriter(text).sized(label.name);
  text += label.value;
  const auto [it, is_new] = by_text_.try_emplace(std::move(text), pairs_.size());
  if (is_new) pairs_.push_back({std::string(label.name), std::string(label.value), {}});
  return it->second;
}

void IndexBuilder::add(model::LabelsView labels, std::span<const ChunkRecord> chunks) {
  const uint32_t number = series();
  std::vector<uint32_t> pairs;
  for (const model::Label& label : labels) {
    const uint32_t pair = pair_number(label);
    pairs_[pair].postings.add(number);
    pairs.push_back(pair);
  }
  const auto shared =
      static_cast<size_t>(std::ranges::mismatch(pairs, last_pairs_).in1 - pairs.begin());
  series_pairs_.insert(series_pairs_.end(), pairs.begin() + static_cast<ptrdiff_t>(shared),
                       pairs.end());
  series_.push_back({static_cast<uint32_t>(shared), static_cast<uint32_t>(pairs.size() - shared),
                     static_cast<uint32_t>(chunks.size())});
  chunks_.insert(chunks_.end(), chunks.begin(), chunks.end());
  last_pairs_ = std::move(pairs);
}

uint32_t IndexBuilder::add_time_column(const TimeColumnRecord& record) {
  times_.push_back(record);
  return static_cast<uint32_t>(times_.size() - 1);
}

std::vector<uint32_t> IndexBuilder::sort_pairs(BlockDirectory& directory) const {
  std::vector<uint32_t> order(pairs_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    const int by_name = pairs_[a].name.compare(pairs_[b].name);
    return by_name != 0 ? by_name < 0 : pairs_[a].value < pairs_[b].value;
  });
  for (const uint32_t pair : order) {
    if (directory.names.empty() || directory.names.back().name != pairs_[pair].name)
      directory.names.push_back({pairs_[pair].name, 0, 0});
    ++directory.names.back().pairs;
  }
  return order;
}

Status IndexBuilder::write_values(BlockDirectory& directory, std::span<const uint32_t> order,
                                  const Append& append) const {
  while (!order.empty()) {
    const auto of_page = order.first(std::min<size_t>(order.size(), kPairsPerPage));
    std::vector<std::string_view> values;
    for (const uint32_t pair : of_page) values.push_back(pairs_[pair].value);
    TRY(append_page(pack_values(values), of_page.size(), directory.values, append));
    directory.values.back().first_value = values.front();
    order = order.subspan(of_page.size());
  }
  return {};
}

Status IndexBuilder::write_postings(BlockDirectory& directory, std::span<const uint32_t> order,
                                    const Append& append) {
  std::string raw;
  uint64_t lists = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    ByteWriter(raw).sized(pairs_[order[i]].postings.take());
    ++lists;
    if (raw.size() < kPostingPageBytes && i + 1 < order.size()) continue;
    TRY(append_page(std::exchange(raw, {}), std::exchange(lists, 0), directory.postings, append));
  }
  return {};
}

Status IndexBuilder::write_times(BlockDirectory& directory, const Append& append) const {
  for (std::span rest(times_); !rest.empty();) {
    const auto of_page = rest.first(std::min<size_t>(rest.size(), kTimesPerPage));
    uint64_t bytes = 0;
    for (const TimeColumnRecord& record : of_page) bytes += record.bytes;
    TRY(append_page(pack_times(of_page), bytes, directory.times, append));
    rest = rest.subspan(of_page.size());
  }
  return {};
}

Status IndexBuilder::write_series(BlockDirectory& directory, std::span<const uint32_t> order,
                                  const Append& append) const {
  std::vector<uint32_t> final_number(order.size());
  for (size_t i = 0; i < order.size(); ++i) final_number[order[i]] = static_cast<uint32_t>(i);
  SeriesPageBuilder page;
  std::vector<uint32_t> pairs;
  size_t next_pair = 0, next_chunk = 0;
  for (size_t i = 0; i < series_.size(); ++i) {
    const Series& series = series_[i];
    pairs.resize(series.shared);
    for (uint32_t k = 0; k < series.pairs; ++k)
      pairs.push_back(final_number[series_pairs_[next_pair++]]);
    page.add(static_cast<uint32_t>(i), pairs,
             std::span(chunks_).subspan(next_chunk, series.chunks));
    next_chunk += series.chunks;
    if (page.records() < kSeriesPerPage && i + 1 < series_.size()) continue;
    const uint64_t bytes = page.column_bytes();
    TRY(append_page(page.take(), bytes, directory.series_pages, append));
  }
  return {};
}

Status IndexBuilder::write(BlockDirectory directory, int format,
                           const std::vector<ColumnPage>& columns, const Append& append) {
  directory.series = series();
  directory.time_columns = static_cast<uint32_t>(times_.size());
  const std::vector<uint32_t> order = sort_pairs(directory);
  TRY(append(file_head(kIndexMagic, format)));
  TRY(write_values(directory, order, append));
  TRY(write_postings(directory, order, append));
  TRY(write_times(directory, append));
  TRY(write_series(directory, order, append));
  uint64_t offset = kFileHeadBytes;
  for (const auto* pages :
       {&directory.values, &directory.postings, &directory.times, &directory.series_pages}) {
    for (const BlockPage& page : *pages) offset += page.stored_bytes;
  }
  return append(encode_directory(directory, columns, offset));
}

}  // namespace binnacle::store::metrics
