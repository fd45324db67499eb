#include "base/fault_disk.h"

#include "base/check.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <set>

namespace binnacle {
namespace {

constexpr size_t kSectorBytes = 512;

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (const auto& part : std::filesystem::path("/" + path).lexically_normal()) {
    if (!part.empty() && part != "/") parts.push_back(part.string());
  }
  return parts;
}

using Seen = std::set<const DiskNode*>;

void visit_files(DiskNode& node, Seen& seen, const std::function<void(DiskNode&)>& visit) {
  if (!seen.insert(&node).second) return;
  if (!node.is_directory) visit(node);
  for (auto& [name, child] : node.names) visit_files(*child, seen, visit);
}

bool contains(const DiskNode& folder, const DiskNode* sought) {
  return std::ranges::any_of(folder.names, [&](const auto& entry) {
    return entry.second.get() == sought || contains(*entry.second, sought);
  });
}

void zero_lost(DiskNode& file, std::string& bytes) {
  for (auto [start, end] : file.lost) {
    start = std::min(start, bytes.size());
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(start),
              bytes.begin() + static_cast<ptrdiff_t>(std::min(end, bytes.size())), '\0');
  }
}

void restore_names(DiskNode& node) {
  node.names = node.durable_names;
  for (auto& [name, child] : node.names) restore_names(*child);
}

}  // namespace

FaultDisk::NodePtr FaultDisk::find(const std::string& path) const {
  NodePtr node = root_;
  for (const std::string& part : parts_of(path)) {
    const auto found = node->names.find(part);
    if (found == node->names.end()) return nullptr;
    node = found->second;
  }
  return node;
}

int FaultDisk::find_folder(const std::string& path, NodePtr& folder) const {
  folder = find(path);
  if (!folder) return ENOENT;
  return folder->is_directory ? 0 : ENOTDIR;
}

int FaultDisk::find_place(const std::string& path, Place& place) const {
  std::vector<std::string> parts = parts_of(path);
  if (parts.empty()) return EISDIR;
  place.name = std::move(parts.back());
  parts.pop_back();
  std::string above;
  for (const std::string& part : parts) above += "/" + part;
  return find_folder(above, place.folder);
}

int FaultDisk::make_file(const std::string& path, NodePtr& made) {
  Place place;
  if (const int error = find_place(path, place)) return error;
  made = std::make_shared<DiskNode>(DiskNode{.is_directory = false});
  change_names({{place.folder, place.name, made}});
  return 0;
}

int FaultDisk::make_folders(const std::string& path) {
  NodePtr folder = root_;
  for (const std::string& part : parts_of(path)) {
    const auto found = folder->names.find(part);
    if (found != folder->names.end()) {
      if (!found->second->is_directory) return EEXIST;
      folder = found->second;
      continue;
    }
    const NodePtr made = std::make_shared<DiskNode>(DiskNode{.is_directory = true});
    change_names({{folder, part, made}});
    sync_folder(*folder);
    folder = made;
  }
  return 0;
}

int FaultDisk::rename(const std::string& from, const std::string& to) {
  const NodePtr node = find(from);
  if (!node) return ENOENT;
  Place source;
  Place target;
  if (const int error = find_place(from, source)) return error;
  if (const int error = find_place(to, target)) return error;
  if (const NodePtr there = find(to)) {
    if (there == node) return 0;
    if (there->is_directory && !node->is_directory) return EISDIR;
    if (!there->is_directory && node->is_directory) return ENOTDIR;
    if (!there->names.empty()) return ENOTEMPTY;
  }
  if (target.folder == node || contains(*node, target.folder.get())) return EINVAL;
  change_names({{source.folder, source.name, nullptr}, {target.folder, target.name, node}});
  return 0;
}

int FaultDisk::link(const std::string& from, const std::string& to) {
  const NodePtr node = find(from);
  if (!node) return ENOENT;
  if (node->is_directory) return EPERM;
  if (find(to)) return EEXIST;
  Place place;
  if (const int error = find_place(to, place)) return error;
  change_names({{place.folder, place.name, node}});
  return 0;
}

