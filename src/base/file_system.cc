#include "base/file_system.h"

#include <fmt/format.h>

#include <unistd.h>
#include <algorithm>
#include <atomic>

namespace binnacle {
namespace {

constexpr size_t kFirstReadBytes = size_t{16} << 10;
constexpr int kAsideNames = 1000;

Unexpected too_large(const std::string& path, size_t max_bytes) {
  return fail(Code::kOutOfRange,
              fmt::format("read {}: larger than the limit ({} bytes)", path, max_bytes));
}

struct AsideFile {
  std::string path;
  std::unique_ptr<WritableFile> file;
};

// A new file beside `path`. Names left by a crashed process are passed over: in a container the
// process id is the same after every restart, and to remove them might take the file of a live
// process.
Result<AsideFile> open_aside(FileSystem& files, const std::string& path, uint32_t mode) {
  static std::atomic<uint64_t> next{0};
  for (int attempt = 0;; ++attempt) {
    const uint64_t number = next.fetch_add(1, std::memory_order_relaxed);
    std::string aside = fmt::format("{}.tmp-{}-{}", path, getpid(), number);
    auto file = files.open_writable(aside, FileSystem::Create::kExclusive, mode);
    if (file) return AsideFile{std::move(aside), std::move(*file)};
    if (file.error().code != Code::kAlreadyExists || attempt == kAsideNames) {
      return fail(std::move(file).error());
    }
  }
}

Status write_and_rename(FileSystem& files, AsideFile& aside, const std::string& path,
                        std::string_view bytes) {
  TRY(aside.file->append(bytes));
  TRY(aside.file->sync());
  TRY(aside.file->close());
  return files.rename(aside.path, path);
}

}  // namespace

std::string parent_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<size_t> FileSystem::count(const std::string& path) {
  TRY_ASSIGN(const auto entries, list(path));
  return entries.size();
}

Result<int64_t> FileSystem::modified_ms(const std::string& path) {
  return fail(Code::kUnimplemented, fmt::format("stat {}: this disk keeps no times", path));
}

Result<std::string> FileSystem::read_link(const std::string& path) {
  return fail(Code::kUnimplemented, fmt::format("read link {}: this disk has no links", path));
}

Result<std::string> FileSystem::read_file(const std::string& path, size_t max_bytes) {
  TRY_ASSIGN(const auto file, open_readable(path));
  TRY_ASSIGN(const uint64_t claimed, file->size());
  if (claimed > max_bytes) return too_large(path, max_bytes);

  // One byte more than claimed shows the end of a regular file in the first read; /proc claims
  // nothing.
  std::string bytes;
  size_t used = 0;
  size_t room = std::max<size_t>(claimed + 1, kFirstReadBytes);
  for (;;) {
    bytes.resize(used + room);
    TRY_ASSIGN(const size_t got, file->read_at(used, std::span(bytes).subspan(used)));
    used += got;
    if (used > max_bytes) return too_large(path, max_bytes);
    if (got < room) break;
    room = used;
  }
  bytes.resize(used);
  return bytes;
}

Status FileSystem::write_file_atomically(const std::string& path, std::string_view bytes,
                                         uint32_t mode) {
  auto aside = open_aside(*this, path, mode);
  if (!aside) return fail(std::move(aside).error());
  if (auto written = write_and_rename(*this, *aside, path, bytes); !written) {
    aside->file.reset();
    // The first failure is the one to report; a file left behind costs only its space.
    (void)remove(aside->path);
    return written;
  }
  return sync_dir(parent_folder(path));
}

}  // namespace binnacle
