#include "store/metrics/column_pages.h"

#include <fmt/format.h>

#include "base/check.h"
#include "store/metrics/read_cache.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kPageBytes = size_t{32} << 10;
constexpr int kZstdLevel = 9;

}  // namespace

Status ColumnPagesWriter::begin(int format) { return append_(file_head(kColumnsMagic, format)); }

Status ColumnPagesWriter::add(ColumnStream stream, std::string_view column) {
  std::string& open = open_[static_cast<size_t>(stream)];
  open += column;
  return open.size() < kPageBytes ? Status{} : flush(stream);
}

Status ColumnPagesWriter::flush(ColumnStream stream) {
  std::string raw = std::exchange(open_[static_cast<size_t>(stream)], {});
  if (raw.empty()) return {};
  ColumnPage page;
  page.in_times = stream == ColumnStream::kTimes;
  const std::string stored =
      pack_page(std::move(raw), zstd_ ? kZstdLevel : kNoCompression, page.page);
  pages_.push_back(std::move(page));
  return append_(stored);
}

Status ColumnPagesWriter::finish() {
  TRY(flush(ColumnStream::kValues));
  return flush(ColumnStream::kTimes);
}

Result<std::unique_ptr<ColumnPages>> ColumnPages::open(FileSystem& files,
                                                       const std::string& folder) {
  std::unique_ptr<ColumnPages> columns(new ColumnPages);
  columns->path_ = folder + "/columns";
  TRY_ASSIGN(columns->file_, files.map(columns->path_));
  TRY(check_file_head(columns->file_->bytes().substr(0, kFileHeadBytes), kColumnsMagic,
                      columns->path_));
  return columns;
}

void ColumnPages::attach(const BlockDirectory& directory, uint64_t owner) {
  directory_ = &directory;
  owner_ = owner;
  intact_[0] = std::vector<std::atomic<bool>>(directory.value_columns.size());
  intact_[1] = std::vector<std::atomic<bool>>(directory.time_column_pages.size());
}

const std::vector<BlockPage>& ColumnPages::pages(ColumnStream stream) const {
  return stream == ColumnStream::kTimes ? directory_->time_column_pages : directory_->value_columns;
}

// Neighbours mostly lie in one page.
const BlockPage* ColumnPages::page_with(ColumnStream stream, uint64_t position) const {
  const std::vector<BlockPage>& all = pages(stream);
  std::atomic<uint32_t>& last = last_page_[static_cast<size_t>(stream)];
  const uint32_t guess = last.load(std::memory_order_relaxed);
  if (guess < all.size() && position - all[guess].first < all[guess].extent) return &all[guess];
  const BlockPage* const page = find_page(all, position);
  if (page != nullptr)
    last.store(static_cast<uint32_t>(page - all.data()), std::memory_order_relaxed);
  return page;
}

Status ColumnPages::check(ColumnStream stream, const BlockPage& page) const {
  const auto index = static_cast<size_t>(&page - pages(stream).data());
  std::atomic<bool>& intact = intact_[static_cast<size_t>(stream)][index];
  if (intact.load(std::memory_order_relaxed)) return {};
  if (!page_is_intact(file_->bytes(), page))
    return broken(stream, page.first, "page fails its checksum");
  intact.store(true, std::memory_order_relaxed);
  return {};
}

Result<ColumnPages::Column> ColumnPages::read(ColumnStream stream, uint64_t position,
                                              uint32_t size) const {
  if (size == 0) return Column{};
  const BlockPage* const page = page_with(stream, position);
  if (page == nullptr || size > page->first + page->extent - position)
    return broken(stream, position, "a column crosses pages");
  TRY(check(stream, *page));
  const uint64_t at = position - page->first;
  if (page->stored_bytes == page->raw_bytes)
    return Column{file_->bytes().substr(page->offset + at, size), nullptr};

  const CacheKey key{owner_, CachedKind::kColumnPage, page->offset};
  auto raw = thread_read_cache().find<std::string>(key);
  if (!raw) {
    auto unpacked = std::make_shared<std::string>();
    if (const auto done = unpack_page(file_->bytes(), *page, *unpacked); !done)
      return broken(stream, position, done.error().message);
    raw = unpacked;
    thread_read_cache().put(key, raw, raw->size());
  }
  return Column{std::string_view(*raw).substr(at, size), raw};
}

Unexpected ColumnPages::broken(ColumnStream stream, uint64_t position,
                               std::string_view what) const {
  const BlockPage* const page = find_page(pages(stream), position);
  return fail(Code::kDataLoss,
              fmt::format("read {}: {} (offset {})", path_, what, page ? page->offset : 0));
}

Status ColumnPages::verify() const {
  for (const ColumnStream stream : {ColumnStream::kValues, ColumnStream::kTimes}) {
    for (const BlockPage& page : pages(stream)) {
      if (!page_is_intact(file_->bytes(), page))
        return broken(stream, page.first, "page fails its checksum");
    }
  }
  return {};
}

}  // namespace binnacle::store::metrics
