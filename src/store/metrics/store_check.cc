#include "store/metrics/store_check.h"

#include <algorithm>

#include "store/metrics/block.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

CheckedBlock check_block(FileSystem& files, const std::string& folder, const std::string& name,
                         bool thorough) {
  CheckedBlock out{.name = name, .meta = {}, .bytes = 0, .problem = {}};
  const auto block = Block::open(files, folder + "/" + name);
  if (!block) {
    out.problem = block.error().message;
    return out;
  }
  out.meta = (*block)->meta();
  out.bytes = (*block)->file_bytes();
  if (!thorough) return out;
  if (const Status whole = (*block)->verify(); !whole) out.problem = whole.error().message;
  return out;
}

CheckedLog check_log(FileSystem& files, const std::string& path, bool needs_end) {
  CheckedLog out;
  out.path = path;
  bool ended = false;
  const auto read = read_wal(
      files, path, 0,
      [&](WalRecordType type, std::string_view) -> Status {
        ended = type == kWalHeadEnd;
        return {};
      },
      nullptr);
  if (!read) {
    out.problem = read.error().message;
    return out;
  }
  out.records = read->records;
  out.bytes = read->bytes;
  for (const WalDamage& damage : read->damage) {
    out.torn_tail = damage.torn_tail;
    if (damage.torn_tail && !needs_end) continue;
    out.problem = "segment " + std::to_string(damage.segment) + " at byte " +
                  std::to_string(damage.offset) + ": " + damage.reason + " (" +
                  std::to_string(damage.bytes_lost) + " bytes are not used)";
  }
  if (needs_end && !ended && out.problem.empty()) out.problem = "it has no end";
  return out;
}

Result<std::vector<DirEntry>> entries_of(FileSystem& files, const std::string& folder) {
  if (!files.exists(folder)) return std::vector<DirEntry>();
  return files.list(folder);
}

}  // namespace

size_t StoreCheck::problems() const {
  const auto bad = [](const auto& part) { return !part.problem.empty(); };
  return static_cast<size_t>(std::count_if(blocks.begin(), blocks.end(), bad) +
                             std::count_if(snapshots.begin(), snapshots.end(), bad)) +
         (wal.problem.empty() ? 0 : 1);
}

Result<StoreCheck> check_store(FileSystem& files, const std::string& folder, bool thorough) {
  if (!files.exists(folder))
    return fail(Code::kNotFound, "metric store " + folder + ": there is none");
  StoreCheck out;
  TRY_ASSIGN(const auto blocks, entries_of(files, folder + "/blocks"));
  for (const DirEntry& entry : blocks) {
    if (entry.name.ends_with(".damaged")) out.set_aside.push_back("blocks/" + entry.name);
    if (is_ulid(entry.name))
      out.blocks.push_back(check_block(files, folder + "/blocks", entry.name, thorough));
  }
  TRY_ASSIGN(const auto snapshots, entries_of(files, folder + "/snapshots"));
  for (const DirEntry& entry : snapshots) {
    if (entry.name.ends_with(".damaged")) out.set_aside.push_back("snapshots/" + entry.name);
    if (entry.is_directory && entry.name.find('.') == std::string::npos)
      out.snapshots.push_back(check_log(files, folder + "/snapshots/" + entry.name, true));
  }
  TRY_ASSIGN(const auto rest, files.list(folder));
  for (const DirEntry& entry : rest) {
    if (entry.name.starts_with("wal-damaged-")) out.set_aside.push_back(entry.name);
  }
  if (files.exists(folder + "/wal")) out.wal = check_log(files, folder + "/wal", false);
  return out;
}

}  // namespace binnacle::store::metrics
