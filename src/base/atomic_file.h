// A file that is written piece by piece beside its place and put there by commit(): the path holds
// the old bytes or the new, never a part. Without commit() nothing is left. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle {

class AtomicFile {
 public:
  static Result<AtomicFile> create(FileSystem& files, const std::string& path,
                                   uint32_t mode = 0644);
  AtomicFile(AtomicFile&& other) noexcept = default;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status append(std::string_view bytes) { return file_->append(bytes); }
  // Synced, renamed, folder synced. Once, and last.
  Status commit();

 private:
  AtomicFile(FileSystem& files, std::string path, std::string aside,
             std::unique_ptr<WritableFile> file);

  FileSystem* files_;
  std::string path_;
  std::string aside_;
  std::unique_ptr<WritableFile> file_;  // null once committed, or moved from
};

}  // namespace binnacle
