// Cuts the oldest samples of the head into blocks: one pass over the series in label order, one
// block for each 2 h range that holds some of them (late samples make blocks that overlap older
// ones; the compactor merges them). What commits bring that begin later stays in the head, so that
// no block has a part of a commit that is not whole. The head keeps its samples until they are
// published elsewhere and drop() is called. One thread at a time.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/random.h"
#include "store/metrics/block_writer.h"
#include "store/metrics/commit_order.h"
#include "store/metrics/head.h"

namespace binnacle::store::metrics {

struct FlushOptions {
  int64_t range_ms = 2 * 3'600'000;
  std::string cluster;
  std::map<std::string, std::string> external_labels;
  int format = kDefaultFormat;
  std::function<void(size_t)> pace;  // see BlockWriteOptions
};

class HeadFlush {
 public:
  // Everything older than `cut_ms` goes. Waits for the commits in flight; samples of later ones
  // stay.
  HeadFlush(Head& head, CommitOrder& order, int64_t cut_ms, FlushOptions options);
  ~HeadFlush();

  // `ulid_ms`: the time in the blocks' ULIDs. Returns the blocks written, finished and on disk,
  // none when there was nothing to cut.
  Result<std::vector<BlockMeta>> write(FileSystem& files, const std::string& blocks_folder,
                                       int64_t ulid_ms, Random& random);
  // What write() wrote is of commits up to that one.
  CommitNumber upto() const { return upto_; }
  // Takes what write() wrote out of the head, and nothing that came since.
  void drop();

 private:
  // What was taken of a series.
  struct Taken {
    uint32_t number = 0;
    uint32_t in_order = 0;  // so many of the oldest
    model::SeriesRef ref = 0;
  };
  struct Columns {
    model::Labels labels;
    std::vector<int64_t> times_ms;
    std::vector<double> values;
  };
  Result<bool> take(uint32_t number, Columns& out);  // false: nothing to cut
  Status write_ranges(const Columns& columns, FileSystem& files, const std::string& blocks_folder,
                      int64_t ulid_ms, Random& random);

  // Fixed after construction.
  Head& head_;
  const int64_t cut_ms_;
  const FlushOptions options_;
  CommitNumber upto_ = 0;
  uint64_t late_sequence_ = 0;  // late samples of those commits are up to that

  std::vector<Taken> taken_;
  std::map<int64_t, std::unique_ptr<BlockWriter>> writers_;  // by the range's first time
};

// The first time of the range that holds `ms`; ranges are aligned to Unix time.
int64_t range_start(int64_t ms, int64_t range_ms);

}  // namespace binnacle::store::metrics
