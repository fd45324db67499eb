// /proc/pressure/{cpu,memory,io}: how long work stood waiting, as running totals.
// "some avg10=0.17 avg60=0.36 avg300=0.39 total=14315064", microseconds.
// Source: Linux, Documentation/accounting/psi.rst.
#include <array>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr double kSecondsPerUs = 1e-6;
constexpr std::string_view kTotal = "total=";

struct Resource {
  std::string_view file;
  Metric some;
  Metric full;  // no name: not meaningful for this resource
};

constexpr Resource kResources[] = {
    {"pressure/cpu",
     counter("node_pressure_cpu_waiting_seconds_total",
             "Total time in seconds that processes have waited for CPU time"),
     {}},
    {"pressure/io",
     counter("node_pressure_io_waiting_seconds_total",
             "Total time in seconds that processes have waited due to IO congestion"),
     counter("node_pressure_io_stalled_seconds_total",
             "Total time in seconds no process could make progress due to IO congestion")},
    {"pressure/memory",
     counter("node_pressure_memory_waiting_seconds_total",
             "Total time in seconds that processes have waited for memory"),
     counter("node_pressure_memory_stalled_seconds_total",
             "Total time in seconds no process could make progress due to memory congestion")},
};

class PressurePart final : public Part {
 public:
  explicit PressurePart(const Source& source) {
    for (const Resource& resource : kResources) {
      files_.emplace_back(source.files, source.proc(resource.file));
    }
  }

  std::string_view name() const override { return "pressure"; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    for (size_t i = 0; i < std::size(kResources); ++i) {
      auto text = files_[i].read_if_offered();
      if (!text) {
        faults.add(fail(std::move(text).error()));
      } else if (*text) {  // else a kernel without PSI, or started with psi=0
        emit_resource(kResources[i], files_[i].path(), **text, emitter, faults);
      }
    }
    return faults.take();
  }

 private:
  static void emit_resource(const Resource& resource, const std::string& path,
                            std::string_view rest, Emitter& emitter, Faults& faults) {
    for (std::string_view line; next_line(rest, line);) {
      const Metric& metric = line.starts_with("full") ? resource.full : resource.some;
      if (metric.name.empty()) continue;
      const size_t at = line.rfind(kTotal);
      const auto total = at == std::string_view::npos
                             ? std::nullopt
                             : parse_number(line.substr(at + kTotal.size()));
      if (total) {
        emitter.emit(metric, *total * kSecondsPerUs);
      } else {
        faults.bad(path, "a line", line);
      }
    }
  }

  std::vector<KernelFile> files_;  // as kResources
};

}  // namespace

std::unique_ptr<Part> pressure_part(const Source& source) {
  return std::make_unique<PressurePart>(source);
}

}  // namespace binnacle::collect::host
