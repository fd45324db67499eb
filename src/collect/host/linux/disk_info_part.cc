// What a block device is: its numbers, and model and serial where udev has left a record of it
// under /run/udev/data/b<major>:<minor> (lines "E:ID_MODEL=...").
#include <map>

#include <fmt/format.h>

#include "collect/host/linux/disk_line.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kInfoLabels[] = {"device", "major", "minor",  "path",
                                            "wwn",    "model", "serial", "revision"};
constexpr Metric kInfo = gauge("node_disk_info", "Info of /sys/block/<block_device>.", kInfoLabels);

using Properties = std::map<std::string, std::string, std::less<>>;

Properties parse_udev_record(std::string_view rest) {
  Properties properties;
  for (std::string_view line; next_line(rest, line);) {
    const size_t equals = line.find('=');
    if (!line.starts_with("E:") || equals == std::string_view::npos) continue;
    properties.emplace(line.substr(2, equals - 2), line.substr(equals + 1));
  }
  return properties;
}

std::string_view property(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  return found == properties.end() ? std::string_view() : found->second;
}

class DiskInfoPart final : public Part {
 public:
  DiskInfoPart(const Source& source, NameFilter exclude)
      : source_(source),
        file_(source.files, source.proc("diskstats")),
        exclude_(std::move(exclude)) {}

  std::string_view name() const override { return "disk_info"; }
  int64_t period_ms() const override { return 15'000; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    for (std::string_view line; next_line(rest, line);) {
      const auto disk = parse_disk_line(line);
      if (!disk) {
        faults.bad(file_.path(), "a line", line);
      } else if (!exclude_.matches(disk->device)) {
        emit_disk(*disk, emitter);
      }
    }
    return faults.take();
  }

 private:
  // Without a readable record (containers, no udev) the labels that come from it are empty.
  void emit_disk(const DiskLine& disk, Emitter& emitter) {
    const auto record = read_small_file(
        source_.files, source_.root(fmt::format("run/udev/data/b{}:{}", disk.major, disk.minor)));
    const Properties udev = record ? parse_udev_record(*record) : Properties();
    const std::string_view scsi_serial = property(udev, "SCSI_IDENT_SERIAL");
    emitter.emit(kInfo,
                 {disk.device, disk.major, disk.minor, property(udev, "ID_PATH"),
                  property(udev, "ID_WWN"), property(udev, "ID_MODEL"),
                  scsi_serial.empty() ? property(udev, "ID_SERIAL_SHORT") : scsi_serial,
                  property(udev, "ID_REVISION")},
                 1);
  }

  const Source source_;
  KernelFile file_;
  NameFilter exclude_;
};

}  // namespace

std::unique_ptr<Part> disk_info_part(const Source& source, NameFilter exclude) {
  return std::make_unique<DiskInfoPart>(source, std::move(exclude));
}

}  // namespace binnacle::collect::host
