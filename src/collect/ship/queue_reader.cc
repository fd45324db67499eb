#include "collect/ship/queue_reader.h"

#include <algorithm>

#include <fmt/format.h>

namespace binnacle::collect::ship {
namespace {

constexpr uint64_t kReadBytes = 256 * 1024;

}  // namespace

Status QueueReader::go_to(uint64_t segment, uint64_t offset, QueueChunk& chunk) {
  file_ = nullptr;
  segment_ = segment;
  offset_ = kQueueHeaderBytes;
  series_ = 0;
  buffer_.clear();
  TRY_ASSIGN(file_, files_->open_readable(queue_segment_path(folder_, segment)));
  while (offset_ < offset) TRY(read_frame(offset, false, chunk));
  return {};
}

Status QueueReader::read(uint64_t end, size_t max_samples, QueueChunk& chunk) {
  while (offset_ < end && chunk.samples.size() < max_samples) TRY(read_frame(end, true, chunk));
  return {};
}

Status QueueReader::read_frame(uint64_t end, bool with_samples, QueueChunk& chunk) {
  TRY_ASSIGN(std::string_view there, bytes(kQueueFrameHeaderBytes, end));
  const auto frame = parse_queue_frame(there);
  const std::string where = fmt::format("{} at byte {}", segment_, offset_);
  if (!frame) return fail(Code::kDataLoss, "queue segment " + where + ": no frame");
  const uint64_t size = kQueueFrameHeaderBytes + frame->payload_bytes;
  TRY_ASSIGN(there, bytes(size, end));
  there = there.substr(0, size);
  if (!is_whole_frame(there, {segment_, offset_}))
    return fail(Code::kDataLoss, "queue segment " + where + ": wrong checksum");
  const size_t series_before = chunk.new_series.size();
  TRY(read_queue_payload(there.substr(kQueueFrameHeaderBytes), series_, with_samples, chunk));
  series_ += static_cast<uint32_t>(chunk.new_series.size() - series_before);
  offset_ += size;
  return {};
}

Result<std::string_view> QueueReader::bytes(uint64_t size, uint64_t end) {
  const bool held = offset_ >= buffer_at_ && offset_ + size <= buffer_at_ + buffer_.size();
  if (!held) {
    if (file_ == nullptr) return fail(Code::kUnavailable, "queue segment: not open");
    if (offset_ + size > end) return fail(Code::kDataLoss, "queue segment: cut short");
    buffer_.resize(std::min(std::max(size, kReadBytes), end - offset_));
    buffer_at_ = offset_;
    const auto got = file_->read_at(offset_, buffer_);
    buffer_.resize(got.value_or(0));
    TRY(got);
    if (buffer_.size() < size) return fail(Code::kDataLoss, "queue segment: cut short");
  }
  return std::string_view(buffer_).substr(offset_ - buffer_at_);
}

}  // namespace binnacle::collect::ship
