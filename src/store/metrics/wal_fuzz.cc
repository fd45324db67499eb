// A write-ahead log from a broken disk. The first byte chooses: 0, the rest is the one segment of a
// log, as it is; 1, it stands behind a good header and group; 2, it is the frames of a good group;
// others, it is the payload of that type of record, less 3. What is read must lie in the input,
// what is damaged must be mended for good, and what was decoded must encode to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/fault_file_system.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kMaxInput = 1 << 16;

void append_group(std::string_view frames, uint32_t count, std::string& segment) {
  append_wal_group_header({1, segment.size()}, static_cast<uint32_t>(frames.size()), count,
                          segment);
  segment += frames;
  segment += kWalEndMark;
}

std::string good_beginning() {
  std::string segment;
  append_wal_header({.segment = 1}, segment);
  std::string frames;
  append_wal_frame(kWalSamples, "good", frames);
  append_group(frames, 1, segment);
  return segment;
}

struct Log {
  std::vector<std::string> records;
  WalReadReport report;
};

Result<Log> read_log(FileSystem& files, size_t max_bytes) {
  Log log;
  TRY_ASSIGN(log.report, read_wal(files, "wal", 0,
                                  [&](WalRecordType, std::string_view payload) -> Status {
                                    CHECK(payload.size() <= max_bytes);
                                    log.records.emplace_back(payload);
                                    return {};
                                  },
                                  {}));
  return log;
}

void check_segment(const std::string& bytes, size_t least_records) {
  FaultFileSystem files;
  CHECK(files.create_directories("wal"));
  {
    auto file = files.open_writable("wal/00000001", FileSystem::Create::kTruncate, 0644);
    CHECK(file && (*file)->append(bytes));
  }
  const auto log = read_log(files, bytes.size());
  if (!log) {
    CHECK(log.error().code == Code::kFailedPrecondition);
    return;
  }
  CHECK(log->records.size() >= least_records);
  CHECK(log->report.bytes <= bytes.size());
  for (const WalDamage& damage : log->report.damage) {
    CHECK(damage.offset + damage.bytes_lost == bytes.size() && !damage.reason.empty());
  }
  CHECK(mend_wal(files, "wal", log->report));
  const auto mended = read_log(files, bytes.size());
  CHECK(mended && mended->report.damage.empty() && mended->records == log->records);
}

template <typename Item, typename Decode, typename Encode>
void check_record(std::string_view payload, Decode decode, Encode encode) {
  std::vector<Item> items;
  if (!decode(payload, items)) return;
  std::string again;
  encode(items, again);
  CHECK(again.size() <= payload.size());  // the shortest form
  std::vector<Item> items_again;
  CHECK(decode(again, items_again) && items_again.size() == items.size());
  std::string third;
  encode(items_again, third);
  CHECK(third == again);
}

void check_payload(uint8_t type, std::string_view payload) {
  switch (type) {
    case kWalSeries:
      return check_record<WalSeries>(payload, decode_series, encode_series);
    case kWalSamples:
      return check_record<WalSample>(payload, decode_samples, encode_samples);
    case kWalMetadata:
      return check_record<WalMetadata>(payload, decode_metadata, encode_metadata);
    case kWalTombstones:
      return check_record<WalTombstone>(payload, decode_tombstones, encode_tombstones);
    default:
      return;
  }
}

void check_input(const uint8_t* data, size_t size) {
  if (size == 0 || size > kMaxInput) return;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string segment;
  switch (data[0]) {
    case 0:
      check_segment(std::string(input), 0);
      break;
    case 1:
      check_segment(good_beginning().append(input), 1);
      break;
    case 2:
      segment = good_beginning();
      append_group(input, count_wal_frames(input).value_or(1), segment);
      check_segment(segment, 1);
      break;
    default:
      check_payload(static_cast<uint8_t>(data[0] - 3), input);
  }
}

}  // namespace
}  // namespace binnacle::store::metrics

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  binnacle::store::metrics::check_input(data, size);
  return 0;
}
