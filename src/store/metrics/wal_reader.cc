#include <fmt/format.h>

#include <utility>

#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {
namespace {

using Visit = std::function<Status(WalRecordType, std::string_view)>;
using Progress = std::function<void(uint64_t, uint64_t)>;

constexpr uint64_t kProgressBytes = uint64_t{4} << 20;

struct Segment {
  uint64_t number = 0;
  uint64_t bytes = 0;
};

class Reader {
 public:
  Reader(FileSystem& files, const std::string& folder, std::vector<Segment> segments,
         const Visit& visit, const Progress& progress)
      : files_(files),
        folder_(folder),
        segments_(std::move(segments)),
        visit_(visit),
        progress_(progress) {
    for (const Segment& segment : segments_) total_bytes_ += segment.bytes;
  }

  Result<WalReadReport> read() {
    for (at_ = 0; at_ < segments_.size() && report_.damage.empty(); ++at_) TRY(read_segment());
    tell_progress(true);
    return std::move(report_);
  }

 private:
  bool is_last() const { return at_ + 1 == segments_.size(); }

  // Segment at_ cannot be used from `offset` on, nor can what follows.
  void stop(uint64_t number, uint64_t offset, bool torn, std::string reason) {
    WalDamage damage{number, offset, 0, torn, std::move(reason)};
    for (size_t i = at_; i < segments_.size(); ++i) damage.bytes_lost += segments_[i].bytes;
    damage.bytes_lost -= offset;
    report_.damage.push_back(std::move(damage));
  }

  Status read_segment() {
    const Segment& segment = segments_[at_];
    if (at_ == 0) report_.first_segment = segment.number;
    if (at_ > 0 && segment.number != segments_[at_ - 1].number + 1) {
      stop(segments_[at_ - 1].number + 1, 0, false, "the segment is missing");
      return {};
    }
    report_.last_segment = segment.number;
    TRY_ASSIGN(const auto mapped, files_.map(wal_segment_path(folder_, segment.number)));
    const std::string_view bytes = mapped->bytes();
    segments_[at_].bytes = bytes.size();
    if (bytes.empty()) return {};  // a crash right after it was made; the next one knows its size
    TRY_ASSIGN(const bool usable, check_header(bytes));
    if (usable) TRY(read_groups(bytes));
    return {};
  }

  Result<bool> check_header(std::string_view bytes) {
    const uint64_t number = segments_[at_].number;
    const auto header = parse_wal_header(bytes);
    if (!header && header.error().code != Code::kDataLoss) {
      return fail(Error(header.error()).with_context(wal_segment_path(folder_, number)));
    }
    if (!header) {
      const bool cut_short = bytes.size() < kWalHeaderBytes;
      stop(number, 0, is_torn(bytes, 0, cut_short), header.error().message);
      return false;
    }
    if (header->segment != number) {
      stop(number, 0, false, fmt::format("the header is of segment {}", header->segment));
      return false;
    }
    if (at_ > 0 && header->previous_bytes != segments_[at_ - 1].bytes) {
      stop(number, 0, false,
           fmt::format("the segment before has {} bytes and had {}", segments_[at_ - 1].bytes,
                       header->previous_bytes));
      return false;
    }
    return true;
  }

  Status read_groups(std::string_view bytes) {
    WalPlace place{segments_[at_].number, kWalHeaderBytes};
    while (place.offset < bytes.size()) {
      std::string reason;
      const WalFault fault = parse_wal_group(bytes, place, group_, reason);
      if (fault != WalFault::kNone) {
        const bool torn = is_torn(bytes, place.offset, fault == WalFault::kCutShort);
        stop(place.segment, place.offset, torn, std::move(reason));
        break;
      }
      for (const WalFrame& frame : group_.frames) TRY(visit_(frame.type, frame.payload));
      report_.records += group_.frames.size();
      place.offset = group_.end;
      tell_progress(false, place.offset);
    }
    report_.bytes += place.offset;
    return {};
  }

  // A write that was finished does not end in zero, and nothing stands behind one that was not.
  bool is_torn(std::string_view bytes, uint64_t offset, bool cut_short) const {
    if (!is_last() || (!cut_short && bytes.back() != '\0')) return false;
    return !has_wal_group_from(bytes, {segments_[at_].number, offset + 1});
  }

  void tell_progress(bool at_end, uint64_t more_bytes = 0) {
    const uint64_t done = report_.bytes + more_bytes;
    if (!progress_ || (!at_end && done - told_bytes_ < kProgressBytes)) return;
    told_bytes_ = done;
    progress_(at_end ? total_bytes_ : done, total_bytes_);
  }

  FileSystem& files_;
  const std::string& folder_;
  std::vector<Segment> segments_;
  const Visit& visit_;
  const Progress& progress_;

  size_t at_ = 0;
  WalGroup group_;
  WalReadReport report_;
  uint64_t total_bytes_ = 0;
  uint64_t told_bytes_ = 0;
};

}  // namespace

Result<WalReadReport> read_wal(FileSystem& files, const std::string& folder, uint64_t from,
                               const Visit& visit, const Progress& progress) {
  TRY_ASSIGN(const auto numbers, list_wal_segments(files, folder));
  std::vector<Segment> segments;
  for (const uint64_t number : numbers) {
    if (number < from) continue;
    TRY_ASSIGN(const uint64_t bytes, wal_segment_size(files, folder, number));
    segments.push_back({number, bytes});
  }
  return Reader(files, folder, std::move(segments), visit, progress).read();
}

}  // namespace binnacle::store::metrics
