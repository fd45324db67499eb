#include "store/metrics/store_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "store/metrics/block_folder.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {
namespace {

// What is broken, missing or too large has no version; it is dealt with later.
Status unless_damaged(const Error& error) {
  const bool damaged = error.code == Code::kDataLoss || error.code == Code::kNotFound ||
                       error.code == Code::kOutOfRange;
  return damaged ? Status() : fail(error);
}

Status check_segments(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const auto segments, list_wal_segments(files, folder));
  for (const uint64_t segment : segments) {
    const std::string path = wal_segment_path(folder, segment);
    TRY_ASSIGN(const auto file, files.open_readable(path));
    std::array<char, kWalHeaderBytes> bytes{};
    TRY_ASSIGN(const size_t got, file->read_at(0, bytes));
    const auto header = parse_wal_header({bytes.data(), got});
    if (!header) TRY(unless_damaged(Error(header.error()).with_context(path)));
  }
  return {};
}

Status check_snapshots(FileSystem& files, const std::string& folder) {
  if (!files.exists(folder)) return {};
  TRY_ASSIGN(const auto entries, files.list(folder));
  for (const DirEntry& entry : entries) {
    const bool is_snapshot =
        entry.is_directory && entry.name.find_first_not_of("0123456789") == std::string::npos;
    if (is_snapshot) TRY(check_segments(files, folder + "/" + entry.name));
  }
  return {};
}

Status check_blocks(FileSystem& files, const std::string& folder) {
  if (!files.exists(folder)) return {};
  TRY_ASSIGN(const auto ulids, list_blocks(files, folder));
  for (const std::string& ulid : ulids) {
    const auto meta = read_block_meta(files, folder + "/" + ulid);
    if (!meta) TRY(unless_damaged(meta.error()));
  }
  return {};
}

}  // namespace

Status check_format(int format) {
  if (format > kNewestFormat) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("written in format {}, and this binary reads up to {}; run the newer binary, "
                    "or restore a backup from before storage.format was raised (docs/storage.md)",
                    format, kNewestFormat));
  }
  if (format < kOldestFormat) {
    return fail(Code::kFailedPrecondition,
                fmt::format("written in format {}, and this binary reads from {} on; run the "
                            "releases between, one after the other (docs/storage.md)",
                            format, kOldestFormat));
  }
  return {};
}

Status check_store_formats(FileSystem& files, const std::string& folder) {
  TRY(check_blocks(files, folder + "/blocks"));
  TRY(check_snapshots(files, folder + "/snapshots"));
  return check_segments(files, folder + "/wal");
}

}  // namespace binnacle::store::metrics
