// /sys/class/net/<interface>/: what an interface is and how it stands. An attribute that the driver
// does not offer cannot be read (EINVAL) and is left out.
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr double kBytesPerMegabit = 1e6 / 8;

struct Property {
  std::string_view file;
  Metric metric;
  double scale = 1;
};

constexpr Metric net_gauge(std::string_view name, std::string_view help) {
  return gauge(name, help, kDeviceLabel);
}
constexpr Metric net_counter(std::string_view name, std::string_view help) {
  return counter(name, help, kDeviceLabel);
}

constexpr Property kProperties[] = {
    {"addr_assign_type",
     net_gauge("node_network_address_assign_type", "Network device property: address_assign_type")},
    {"carrier", net_gauge("node_network_carrier", "Network device property: carrier")},
    {"carrier_changes", net_counter("node_network_carrier_changes_total",
                                    "Network device property: carrier_changes_total")},
    {"carrier_up_count", net_counter("node_network_carrier_up_changes_total",
                                     "Network device property: carrier_up_changes_total")},
    {"carrier_down_count", net_counter("node_network_carrier_down_changes_total",
                                       "Network device property: carrier_down_changes_total")},
    {"dev_id", net_gauge("node_network_device_id", "Network device property: device_id")},
    {"dormant", net_gauge("node_network_dormant", "Network device property: dormant")},
    {"flags", net_gauge("node_network_flags", "Network device property: flags")},
    {"ifindex", net_gauge("node_network_iface_id", "Network device property: iface_id")},
    {"iflink", net_gauge("node_network_iface_link", "Network device property: iface_link")},
    {"link_mode",
     net_gauge("node_network_iface_link_mode", "Network device property: iface_link_mode")},
    {"mtu", net_gauge("node_network_mtu_bytes", "Network device property: mtu_bytes")},
    {"name_assign_type",
     net_gauge("node_network_name_assign_type", "Network device property: name_assign_type")},
    {"netdev_group",
     net_gauge("node_network_net_dev_group", "Network device property: net_dev_group")},
    // -1 megabit, so -125000, where the speed is not known: as node_exporter has it by default.
    {"speed", net_gauge("node_network_speed_bytes", "Network device property: speed_bytes"),
     kBytesPerMegabit},
    {"tx_queue_len", net_gauge("node_network_transmit_queue_length",
                               "Network device property: transmit_queue_length")},
    {"type", net_gauge("node_network_protocol_type", "Network device property: protocol_type")},
};

constexpr Metric kUp =
    net_gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.");
constexpr std::string_view kInfoLabels[] = {"device", "address",   "broadcast",
                                            "duplex", "operstate", "ifalias"};
constexpr Metric kInfo =
    gauge("node_network_info", "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
          kInfoLabels);
constexpr Metric kNohandler = net_counter("node_network_receive_nohandler_total",
                                          "Network device statistic receive_nohandler.");

class NetclassPart final : public Part {
 public:
  explicit NetclassPart(const Source& source) : source_(source), folder_(source.sys("class/net")) {}

  std::string_view name() const override { return "netclass"; }
  int64_t period_ms() const override { return 15'000; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(const auto entries, source_.files.list(folder_));
    Faults faults;
    for (const DirEntry& entry : entries) {
      if (entry.is_directory) emit_device(entry.name, emitter, faults);
    }
    return faults.take();
  }

 private:
  void emit_device(const std::string& device, Emitter& emitter, Faults& faults) {
    const std::string folder = folder_ + "/" + device + "/";
    for (const Property& property : kProperties) {
      const std::string path = folder + std::string(property.file);
      const auto text = read_small_file(source_.files, path);
      if (!text) continue;
      if (const auto value = parse_integer(*text)) {
        emitter.emit(property.metric, {device}, static_cast<double>(*value) * property.scale);
      } else {
        faults.bad(path, "the value", *text);
      }
    }
    const auto text_of = [&](std::string_view file) {
      return read_small_file(source_.files, folder + std::string(file)).value_or("");
    };
    const std::string state = text_of("operstate");
    emitter.emit(kUp, {device}, state == "up" ? 1 : 0);
    emitter.emit(kInfo,
                 {device, text_of("address"), text_of("broadcast"), text_of("duplex"), state,
                  text_of("ifalias")},
                 1);
  }

  const Source source_;
  const std::string folder_;
};

// The one receive counter that /proc/net/dev does not have.
class NohandlerPart final : public Part {
 public:
  NohandlerPart(const Source& source, NameFilter exclude)
      : source_(source), folder_(source.sys("class/net")), exclude_(std::move(exclude)) {}

  std::string_view name() const override { return "netdev_nohandler"; }
  int64_t period_ms() const override { return 15'000; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(const auto entries, source_.files.list(folder_));
    Faults faults;
    for (const DirEntry& entry : entries) {
      if (!entry.is_directory || exclude_.matches(entry.name)) continue;
      const std::string path = folder_ + "/" + entry.name + "/statistics/rx_nohandler";
      const auto text = read_small_file(source_.files, path);
      if (!text) continue;
      if (const auto value = parse_number(*text)) {
        emitter.emit(kNohandler, {entry.name}, *value);
      } else {
        faults.bad(path, "the value", *text);
      }
    }
    return faults.take();
  }

 private:
  const Source source_;
  const std::string folder_;
  NameFilter exclude_;
};

}  // namespace

std::unique_ptr<Part> netclass_part(const Source& source) {
  return std::make_unique<NetclassPart>(source);
}

std::unique_ptr<Part> nohandler_part(const Source& source, NameFilter exclude) {
  return std::make_unique<NohandlerPart>(source, std::move(exclude));
}

}  // namespace binnacle::collect::host
