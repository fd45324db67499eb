#include "store/metrics/wal_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace binnacle::store::metrics {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint8_t kSharedTime = 1;   // all samples have one time
constexpr uint8_t kStartTimes = 2;   // reserved
constexpr size_t kChunkItems = 512;  // columns are gathered on the stack in pieces of this many
constexpr size_t kMaxVarintBytes = 10;

Unexpected broken(std::string_view record, std::string_view detail) {
  return fail(Code::kDataLoss, fmt::format("{} record of the write-ahead log: {}", record, detail));
}

uint64_t zigzag(uint64_t difference) { return (difference << 1) ^ (0 - (difference >> 63)); }
uint64_t unzigzag(uint64_t bits) { return (bits >> 1) ^ (0 - (bits & 1)); }

char* put_varint(uint64_t v, char* at) {
  for (; v >= 0x80; v >>= 7) *at++ = static_cast<char>(v | 0x80);
  *at++ = static_cast<char>(v);
  return at;
}

uint64_t series_of(const WalSample& sample) { return sample.series; }
uint64_t time_of(const WalSample& sample) { return static_cast<uint64_t>(sample.timestamp_ms); }

template <typename Get>
void append_differences(std::span<const WalSample> samples, Get get, std::string& out) {
  char buffer[kChunkItems * kMaxVarintBytes];
  uint64_t before = 0;
  while (!samples.empty()) {
    const auto chunk = samples.first(std::min(samples.size(), kChunkItems));
    char* at = buffer;
    for (const WalSample& sample : chunk) {
      at = put_varint(zigzag(get(sample) - before), at);
      before = get(sample);
    }
    out.append(buffer, static_cast<size_t>(at - buffer));
    samples = samples.subspan(chunk.size());
  }
}

void append_values(std::span<const WalSample> samples, std::string& out) {
  double buffer[kChunkItems];
  while (!samples.empty()) {
    const auto chunk = samples.first(std::min(samples.size(), kChunkItems));
    for (size_t i = 0; i < chunk.size(); ++i) buffer[i] = chunk[i].value;
    out.append(reinterpret_cast<const char*>(buffer), chunk.size() * sizeof(double));
    samples = samples.subspan(chunk.size());
  }
}

// Reads `count` differences off the front of `bytes` and calls take(i, value); false when they are
// not there. Eight differences of one byte each, the common case of ids, are read at once.
template <typename Take>
bool take_differences(std::string_view& bytes, size_t count, Take take) {
  uint64_t value = 0;
  size_t i = 0;
  while (i < count) {
    uint64_t word = 0;
    if (count - i >= 8 && bytes.size() >= 8) {
      std::memcpy(&word, bytes.data(), 8);
      if ((word & 0x8080808080808080) == 0) {
        for (int k = 0; k < 8; ++k, word >>= 8) take(i++, value += unzigzag(word & 0x7F));
        bytes.remove_prefix(8);
        continue;
      }
    }
    ByteReader reader(bytes);
    value += unzigzag(reader.varint());
    if (!reader.ok()) return false;
    take(i++, value);
    bytes = reader.rest();
  }
  return true;
}

bool take_times(std::string_view& bytes, uint8_t flags, std::span<WalSample> out) {
  if ((flags & kSharedTime) == 0) {
    return take_differences(bytes, out.size(), [&](size_t i, uint64_t v) {
      out[i].timestamp_ms = static_cast<int64_t>(v);
    });
  }
  ByteReader reader(bytes);
  const int64_t shared_ms = reader.zigzag();
  for (WalSample& sample : out) sample.timestamp_ms = shared_ms;
  bytes = reader.rest();
  return reader.ok();
}

// Pairs of a name and a value, names strictly rising, as LabelsView trusts them to be.
bool is_packed_labels(std::string_view bytes) {
  ByteReader reader(bytes);
  std::string_view before;
  while (reader.ok() && !reader.at_end()) {
    const std::string_view name = reader.sized();
    const std::string_view value = reader.sized();
    if (name.empty() || value.empty() || name <= before) return false;
    before = name;
  }
  return reader.ok();
}

uint64_t take_id(ByteReader& reader, uint64_t before) {
  return before + static_cast<uint64_t>(reader.zigzag());
}

void append_id(ByteWriter& writer, uint64_t id, uint64_t before) {
  writer.zigzag(static_cast<int64_t>(id - before));
}

// The common frame of the small records: a count, then items of at least `min_bytes`, each added to
// `out` by take_item, which says whether it was right.
template <typename Item, typename TakeItem>
Status decode_items(std::string_view record, std::string_view payload, size_t min_bytes,
                    std::vector<Item>& out, TakeItem take_item) {
  ByteReader reader(payload);
  const uint64_t count = reader.varint();
  if (!reader.ok() || count > reader.rest().size() / min_bytes) {
    return broken(record, "the count is more than it holds");
  }
  out.clear();
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    Item item;
    if (!take_item(reader, item) || !reader.ok()) {
      return broken(record, fmt::format("item {} of {} is wrong", i + 1, count));
    }
    out.push_back(item);
  }
  if (!reader.at_end()) return broken(record, "bytes behind the last item");
  return {};
}

}  // namespace

