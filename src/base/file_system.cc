#include "base/file_system.h"

#include "base/atomic_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle {
namespace {

constexpr size_t kFirstReadBytes = size_t{16} << 10;

Unexpected too_large(const std::string& path, size_t max_bytes) {
  return fail(Code::kOutOfRange,
              fmt::format("read {}: larger than the limit ({} bytes)", path, max_bytes));
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
  TRY_ASSIGN(AtomicFile file, AtomicFile::create(*this, path, mode));
  TRY(file.append(bytes));
  return file.commit();
}

}  // namespace binnacle
