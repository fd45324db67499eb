// The columns file of a block, written and read: two streams of encoded columns, cut into pages.
// Format: docs/formats/block.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block_directory.h"

namespace binnacle::store::metrics {

enum class ColumnStream : uint8_t { kValues = 0, kTimes = 1 };

// One thread.
class ColumnPagesWriter {
 public:
  using Append = std::function<Status(std::string_view)>;
  ColumnPagesWriter(Append append, bool zstd) : append_(std::move(append)), zstd_(zstd) {}

  Status begin(int format);
  // One whole column.
  Status add(ColumnStream stream, std::string_view column);
  Status finish();
  const std::vector<ColumnPage>& pages() const { return pages_; }

 private:
  Status flush(ColumnStream stream);

  const Append append_;
  const bool zstd_;
  std::string open_[2];  // the pages that fill up, by stream
  std::vector<ColumnPage> pages_;
};

// Immutable but for what it remembers of pages already checked; any thread.
class ColumnPages {
 public:
  static Result<std::unique_ptr<ColumnPages>> open(FileSystem& files, const std::string& folder);
  // `directory` is of the same block and outlives this; `owner` names the block in caches.
  void attach(const BlockDirectory& directory, uint64_t owner);
  uint64_t file_bytes() const { return file_->bytes().size(); }

  struct Column {
    std::string_view bytes;
    std::shared_ptr<const void> holder;  // of the bytes; null: the mapping
  };
  Result<Column> read(ColumnStream stream, uint64_t position, uint32_t size) const;
  Unexpected broken(ColumnStream stream, uint64_t position, std::string_view what) const;
  Status verify() const;  // every page

 private:
  ColumnPages() = default;
  Status check(ColumnStream stream, const BlockPage& page) const;
  const std::vector<BlockPage>& pages(ColumnStream stream) const;
  const BlockPage* page_with(ColumnStream stream, uint64_t position) const;  // null: none

  // Fixed after attach().
  std::string path_;
  std::unique_ptr<MappedFile> file_;
  const BlockDirectory* directory_ = nullptr;
  uint64_t owner_ = 0;
  // Whether a page was found intact; by stream, then page. Two threads may both check one.
  mutable std::vector<std::atomic<bool>> intact_[2];
  mutable std::atomic<uint32_t> last_page_[2] = {};  // where the last column lay, by stream
};

}  // namespace binnacle::store::metrics
