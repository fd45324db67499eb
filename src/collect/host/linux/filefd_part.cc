// /proc/sys/fs/file-nr: "592 0 2465620", allocated, unused (always 0 since 2.6), maximum.
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr Metric kAllocated =
    gauge("node_filefd_allocated", "File descriptor statistics: allocated.");
constexpr Metric kMaximum = gauge("node_filefd_maximum", "File descriptor statistics: maximum.");

class FilefdPart final : public Part {
 public:
  explicit FilefdPart(const Source& source) : file_(source.files, source.proc("sys/fs/file-nr")) {}

  std::string_view name() const override { return "filefd"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(const std::string_view text, file_.read());
    Faults faults;
    std::string_view rest = trim(text);
    const auto allocated = parse_number(next_field(rest));
    next_field(rest);
    const auto maximum = parse_number(next_field(rest));
    if (!allocated || !maximum) {
      faults.bad(file_.path(), "the content", trim(text));
      return faults.take();
    }
    emitter.emit(kAllocated, *allocated);
    emitter.emit(kMaximum, *maximum);
    return {};
  }

 private:
  KernelFile file_;
};

}  // namespace

std::unique_ptr<Part> filefd_part(const Source& source) {
  return std::make_unique<FilefdPart>(source);
}

}  // namespace binnacle::collect::host
