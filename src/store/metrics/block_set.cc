#include "store/metrics/block_set.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "store/metrics/block_folder.h"

namespace binnacle::store::metrics {

namespace {

// What the block holds is wrong. Anything else, as a disk that cannot be read now or a newer
// version, is no reason to go on without its samples.
bool is_damage(const Error& error) {
  return error.code == Code::kDataLoss || error.code == Code::kNotFound ||
         error.code == Code::kInvalidArgument || error.code == Code::kOutOfRange;
}

}  // namespace

std::vector<BlockMeta> metas_of(const BlockList& blocks) {
  std::vector<BlockMeta> metas;
  metas.reserve(blocks.size());
  for (const auto& block : blocks) metas.push_back(block->meta());
  return metas;
}

std::vector<SizedBlock> sized(const BlockList& blocks) {
  std::vector<SizedBlock> out;
  out.reserve(blocks.size());
  for (const auto& block : blocks) out.push_back({block->meta(), block->file_bytes()});
  return out;
}

BlockSet::BlockSet(FileSystem& files, std::string folder)
    : files_(files), folder_(std::move(folder)), list_(std::make_shared<BlockList>()) {}

Result<BlockSet::OpenReport> BlockSet::open(const std::function<Status()>& go_on) {
  OpenReport report;
  TRY(files_.create_directories(folder_));
  TRY(remove_unfinished(files_, folder_));
  TRY_ASSIGN(const auto ulids, list_blocks(files_, folder_));
  BlockList found;
  std::vector<BlockMeta> metas;
  for (const std::string& ulid : ulids) {
    TRY(go_on());
    auto block = Block::open(files_, path_of(ulid));
    if (block) {
      metas.push_back((*block)->meta());
      found.push_back(std::move(*block));
      continue;
    }
    if (!is_damage(block.error())) return fail(block.error());
    TRY_ASSIGN(const std::string name, set_block_aside(files_, folder_, ulid));
    report.damaged.push_back(name + ": " + block.error().message);
  }
  for (const std::string& ulid : find_superseded(metas)) {
    std::erase_if(found, [&](const auto& block) { return block->meta().ulid == ulid; });
    TRY(remove_block(files_, folder_, ulid));
  }
  report.blocks = found.size();
  publish(std::move(found));
  return report;
}

std::shared_ptr<const BlockList> BlockSet::list() const {
  MutexLock lock(mu_);
  return list_;
}

void BlockSet::publish(BlockList list) {
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return std::tie(a->meta().min_ms, a->meta().ulid) < std::tie(b->meta().min_ms, b->meta().ulid);
  });
  auto shared = std::make_shared<const BlockList>(std::move(list));
  MutexLock lock(mu_);
  list_ = std::move(shared);
}

Status BlockSet::change(const std::vector<std::string>& add,
                        const std::vector<std::string>& remove) {
  BlockList next = *list();
  for (const std::string& ulid : add) {
    TRY_ASSIGN(auto block, Block::open(files_, path_of(ulid)));
    next.push_back(std::move(block));
  }
  const std::set<std::string> gone(remove.begin(), remove.end());
  std::erase_if(next, [&](const auto& block) { return gone.contains(block->meta().ulid); });
  publish(std::move(next));
  for (const std::string& ulid : remove) TRY(remove_block(files_, folder_, ulid));
  return {};
}

Result<std::string> BlockSet::set_aside(const std::string& ulid) {
  BlockList next = *list();
  std::erase_if(next, [&](const auto& block) { return block->meta().ulid == ulid; });
  publish(std::move(next));
  return set_block_aside(files_, folder_, ulid);
}

Status BlockSet::reopen(const std::string& ulid) {
  BlockList next = *list();
  for (auto& block : next) {
    if (block->meta().ulid == ulid) {
      TRY_ASSIGN(block, Block::open(files_, path_of(ulid)));
    }
  }
  publish(std::move(next));
  return {};
}

Status BlockSet::remove_strays() {
  std::set<std::string> known;
  const auto now = list();
  for (const auto& block : *now) known.insert(block->meta().ulid);
  TRY(remove_unfinished(files_, folder_));
  TRY_ASSIGN(const auto ulids, list_blocks(files_, folder_));
  for (const std::string& ulid : ulids) {
    if (!known.contains(ulid)) TRY(remove_block(files_, folder_, ulid));
  }
  return {};
}

uint64_t BlockSet::file_bytes() const {
  uint64_t bytes = 0;
  const auto now = list();
  for (const auto& block : *now) bytes += block->file_bytes();
  return bytes;
}

}  // namespace binnacle::store::metrics
