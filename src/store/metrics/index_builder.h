// Gathers a block's index in memory while its series go by in label order, then writes the file.
// Label pairs get numbers as they appear and their final ones, in the order of (name, value), at
// the end. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "model/labels.h"
#include "store/metrics/index_pages.h"

namespace binnacle::store::metrics {

class IndexBuilder {
 public:
  // The next series; its number is how many came before.
  void add(model::LabelsView labels, std::span<const ChunkRecord> chunks);
  uint32_t series() const { return static_cast<uint32_t>(series_.size()); }

  // Gives a time column its number.
  uint32_t add_time_column(const TimeColumnRecord& record);

  // The directory comes with its head filled in; what it says of pages is added here.
  Status write(BlockDirectory directory, int format, const std::vector<ColumnPage>& columns,
               const std::function<Status(std::string_view)>& append);

 private:
  struct Pair {
    std::string name, value;
    PostingBuilder postings;
  };
  struct Series {  // against the one before
    uint32_t shared = 0;
    uint32_t pairs = 0;
    uint32_t chunks = 0;
  };
  using Append = std::function<Status(std::string_view)>;

  uint32_t pair_number(const model::Label& label);
  std::vector<uint32_t> sort_pairs(BlockDirectory& directory) const;
  Status write_values(BlockDirectory& directory, std::span<const uint32_t> order,
                      const Append& append) const;
  Status write_postings(BlockDirectory& directory, std::span<const uint32_t> order,
                        const Append& append);
  Status write_times(BlockDirectory& directory, const Append& append) const;
  Status write_series(BlockDirectory& directory, std::span<const uint32_t> order,
                      const Append& append) const;

  std::vector<Pair> pairs_;
  std::unordered_map<std::string, uint32_t> by_text_;  // packed name and value
  std::vector<Series> series_;
  std::vector<uint32_t> series_pairs_;  // those not shared, series after series
  std::vector<uint32_t> last_pairs_;
  std::vector<ChunkRecord> chunks_;
  std::vector<TimeColumnRecord> times_;
};

}  // namespace binnacle::store::metrics
