// /proc/vmstat: paging, swapping, page faults and OOM kills; "pgfault 3158610" a line.
#include <fmt/format.h>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_names.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

// ^(oom_kill|pgpg|pswp|pg.*fault), node_exporter's default.
bool is_wanted(std::string_view key) {
  return key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
         (key.starts_with("pg") && key.find("fault") != std::string_view::npos);
}

class VmstatPart final : public Part {
 public:
  explicit VmstatPart(const Source& source) : file_(source.files, source.proc("vmstat")) {}

  std::string_view name() const override { return "vmstat"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    if (trim(rest).empty()) faults.bad(file_.path(), "the content", "empty");
    for (std::string_view line; next_line(rest, line);) {
      const std::string_view key = next_field(line);
      if (!is_wanted(key)) continue;
      const std::string_view field = next_field(line);
      if (const auto value = parse_number(field)) {
        emit_field(key, *value, emitter);
      } else {
        faults.bad(file_.path(), key, field);
      }
    }
    return faults.take();
  }

 private:
  void emit_field(std::string_view key, double value, Emitter& emitter) {
    const Metric* const metric = names_.find(key, [&](std::string_view field) {
      return &emitter.named(fmt::format("node_vmstat_{}", field),
                            fmt::format("/proc/vmstat information field {}.", field),
                            model::MetricType::kUnknown);
    });
    if (metric != nullptr) emitter.emit(*metric, value);
  }

  KernelFile file_;
  KernelNames names_;
};

}  // namespace

std::unique_ptr<Part> vmstat_part(const Source& source) {
  return std::make_unique<VmstatPart>(source);
}

}  // namespace binnacle::collect::host
