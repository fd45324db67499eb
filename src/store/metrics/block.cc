#include "store/metrics/block.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/block_index.h"
#include "store/metrics/block_select.h"
#include "store/metrics/column_pages.h"
#include "store/metrics/column_reader.h"
#include "store/metrics/label_reader.h"
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
};

namespace {

class Reader final : public BlockReader {
 public:
  Reader(const BlockIndex& index, const ColumnPages& pages, const Tombstones& tombstones,
         ColumnCache* cache)
      : series_(index.directory().series),
        labels_(index),
        columns_(index, pages, cache),
        tombstones_(tombstones) {}

  void keep_labels(std::span<const std::string> names) override { labels_.keep_only(names); }
  void allow_any_number() override { columns_.allow_any_number(); }
  Status labels(uint32_t series, model::LabelsView& out) override {
    CHECK(series < series_);
    return labels_.read(series, out);
  }
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, Samples& out) override {
    CHECK(series < series_);
    ColumnReader::Samples found;
    TRY(columns_.read(series, min_ms, max_ms, found));
    out = {found.times_ms, found.values, found.times_id};
    if (tombstones_.of(series).empty()) return {};
    left_times_.assign(found.times_ms.begin(), found.times_ms.end());
    left_values_.assign(found.values.begin(), found.values.end());
    tombstones_.apply(series, left_times_, left_values_);
    out = {left_times_, left_values_, 0};
    return {};
  }

 private:
  const uint32_t series_;
  LabelReader labels_;
  ColumnReader columns_;
  const Tombstones& tombstones_;
  std::vector<int64_t> left_times_;  // of a series with tombstones
  std::vector<double> left_values_;
};

}  // namespace

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

Result<std::vector<uint32_t>> Block::select(const model::Matchers& matchers,
                                            model::ReadBudget* budget) const {
  TRY_ASSIGN(const SeriesBitmap found, select_series(*impl_->index, matchers, budget));
  return found.numbers();
}

std::unique_ptr<BlockReader> Block::reader(ColumnCache* cache) const {
  return std::make_unique<Reader>(*impl_->index, *impl_->pages, impl_->tombstones, cache);
}

Status Block::labels(uint32_t series, model::Labels& out) const {
  model::LabelsView view;
  LabelReader reader(*impl_->index);
  TRY(reader.read(series, view));
  out = model::Labels(view);
  return {};
}

Status Block::read(uint32_t series, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
                   std::vector<double>& values) const {
  BlockReader::Samples samples;
  const auto reader = this->reader();
  TRY(reader->read(series, min_ms, max_ms, samples));
  times_ms.assign(samples.times_ms.begin(), samples.times_ms.end());
  values.assign(samples.values.begin(), samples.values.end());
  return {};
}

Result<std::vector<std::string>> Block::label_names(const model::Matchers& matchers,
                                                    model::ReadBudget* budget) const {
  return select_label_names(*impl_->index, matchers, budget);
}

Result<std::vector<std::string>> Block::label_values(std::string_view name,
                                                     const model::Matchers& matchers, size_t limit,
                                                     model::ReadBudget* budget) const {
  return select_label_values(*impl_->index, name, matchers, limit, budget);
}

Status Block::verify() const {
  TRY(impl_->index->verify());
  TRY(impl_->pages->verify());
  const Tombstones none;
  Reader reader(*impl_->index, *impl_->pages, none, nullptr);
  BlockReader::Samples found;
  uint64_t samples = 0;
  model::Labels before;
  for (uint32_t series = 0; series < series_count(); ++series) {
    model::LabelsView now;
    TRY(reader.labels(series, now));
    if (series > 0 && model::compare(before, now) >= 0) {
      return fail(Code::kDataLoss, fmt::format("verify {}: series {} is out of order (offset {})",
                                               impl_->index->path(), series, 0));
    }
    before = model::Labels(now);
    TRY(reader.read(series, INT64_MIN, INT64_MAX, found));
    samples += found.times_ms.size();
  }
  if (samples == meta().samples) return {};
  return fail(Code::kDataLoss, fmt::format("verify {}: {} samples instead of {} (offset 0)",
                                           impl_->index->path(), samples, meta().samples));
}

}  // namespace binnacle::store::metrics
