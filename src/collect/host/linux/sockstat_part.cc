// /proc/net/sockstat and sockstat6: "TCP: inuse 1 orphan 0 tw 2 alloc 1 mem 0", mem in pages.
#include <unistd.h>

#include <fmt/format.h>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_names.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

const Metric* sockstat_metric(std::string_view protocol, std::string_view state, Emitter& emitter) {
  std::string help = protocol == "sockets"
                         ? std::string("Number of IPv4 sockets in use.")
                         : fmt::format("Number of {} sockets in state {}.", protocol, state);
  return &emitter.named(fmt::format("node_sockstat_{}_{}", protocol, state), std::move(help),
                        model::MetricType::kGauge);
}

class SockstatPart final : public Part {
 public:
  explicit SockstatPart(const Source& source)
      : v4_(source.files, source.proc("net/sockstat")),
        v6_(source.files, source.proc("net/sockstat6")),
        page_bytes_(static_cast<double>(sysconf(_SC_PAGESIZE))) {}

  std::string_view name() const override { return "sockstat"; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    collect_file(v4_, emitter, faults);
    collect_file(v6_, emitter, faults);
    return faults.take();
  }

 private:
  void collect_file(KernelFile& file, Emitter& emitter, Faults& faults) {
    auto text = file.read_if_offered();
    if (!text) return faults.add(fail(std::move(text).error()));
    if (!*text) return;  // that address family is off
    std::string_view rest = **text;
    for (std::string_view line; next_line(rest, line);) {
      std::string_view protocol = next_field(line);
      if (!protocol.ends_with(':')) {
        faults.bad(file.path(), "a line", protocol);
        continue;
      }
      protocol.remove_suffix(1);
      for (auto state = next_field(line); !state.empty(); state = next_field(line)) {
        const std::string_view field = next_field(line);
        if (const auto value = parse_number(field)) {
          emit_state(protocol, state, *value, emitter);
        } else {
          faults.bad(file.path(), state, field);
        }
      }
    }
  }

  void emit_state(std::string_view protocol, std::string_view state, double value,
                  Emitter& emitter) {
    emit_named(protocol, state, value, emitter);
    if (state == "mem") emit_named(protocol, "mem_bytes", value * page_bytes_, emitter);
  }

  void emit_named(std::string_view protocol, std::string_view state, double value,
                  Emitter& emitter) {
    key_.assign(protocol).append(1, ' ').append(state);
    const Metric* const metric = names_.find(
        key_, [&](std::string_view) { return sockstat_metric(protocol, state, emitter); });
    if (metric != nullptr) emitter.emit(*metric, value);
  }

  KernelFile v4_;
  KernelFile v6_;
  KernelNames names_;
  std::string key_;
  const double page_bytes_;
};

}  // namespace

std::unique_ptr<Part> sockstat_part(const Source& source) {
  return std::make_unique<SockstatPart>(source);
}

}  // namespace binnacle::collect::host
