#include "store/metrics/block_writer.h"

#include <xxhash.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/kill_points.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/column_pages.h"
#include "store/metrics/column_writer.h"
#include "store/metrics/index_builder.h"

namespace binnacle::store::metrics {

struct BlockWriter::Impl {
  Impl(FileSystem& fs, std::string blocks, BlockMeta block_meta, BlockWriteOptions opts)
      : files(fs),
        blocks_folder(std::move(blocks)),
        folder(blocks_folder + "/" + block_meta.ulid),
        aside(folder + std::string(kUnfinishedSuffix)),
        meta(std::move(block_meta)),
        options(std::move(opts)),
        // The random half of a ULID: who chooses samples cannot choose which of them look the same.
        seed(XXH3_64bits(meta.ulid.data(), meta.ulid.size())) {}

  Status append(WritableFile& to, std::string_view bytes) const {
    if (options.pace) options.pace(bytes.size());
    return to.append(bytes);
  }
  Status open();
  Status close_columns();
  Status write_index();
  Status publish();

  FileSystem& files;
  const std::string blocks_folder, folder, aside;
  BlockMeta meta;
  const BlockWriteOptions options;
  std::unique_ptr<WritableFile> file;  // columns
  std::unique_ptr<ColumnPagesWriter> pages;
  IndexBuilder index;
  const uint64_t seed;
  std::unique_ptr<ColumnWriter> writer;
  model::Labels last;
  bool finished = false;
};

Status BlockWriter::Impl::open() {
  TRY(files.remove_all(aside));
  TRY(files.create_directories(aside));
  TRY_ASSIGN(file, files.open_writable(aside + "/columns", FileSystem::Create::kExclusive));
  pages = std::make_unique<ColumnPagesWriter>(
      [this](std::string_view bytes) { return append(*file, bytes); }, options.zstd);
  writer = std::make_unique<ColumnWriter>(*pages, index, seed);
  return pages->begin(meta.format);
}

Status BlockWriter::Impl::close_columns() {
  TRY(writer->flush());
  TRY(pages->finish());
  TRY(file->sync());
  return file->close();
}

Status BlockWriter::Impl::write_index() {
  TRY_ASSIGN(const auto out, files.open_writable(aside + "/index", FileSystem::Create::kExclusive));
  BlockDirectory head;
  head.ulid = meta.ulid;
  head.samples = meta.samples;
  head.min_ms = meta.min_ms;
  head.max_ms = meta.max_ms;
  TRY(index.write(std::move(head), meta.format, pages->pages(),
                  [&](std::string_view bytes) { return append(*out, bytes); }));
  TRY(out->sync());
  return out->close();
}

Status BlockWriter::Impl::publish() {
  // Last, since it syncs the folder and with it the names of the other files.
  TRY(files.write_file_atomically(aside + "/meta.json", block_meta_json(meta)));
  kill_point("block.publish");
  TRY(files.rename(aside, folder));
  if (auto synced = files.sync_dir(blocks_folder); !synced) {
    // The caller is told that there is no block, so there must be none.
    (void)files.rename(folder, aside);
    return synced;
  }
  return {};
}

BlockWriter::BlockWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BlockWriter::~BlockWriter() {
  if (impl_->finished) return;
  impl_->file.reset();
  // What stays behind is removed at the next start.
  (void)impl_->files.remove_all(impl_->aside);
}

Result<std::unique_ptr<BlockWriter>> BlockWriter::create(FileSystem& files,
                                                         std::string blocks_folder, BlockMeta meta,
                                                         BlockWriteOptions options) {
  CHECK(is_ulid(meta.ulid) && meta.min_ms <= meta.max_ms);
  meta.format = options.format;
  meta.series = 0;
  meta.samples = 0;
  if (meta.sources.empty()) meta.sources = {meta.ulid};
  std::unique_ptr<BlockWriter> writer(new BlockWriter(std::make_unique<Impl>(
      files, std::move(blocks_folder), std::move(meta), std::move(options))));
  TRY(writer->impl_->open());
  return writer;
}

Status BlockWriter::add(model::LabelsView labels, std::span<const int64_t> times_ms,
                        std::span<const double> values) {
  Impl& impl = *impl_;
  CHECK(!impl.finished && times_ms.size() == values.size());
  if (times_ms.empty() || times_ms.front() < impl.meta.min_ms ||
      times_ms.back() >= impl.meta.max_ms ||
      std::ranges::adjacent_find(times_ms, std::greater_equal<>()) != times_ms.end()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("write block {}: times of {} do not ascend within [{}, {})", impl.meta.ulid,
                    labels.to_string(), impl.meta.min_ms, impl.meta.max_ms));
  }
  if (impl.meta.series > 0 && model::compare(impl.last, labels) >= 0) {
    return fail(Code::kInvalidArgument, fmt::format("write block {}: {} comes out of order",
                                                    impl.meta.ulid, labels.to_string()));
  }
  if (impl.meta.series == UINT32_MAX)
    return fail(Code::kOutOfRange, fmt::format("write block {}: too many series", impl.meta.ulid));
  impl.last = model::Labels(labels);
  ++impl.meta.series;
  impl.meta.samples += times_ms.size();
  return impl.writer->add(labels, times_ms, values);
}

Result<BlockMeta> BlockWriter::finish() {
  Impl& impl = *impl_;
  CHECK(!impl.finished);
  TRY(impl.close_columns());
  TRY(impl.write_index());
  TRY(impl.publish());
  impl.finished = true;
  return impl.meta;
}

}  // namespace binnacle::store::metrics
