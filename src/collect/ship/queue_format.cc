#include "collect/ship/queue_format.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace binnacle::collect::ship {
namespace {

constexpr std::string_view kMagic = "BNCLQUE\n";
constexpr size_t kHeaderCrcAt = 28;
constexpr size_t kCursorCrcAt = 36;

void put_u32(std::string& bytes, size_t at, uint32_t value) {
  std::string four;
  ByteWriter(four).u32(value);
  bytes.replace(at, 4, four);
}

// Of everything behind the checksum, which stands first.
uint32_t frame_crc(std::string_view frame, QueuePlace place) {
  std::string where;
  ByteWriter writer(where);
  writer.u64(place.segment);
  writer.u64(place.offset);
  return crc32c(frame.substr(4), crc32c(where));
}

}  // namespace

std::string queue_header(uint64_t segment) {
  std::string out(kMagic);
  ByteWriter writer(out);
  writer.u16(kQueueFormat);
  writer.u16(0);
  writer.u32(0);
  writer.u64(segment);
  writer.u32(0);
  writer.u32(crc32c(out));
  CHECK(out.size() == kQueueHeaderBytes);
  return out;
}

Status check_queue_header(std::string_view bytes, uint64_t segment) {
  if (bytes.size() < kQueueHeaderBytes || !bytes.starts_with(kMagic))
    return fail(Code::kDataLoss, "not a segment of a queue");
  ByteReader reader(bytes.substr(kMagic.size(), kQueueHeaderBytes - kMagic.size()));
  const uint16_t format = reader.u16();
  reader.u16();
  reader.u32();
  const uint64_t number = reader.u64();
  reader.u32();
  if (reader.u32() != crc32c(bytes.substr(0, kHeaderCrcAt)) || number != segment)
    return fail(Code::kDataLoss, "the header of the segment is damaged");
  if (format == kQueueFormat) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("queue of format {}, this binary reads {}: run the version that wrote "
                          "it, or move the folder away, which loses what was not shipped",
                          format, kQueueFormat));
}

std::optional<QueueFrame> parse_queue_frame(std::string_view bytes) {
  if (bytes.size() < kQueueFrameHeaderBytes) return std::nullopt;
  ByteReader reader(bytes.substr(4, kQueueFrameHeaderBytes - 4));
  QueueFrame frame;
  frame.payload_bytes = reader.u32();
  frame.samples = reader.u32();
  reader.u32();
  frame.min_ms = static_cast<int64_t>(reader.u64());
  frame.max_ms = static_cast<int64_t>(reader.u64());
  const bool possible = frame.payload_bytes <= kQueueMaxPayloadBytes && frame.samples > 0 &&
                        frame.samples <= kQueueFrameSamples && frame.min_ms <= frame.max_ms;
  return possible ? std::optional(frame) : std::nullopt;
}

bool is_whole_frame(std::string_view bytes, QueuePlace place) {
  return ByteReader(bytes).u32() == frame_crc(bytes, place);
}

QueueFrame append_queue_frame(std::span<const model::KnownSample>& samples,
                              const LabelsOfRef& labels_of, QueuePlace place, RefNumbers& numbers,
                              std::string& out, uint64_t& left_out) {
  QueueFrame frame{.min_ms = std::numeric_limits<int64_t>::max(),
                   .max_ms = std::numeric_limits<int64_t>::min()};
  const uint32_t known = numbers.size();
  std::string series;
  std::string columns;
  columns.reserve(std::min(samples.size(), kQueueFrameSamples) * 12);
  ByteWriter series_writer(series);
  ByteWriter writer(columns);
  std::string labels;
  int64_t number_before = 0;
  int64_t ms_before = 0;
  size_t taken = 0;
  for (; taken < samples.size() && taken < kQueueFrameSamples; ++taken) {
    if (series.size() > kQueueFrameSeriesBytes) break;
    const model::KnownSample& known_sample = samples[taken];
    uint32_t number = numbers.find(known_sample.ref);
    if (number == RefNumbers::kNone) {
      labels.clear();
      if (!labels_of(known_sample.ref, labels)) {
        ++left_out;
        continue;
      }
      number = numbers.add(known_sample.ref);
      series_writer.sized(labels);
    }
    const model::Sample& sample = known_sample.sample;
    writer.zigzag(number - number_before);
    writer.zigzag(static_cast<int64_t>(static_cast<uint64_t>(sample.timestamp_ms) -
                                       static_cast<uint64_t>(ms_before)));
    writer.f64(sample.value);
    number_before = number;
    ms_before = sample.timestamp_ms;
    frame.min_ms = std::min(frame.min_ms, sample.timestamp_ms);
    frame.max_ms = std::max(frame.max_ms, sample.timestamp_ms);
    ++frame.samples;
  }
  samples = samples.subspan(taken);
  if (frame.samples == 0) return frame;

  const size_t begin = out.size();
  ByteWriter to(out);
  to.u32(0);  // the checksum, once all is there
  to.u32(0);
  to.u32(frame.samples);
  to.u32(0);
  to.u64(static_cast<uint64_t>(frame.min_ms));
  to.u64(static_cast<uint64_t>(frame.max_ms));
  to.varint(numbers.size() - known);
  to.raw(series);
  to.raw(columns);
  frame.payload_bytes = static_cast<uint32_t>(out.size() - begin - kQueueFrameHeaderBytes);
  put_u32(out, begin + 4, frame.payload_bytes);
  put_u32(out, begin, frame_crc(std::string_view(out).substr(begin), place));
  return frame;
}

Status read_queue_payload(std::string_view payload, uint32_t known_series, bool with_samples,
                          QueueChunk& chunk) {
  ByteReader reader(payload);
  const uint64_t new_series = reader.varint();
  for (uint64_t i = 0; i < new_series && reader.ok(); ++i)
    chunk.new_series.emplace_back(reader.sized());
  if (!reader.ok()) return fail(Code::kDataLoss, "queue frame: its series are cut short");
  if (!with_samples) return {};
  uint64_t number = 0;
  uint64_t ms = 0;
  while (!reader.at_end()) {
    number += static_cast<uint64_t>(reader.zigzag());
    ms += static_cast<uint64_t>(reader.zigzag());
    const double value = reader.f64();
    if (!reader.ok() || number >= known_series + new_series)
      return fail(Code::kDataLoss, "queue frame: its samples are cut short");
    chunk.samples.push_back({static_cast<uint32_t>(number), {static_cast<int64_t>(ms), value}});
  }
  return {};
}

std::string cursor_record(const QueueCursor& cursor) {
  std::string out;
  ByteWriter writer(out);
  for (const QueuePlace& place : {cursor.acknowledged, cursor.kept}) {
    writer.u64(place.segment);
    writer.u64(place.offset);
  }
  writer.u32(0);
  writer.u32(crc32c(out));
  return out;
}

std::optional<QueueCursor> last_cursor_record(std::string_view bytes) {
  for (size_t end = bytes.size() / kCursorRecordBytes * kCursorRecordBytes; end > 0;
       end -= kCursorRecordBytes) {
    const std::string_view record = bytes.substr(end - kCursorRecordBytes, kCursorRecordBytes);
    ByteReader reader(record);
    QueueCursor cursor;
    for (QueuePlace* place : {&cursor.acknowledged, &cursor.kept}) {
      place->segment = reader.u64();
      place->offset = reader.u64();
    }
    reader.u32();
    const bool whole = reader.u32() == crc32c(record.substr(0, kCursorCrcAt));
    if (whole && cursor.kept <= cursor.acknowledged) return cursor;
  }
  return std::nullopt;
}

}  // namespace binnacle::collect::ship
