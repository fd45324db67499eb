#include "base/atomic_file.h"

#include <fmt/format.h>

#include <unistd.h>
#include <atomic>
#include <utility>

namespace binnacle {
namespace {

constexpr int kAsideNames = 1000;

}  // namespace

// Names left by a crashed process are passed over: in a container the process id is the same after
// every restart, and to remove them might take the file of a live process.
Result<AtomicFile> AtomicFile::create(FileSystem& files, const std::string& path, uint32_t mode) {
  static std::atomic<uint64_t> next{0};
  for (int attempt = 0;; ++attempt) {
    const uint64_t number = next.fetch_add(1, std::memory_order_relaxed);
    std::string aside = fmt::format("{}.tmp-{}-{}", path, getpid(), number);
    auto file = files.open_writable(aside, FileSystem::Create::kExclusive, mode);
    if (file) return AtomicFile(files, path, std::move(aside), std::move(*file));
    if (file.error().code != Code::kAlreadyExists || attempt == kAsideNames) {
      return fail(std::move(file).error());
    }
  }
}

AtomicFile::AtomicFile(FileSystem& files, std::string path, std::string aside,
                       std::unique_ptr<WritableFile> file)
    : files_(&files), path_(std::move(path)), aside_(std::move(aside)), file_(std::move(file)) {}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  file_.reset();
  // What went wrong is reported already; a file left behind costs only its space.
  (void)files_->remove(aside_);
}

Status AtomicFile::commit() {
  TRY(file_->sync());
  TRY(file_->close());
  TRY(files_->rename(aside_, path_));
  file_.reset();
  return files_->sync_dir(parent_folder(path_));
}

}  // namespace binnacle
