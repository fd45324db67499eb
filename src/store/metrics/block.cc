#include "store/metrics/block.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/block_index.h"
#include "store/metrics/block_select.h"
#include "store/metrics/column_pages.h"
#include "store/metrics/column_reader.h"
#include "store/metrics/tombstones.h"

namespace binnacle::store::metrics {

// Fixed after open().
struct Block::Impl {
  std::string folder;
  BlockMeta meta;
  std::unique_ptr<ColumnPages> pages;
  std::unique_ptr<BlockIndex> index;
  Tombstones tombstones;
  uint64_t file_bytes = 0;

  Status load(FileSystem& files);
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
              std::vector<double>& values) const;
};

Status Block::Impl::load(FileSystem& files) {
  TRY_ASSIGN(meta, read_block_meta(files, folder));
  TRY_ASSIGN(pages, ColumnPages::open(files, folder));
  TRY_ASSIGN(index, BlockIndex::open(files, folder, pages->file_bytes()));
  const BlockDirectory& directory = index->directory();
  if (directory.ulid != meta.ulid || directory.series != meta.series ||
      directory.samples != meta.samples || directory.min_ms != meta.min_ms ||
      directory.max_ms != meta.max_ms) {
    return fail(
        Code::kDataLoss,
        fmt::format("open {}: not the index that meta.json names (offset 0)", index->path()));
  }
  pages->attach(directory, index->owner());
  TRY_ASSIGN(tombstones, Tombstones::load(files, folder));
  file_bytes = pages->file_bytes() + index->file_bytes() + block_meta_json(meta).size() +
               (tombstones.empty() ? 0 : tombstones.encode(meta.format).size());
  return {};
}

Status Block::Impl::read(uint32_t series, int64_t min_ms, int64_t max_ms,
                         std::vector<int64_t>& times_ms, std::vector<double>& values) const {
  times_ms.clear();
  values.clear();
  CHECK(series < index->directory().series);
  return ColumnReader(*index, *pages).read(series, min_ms, max_ms, times_ms, values);
}

Block::Block(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Block::~Block() = default;

Result<std::shared_ptr<const Block>> Block::open(FileSystem& files, std::string folder) {
  auto impl = std::make_unique<Impl>();
  impl->folder = std::move(folder);
  TRY(impl->load(files));
  return std::shared_ptr<const Block>(new Block(std::move(impl)));
}

const BlockMeta& Block::meta() const { return impl_->meta; }
const std::string& Block::folder() const { return impl_->folder; }
bool Block::has_tombstones() const { return !impl_->tombstones.empty(); }
uint64_t Block::file_bytes() const { return impl_->file_bytes; }
size_t Block::series_count() const { return impl_->index->directory().series; }

Result<std::vector<uint32_t>> Block::select(const model::Matchers& matchers) const {
  TRY_ASSIGN(const SeriesBitmap found, select_series(*impl_->index, matchers));
  return found.numbers();
}

Status Block::labels(uint32_t series, model::Labels& out) const {
  return impl_->index->labels(series, out);
}

Status Block::read(uint32_t series, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
                   std::vector<double>& values) const {
  TRY(impl_->read(series, min_ms, max_ms, times_ms, values));
  impl_->tombstones.apply(series, times_ms, values);
  return {};
}

Result<std::vector<std::string>> Block::label_names(const model::Matchers& matchers) const {
  return select_label_names(*impl_->index, matchers);
}

Result<std::vector<std::string>> Block::label_values(std::string_view name,
                                                     const model::Matchers& matchers) const {
  return select_label_values(*impl_->index, name, matchers);
}

Status Block::verify() const {
  TRY(impl_->index->verify());
  TRY(impl_->pages->verify());
  std::vector<int64_t> times;
  std::vector<double> values;
  uint64_t samples = 0;
  model::Labels before, now;
  for (uint32_t series = 0; series < series_count(); ++series) {
    TRY(labels(series, now));
    if (series > 0 && model::compare(before, now) >= 0) {
      return fail(Code::kDataLoss, fmt::format("verify {}: series {} is out of order (offset {})",
                                               impl_->index->path(), series, 0));
    }
    std::swap(before, now);
    TRY(impl_->read(series, INT64_MIN, INT64_MAX, times, values));
    samples += times.size();
  }
  if (samples == meta().samples) return {};
  return fail(Code::kDataLoss, fmt::format("verify {}: {} samples instead of {} (offset 0)",
                                           impl_->index->path(), samples, meta().samples));
}

}  // namespace binnacle::store::metrics
