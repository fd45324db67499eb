#include <fmt/format.h>

#include "base/check.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {
namespace {

// Cuts a segment and makes it durable.
Status cut(FileSystem& files, const std::string& path, uint64_t size) {
  TRY(files.truncate(path, size));
  TRY_ASSIGN(const auto file, files.open_writable(path, FileSystem::Create::kAppend));
  return file->sync();
}

Result<std::string> make_aside_folder(FileSystem& files, const std::string& folder,
                                      uint64_t segment) {
  std::string aside = fmt::format("{}-damaged-{:08}", folder, segment);
  const std::string first = aside;
  for (int n = 2; files.exists(aside); ++n) aside = fmt::format("{}-{}", first, n);
  TRY(files.create_directories(aside));
  return aside;
}

Status copy_aside(FileSystem& files, const std::string& from, const std::string& to) {
  TRY_ASSIGN(const auto mapped, files.map(from));
  return files.write_file_atomically(to, mapped->bytes());
}

}  // namespace

Status mend_wal(FileSystem& files, const std::string& folder, const WalReadReport& report) {
  if (report.damage.empty()) return {};
  CHECK(report.damage.size() == 1);
  const WalDamage& damage = report.damage.front();
  const std::string path = wal_segment_path(folder, damage.segment);
  if (damage.torn_tail) return cut(files, path, damage.offset);

  TRY_ASSIGN(const auto segments, list_wal_segments(files, folder));
  TRY_ASSIGN(const std::string aside, make_aside_folder(files, folder, damage.segment));
  const bool is_missing = report.last_segment < damage.segment;
  if (!is_missing) TRY(copy_aside(files, path, wal_segment_path(aside, damage.segment)));
  // From the highest number down: a crash in between leaves the same damage, or none behind it.
  for (auto it = segments.rbegin(); it != segments.rend() && *it > damage.segment; ++it) {
    TRY(files.rename(wal_segment_path(folder, *it), wal_segment_path(aside, *it)));
  }
  TRY(files.sync_dir(aside));
  TRY(files.sync_dir(folder));
  if (is_missing) return {};
  return cut(files, path, damage.offset);
}

}  // namespace binnacle::store::metrics
