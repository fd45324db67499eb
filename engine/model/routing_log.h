// Which experts each row went to, as JSON lines for people and scripts:
// {"sequence":1,"position":7,"layer":3,"experts":[5,0],"weights":[0.61,0.39]}. Written after every
// step; when the file has its size it becomes NAME.1 and a new one begins. An error while writing
// loses lines, which lines_lost() counts, and never stops the computation. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/model/forward.h"

namespace binnacle::engine {

class RoutingLog {
 public:
  static Result<std::unique_ptr<RoutingLog>> open(FileSystem& files, std::string path,
                                                  int64_t max_bytes);

  void add(SequenceId sequence, int32_t position, int32_t layer, std::span<const int32_t> experts,
           std::span<const float> weights);
  void flush();
  int64_t lines_lost() const { return lines_lost_; }

 private:
  RoutingLog(FileSystem& files, std::string path, int64_t max_bytes)
      : files_(files), path_(std::move(path)), max_bytes_(max_bytes) {}
  Status write();

  FileSystem& files_;
  const std::string path_;
  const int64_t max_bytes_;
  std::unique_ptr<WritableFile> file_;
  std::string pending_;
  int64_t pending_lines_ = 0;
  int64_t lines_lost_ = 0;
};

}  // namespace binnacle::engine
