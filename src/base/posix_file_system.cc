// The real file system: every descriptor is close-on-exec, interrupted calls are repeated, short
// reads and writes are continued.
#include "base/check.h"
#include "base/file_system.h"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace binnacle {
namespace {

Unexpected errno_failure(std::string_view verb, const std::string& path) {
  const int error_number = errno;
  return fail(errno_error(fmt::format("{} {}", verb, path), error_number));
}

template <typename Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { (void)close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  // Linux frees the descriptor even when close is interrupted: a second try could close another's.
  bool close() {
    if (fd_ < 0) return true;
    return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR;
  }

 private:
  int fd_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags, uint32_t mode = 0) {
  Descriptor fd(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd.is_open()) return errno_failure("open", path);
  return fd;
}

Result<struct stat> stat_of(int fd, const std::string& path) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return errno_failure("stat", path);
  return facts;
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  Status append(std::string_view bytes) override {
    TRY(require_open("append to"));
    while (!bytes.empty()) {
      const ssize_t written =
          retry_interrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (written < 0) return errno_failure("append to", path_);
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  Status sync() override {
    TRY(require_open("sync"));
    // A new size counts as data to fdatasync; only times are left out.
    if (retry_interrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
      return errno_failure("sync", path_);
    }
    return {};
  }

  Status close() override {
    if (!fd_.close()) return errno_failure("close", path_);
    return {};
  }

  uint64_t size() const override { return size_; }

 private:
  Status require_open(std::string_view verb) const {
    if (fd_.is_open()) return {};
    return fail(Code::kFailedPrecondition, fmt::format("{} {}: the file is closed", verb, path_));
  }

  // One thread at a time.
  Descriptor fd_;
  const std::string path_;
  uint64_t size_;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
    size_t filled = 0;
    while (filled < out.size()) {
      const auto at = static_cast<off_t>(offset + filled);
      const ssize_t got = retry_interrupted(
          [&] { return ::pread(fd_.get(), out.data() + filled, out.size() - filled, at); });
      if (got < 0) return errno_failure("read", path_);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

  Result<uint64_t> size() const override {
    TRY_ASSIGN(const auto facts, stat_of(fd_.get(), path_));
    return static_cast<uint64_t>(facts.st_size);
  }

 private:
  // Fixed after construction.
  const Descriptor fd_;
  const std::string path_;
};

class PosixMappedFile final : public MappedFile {
 public:
  PosixMappedFile(void* start, size_t size) : start_(start), size_(size) {}
  ~PosixMappedFile() override {
    if (size_ > 0) CHECK(::munmap(start_, size_) == 0);
  }
  PosixMappedFile(const PosixMappedFile&) = delete;
  PosixMappedFile& operator=(const PosixMappedFile&) = delete;

  std::string_view bytes() const override { return {static_cast<const char*>(start_), size_}; }

 private:
  // Fixed after construction.
  void* const start_;
  const size_t size_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;  // closing it gives the lock back
};

// The process id stands in the lock file only to be named in the other process's error.
void write_holder(int fd) {
  const std::string holder = fmt::format("{}\n", getpid());
  if (::ftruncate(fd, 0) != 0) return;
  (void)!::pwrite(fd, holder.data(), holder.size(), 0);
}

std::string read_holder(int fd) {
  char text[24];
  const ssize_t got = ::pread(fd, text, sizeof(text), 0);
  const std::string_view line(text, got > 0 ? static_cast<size_t>(got) : 0);
  const std::string_view digits = line.substr(0, line.find_first_not_of("0123456789"));
  return digits.empty() ? "another process" : fmt::format("process {}", digits);
}

Status sync_folder(const std::string& path) {
  TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_RDONLY | O_DIRECTORY));
  if (retry_interrupted([&] { return ::fsync(fd.get()); }) != 0) {
    return errno_failure("sync folder", path);
  }
  return {};
}

bool is_directory(const dirent& entry, const std::string& folder) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return false;
  const std::string path = fmt::format("{}/{}", folder, entry.d_name);
  struct stat facts {};
  // A link to nowhere, or a file removed since: there is an entry, and it is no folder.
  if (::stat(path.c_str(), &facts) != 0) return false;
  return S_ISDIR(facts.st_mode);
}

