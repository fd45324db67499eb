#include "base/fault_file_system.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace binnacle {
namespace {

Status to_status(int error_number, std::string_view verb, const std::string& path) {
  if (error_number == 0) return {};
  return fail(errno_error(fmt::format("{} {}", verb, path), error_number));
}

std::string_view verb_of(FileOp op) {
  switch (op) {
    case FileOp::kOpenRead:
    case FileOp::kOpenWrite:
      return "open";
    case FileOp::kRead:
      return "read";
    case FileOp::kMap:
      return "map";
    case FileOp::kList:
      return "list";
    case FileOp::kLock:
      return "lock";
    case FileOp::kWrite:
      return "append to";
    case FileOp::kSync:
      return "sync";
    case FileOp::kSyncDir:
      return "sync folder";
    case FileOp::kTruncate:
      return "truncate";
    case FileOp::kRename:
      return "rename";
    case FileOp::kLink:
      return "link";
    case FileOp::kRemove:
      return "remove";
    case FileOp::kCreateDirectories:
      return "create folder";
  }
  return "use";
}

class CopiedFile final : public MappedFile {
 public:
  explicit CopiedFile(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string_view bytes() const override { return bytes_; }

 private:
  const std::string bytes_;
};

}  // namespace

// What every handle holds: the file, and in which life it was opened.
class FaultFileSystem::OpenFile {
 public:
  OpenFile(FaultFileSystem& opened_by, std::string opened_path, FaultDisk::NodePtr opened_node,
           uint64_t opened_in)
      : owner(opened_by),
        path(std::move(opened_path)),
        node(std::move(opened_node)),
        life(opened_in) {}

  FaultFileSystem& owner;
  const std::string path;
  const FaultDisk::NodePtr node;
  const uint64_t life;
};

class FaultFileSystem::Writable final : public WritableFile {
 public:
  explicit Writable(OpenFile file) : file_(std::move(file)) {}

  Status append(std::string_view bytes) override {
    TRY(require_open("append to"));
    return file_.owner.append(file_, bytes);
  }

  Status sync() override {
    TRY(require_open("sync"));
    return file_.owner.sync(file_);
  }

  Status close() override {
    closed_ = true;
    return {};
  }

  uint64_t size() const override { return file_.owner.size_of(file_).value_or(0); }

 private:
  Status require_open(std::string_view verb) const {
    if (!closed_) return {};
    return fail(Code::kFailedPrecondition,
                fmt::format("{} {}: the file is closed", verb, file_.path));
  }

  const OpenFile file_;
  bool closed_ = false;
};

class FaultFileSystem::Readable final : public ReadableFile {
 public:
  explicit Readable(OpenFile file) : file_(std::move(file)) {}

  Result<size_t> read_at(uint64_t offset, std::span<char> out) const override {
    return file_.owner.read_at(file_, offset, out);
  }
  Result<uint64_t> size() const override { return file_.owner.size_of(file_); }

