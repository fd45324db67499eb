// A file system for tests, in memory, that fails as real ones do: it forgets what was not synced,
// tears writes, fails the calls it is told to, runs full, loses power after n changes. The same
// seed and calls give the same disk. It starts with an empty root folder. Any thread; what is open
// dies with crash().
#pragma once

#include "base/fault_disk.h"
#include "base/file_system.h"
#include "base/mutex.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace binnacle {

enum class FileOp : uint8_t {
  kOpenRead,
  kRead,
  kMap,
  kList,
  kLock,
  // From here on: changes, as power_off_after() counts them.
  kOpenWrite,
  kWrite,
  kSync,
  kSyncDir,
  kTruncate,
  kRename,
  kLink,
  kRemove,
  kCreateDirectories,
};

struct FileFault {
  FileOp op = FileOp::kWrite;
  uint64_t nth = 1;       // of the calls that match, from now on; 1 is the next
  int error_number = 5;   // EIO
  std::string path_part;  // empty: any path; of a rename or link the old one
  bool lasting = false;   // every matching call from the nth on
};

class FaultFileSystem final : public FileSystem {
 public:
  explicit FaultFileSystem(uint64_t seed = 1);
  ~FaultFileSystem() override;

  // A write that fails has written a seeded part of its bytes. A sync that fails has lost what it
  // should have saved, even when a later sync succeeds.
  void inject(FileFault fault) EXCLUDES(mu_);
  void clear_faults() EXCLUDES(mu_);
  size_t faults_left() const EXCLUDES(mu_);  // those that did not strike yet

  // Writes beyond `bytes` of file content write what fits and fail with ENOSPC. Nothing: without a
  // limit.
  void set_capacity(std::optional<uint64_t> bytes) EXCLUDES(mu_);

  // After `changes` more changing calls every call fails until crash(). With changes() of a run
  // without faults a test can cut the power at each of its steps in turn.
  void power_off_after(uint64_t changes) EXCLUDES(mu_);
  uint64_t changes() const EXCLUDES(mu_);
  uint64_t syncs() const EXCLUDES(mu_);  // of files

  // Open files fail from now on, locks are free, power is back.
  void crash(Crash kind) EXCLUDES(mu_);

  // Flips the bits of `mask` in one byte, as a dying disk does; the byte must be there.
  void corrupt(const std::string& path, uint64_t offset, uint8_t mask = 0xFF) EXCLUDES(mu_);

  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, Create how,
                                                      uint32_t mode) override;
  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override;
  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;
  Status sync_dir(const std::string& path) override;
  Status truncate(const std::string& path, uint64_t size) override;
  bool exists(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;

 private:
  class OpenFile;
  class Writable;
  class Readable;
  class Lock;

  Status append(const OpenFile& file, std::string_view bytes) EXCLUDES(mu_);
  Status sync(const OpenFile& file) EXCLUDES(mu_);
  Result<size_t> read_at(const OpenFile& file, uint64_t offset, std::span<char> out) EXCLUDES(mu_);
  Result<uint64_t> size_of(const OpenFile& file) EXCLUDES(mu_);
  void unlock(const OpenFile& file) EXCLUDES(mu_);

  Status require_alive(const OpenFile& file) const REQUIRES(mu_);
  Status begin(FileOp op, const std::string& path) REQUIRES(mu_);
  bool strikes(FileFault& fault, FileOp op, const std::string& path) REQUIRES(mu_);
  Status remove_tree(const std::string& path) REQUIRES(mu_);
  uint64_t room() const REQUIRES(mu_);

  mutable Mutex mu_;
  FaultDisk disk_ GUARDED_BY(mu_);
  std::vector<FileFault> faults_ GUARDED_BY(mu_);
  std::optional<uint64_t> capacity_ GUARDED_BY(mu_);
  std::optional<uint64_t> changes_until_off_ GUARDED_BY(mu_);
  uint64_t changes_ GUARDED_BY(mu_) = 0;
  uint64_t syncs_ GUARDED_BY(mu_) = 0;
  uint64_t lives_ GUARDED_BY(mu_) = 0;  // counts crashes; an open file belongs to one life
  std::set<const DiskNode*> locked_ GUARDED_BY(mu_);
};

}  // namespace binnacle
