// /proc/net/netstat and snmp (a line of names, then a line of values, for each protocol) and snmp6
// (a name and a value a line). Of some 350 fields those that node_exporter takes by default are
// kept.
#include <fmt/format.h>

#include "base/check.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_names.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr char kWantedFields[] =
    "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|"
    "TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts)|"
    "Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|"
    "Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$";

NameFilter wanted_fields() {
  auto filter = NameFilter::create(kWantedFields);
  CHECK(filter.has_value());
  return std::move(*filter);
}

class NetstatPart final : public Part {
 public:
  explicit NetstatPart(const Source& source)
      : netstat_{KernelFile(source.files, source.proc("net/netstat")), {}},
        snmp_{KernelFile(source.files, source.proc("net/snmp")), {}},
        snmp6_(source.files, source.proc("net/snmp6")),
        wanted_(wanted_fields()) {}

  std::string_view name() const override { return "netstat"; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    collect_tables(netstat_, emitter, faults);
    collect_tables(snmp_, emitter, faults);
    collect_snmp6(emitter, faults);
    return faults.take();
  }

 private:
  // The names of one protocol never change while the kernel runs, so they are translated once and
  // the line that holds them is compared as a whole from then on.
  struct Table {
    std::string heading;
    std::vector<const Metric*> columns;  // null: not wanted
  };
  struct TableFile {
    KernelFile file;
    std::vector<Table> tables;  // in the order of the file
  };

  void collect_tables(TableFile& source, Emitter& emitter, Faults& faults) {
    const auto text = source.file.read();
    if (!text) return faults.add(fail(text.error()));
    std::string_view rest = *text;
    std::string_view heading;
    std::string_view values;
    for (size_t i = 0; next_line(rest, heading); ++i) {
      const std::string_view protocol = heading.substr(0, heading.find(':'));
      if (!next_line(rest, values) || protocol.size() == heading.size() ||
          !values.starts_with(heading.substr(0, protocol.size() + 1))) {
        return faults.bad(source.file.path(), "the values after a heading", heading);
      }
      if (i >= source.tables.size()) source.tables.resize(i + 1);
      if (source.tables[i].heading != heading) {
        source.tables[i] = translate(protocol, heading, emitter);
      }
      emit_table(source, source.tables[i], values.substr(protocol.size() + 1), emitter, faults);
    }
  }

  Table translate(std::string_view protocol, std::string_view heading, Emitter& emitter) {
    Table table{std::string(heading), {}};
    std::string_view names = heading.substr(protocol.size() + 1);
    for (auto field = next_field(names); !field.empty(); field = next_field(names)) {
      table.columns.push_back(metric_of(protocol, field, emitter));
    }
    return table;
  }

  const Metric* metric_of(std::string_view protocol, std::string_view field, Emitter& emitter) {
    const std::string name = fmt::format("{}_{}", protocol, field);
    if (!wanted_.matches(name)) return nullptr;
    return &emitter.named("node_netstat_" + name, fmt::format("Statistic {}{}.", protocol, field),
                          model::MetricType::kUnknown);
  }

  static void emit_table(const TableFile& source, const Table& table, std::string_view values,
                         Emitter& emitter, Faults& faults) {
    for (const Metric* const metric : table.columns) {
      const std::string_view field = next_field(values);
      if (metric == nullptr) continue;
      if (const auto value = parse_number(field)) {
        emitter.emit(*metric, *value);
      } else {
        faults.bad(source.file.path(), metric->name, field);
      }
    }
  }

  void collect_snmp6(Emitter& emitter, Faults& faults) {
    auto text = snmp6_.read_if_offered();
    if (!text) return faults.add(fail(std::move(text).error()));
    if (!*text) return;  // IPv6 is off
    std::string_view rest = **text;
    for (std::string_view line; next_line(rest, line);) {
      const std::string_view raw = next_field(line);
      const Metric* const metric = snmp6_names_.find(raw, [&](std::string_view key) {
        // "UdpLite6InErrors": the protocol ends with its 6.
        const size_t end = key.find('6');
        if (end == std::string_view::npos) return static_cast<const Metric*>(nullptr);
        return metric_of(key.substr(0, end + 1), key.substr(end + 1), emitter);
      });
      if (metric == nullptr) continue;
      const std::string_view field = next_field(line);
      if (const auto value = parse_number(field)) {
        emitter.emit(*metric, *value);
      } else {
        faults.bad(snmp6_.path(), raw, field);
      }
    }
  }

  TableFile netstat_;
  TableFile snmp_;
  KernelFile snmp6_;
  KernelNames snmp6_names_;
  NameFilter wanted_;
};

}  // namespace

std::unique_ptr<Part> netstat_part(const Source& source) {
  return std::make_unique<NetstatPart>(source);
}

}  // namespace binnacle::collect::host