 private:
  const OpenFile file_;
};

class FaultFileSystem::Lock final : public FileLock {
 public:
  explicit Lock(OpenFile file) : file_(std::move(file)) {}
  ~Lock() override { file_.owner.unlock(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const OpenFile file_;
};

FaultFileSystem::FaultFileSystem(uint64_t seed) : disk_(seed) {}
FaultFileSystem::~FaultFileSystem() = default;

void FaultFileSystem::inject(FileFault fault) {
  CHECK(fault.nth > 0);
  MutexLock lock(mu_);
  faults_.push_back(std::move(fault));
}

void FaultFileSystem::clear_faults() {
  MutexLock lock(mu_);
  faults_.clear();
}

size_t FaultFileSystem::faults_left() const {
  MutexLock lock(mu_);
  return static_cast<size_t>(
      std::ranges::count_if(faults_, [](const FileFault& fault) { return fault.nth > 0; }));
}

void FaultFileSystem::set_capacity(std::optional<uint64_t> bytes) {
  MutexLock lock(mu_);
  capacity_ = bytes;
}

void FaultFileSystem::power_off_after(uint64_t changes) {
  MutexLock lock(mu_);
  changes_until_off_ = changes;
}

uint64_t FaultFileSystem::syncs() const {
  const MutexLock lock(mu_);
  return syncs_;
}

uint64_t FaultFileSystem::changes() const {
  MutexLock lock(mu_);
  return changes_;
}

void FaultFileSystem::crash(Crash kind) {
  MutexLock lock(mu_);
  disk_.crash(kind);
  ++lives_;
  locked_.clear();
  changes_until_off_.reset();
}

void FaultFileSystem::corrupt(const std::string& path, uint64_t offset, uint8_t mask) {
  MutexLock lock(mu_);
  const auto file = disk_.find(path);
  CHECK(file && offset < file->bytes.size());
  for (std::string* bytes : {&file->bytes, &file->durable}) {
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ mask);
  }
}

// Whether `fault` fails this call; nth is 0 from its first strike on.
bool FaultFileSystem::strikes(FileFault& fault, FileOp op, const std::string& path) {
  if (fault.op != op || path.find(fault.path_part) == std::string::npos) return false;
  if (fault.nth == 0) return true;
  return --fault.nth == 0;
}

Status FaultFileSystem::begin(FileOp op, const std::string& path) {
  const bool off = changes_until_off_ == 0;
  if (!off && op >= FileOp::kOpenWrite) {
    ++changes_;
    if (changes_until_off_) --*changes_until_off_;
  }
  if (off) {
    return fail(Code::kUnavailable, fmt::format("{} {}: the power is off", verb_of(op), path));
  }
  // Every matching fault counts the call, also when an earlier one fails it.
  int error_number = 0;
  for (FileFault& fault : faults_) {
    if (strikes(fault, op, path) && error_number == 0) error_number = fault.error_number;
  }
  std::erase_if(faults_, [](const FileFault& fault) { return fault.nth == 0 && !fault.lasting; });
  return to_status(error_number, verb_of(op), path);
}

Status FaultFileSystem::require_alive(const OpenFile& file) const {
  if (file.life == lives_) return {};
  return fail(Code::kUnavailable, fmt::format("use {}: opened before the crash", file.path));
}

uint64_t FaultFileSystem::room() const {
  if (!capacity_) return std::numeric_limits<uint64_t>::max();
  const uint64_t used = disk_.used_bytes();
  return used < *capacity_ ? *capacity_ - used : 0;
}

Status FaultFileSystem::append(const OpenFile& file, std::string_view bytes) {
  MutexLock lock(mu_);
  TRY(require_alive(file));
  const bool powered = changes_until_off_ != 0;
  if (auto begun = begin(FileOp::kWrite, file.path); !begun) {
    if (powered) FaultDisk::append(*file.node, bytes.substr(0, disk_.torn_size(bytes.size())));
    return begun;
  }
  const uint64_t fits = room();
  FaultDisk::append(*file.node, bytes.substr(0, fits));
  return to_status(bytes.size() > fits ? ENOSPC : 0, "append to", file.path);
}

Status FaultFileSystem::sync(const OpenFile& file) {
  MutexLock lock(mu_);
  TRY(require_alive(file));
  const bool powered = changes_until_off_ != 0;
  if (auto begun = begin(FileOp::kSync, file.path); !begun) {
    if (powered) FaultDisk::fail_sync(*file.node);
    return begun;
  }
  FaultDisk::sync(*file.node);
  ++syncs_;
  return {};
}

Result<size_t> FaultFileSystem::read_at(const OpenFile& file, uint64_t offset,
                                        std::span<char> out) {
  MutexLock lock(mu_);
  TRY(require_alive(file));
  TRY(begin(FileOp::kRead, file.path));
  const std::string& bytes = file.node->bytes;
  if (offset >= bytes.size()) return size_t{0};
  return bytes.copy(out.data(), out.size(), offset);
}

Result<uint64_t> FaultFileSystem::size_of(const OpenFile& file) {
  MutexLock lock(mu_);
  TRY(require_alive(file));
  return file.node->bytes.size();
}

void FaultFileSystem::unlock(const OpenFile& file) {
  MutexLock lock(mu_);
  if (file.life == lives_) locked_.erase(file.node.get());
}

Result<std::unique_ptr<WritableFile>> FaultFileSystem::open_writable(const std::string& path,
                                                                     Create how, uint32_t) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kOpenWrite, path));
  auto file = disk_.find(path);
  if (!file) {
    TRY(to_status(disk_.make_file(path, file), "open", path));
  } else if (how == Create::kExclusive) {
    return fail(errno_error(fmt::format("open {}", path), EEXIST));
  } else if (file->is_directory) {
    return fail(errno_error(fmt::format("open {}", path), EISDIR));
  } else if (how == Create::kTruncate) {
    FaultDisk::truncate(*file, 0);
  }
  return std::make_unique<Writable>(OpenFile(*this, path, std::move(file), lives_));
}

