// The bytes of the write-ahead log below its records: headers of segments and groups, frames, the
// names of segments. Pure functions; what they read may be anything, and views point into it. For
// the files wal*.cc. Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/store_format.h"

namespace binnacle::store::metrics {

inline constexpr size_t kWalHeaderBytes = 32;
inline constexpr size_t kWalGroupHeaderBytes = 16;
inline constexpr size_t kWalFrameHeaderBytes = 12;
inline constexpr size_t kWalMaxGroupBytes = size_t{256} << 20;
inline constexpr char kWalEndMark = static_cast<char>(0xE5);

std::string wal_segment_path(const std::string& folder, uint64_t segment);
// Ascending; empty when there is no such folder.
Result<std::vector<uint64_t>> list_wal_segments(FileSystem& files, const std::string& folder);
Result<uint64_t> wal_segment_size(FileSystem& files, const std::string& folder, uint64_t segment);

struct WalHeader {
  int format = kDefaultFormat;
  uint64_t segment = 0;
  uint64_t previous_bytes = 0;
};
void append_wal_header(const WalHeader& header, std::string& out);
// kDataLoss: not a header. kFailedPrecondition: of a version that this binary does not read.
Result<WalHeader> parse_wal_header(std::string_view bytes);

// A group's place: it is no group anywhere else.
struct WalPlace {
  uint64_t segment = 0;
  uint64_t offset = 0;
};
void append_wal_group_header(WalPlace place, uint32_t frame_bytes, uint32_t frame_count,
                             std::string& out);

// How many frames `frames` consists of by their lengths; nothing when they do not fill it exactly.
std::optional<uint32_t> count_wal_frames(std::string_view frames);

struct WalFrame {
  uint8_t type = 0;
  std::string_view payload;
};
// What stands at an offset of a segment.
struct WalGroup {
  std::vector<WalFrame> frames;
  uint64_t end = 0;  // offset of the first byte behind it
};
enum class WalFault : uint8_t { kNone, kCutShort, kWrong };
// Fills `group`, whose vector is used again, and checks everything; `reason` is set on a fault.
WalFault parse_wal_group(std::string_view segment_bytes, WalPlace place, WalGroup& group,
                         std::string& reason);
// Whether the header of a group stands anywhere from that place on.
bool has_wal_group_from(std::string_view segment_bytes, WalPlace place);

}  // namespace binnacle::store::metrics
