// The wall clock of this machine, so that clocks can be compared across nodes.
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr Metric kTime = gauge("node_time_seconds", "System time in seconds since epoch (1970).");
constexpr double kNsPerSecond = 1e9;

class TimePart final : public Part {
 public:
  explicit TimePart(const Clock& clock) : clock_(clock) {}

  std::string_view name() const override { return "time"; }

  Status collect(Emitter& emitter) override {
    emitter.emit(kTime, static_cast<double>(clock_.wall_ns()) / kNsPerSecond);
    return {};
  }

 private:
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Part> time_part(const Clock& clock) { return std::make_unique<TimePart>(clock); }

}  // namespace binnacle::collect::host