Result<std::unique_ptr<ReadableFile>> FaultFileSystem::open_readable(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kOpenRead, path));
  auto file = disk_.find(path);
  if (!file) return fail(errno_error(fmt::format("open {}", path), ENOENT));
  if (file->is_directory) return fail(errno_error(fmt::format("open {}", path), EISDIR));
  return std::make_unique<Readable>(OpenFile(*this, path, std::move(file), lives_));
}

Result<std::unique_ptr<MappedFile>> FaultFileSystem::map(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kMap, path));
  const auto file = disk_.find(path);
  if (!file) return fail(errno_error(fmt::format("open {}", path), ENOENT));
  if (file->is_directory) {
    return fail(Code::kInvalidArgument, fmt::format("map {}: not a regular file", path));
  }
  return std::make_unique<CopiedFile>(file->bytes);
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::lock(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kLock, path));
  auto file = disk_.find(path);
  if (!file) TRY(to_status(disk_.make_file(path, file), "open", path));
  if (!locked_.insert(file.get()).second) {
    return fail(Code::kAlreadyExists,
                fmt::format("lock {}: held by another; stop it or use another folder", path));
  }
  return std::make_unique<Lock>(OpenFile(*this, path, std::move(file), lives_));
}

Result<std::vector<DirEntry>> FaultFileSystem::list(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kList, path));
  FaultDisk::NodePtr folder;
  TRY(to_status(disk_.find_folder(path, folder), "list", path));
  std::vector<DirEntry> entries;
  for (const auto& [name, node] : folder->names) entries.push_back({name, node->is_directory});
  return entries;
}

Status FaultFileSystem::create_directories(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kCreateDirectories, path));
  return to_status(disk_.make_folders(path), "create folder", path);
}

Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kRename, from));
  return to_status(disk_.rename(from, to), "rename", fmt::format("{} to {}", from, to));
}

Status FaultFileSystem::link(const std::string& from, const std::string& to) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kLink, from));
  return to_status(disk_.link(from, to), "link", fmt::format("{} to {}", from, to));
}

Status FaultFileSystem::remove(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kRemove, path));
  return to_status(disk_.remove(path), "remove", path);
}

Status FaultFileSystem::remove_all(const std::string& path) {
  MutexLock lock(mu_);
  return remove_tree(path);
}

// Each name is a step of its own, so that the power can go half-way.
Status FaultFileSystem::remove_tree(const std::string& path) {
  const auto node = disk_.find(path);
  if (!node) return {};
  while (!node->names.empty()) TRY(remove_tree(path + "/" + node->names.begin()->first));
  TRY(begin(FileOp::kRemove, path));
  return to_status(disk_.remove(path), "remove", path);
}

Status FaultFileSystem::sync_dir(const std::string& path) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kSyncDir, path));
  FaultDisk::NodePtr folder;
  TRY(to_status(disk_.find_folder(path, folder), "sync folder", path));
  disk_.sync_folder(*folder);
  return {};
}

Status FaultFileSystem::truncate(const std::string& path, uint64_t size) {
  MutexLock lock(mu_);
  TRY(begin(FileOp::kTruncate, path));
  const auto file = disk_.find(path);
  if (!file) return to_status(ENOENT, "truncate", path);
  if (file->is_directory) return to_status(EISDIR, "truncate", path);
  FaultDisk::truncate(*file, size);
  return {};
}

bool FaultFileSystem::exists(const std::string& path) {
  MutexLock lock(mu_);
  return changes_until_off_ != 0 && disk_.find(path) != nullptr;
}

Result<DiskSpace> FaultFileSystem::space(const std::string& path) {
  MutexLock lock(mu_);
  if (!disk_.find(path)) {
    return fail(errno_error(fmt::format("read the free space of {}", path), ENOENT));
  }
  return DiskSpace{capacity_.value_or(std::numeric_limits<uint64_t>::max()), room()};
}

}  // namespace binnacle