void encode_samples(std::span<const WalSample> samples, std::string& out) {
  const bool shared = !samples.empty() && std::ranges::all_of(samples, [&](const WalSample& s) {
    return s.timestamp_ms == samples.front().timestamp_ms;
  });
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>(model::ValueKind::kFloat));
  writer.u8(shared ? kSharedTime : 0);
  writer.varint(samples.size());
  append_differences(samples, series_of, out);
  if (shared) {
    writer.zigzag(samples.front().timestamp_ms);
  } else {
    append_differences(samples, time_of, out);
  }
  append_values(samples, out);
}

Status decode_samples(std::string_view payload, std::vector<WalSample>& out) {
  constexpr std::string_view kRecord = "samples";
  ByteReader head(payload);
  const uint8_t kind = head.u8();
  const uint8_t flags = head.u8();
  const uint64_t count = head.varint();
  if (!head.ok()) return broken(kRecord, "it is cut short");
  if (kind != static_cast<uint8_t>(model::ValueKind::kFloat)) {
    return fail(
        Code::kUnimplemented,
        fmt::format("samples record of the write-ahead log: unknown kind of value ({})", kind));
  }
  if ((flags & ~kSharedTime) != 0) {
    return fail(
        Code::kUnimplemented,
        fmt::format("samples record of the write-ahead log: {} (flags {:#x})",
                    (flags & kStartTimes) != 0 ? "start timestamps" : "unknown flags", flags));
  }
  std::string_view rest = head.rest();
  if (count > rest.size() / (1 + sizeof(double))) {
    return broken(kRecord, "the count is more than it holds");
  }
  out.resize(count);
  if (!take_differences(rest, count, [&](size_t i, uint64_t v) { out[i].series = v; })) {
    return broken(kRecord, "the ids are wrong");
  }
  if (count > 0 && !take_times(rest, flags, out)) return broken(kRecord, "the times are wrong");
  if (rest.size() != count * sizeof(double)) {
    return broken(kRecord, "the values do not fill the rest");
  }
  const char* at = rest.data();
  for (WalSample& sample : out) {
    std::memcpy(&sample.value, at, sizeof(double));
    at += sizeof(double);
  }
  return {};
}

void encode_series(std::span<const WalSeries> series, std::string& out) {
  ByteWriter writer(out);
  writer.varint(series.size());
  uint64_t before = 0;
  for (const WalSeries& one : series) {
    append_id(writer, one.series, before);
    writer.sized(one.labels);
    before = one.series;
  }
}

Status decode_series(std::string_view payload, std::vector<WalSeries>& out) {
  uint64_t before = 0;
  return decode_items("series", payload, 2, out, [&](ByteReader& reader, WalSeries& one) {
    one.series = before = take_id(reader, before);
    one.labels = reader.sized();
    return is_packed_labels(one.labels);
  });
}

void encode_metadata(std::span<const WalMetadata> metadata, std::string& out) {
  ByteWriter writer(out);
  writer.varint(metadata.size());
  for (const WalMetadata& one : metadata) {
    writer.sized(one.metric);
    writer.u8(static_cast<uint8_t>(one.type));
    writer.sized(one.help);
    writer.sized(one.unit);
  }
}

Status decode_metadata(std::string_view payload, std::vector<WalMetadata>& out) {
  return decode_items("metadata", payload, 4, out, [&](ByteReader& reader, WalMetadata& one) {
    one.metric = reader.sized();
    const uint8_t type = reader.u8();
    one.type = static_cast<model::MetricType>(type);
    one.help = reader.sized();
    one.unit = reader.sized();
    return type <= static_cast<uint8_t>(model::MetricType::kStateset);
  });
}

void encode_tombstones(std::span<const WalTombstone> tombstones, std::string& out) {
  ByteWriter writer(out);
  writer.varint(tombstones.size());
  uint64_t before = 0;
  for (const WalTombstone& one : tombstones) {
    append_id(writer, one.series, before);
    writer.zigzag(one.min_ms);
    writer.zigzag(one.max_ms);
    before = one.series;
  }
}

Status decode_tombstones(std::string_view payload, std::vector<WalTombstone>& out) {
  uint64_t before = 0;
  return decode_items("tombstones", payload, 3, out, [&](ByteReader& reader, WalTombstone& one) {
    one.series = before = take_id(reader, before);
    one.min_ms = reader.zigzag();
    one.max_ms = reader.zigzag();
    return one.min_ms <= one.max_ms;
  });
}

}  // namespace binnacle::store::metrics
