// A block's index file, mapped: the directory is read at once, pages are unpacked as they are asked
// for and kept in the thread's ReadCache. Immutable; any thread. kDataLoss names file and offset.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/block_directory.h"
#include "store/metrics/index_pages.h"

namespace binnacle::store::metrics {

class BlockIndex {
 public:
  // Checks what is needed to find series: the directory, the pages of values and postings.
  static Result<std::unique_ptr<BlockIndex>> open(FileSystem& files, const std::string& folder,
                                                  uint64_t columns_bytes);

  const BlockDirectory& directory() const { return directory_; }
  uint64_t owner() const { return owner_; }  // names this block in caches
  uint64_t file_bytes() const { return file_->bytes().size(); }

  Result<std::shared_ptr<const SeriesPage>> series_page(uint32_t series) const;
  Result<TimeColumnRecord> time_column(uint32_t number) const;
  // kPairsPerPage pairs of them, the last page fewer.
  Result<std::shared_ptr<const ValuePage>> value_page(size_t index) const;

  Result<std::string> value(uint32_t pair) const;
  Result<std::optional<uint32_t>> find_pair(std::string_view name, std::string_view value) const;
  // Calls `visit(pair, value)`, which returns a Status, for the pairs of a name in order.
  template <typename Visit>
  Status for_each_value(const BlockDirectory::Name& name, Visit visit) const;

  struct Posting {
    std::string_view list;
    std::shared_ptr<const void> holder;  // of the bytes
  };
  Result<Posting> posting(uint32_t pair) const;

  Unexpected broken(const BlockPage& page, std::string_view what) const;
  Status verify() const;  // every page
  const std::string& path() const { return path_; }

 private:
  BlockIndex() = default;
  Status check_pages(const std::vector<BlockPage>& pages) const;
  Result<std::string_view> unpack(const BlockPage& page, std::string& buffer) const;

  // Fixed after open().
  std::unique_ptr<MappedFile> file_;
  BlockDirectory directory_;
  uint64_t owner_ = 0;
  std::string path_;
};

template <typename Visit>
Status BlockIndex::for_each_value(const BlockDirectory::Name& name, Visit visit) const {
  const uint32_t end = name.first_pair + name.pairs;
  for (uint32_t pair = name.first_pair; pair < end;) {
    TRY_ASSIGN(const auto page, value_page(pair / kPairsPerPage));
    const uint32_t page_end = std::min<uint32_t>(end, (pair / kPairsPerPage + 1) * kPairsPerPage);
    for (; pair < page_end; ++pair) TRY(visit(pair, page->at(pair % kPairsPerPage)));
  }
  return {};
}

}  // namespace binnacle::store::metrics
