// A log line and the way in to a log store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace binnacle::model {

struct LogEntry {
  int64_t timestamp_ns = 0;  // Unix, UTC
  std::string line;
  std::vector<std::pair<std::string, std::string>>
      metadata;  // structured metadata, not part of the stream
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Appends to the stream of that label set. Durable when it returns. Any thread but I/O threads.
  virtual Status append(LabelsView stream, std::vector<LogEntry> entries) = 0;
};

}  // namespace binnacle::model
