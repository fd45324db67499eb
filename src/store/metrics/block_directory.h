// The directory of a block's index: where the pages of its files are, and what they must be. Read
// whole when a block is opened. Format: docs/formats/block.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/metrics/block_page.h"
#include "store/metrics/store_format.h"

namespace binnacle::store::metrics {

inline constexpr std::string_view kIndexMagic = "BNIX";
inline constexpr std::string_view kColumnsMagic = "BNCL";
inline constexpr size_t kFileHeadBytes = 8;

inline constexpr uint32_t kPairsPerPage = 256;
inline constexpr uint32_t kTimesPerPage = 1024;
inline constexpr uint32_t kSeriesPerPage = 1024;
inline constexpr uint32_t kMaxChunkSamples = 4096;
inline constexpr uint32_t kMaxLinkSteps = 32;

struct BlockDirectory {
  struct Name {
    std::string name;
    uint32_t first_pair = 0;
    uint32_t pairs = 0;
  };

  std::string ulid;
  uint32_t series = 0;
  uint64_t samples = 0;
  int64_t min_ms = 0;
  int64_t max_ms = 0;
  uint32_t time_columns = 0;
  uint32_t pairs = 0;  // of all names together

  std::vector<Name> names;  // sorted
  std::vector<BlockPage> values;
  std::vector<BlockPage> postings;
  std::vector<BlockPage> times;
  std::vector<BlockPage> series_pages;
  // Of the columns file, by stream; `first` is the position in the stream.
  std::vector<BlockPage> value_columns;
  std::vector<BlockPage> time_column_pages;

  const Name* find_name(std::string_view name) const;
  const Name& name_of(uint32_t pair) const;  // pair < pairs
};

// A file's first bytes, and whether a file begins with them; a format that is not read is refused
// in words.
std::string file_head(std::string_view magic, int format);
Status check_file_head(std::string_view bytes, std::string_view magic, const std::string& path);

// The page with `position` in it; nullptr when none has.
const BlockPage* find_page(const std::vector<BlockPage>& pages, uint64_t position);

// In the order of the columns file; `in_times` says which stream a page is of.
struct ColumnPage {
  BlockPage page;
  bool in_times = false;
};

// The directory and the index file's end, for a directory that lies at `offset`.
std::string encode_directory(const BlockDirectory& directory,
                             const std::vector<ColumnPage>& columns, uint64_t offset);
// `path` is of the index file, for errors; `columns_bytes` the size of the columns file.
Result<BlockDirectory> parse_directory(std::string_view index, uint64_t columns_bytes,
                                       const std::string& path);

}  // namespace binnacle::store::metrics
