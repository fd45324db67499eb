// The disk under a FaultFileSystem: a tree in memory that knows, for every file and folder, both
// what a running program sees and what would survive a power cut. Not locked: its owner does that.
// Errors are errno values, for the owner to put into words; 0 is success.
#pragma once

#include "base/random.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle {

enum class Crash : uint8_t {
  kKill,       // kill -9: the kernel still holds everything that was written
  kPowerCut,   // everything not synced is gone, data and names
  kTornPower,  // of what was not synced a seeded part survived: a prefix of each file's new bytes,
               // some of them as zeros, and a prefix of the changed names
};

struct DiskNode {
  const bool is_directory;

  // Of a file. `bytes` is what programs see, `durable` what survives; they agree in the first
  // `settled` bytes.
  std::string bytes;
  std::string durable;
  size_t settled = 0;
  // Ranges whose sync failed. Linux forgets that such pages are dirty: a later sync succeeds
  // without them.
  std::vector<std::pair<size_t, size_t>> lost;

  // Of a folder.
  std::map<std::string, std::shared_ptr<DiskNode>, std::less<>> names;
  std::map<std::string, std::shared_ptr<DiskNode>, std::less<>> durable_names;
};

class FaultDisk {
 public:
  using NodePtr = std::shared_ptr<DiskNode>;

  explicit FaultDisk(uint64_t seed) : random_(seed) {}

  // Null when there is none. Paths are taken from the root, "a" and "/a" being one.
  NodePtr find(const std::string& path) const;
  int find_folder(const std::string& path, NodePtr& folder) const;

  int make_file(const std::string& path, NodePtr& made);
  int make_folders(const std::string& path);
  int rename(const std::string& from, const std::string& to);
  int link(const std::string& from, const std::string& to);
  int remove(const std::string& path);

  static void append(DiskNode& file, std::string_view bytes) { file.bytes += bytes; }
  static void truncate(DiskNode& file, uint64_t size);
  static void sync(DiskNode& file);
  static void fail_sync(DiskNode& file);
  void sync_folder(const DiskNode& folder);

  uint64_t used_bytes() const;
  void crash(Crash kind);
  size_t torn_size(size_t size) { return random_.below(size + 1); }

 private:
  // One step of the folders' journal; a rename across folders is one change with two edits.
  struct Edit {
    NodePtr folder;
    std::string name;
    NodePtr node;  // null: the name is removed
  };
  using Change = std::vector<Edit>;

  struct Place {
    NodePtr folder;
    std::string name;
  };
  int find_place(const std::string& path, Place& place) const;
  void change_names(Change change);
  static void settle(const Change& change);
  void tear(DiskNode& file);

  // Owner's lock.
  NodePtr root_ = std::make_shared<DiskNode>(DiskNode{.is_directory = true});
  std::vector<Change> journal_;  // oldest first; changes whose folder is not synced yet
  SeededRandom random_;
};

}  // namespace binnacle
