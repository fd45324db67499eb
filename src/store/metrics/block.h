// A sealed block: the samples of a time range, in files that never change. Mapped, checked against
// its checksums as it is read, shared by the queries that use it. Any thread. Format:
// docs/formats/block.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/read_budget.h"
#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {

class ColumnCache;

// Reads series of one block, one after the other, best in ascending order. One thread; the block
// outlives it.
class BlockReader {
 public:
  virtual ~BlockReader() = default;

  // From now on only these labels.
  virtual void keep_labels(std::span<const std::string> names) = 0;
  // From now on any number may stand for a number.
  virtual void allow_any_number() = 0;
  // What `out` views holds until the next call of the same function.
  virtual Status labels(uint32_t series, model::LabelsView& out) = 0;
  // Samples with min_ms <= time <= max_ms, tombstones left out.
  struct Samples {
    std::span<const int64_t> times_ms;
    std::span<const double> values;
    uint64_t times_id = 0;  // equal for the same times; 0: not known
  };
  virtual Status read(uint32_t series, int64_t min_ms, int64_t max_ms, Samples& out) = 0;
};

class Block {
 public:
  // `folder` is <data>/blocks/<ulid>. Checks the meta file, the headers and the checksums of what
  // is needed to find series; kDataLoss names the file.
  static Result<std::shared_ptr<const Block>> open(FileSystem& files, std::string folder);
  ~Block();

  const BlockMeta& meta() const;
  const std::string& folder() const;
  bool has_tombstones() const;
  uint64_t file_bytes() const;  // of all its files

  size_t series_count() const;
  // Numbers of the series that match, ascending. Series are numbered in label order. What is held
  // meanwhile is charged to the budget, where there is one.
  Result<std::vector<uint32_t>> select(const model::Matchers& matchers,
                                       model::ReadBudget* budget = nullptr) const;
  // `cache` outlives it, or is null.
  std::unique_ptr<BlockReader> reader(ColumnCache* cache = nullptr) const;
  // One series alone.
  Status labels(uint32_t series, model::Labels& out) const;
  // Samples with min_ms <= time <= max_ms, tombstones left out. Replaces what the vectors hold.
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
              std::vector<double>& values) const;

  // Sorted, unique; of the series that match (all when empty).
  Result<std::vector<std::string>> label_names(const model::Matchers& matchers,
                                               model::ReadBudget* budget = nullptr) const;
  // At most `limit`, 0: all.
  Result<std::vector<std::string>> label_values(std::string_view name,
                                                const model::Matchers& matchers, size_t limit = 0,
                                                model::ReadBudget* budget = nullptr) const;

  // Reads everything and checks every checksum; the error names file and offset.
  Status verify() const;

 private:
  struct Impl;
  explicit Block(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::store::metrics
