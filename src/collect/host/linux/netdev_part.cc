// /proc/net/dev: traffic counters of network interfaces. Two lines of heading, then "eth0: 1 2 3
// ...".
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr size_t kHeadingLines = 2;

// In the order of the file.
constexpr Metric kColumns[] = {
    counter("node_network_receive_bytes_total", "Network device statistic receive_bytes.",
            kDeviceLabel),
    counter("node_network_receive_packets_total", "Network device statistic receive_packets.",
            kDeviceLabel),
    counter("node_network_receive_errs_total", "Network device statistic receive_errs.",
            kDeviceLabel),
    counter("node_network_receive_drop_total", "Network device statistic receive_drop.",
            kDeviceLabel),
    counter("node_network_receive_fifo_total", "Network device statistic receive_fifo.",
            kDeviceLabel),
    counter("node_network_receive_frame_total", "Network device statistic receive_frame.",
            kDeviceLabel),
    counter("node_network_receive_compressed_total", "Network device statistic receive_compressed.",
            kDeviceLabel),
    counter("node_network_receive_multicast_total", "Network device statistic receive_multicast.",
            kDeviceLabel),
    counter("node_network_transmit_bytes_total", "Network device statistic transmit_bytes.",
            kDeviceLabel),
    counter("node_network_transmit_packets_total", "Network device statistic transmit_packets.",
            kDeviceLabel),
    counter("node_network_transmit_errs_total", "Network device statistic transmit_errs.",
            kDeviceLabel),
    counter("node_network_transmit_drop_total", "Network device statistic transmit_drop.",
            kDeviceLabel),
    counter("node_network_transmit_fifo_total", "Network device statistic transmit_fifo.",
            kDeviceLabel),
    counter("node_network_transmit_colls_total", "Network device statistic transmit_colls.",
            kDeviceLabel),
    counter("node_network_transmit_carrier_total", "Network device statistic transmit_carrier.",
            kDeviceLabel),
    counter("node_network_transmit_compressed_total",
            "Network device statistic transmit_compressed.", kDeviceLabel),
};

class NetdevPart final : public Part {
 public:
  NetdevPart(const Source& source, NameFilter exclude)
      : file_(source.files, source.proc("net/dev")), exclude_(std::move(exclude)) {}

  std::string_view name() const override { return "netdev"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    std::string_view line;
    for (size_t i = 0; i < kHeadingLines; ++i) {
      if (!next_line(rest, line)) faults.bad(file_.path(), "the heading", "too short");
    }
    while (next_line(rest, line)) emit_device(line, emitter, faults);
    return faults.take();
  }

 private:
  void emit_device(std::string_view line, Emitter& emitter, Faults& faults) {
    // The last colon: the names of old alias interfaces hold one themselves ("eth0:1").
    const size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) {
      faults.bad(file_.path(), "a line", line);
      return;
    }
    const std::string_view device = trim(line.substr(0, colon));
    if (exclude_.matches(device)) return;
    std::string_view fields = line.substr(colon + 1);
    for (const Metric& metric : kColumns) {
      const std::string_view field = next_field(fields);
      const auto value = parse_number(field);
      if (!value) {
        faults.bad(file_.path(), "a counter of a device", field);
        return;
      }
      emitter.emit(metric, {device}, *value);
    }
  }

  KernelFile file_;
  NameFilter exclude_;
};

}  // namespace

std::unique_ptr<Part> netdev_part(const Source& source, NameFilter exclude) {
  return std::make_unique<NetdevPart>(source, std::move(exclude));
}

}  // namespace binnacle::collect::host