int FaultDisk::remove(const std::string& path) {
  const NodePtr node = find(path);
  if (!node) return ENOENT;
  if (!node->names.empty()) return ENOTEMPTY;
  Place place;
  if (const int error = find_place(path, place)) return error;
  change_names({{place.folder, place.name, nullptr}});
  return 0;
}

void FaultDisk::truncate(DiskNode& file, uint64_t size) {
  file.bytes.resize(size, '\0');
  file.settled = std::min<size_t>(file.settled, size);
  for (auto& [start, end] : file.lost) end = std::min<size_t>(end, size);
  std::erase_if(file.lost, [](const auto& range) { return range.first >= range.second; });
}

void FaultDisk::sync(DiskNode& file) {
  file.durable = file.bytes;
  zero_lost(file, file.durable);
  file.settled = file.bytes.size();
}

void FaultDisk::fail_sync(DiskNode& file) {
  if (file.settled < file.bytes.size()) file.lost.emplace_back(file.settled, file.bytes.size());
}

// Takes along the earlier changes of every folder that a taken change touches: a rename across
// folders must not overtake what happened to its other end.
void FaultDisk::sync_folder(const DiskNode& folder) {
  std::set<const DiskNode*> folders = {&folder};
  std::vector<bool> taken(journal_.size());
  for (size_t i = journal_.size(); i-- > 0;) {
    taken[i] = std::ranges::any_of(
        journal_[i], [&](const Edit& edit) { return folders.contains(edit.folder.get()); });
    if (!taken[i]) continue;
    for (const Edit& edit : journal_[i]) folders.insert(edit.folder.get());
  }
  std::vector<Change> left;
  for (size_t i = 0; i < journal_.size(); ++i) {
    if (taken[i]) {
      settle(journal_[i]);
    } else {
      left.push_back(std::move(journal_[i]));
    }
  }
  journal_ = std::move(left);
}

void FaultDisk::change_names(Change change) {
  for (const Edit& edit : change) {
    CHECK(edit.folder->is_directory);
    if (edit.node) {
      edit.folder->names.insert_or_assign(edit.name, edit.node);
    } else {
      edit.folder->names.erase(edit.name);
    }
  }
  journal_.push_back(std::move(change));
}

void FaultDisk::settle(const Change& change) {
  for (const Edit& edit : change) {
    if (edit.node) {
      edit.folder->durable_names.insert_or_assign(edit.name, edit.node);
    } else {
      edit.folder->durable_names.erase(edit.name);
    }
  }
}

uint64_t FaultDisk::used_bytes() const {
  uint64_t used = 0;
  Seen seen;
  visit_files(*root_, seen, [&](DiskNode& file) { used += file.bytes.size(); });
  return used;
}

// New bytes reach the disk in order up to a point; the last sector may have got its place but not
// its data. A truncation that was not synced may or may not have happened.
void FaultDisk::tear(DiskNode& file) {
  const bool truncated = file.settled < file.durable.size();
  if (truncated && random_.below(2) == 0) {
    file.bytes = file.durable;
    return;
  }
  zero_lost(file, file.bytes);
  file.bytes.resize(file.settled + torn_size(file.bytes.size() - file.settled));
  if (random_.below(4) == 0) {
    const size_t unsettled = file.bytes.size() - file.settled;
    const size_t blank = std::min(unsettled, kSectorBytes);
    std::fill(file.bytes.end() - static_cast<ptrdiff_t>(blank), file.bytes.end(), '\0');
  }
}

void FaultDisk::crash(Crash kind) {
  if (kind == Crash::kKill) return;
  if (kind == Crash::kTornPower) {
    const size_t survived = torn_size(journal_.size());
    for (size_t i = 0; i < survived; ++i) settle(journal_[i]);
  }
  journal_.clear();
  restore_names(*root_);
  Seen seen;
  visit_files(*root_, seen, [&](DiskNode& file) {
    if (kind == Crash::kTornPower) {
      tear(file);
    } else {
      file.bytes = file.durable;
    }
    file.lost.clear();
    sync(file);
  });
}

}  // namespace binnacle
