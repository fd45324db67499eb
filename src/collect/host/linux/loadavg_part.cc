// /proc/loadavg: "0.01 0.03 0.06 1/95 7776".
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr Metric kLoads[] = {gauge("node_load1", "1m load average."),
                             gauge("node_load5", "5m load average."),
                             gauge("node_load15", "15m load average.")};

class LoadavgPart final : public Part {
 public:
  explicit LoadavgPart(const Source& source) : file_(source.files, source.proc("loadavg")) {}

  std::string_view name() const override { return "loadavg"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(const std::string_view text, file_.read());
    Faults faults;
    std::string_view rest = text;
    for (const Metric& metric : kLoads) {
      if (const auto load = parse_number(next_field(rest))) {
        emitter.emit(metric, *load);
      } else {
        faults.bad(file_.path(), "a load average", trim(text));
      }
    }
    return faults.take();
  }

 private:
  KernelFile file_;
};

}  // namespace

std::unique_ptr<Part> loadavg_part(const Source& source) {
  return std::make_unique<LoadavgPart>(source);
}

}  // namespace binnacle::collect::host
