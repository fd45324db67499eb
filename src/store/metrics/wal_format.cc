#include "store/metrics/wal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "store/metrics/wal.h"

namespace binnacle::store::metrics {
namespace {

constexpr std::string_view kHeaderMagic = "BNCLWAL\n";
constexpr std::string_view kGroupMagic = "GRP1";
constexpr size_t kGroupChecked = 12;  // bytes of a group header under its checksum

uint32_t load_u32(const char* at) {
  uint32_t v;
  std::memcpy(&v, at, sizeof(v));
  return v;
}

void store_u32(uint32_t v, char* at) { std::memcpy(at, &v, sizeof(v)); }

uint32_t group_crc(WalPlace place, std::string_view checked) {
  char bound[16];
  std::memcpy(bound, &place.segment, 8);
  std::memcpy(bound + 8, &place.offset, 8);
  return crc32c(checked, crc32c({bound, sizeof(bound)}));
}

bool is_group_header(std::string_view bytes, WalPlace place) {
  return bytes.size() >= kWalGroupHeaderBytes && bytes.starts_with(kGroupMagic) &&
         load_u32(bytes.data() + kGroupChecked) == group_crc(place, bytes.substr(0, kGroupChecked));
}

// Takes one frame off `rest`; false when its length does not fit.
bool take_frame(std::string_view& rest, std::string_view& frame) {
  if (rest.size() < kWalFrameHeaderBytes) return false;
  const uint32_t payload = load_u32(rest.data() + 4);
  if (payload > kWalMaxPayloadBytes || payload > rest.size() - kWalFrameHeaderBytes) return false;
  frame = rest.substr(0, kWalFrameHeaderBytes + payload);
  rest.remove_prefix(frame.size());
  return true;
}

// Empty when the frames are right; otherwise what is wrong.
std::string_view parse_frames(std::string_view rest, uint32_t count,
                              std::vector<WalFrame>& frames) {
  frames.clear();
  while (!rest.empty()) {
    std::string_view frame;
    if (!take_frame(rest, frame)) return "the length of a record";
    if (load_u32(frame.data()) != crc32c(frame.substr(4))) return "the checksum of a record";
    if (frame[9] != 0 || frame[10] != 0 || frame[11] != 0) return "a reserved field of a record";
    frames.push_back({static_cast<uint8_t>(frame[8]), frame.substr(kWalFrameHeaderBytes)});
  }
  return frames.size() == count ? "" : "the number of records";
}

std::optional<uint64_t> segment_of_name(const std::string& name) {
  uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) return std::nullopt;
  if (fmt::format("{:08}", number) != name) return std::nullopt;
  return number;
}

}  // namespace

std::string wal_segment_path(const std::string& folder, uint64_t segment) {
  return fmt::format("{}/{:08}", folder, segment);
}

Result<std::vector<uint64_t>> list_wal_segments(FileSystem& files, const std::string& folder) {
  std::vector<uint64_t> segments;
  const auto entries = files.list(folder);
  if (!entries && entries.error().code == Code::kNotFound) return segments;
  if (!entries) return fail(entries.error());
  for (const DirEntry& entry : *entries) {
    const auto number = segment_of_name(entry.name);
    if (number && !entry.is_directory) segments.push_back(*number);
  }
  std::ranges::sort(segments);  // by name, nine digits stand before eight
  return segments;
}

Result<uint64_t> wal_segment_size(FileSystem& files, const std::string& folder, uint64_t segment) {
  TRY_ASSIGN(const auto file, files.open_readable(wal_segment_path(folder, segment)));
  return file->size();
}

void append_wal_header(const WalHeader& header, std::string& out) {
  const size_t start = out.size();
  ByteWriter writer(out);
  writer.raw(kHeaderMagic);
  writer.u16(static_cast<uint16_t>(header.format));
  writer.u16(0);
  writer.u64(header.segment);
  writer.u64(header.previous_bytes);
  writer.u32(crc32c(std::string_view(out).substr(start)));
}

