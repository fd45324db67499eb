// The file system comes in through a constructor, so that tests can make it forget unsynced bytes,
// tear writes, run full or fail the n-th call (fault_file_system.h). Paths are plain strings,
// absolute or relative to the working directory. Any thread may use a FileSystem; one thread at a
// time uses a file.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

// Appends only. Bytes are durable after sync(); a file's name is durable after sync_dir() of its
// folder.
class WritableFile {
 public:
  virtual ~WritableFile() =
      default;  // closes; an error then is lost, so call close() where it counts
  // After an error a part may have been written; size() tells how much.
  virtual Status append(std::string_view bytes) = 0;
  virtual Status sync() = 0;
  virtual Status close() = 0;
  virtual uint64_t size() const = 0;  // bytes appended, those there at opening included
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Fills `out` from `offset`; fewer bytes only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> out) const = 0;
  virtual Result<uint64_t> size() const = 0;
};

// A read-only mapping; the bytes stay valid as long as the object lives, even when the file is
// removed.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::string_view bytes() const = 0;
};

// Held until destroyed; a lock dies with its process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
};

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;  // to this user
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  enum class Create : uint8_t { kTruncate, kAppend, kExclusive };
  // `mode`: permission bits of a new file; 0600 for anything that holds a secret.
  virtual Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, Create how,
                                                              uint32_t mode = 0644) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) = 0;
  virtual Result<std::unique_ptr<MappedFile>> map(const std::string& path) = 0;
  // kAlreadyExists when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  virtual Result<std::vector<DirEntry>> list(
      const std::string& path) = 0;  // sorted by name, no . and ..
  // Fine when it is there. The folders it makes are durable on return.
  virtual Status create_directories(const std::string& path) = 0;
  virtual Status rename(const std::string& from,
                        const std::string& to) = 0;  // replaces `to` atomically
  virtual Status link(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;      // a file, a link or an empty folder
  virtual Status remove_all(const std::string& path) = 0;  // fine when it is not there
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Status truncate(const std::string& path, uint64_t size) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<DiskSpace> space(const std::string& path) = 0;
  // How many entries a folder has, without looking at any: a link in it may lead to a dead mount.
  virtual Result<size_t> count(const std::string& path);
  // Wall time of the last change of a file's content. kUnimplemented where no times are kept, as on
  // a test's disk.
  virtual Result<int64_t> modified_ms(const std::string& path);
  // Where a symbolic link points to, as it was written. kUnimplemented where there are none.
  virtual Result<std::string> read_link(const std::string& path);

  // Whole files. Special files of /proc and /sys are read to their end, whatever size they claim.
  // kOutOfRange beyond `max_bytes`.
  Result<std::string> read_file(const std::string& path, size_t max_bytes = size_t{64} << 20);
  // Written aside, synced, renamed, folder synced: `path` holds the old bytes or the new, never a
  // part.
  Status write_file_atomically(const std::string& path, std::string_view bytes,
                               uint32_t mode = 0644);
};

FileSystem& real_file_system();

// "/a" of "/a/b", "." of a bare name: the folder to sync after a file is made.
std::string parent_folder(const std::string& path);

}  // namespace binnacle
