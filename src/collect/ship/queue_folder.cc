#include "collect/ship/queue_folder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace binnacle::collect::ship {
namespace {

constexpr size_t kFewestDigits = 8;

std::optional<uint64_t> segment_of_name(std::string_view name) {
  if (name.size() < kFewestDigits) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && number != 0 ? std::optional(number) : std::nullopt;
}

Result<std::vector<uint64_t>> list_segments(FileSystem& files, const std::string& folder) {
  std::vector<uint64_t> segments;
  TRY_ASSIGN(const auto entries, files.list(folder));
  for (const DirEntry& entry : entries) {
    const auto number = segment_of_name(entry.name);
    if (number && !entry.is_directory) segments.push_back(*number);
  }
  std::ranges::sort(segments);
  return segments;
}

Result<QueueCursor> read_cursor(FileSystem& files, const std::string& folder) {
  const std::string path = queue_cursor_path(folder);
  if (!files.exists(path)) return QueueCursor{};
  TRY_ASSIGN(const std::string bytes, files.read_file(path));
  return last_cursor_record(bytes).value_or(QueueCursor{});
}

void note_frame(QueueSegment& segment, const QueueFrame& frame, uint64_t offset) {
  segment.samples += frame.samples;
  if (offset < segment.acknowledged) {
    segment.acknowledged_samples = segment.read_samples = segment.samples;
    return;
  }
  segment.min_ms = std::min(segment.min_ms, frame.min_ms);
  segment.max_ms = std::max(segment.max_ms, frame.max_ms);
}

// Walks the frames; segment.bytes becomes the end of the whole ones.
void scan_frames(std::string_view bytes, QueueSegment& segment, QueueMark& kept) {
  segment.bytes = kQueueHeaderBytes;
  while (true) {
    const std::string_view rest = bytes.substr(segment.bytes);
    const auto frame = parse_queue_frame(rest);
    if (!frame) break;
    const uint64_t size = kQueueFrameHeaderBytes + frame->payload_bytes;
    if (rest.size() < size) break;
    if (!is_whole_frame(rest.substr(0, size), {segment.number, segment.bytes})) break;
    note_frame(segment, *frame, segment.bytes);
    segment.bytes += size;
    if (kept.segment == segment.number && segment.bytes <= kept.offset)
      kept.samples = segment.samples;
  }
  segment.acknowledged = std::min(segment.acknowledged, segment.bytes);
}

// What could not be read lies between the samples before and those after.
Gap damage(const QueueSegment& segment) {
  const int64_t from = segment.samples > segment.acknowledged_samples ? segment.max_ms : 0;
  return {.from_ms = from, .to_ms = from, .samples = 0, .reason = "damaged"};
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& folder) : files_(files), folder_(folder) {}

  Result<QueueContent> run() {
    TRY_ASSIGN(content_.cursor, read_cursor(files_, folder_));
    TRY_ASSIGN(const auto numbers, list_segments(files_, folder_));
    const QueueCursor& cursor = content_.cursor;
    content_.kept = {cursor.kept.segment, cursor.kept.offset, 0};
    content_.next_segment = cursor.acknowledged.segment + 1;
    for (const uint64_t number : numbers) {
      content_.next_segment = std::max(content_.next_segment, number + 1);
      TRY(take(number, number == numbers.back()));
    }
    return std::move(content_);
  }

 private:
  Status take(uint64_t number, bool last) {
    const std::string path = queue_segment_path(folder_, number);
    const QueueCursor& cursor = content_.cursor;
    if (number < cursor.kept.segment) return files_.remove(path);
    QueueSegment segment;
    segment.number = number;
    if (number < cursor.acknowledged.segment) segment.acknowledged = UINT64_MAX;
    if (number == cursor.acknowledged.segment)
      segment.acknowledged = std::max<uint64_t>(cursor.acknowledged.offset, kQueueHeaderBytes);
    uint64_t size = 0;
    Status header;
    {
      TRY_ASSIGN(const auto mapped, files_.map(path));
      size = mapped->bytes().size();
      header = check_queue_header(mapped->bytes(), number);
      if (header) scan_frames(mapped->bytes(), segment, content_.kept);
    }
    if (!header && header.error().code == Code::kFailedPrecondition)
      return fail(std::move(header).error().with_context(path));
    if (header && segment.bytes == size) {
      note_gap_before(segment);
      return keep(segment);
    }
    if (last) {
      content_.torn_bytes += size - (header ? segment.bytes : 0);
    } else {
      content_.gaps.push_back(damage(segment));
    }
    if (!header) return files_.remove(path);
    TRY(files_.truncate(path, segment.bytes));
    return keep(segment);
  }

  // The time of a damage before ends where the samples begin again.
  void note_gap_before(const QueueSegment& segment) {
    if (content_.gaps.empty() || segment.samples == segment.acknowledged_samples) return;
    Gap& gap = content_.gaps.back();
    if (gap.from_ms == 0) gap.from_ms = segment.min_ms;
    if (gap.to_ms < segment.min_ms) gap.to_ms = segment.min_ms;
  }

  Status keep(const QueueSegment& segment) {
    const bool needed = segment.number == content_.kept.segment
                            ? content_.kept.offset < segment.bytes
                            : segment.bytes > kQueueHeaderBytes;
    if (!needed && segment.acknowledged == segment.bytes)
      return files_.remove(queue_segment_path(folder_, segment.number));
    content_.segments.push_back(segment);
    return {};
  }

  FileSystem& files_;
  const std::string& folder_;
  QueueContent content_;
};

}  // namespace

std::string queue_segment_path(const std::string& folder, uint64_t segment) {
  return fmt::format("{}/{:08}", folder, segment);
}

std::string queue_cursor_path(const std::string& folder) { return folder + "/cursor"; }

Result<QueueContent> recover_queue_folder(FileSystem& files, const std::string& folder) {
  return Recovery(files, folder).run();
}

}  // namespace binnacle::collect::ship
