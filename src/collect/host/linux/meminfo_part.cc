// /proc/meminfo: every field, in bytes where the kernel says kB.
#include <fmt/format.h>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_names.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr double kBytesPerKb = 1024;  // meminfo writes kB and means KiB

// "Active(anon)" becomes "Active_anon", and "Active_anon_bytes" where there is a unit.
std::string field_name(std::string_view raw, bool in_bytes) {
  std::string name;
  for (const char c : raw) {
    if (c == '(') name += '_';
    if (c != '(' && c != ')') name += c;
  }
  return in_bytes ? name + "_bytes" : name;
}

class MeminfoPart final : public Part {
 public:
  explicit MeminfoPart(const Source& source) : file_(source.files, source.proc("meminfo")) {}

  std::string_view name() const override { return "meminfo"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    if (trim(rest).empty()) faults.bad(file_.path(), "the content", "empty");
    for (std::string_view line; next_line(rest, line);) {
      const size_t colon = line.find(':');
      std::string_view fields = colon == std::string_view::npos ? "" : line.substr(colon + 1);
      const auto value = parse_number(next_field(fields));
      const std::string_view unit = next_field(fields);
      if (!value || (!unit.empty() && unit != "kB")) {
        faults.bad(file_.path(), "a line", line);
        continue;
      }
      emit_field(line.substr(0, colon), *value, !unit.empty(), emitter);
    }
    return faults.take();
  }

 private:
  void emit_field(std::string_view raw, double value, bool in_kb, Emitter& emitter) {
    const Metric* const metric = names_.find(raw, [&](std::string_view key) {
      const std::string field = field_name(key, in_kb);
      return &emitter.named("node_memory_" + field,
                            fmt::format("Memory information field {}.", field),
                            model::MetricType::kGauge);
    });
    if (metric != nullptr) emitter.emit(*metric, in_kb ? value * kBytesPerKb : value);
  }

  KernelFile file_;
  KernelNames names_;
};

}  // namespace

std::unique_ptr<Part> meminfo_part(const Source& source) {
  return std::make_unique<MeminfoPart>(source);
}

}  // namespace binnacle::collect::host
