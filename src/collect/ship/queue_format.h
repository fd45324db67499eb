// The bytes of a SampleQueue: headers of segments, frames, records of the cursor. Pure functions;
// what they read may be anything, and views point into it. Format: docs/formats/queue.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "collect/ship/ref_numbers.h"
#include "collect/ship/sample_queue.h"

namespace binnacle::collect::ship {

inline constexpr uint16_t kQueueFormat = 1;
inline constexpr size_t kQueueHeaderBytes = 32;
inline constexpr size_t kQueueFrameHeaderBytes = 32;
inline constexpr size_t kQueueMaxPayloadBytes = size_t{64} << 20;
inline constexpr size_t kQueueFrameSamples = 10'000;  // an append of more is several frames
inline constexpr size_t kQueueFrameSeriesBytes = size_t{4} << 20;
inline constexpr size_t kCursorRecordBytes = 40;

// A frame's place: it is no frame anywhere else.
struct QueuePlace {
  uint64_t segment = 0;
  uint64_t offset = 0;
  friend auto operator<=>(const QueuePlace&, const QueuePlace&) = default;
};

std::string queue_header(uint64_t segment);
// kDataLoss: not the header of that segment. kFailedPrecondition: of a version that this binary
// does not read.
Status check_queue_header(std::string_view bytes, uint64_t segment);

struct QueueFrame {
  uint32_t payload_bytes = 0;
  uint32_t samples = 0;
  int64_t min_ms = 0;
  int64_t max_ms = 0;
};
// The header at the beginning of `bytes`, its checksum not yet looked at; nothing when that cannot
// be one.
std::optional<QueueFrame> parse_queue_frame(std::string_view bytes);
// `bytes` is the frame from its header to the end of its payload.
bool is_whole_frame(std::string_view bytes, QueuePlace place);

// Appends a frame to `out` and numbers series that are new to `numbers`. Takes the first of
// `samples` off, at most kQueueFrameSamples and some kQueueFrameSeriesBytes of labels. Samples
// whose labels nobody knows are left out; `left_out` counts them. Nothing is appended when no
// sample is left.
QueueFrame append_queue_frame(std::span<const model::KnownSample>& samples,
                              const LabelsOfRef& labels_of, QueuePlace place, RefNumbers& numbers,
                              std::string& out, uint64_t& left_out);

// Adds a frame's series to new_series and, where `with_samples`, its samples to samples.
// `known_series` is what the frames before it in the segment brought. kDataLoss.
Status read_queue_payload(std::string_view payload, uint32_t known_series, bool with_samples,
                          QueueChunk& chunk);

struct QueueCursor {
  QueuePlace acknowledged;
  QueuePlace kept;  // not behind `acknowledged`: from there on samples stay for a rewind
};
std::string cursor_record(const QueueCursor& cursor);
// The last whole record; bytes behind it were never finished.
std::optional<QueueCursor> last_cursor_record(std::string_view bytes);

}  // namespace binnacle::collect::ship