// Since 6.2 the kernel tells the number of a process' descriptors as the size of their folder,
// which spares it to look each of them up; other folders of /proc have none.
std::optional<size_t> told_by_proc(int folder) {
  struct statfs system {};
  struct stat facts {};
  if (::fstatfs(folder, &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return std::nullopt;
  if (::fstat(folder, &facts) != 0 || facts.st_size <= 0) return std::nullopt;
  return static_cast<size_t>(facts.st_size);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, Create how,
                                                      uint32_t mode) override {
    const int kind = how == Create::kAppend     ? O_APPEND
                     : how == Create::kTruncate ? O_TRUNC
                                                : O_EXCL;
    TRY_ASSIGN(Descriptor fd, open_descriptor(path, O_WRONLY | O_CREAT | kind, mode));
    TRY_ASSIGN(const auto facts, stat_of(fd.get(), path));
    return std::make_unique<PosixWritableFile>(std::move(fd), path,
                                               static_cast<uint64_t>(facts.st_size));
  }

  Result<std::unique_ptr<ReadableFile>> open_readable(const std::string& path) override {
    TRY_ASSIGN(Descriptor fd, open_descriptor(path, O_RDONLY));
    return std::make_unique<PosixReadableFile>(std::move(fd), path);
  }

  Result<std::unique_ptr<MappedFile>> map(const std::string& path) override {
    TRY_ASSIGN(const Descriptor fd, open_descriptor(path, O_RDONLY));
    TRY_ASSIGN(const auto facts, stat_of(fd.get(), path));
    if (!S_ISREG(facts.st_mode)) {
      return fail(Code::kInvalidArgument, fmt::format("map {}: not a regular file", path));
    }
    const auto size = static_cast<size_t>(facts.st_size);
    if (size == 0) return std::make_unique<PosixMappedFile>(nullptr, 0);
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (start == MAP_FAILED) return errno_failure("map", path);
    return std::make_unique<PosixMappedFile>(start, size);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    TRY_ASSIGN(Descriptor fd, open_descriptor(path, O_RDWR | O_CREAT, 0644));
    if (retry_interrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return errno_failure("lock", path);
      return fail(Code::kAlreadyExists,
                  fmt::format("lock {}: held by {}; stop it or use another folder", path,
                              read_holder(fd.get())));
    }
    write_holder(fd.get());
    return std::make_unique<PosixFileLock>(std::move(fd));
  }

  Result<std::vector<DirEntry>> list(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
    if (!folder) return errno_failure("list", path);
    std::vector<DirEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(folder.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), is_directory(*entry, path)});
    }
    if (errno != 0) return errno_failure("list", path);
    std::ranges::sort(entries, {}, &DirEntry::name);
    return entries;
  }

  Status create_directories(const std::string& path) override {
    for (size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      const std::string folder = path.substr(0, end);
      if (folder.empty() || folder.back() == '/') continue;
      if (::mkdir(folder.c_str(), 0755) == 0) {
        TRY(sync_folder(parent_folder(folder)));
        continue;
      }
      struct stat facts {};
      const int error_number = errno;
      if (::stat(folder.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) continue;
      return fail(errno_error(fmt::format("create folder {}", folder), error_number));
    }
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return errno_failure("rename", fmt::format("{} to {}", from, to));
    }
    return {};
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0) {
      return errno_failure("link", fmt::format("{} to {}", from, to));
    }
    return {};
  }

  Status remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return errno_failure("remove", path);
    return {};
  }

  Status remove_all(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(errno_error(fmt::format("remove {}", path), error.value()));
    return {};
  }

  Status sync_dir(const std::string& path) override { return sync_folder(path); }

  Status truncate(const std::string& path, uint64_t size) override {
    if (retry_interrupted([&] { return ::truncate(path.c_str(), static_cast<off_t>(size)); }) !=
        0) {
      return errno_failure("truncate", path);
    }
    return {};
  }

  Result<size_t> count(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
    if (!folder) return errno_failure("list", path);
    if (const auto told = told_by_proc(::dirfd(folder.get()))) return *told;
    size_t entries = 0;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(folder.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") ++entries;
    }
    if (errno != 0) return errno_failure("list", path);
    return entries;
  }

  Result<int64_t> modified_ms(const std::string& path) override {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return errno_failure("stat", path);
    constexpr int64_t kMsPerSecond = 1000;
    constexpr int64_t kNsPerMs = 1'000'000;
    return int64_t{facts.st_mtim.tv_sec} * kMsPerSecond + facts.st_mtim.tv_nsec / kNsPerMs;
  }

  Result<std::string> read_link(const std::string& path) override {
    std::string target(4096, '\0');
    const ssize_t got = ::readlink(path.c_str(), target.data(), target.size());
    if (got < 0) return errno_failure("read link", path);
    target.resize(static_cast<size_t>(got));
    return target;
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<DiskSpace> space(const std::string& path) override {
    struct statvfs facts {};
    if (retry_interrupted([&] { return ::statvfs(path.c_str(), &facts); }) != 0) {
      return errno_failure("read the free space of", path);
    }
    return DiskSpace{uint64_t{facts.f_blocks} * facts.f_frsize,
                     uint64_t{facts.f_bavail} * facts.f_frsize};
  }
};

}  // namespace

FileSystem& real_file_system() {
  static PosixFileSystem instance;
  return instance;
}

}  // namespace binnacle
