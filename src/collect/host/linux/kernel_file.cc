#include "collect/host/linux/kernel_file.h"

#include <span>

#include <fmt/format.h>

#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {
namespace {

constexpr size_t kFirstBytes = 4096;
constexpr size_t kSmallFileBytes = size_t{64} << 10;

}  // namespace

KernelFile::KernelFile(FileSystem& files, std::string path)
    : files_(files), path_(std::move(path)), own_(kFirstBytes) {}

KernelFile::KernelFile(FileSystem& files, std::string path, KernelBuffer& shared)
    : files_(files), path_(std::move(path)), shared_(&shared) {
  if (shared.size() < kFirstBytes) shared.resize(kFirstBytes);
}

Result<std::string_view> KernelFile::read() {
  if (file_ != nullptr) {
    auto text = read_open_file();
    if (text || text.error().code == Code::kOutOfRange) return text;
    file_.reset();
  }
  TRY_ASSIGN(file_, files_.open_readable(path_));
  auto text = read_open_file();
  if (!text) file_.reset();
  return text;
}

Result<std::string_view> KernelFile::read_open_file() {
  KernelBuffer& buffer = this->buffer();
  for (;;) {
    TRY_ASSIGN(const size_t got, file_->read_at(0, std::span(buffer)));
    if (got < buffer.size()) return std::string_view(buffer.data(), got);
    if (buffer.size() >= kMaxBytes) {
      return fail(Code::kOutOfRange,
                  fmt::format("read {}: larger than the limit ({} bytes)", path_, kMaxBytes));
    }
    // Read anew from the start: two halves of two moments do not make one state.
    buffer.resize(buffer.size() * 2);
  }
}

Result<std::optional<std::string_view>> KernelFile::read_if_offered() {
  auto text = read();
  if (text) return *text;
  if (is_absent(text.error())) return std::nullopt;
  return fail(std::move(text).error());
}

Result<std::string> read_small_file(FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const std::string text, files.read_file(path, kSmallFileBytes));
  return std::string(trim(text));
}

bool is_absent(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kFailedPrecondition ||
         error.code == Code::kPermissionDenied;
}

}  // namespace binnacle::collect::host
