#include "store/metrics/block_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "store/metrics/read_cache.h"

namespace binnacle::store::metrics {
namespace {

struct PostingsPage {
  std::string raw;
  std::vector<std::string_view> lists;  // of `raw`
};

}  // namespace

Result<std::unique_ptr<BlockIndex>> BlockIndex::open(FileSystem& files, const std::string& folder,
                                                     uint64_t columns_bytes) {
  std::unique_ptr<BlockIndex> index(new BlockIndex);
  index->path_ = folder + "/index";
  TRY_ASSIGN(index->file_, files.map(index->path_));
  TRY_ASSIGN(index->directory_,
             parse_directory(index->file_->bytes(), columns_bytes, index->path_));
  TRY(index->check_pages(index->directory_.values));
  TRY(index->check_pages(index->directory_.postings));
  index->owner_ = next_cache_owner();
  return index;
}

Status BlockIndex::check_pages(const std::vector<BlockPage>& pages) const {
  for (const BlockPage& page : pages) {
    if (!page_is_intact(file_->bytes(), page)) return broken(page, "page fails its checksum");
  }
  return {};
}

Unexpected BlockIndex::broken(const BlockPage& page, std::string_view what) const {
  return fail(Code::kDataLoss, fmt::format("read {}: {} (offset {})", path_, what, page.offset));
}

Result<std::string_view> BlockIndex::unpack(const BlockPage& page, std::string& buffer) const {
  if (!page_is_intact(file_->bytes(), page)) return broken(page, "page fails its checksum");
  auto raw = unpack_page(file_->bytes(), page, buffer);
  if (!raw) return broken(page, raw.error().message);
  return *raw;
}

Result<std::shared_ptr<const SeriesPage>> BlockIndex::series_page(uint32_t series) const {
  CHECK(series < directory_.series);
  const size_t index = series / kSeriesPerPage;
  const CacheKey key{owner_, CachedKind::kSeriesPage, index};
  if (auto cached = thread_read_cache().find<SeriesPage>(key)) return cached;
  std::string buffer;
  TRY_ASSIGN(const std::string_view raw, unpack(directory_.series_pages[index], buffer));
  auto parsed = SeriesPage::parse(raw, directory_, index);
  if (!parsed) return broken(directory_.series_pages[index], "broken page of series");
  auto page = std::make_shared<const SeriesPage>(std::move(*parsed));
  thread_read_cache().put(key, page, page->memory_bytes());
  return page;
}

Result<TimeColumnRecord> BlockIndex::time_column(uint32_t number) const {
  CHECK(number < directory_.time_columns);
  const size_t index = number / kTimesPerPage;
  const CacheKey key{owner_, CachedKind::kTimesPage, index};
  using Records = std::vector<TimeColumnRecord>;
  if (const auto cached = thread_read_cache().find<Records>(key))
    return (*cached)[number % kTimesPerPage];
  const BlockPage& page = directory_.times[index];
  std::string buffer;
  TRY_ASSIGN(const std::string_view raw, unpack(page, buffer));
  auto parsed = parse_times(
      raw, page, std::min<size_t>(kTimesPerPage, directory_.time_columns - index * kTimesPerPage));
  if (!parsed) return broken(page, "broken page of time columns");
  auto records = std::make_shared<const Records>(std::move(*parsed));
  thread_read_cache().put(key, records, records->size() * sizeof(TimeColumnRecord));
  return (*records)[number % kTimesPerPage];
}

Result<std::shared_ptr<const ValuePage>> BlockIndex::value_page(size_t index) const {
  const CacheKey key{owner_, CachedKind::kValuesPage, index};
  if (auto cached = thread_read_cache().find<ValuePage>(key)) return cached;
  const BlockPage& page = directory_.values[index];
  std::string buffer;
  TRY_ASSIGN(const std::string_view raw, unpack(page, buffer));
  auto parsed = ValuePage::parse(raw, page.extent);
  if (!parsed || parsed->at(0) != page.first_value)
    return broken(page, "broken page of label values");
  auto values = std::make_shared<const ValuePage>(std::move(*parsed));
  thread_read_cache().put(key, values, values->memory_bytes());
  return values;
}

Result<std::string> BlockIndex::value(uint32_t pair) const {
  TRY_ASSIGN(const auto page, value_page(pair / kPairsPerPage));
  return std::string(page->at(pair % kPairsPerPage));
}

Result<std::optional<uint32_t>> BlockIndex::find_pair(std::string_view name,
                                                      std::string_view value) const {
  const BlockDirectory::Name* const found = directory_.find_name(name);
  if (found == nullptr) return std::nullopt;
  // The last page that begins within the name at or below the value; else the one where the name
  // begins, whose first value may be another name's.
  const size_t end = found->first_pair + found->pairs;
  const size_t first_page = found->first_pair / kPairsPerPage;
  const auto inner =
      std::span(directory_.values).subspan(first_page + 1, (end - 1) / kPairsPerPage - first_page);
  const auto after = std::ranges::upper_bound(inner, value, {}, &BlockPage::first_value);
  const size_t index = first_page + static_cast<size_t>(after - inner.begin());
  TRY_ASSIGN(const auto page, value_page(index));
  size_t low = index == first_page ? found->first_pair % kPairsPerPage : 0;
  size_t high = std::min<size_t>(page->size(), end - index * kPairsPerPage);
  while (low < high) {
    const size_t middle = (low + high) / 2;
    const int order = page->at(middle).compare(value);
    if (order == 0) return static_cast<uint32_t>(index * kPairsPerPage + middle);
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  return std::nullopt;
}

Result<BlockIndex::Posting> BlockIndex::posting(uint32_t pair) const {
  const BlockPage* const page = find_page(directory_.postings, pair);
  CHECK(page != nullptr);
  const CacheKey key{owner_, CachedKind::kPostingsPage, page->first};
  auto lists = thread_read_cache().find<PostingsPage>(key);
  if (!lists) {
    auto unpacked = std::make_shared<PostingsPage>();
    TRY_ASSIGN(const std::string_view raw, unpack(*page, unpacked->raw));
    if (raw.data() != unpacked->raw.data()) unpacked->raw = raw;
    auto parsed = parse_postings(unpacked->raw, page->extent);
    if (!parsed) return broken(*page, "broken page of postings");
    unpacked->lists = std::move(*parsed);
    lists = unpacked;
    thread_read_cache().put(key, lists, lists->raw.size() + lists->lists.size() * 16);
  }
  return Posting{lists->lists[pair - page->first], lists};
}

Status BlockIndex::verify() const {
  for (uint32_t series = 0; series < directory_.series; series += kSeriesPerPage)
    TRY(series_page(series));
  for (uint32_t number = 0; number < directory_.time_columns; number += kTimesPerPage)
    TRY(time_column(number));
  for (size_t index = 0; index < directory_.values.size(); ++index) TRY(value_page(index));
  for (uint32_t pair = 0; pair < directory_.pairs; ++pair) {
    TRY_ASSIGN(const Posting found, posting(pair));
    if (!for_each_run(found.list, directory_.series, [](uint32_t, uint32_t) {}))
      return broken(*find_page(directory_.postings, pair), "broken postings");
  }
  return {};
}

}  // namespace binnacle::store::metrics
