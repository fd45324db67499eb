// The segment that a queue is being appended to, and the numbers that series have in it. Owned by a
// SampleQueue; one thread at a time. After an error the segment is done with: begin another.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "collect/ship/queue_folder.h"
#include "collect/ship/queue_format.h"
#include "collect/ship/ref_numbers.h"

namespace binnacle::collect::ship {

class QueueWriter {
 public:
  QueueWriter(std::string folder, FileSystem& files) : folder_(std::move(folder)), files_(files) {}

  // Makes the old segment durable, then a new one with a durable name. On an error there is none.
  Status begin(uint64_t segment);
  bool is_open() const { return file_ != nullptr; }
  uint64_t segment() const { return segment_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t label_bytes() const { return label_bytes_; }  // of frames that brought series

  // Appends as many as fit a frame and takes them off `samples`.
  Result<QueueFrame> append(std::span<const model::KnownSample>& samples,
                            const LabelsOfRef& labels_of, uint64_t& left_out);
  Status sync();
  // Cuts off what a failed append left, and closes.
  void abandon();

 private:
  const std::string folder_;
  FileSystem& files_;
  std::unique_ptr<WritableFile> file_;
  uint64_t segment_ = 0;
  uint64_t bytes_ = 0;  // whole frames
  uint64_t label_bytes_ = 0;
  bool unsynced_ = false;
  RefNumbers numbers_;
  std::string frame_;
};

}  // namespace binnacle::collect::ship
