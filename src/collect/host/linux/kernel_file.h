// A file of /proc or /sys that is read again and again: opened once, read from its start into one
// buffer that grows to what the file needs, opened anew when reading fails (a device that went and
// came back). One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::collect::host {

// What many files are read into in turn, so that a thousand open files do not hold a buffer each.
using KernelBuffer = std::vector<char>;

class KernelFile {
 public:
  static constexpr size_t kMaxBytes = size_t{4} << 20;  // /proc/stat of 4096 CPUs has about 1 MiB

  KernelFile(FileSystem& files, std::string path);
  // `shared` outlives the file.
  KernelFile(FileSystem& files, std::string path, KernelBuffer& shared);

  // The whole content; valid until the next read of this file, or of any that shares its buffer.
  // kOutOfRange beyond kMaxBytes.
  Result<std::string_view> read();

  // Nothing where this kernel does not offer the file.
  Result<std::optional<std::string_view>> read_if_offered();

  // Gives the descriptor back; the next read opens the file again.
  void close() { file_.reset(); }

  const std::string& path() const { return path_; }

 private:
  Result<std::string_view> read_open_file();
  KernelBuffer& buffer() { return shared_ != nullptr ? *shared_ : own_; }

  // Fixed after construction.
  FileSystem& files_;
  const std::string path_;

  std::unique_ptr<ReadableFile> file_;  // null: not open
  KernelBuffer* shared_ = nullptr;      // null: own_
  KernelBuffer own_;
};

// A small file that is read now and then, opened for that alone; without white space at its ends.
Result<std::string> read_small_file(FileSystem& files, const std::string& path);

// True for what is merely not there or not offered: no such file, no such feature, no permission.
bool is_absent(const Error& error);

}  // namespace binnacle::collect::host
