#include "store/metrics/block_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace binnacle::store::metrics {
namespace {

constexpr size_t kMaxMetaBytes = size_t{16} << 20;

}  // namespace

Result<std::vector<std::string>> list_blocks(FileSystem& files, const std::string& blocks_folder) {
  TRY_ASSIGN(const auto entries, files.list(blocks_folder));
  std::vector<std::string> ulids;
  for (const DirEntry& entry : entries) {
    if (entry.is_directory && is_ulid(entry.name)) ulids.push_back(entry.name);
  }
  return ulids;
}

Result<BlockMeta> read_block_meta(FileSystem& files, const std::string& folder) {
  const std::string path = folder + "/meta.json";
  TRY_ASSIGN(const std::string text, files.read_file(path, kMaxMetaBytes));
  auto meta = parse_block_meta(text);
  if (!meta) return fail(std::move(meta).error().with_context(path));
  if (folder.substr(folder.rfind('/') + 1) != meta->ulid)
    return fail(Code::kDataLoss, path + ": names another block (" + meta->ulid + ")");
  return meta;
}

Status remove_unfinished(FileSystem& files, const std::string& blocks_folder) {
  TRY_ASSIGN(const auto entries, files.list(blocks_folder));
  for (const DirEntry& entry : entries) {
    const std::string_view name = entry.name;
    if (name.ends_with(kUnfinishedSuffix) &&
        is_ulid(name.substr(0, name.size() - kUnfinishedSuffix.size()))) {
      TRY(files.remove_all(blocks_folder + "/" + entry.name));
    }
  }
  return {};
}

Result<std::string> set_block_aside(FileSystem& files, const std::string& blocks_folder,
                                    const std::string& ulid) {
  std::string name = fmt::format("{}{}", ulid, kDamagedSuffix);
  for (int i = 2; files.exists(blocks_folder + "/" + name); ++i)
    name = fmt::format("{}.{}{}", ulid, i, kDamagedSuffix);
  TRY(files.rename(blocks_folder + "/" + ulid, blocks_folder + "/" + name));
  TRY(files.sync_dir(blocks_folder));
  return name;
}

std::vector<std::string> find_superseded(std::span<const BlockMeta> metas) {
  std::set<std::string_view> parents;
  for (const BlockMeta& meta : metas) parents.insert(meta.parents.begin(), meta.parents.end());
  std::vector<std::string> out;
  for (const BlockMeta& meta : metas) {
    if (parents.contains(meta.ulid)) out.push_back(meta.ulid);
  }
  return out;
}

Status remove_block(FileSystem& files, const std::string& blocks_folder, const std::string& ulid) {
  const std::string folder = blocks_folder + "/" + ulid;
  const std::string aside = folder + std::string(kUnfinishedSuffix);
  if (files.exists(folder)) {
    TRY(files.remove_all(aside));
    TRY(files.rename(folder, aside));
    TRY(files.sync_dir(blocks_folder));
  }
  return files.remove_all(aside);
}

}  // namespace binnacle::store::metrics
