#include "collect/ship/queue_writer.h"

namespace binnacle::collect::ship {

Status QueueWriter::begin(uint64_t segment) {
  const Status synced = file_ != nullptr ? sync() : Status();
  file_ = nullptr;
  TRY(synced);
  numbers_.clear();
  label_bytes_ = 0;
  const std::string path = queue_segment_path(folder_, segment);
  TRY_ASSIGN(auto file, files_.open_writable(path, FileSystem::Create::kTruncate));
  TRY(file->append(queue_header(segment)));
  TRY(files_.sync_dir(folder_));
  file_ = std::move(file);
  segment_ = segment;
  bytes_ = kQueueHeaderBytes;
  unsynced_ = true;
  return {};
}

Result<QueueFrame> QueueWriter::append(std::span<const model::KnownSample>& samples,
                                       const LabelsOfRef& labels_of, uint64_t& left_out) {
  frame_.clear();
  const uint32_t known = numbers_.size();
  const QueueFrame frame =
      append_queue_frame(samples, labels_of, {segment_, bytes_}, numbers_, frame_, left_out);
  if (frame.samples == 0) return frame;
  TRY(file_->append(frame_));
  bytes_ += frame_.size();
  if (numbers_.size() > known) label_bytes_ += frame_.size();
  unsynced_ = true;
  return frame;
}

Status QueueWriter::sync() {
  if (file_ == nullptr || !unsynced_) return {};
  TRY(file_->sync());
  unsynced_ = false;
  return {};
}

void QueueWriter::abandon() {
  if (file_ == nullptr) return;
  const bool torn = file_->size() > bytes_;
  file_ = nullptr;
  // Without success the next life takes those bytes for a damage, which costs a false report.
  if (torn) (void)files_.truncate(queue_segment_path(folder_, segment_), bytes_);
}

}  // namespace binnacle::collect::ship
