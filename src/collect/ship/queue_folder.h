// A queue's folder between two lives: which segments there are, what they hold from the cursor on,
// torn ends cut off. Used by SampleQueue when it opens. Format: docs/formats/queue.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "collect/ship/queue_format.h"
#include "collect/ship/sample_queue.h"

namespace binnacle::collect::ship {

std::string queue_segment_path(const std::string& folder, uint64_t segment);
std::string queue_cursor_path(const std::string& folder);

struct QueueSegment {
  uint64_t number = 0;
  uint64_t bytes = kQueueHeaderBytes;         // whole frames end here
  uint64_t acknowledged = kQueueHeaderBytes;  // offset
  uint64_t samples = 0;
  uint64_t read_samples = 0;
  uint64_t acknowledged_samples = 0;
  // Of what is not acknowledged; the oldest may be older by as much as one chunk spans.
  int64_t min_ms = INT64_MAX;
  int64_t max_ms = INT64_MIN;
  bool damaged = false;  // nothing more can be read of it
};

struct QueueContent {
  std::vector<QueueSegment> segments;  // ascending; those before `kept` are removed already
  QueueCursor cursor;
  QueueMark kept;
  uint64_t next_segment = 1;
  uint64_t torn_bytes = 0;  // at the end of the last segment: of appends nobody acknowledged
  std::vector<Gap> gaps;
};

Result<QueueContent> recover_queue_folder(FileSystem& files, const std::string& folder);

}  // namespace binnacle::collect::ship
