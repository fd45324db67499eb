// Reads the frames of one segment after the other, also of one that is still being appended to.
// Owned by a SampleQueue; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "collect/ship/queue_folder.h"
#include "collect/ship/queue_format.h"

namespace binnacle::collect::ship {

class QueueReader {
 public:
  QueueReader(std::string folder, FileSystem& files) : folder_(std::move(folder)), files_(&files) {}

  // Goes to a segment, behind `offset`; series brought before are in the chunk, their samples not.
  Status go_to(uint64_t segment, uint64_t offset, QueueChunk& chunk);
  uint64_t segment() const { return segment_; }  // 0: none yet
  uint64_t offset() const { return offset_; }
  uint32_t series() const { return series_; }

  // Frames up to `end`, until there are max_samples in the chunk.
  Status read(uint64_t end, size_t max_samples, QueueChunk& chunk);
  void skip_to(uint64_t end) { offset_ = end; }

 private:
  Status read_frame(uint64_t end, bool with_samples, QueueChunk& chunk);
  // The bytes at offset_, at least `size` of them.
  Result<std::string_view> bytes(uint64_t size, uint64_t end);

  std::string folder_;
  FileSystem* files_;
  std::unique_ptr<ReadableFile> file_;
  uint64_t segment_ = 0;
  uint64_t offset_ = 0;
  uint32_t series_ = 0;  // that the frames up to offset_ brought
  std::string buffer_;   // from buffer_at_ on
  uint64_t buffer_at_ = 0;
};

}  // namespace binnacle::collect::ship