Result<WalHeader> parse_wal_header(std::string_view bytes) {
  ByteReader reader(bytes.substr(0, kWalHeaderBytes));
  const std::string_view magic = reader.raw(kHeaderMagic.size());
  const uint16_t version = reader.u16();
  const uint16_t zero = reader.u16();
  const WalHeader header{version, reader.u64(), reader.u64()};
  const uint32_t crc = reader.u32();
  if (!reader.ok()) return fail(Code::kDataLoss, "the header is cut short");
  if (magic != kHeaderMagic || crc != crc32c(bytes.substr(0, kWalHeaderBytes - 4))) {
    return fail(Code::kDataLoss, "the checksum of the header is wrong");
  }
  // Before the other fields, which a newer version may use.
  if (version != 0) TRY(check_format(version));
  if (version == 0 || zero != 0) return fail(Code::kDataLoss, "a field of the header is wrong");
  return header;
}

void append_wal_group_header(WalPlace place, uint32_t frame_bytes, uint32_t frame_count,
                             std::string& out) {
  const size_t start = out.size();
  ByteWriter writer(out);
  writer.raw(kGroupMagic);
  writer.u32(frame_bytes);
  writer.u32(frame_count);
  writer.u32(group_crc(place, std::string_view(out).substr(start)));
}

size_t begin_wal_frame(WalRecordType type, std::string& out) {
  const size_t begun = out.size();
  out.append(kWalFrameHeaderBytes, '\0');
  out[begun + 8] = static_cast<char>(type);
  return begun;
}

void end_wal_frame(size_t begun, std::string& out) {
  CHECK(out.size() >= begun + kWalFrameHeaderBytes);
  const size_t payload = out.size() - begun - kWalFrameHeaderBytes;
  CHECK(payload <= kWalMaxPayloadBytes);
  store_u32(static_cast<uint32_t>(payload), out.data() + begun + 4);
  store_u32(crc32c(std::string_view(out).substr(begun + 4)), out.data() + begun);
}

void append_wal_frame(WalRecordType type, std::string_view payload, std::string& out) {
  const size_t begun = begin_wal_frame(type, out);
  out += payload;
  end_wal_frame(begun, out);
}

std::optional<uint32_t> count_wal_frames(std::string_view frames) {
  uint32_t count = 0;
  for (std::string_view frame; !frames.empty(); ++count) {
    if (!take_frame(frames, frame)) return std::nullopt;
  }
  return count;
}

WalFault parse_wal_group(std::string_view segment_bytes, WalPlace place, WalGroup& group,
                         std::string& reason) {
  CHECK(place.offset <= segment_bytes.size());
  const std::string_view bytes = segment_bytes.substr(place.offset);
  if (bytes.size() < kWalGroupHeaderBytes) {
    reason = "the header of a group is cut short";
    return WalFault::kCutShort;
  }
  if (!is_group_header(bytes, place)) {
    reason = "the header of a group is wrong";
    return WalFault::kWrong;
  }
  const uint64_t frame_bytes = load_u32(bytes.data() + 4);
  if (bytes.size() < kWalGroupHeaderBytes + frame_bytes + 1) {
    reason = "a group is cut short";
    return WalFault::kCutShort;
  }
  const std::string_view wrong = parse_frames(bytes.substr(kWalGroupHeaderBytes, frame_bytes),
                                              load_u32(bytes.data() + 8), group.frames);
  group.end = place.offset + kWalGroupHeaderBytes + frame_bytes + 1;
  if (!wrong.empty()) {
    reason = fmt::format("{} is wrong", wrong);
    return WalFault::kWrong;
  }
  if (segment_bytes[group.end - 1] != kWalEndMark) {
    reason = "the end mark of a group is wrong";
    return WalFault::kWrong;
  }
  return WalFault::kNone;
}

bool has_wal_group_from(std::string_view segment_bytes, WalPlace place) {
  for (;; ++place.offset) {
    place.offset = segment_bytes.find(kGroupMagic, place.offset);
    if (place.offset == std::string_view::npos) return false;
    if (is_group_header(segment_bytes.substr(place.offset), place)) return true;
  }
}

}  // namespace binnacle::store::metrics
