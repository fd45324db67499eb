// /proc/diskstats: I/O counters of block devices. Kernels before 4.18 have no discards, before 5.5
// no flushes. Source: Linux, Documentation/admin-guide/iostats.rst.
#include "collect/host/linux/disk_line.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr double kSectorBytes = 512;  // whatever the device's own sectors are
constexpr double kSecondsPerMs = 0.001;
constexpr size_t kFieldsOfOldestKernel = 11;

struct DiskField {
  Metric metric;
  double scale = 1;
};

constexpr DiskField disk_counter(std::string_view name, std::string_view help, double scale = 1) {
  return {counter(name, help, kDeviceLabel), scale};
}

constexpr DiskField kFields[] = {
    disk_counter("node_disk_reads_completed_total",
                 "The total number of reads completed successfully."),
    disk_counter("node_disk_reads_merged_total", "The total number of reads merged."),
    disk_counter("node_disk_read_bytes_total", "The total number of bytes read successfully.",
                 kSectorBytes),
    disk_counter("node_disk_read_time_seconds_total",
                 "The total number of seconds spent by all reads.", kSecondsPerMs),
    disk_counter("node_disk_writes_completed_total",
                 "The total number of writes completed successfully."),
    disk_counter("node_disk_writes_merged_total", "The number of writes merged."),
    disk_counter("node_disk_written_bytes_total", "The total number of bytes written successfully.",
                 kSectorBytes),
    disk_counter("node_disk_write_time_seconds_total",
                 "This is the total number of seconds spent by all writes.", kSecondsPerMs),
    {gauge("node_disk_io_now", "The number of I/Os currently in progress.", kDeviceLabel)},
    disk_counter("node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.",
                 kSecondsPerMs),
    disk_counter("node_disk_io_time_weighted_seconds_total",
                 "The weighted # of seconds spent doing I/Os.", kSecondsPerMs),
    disk_counter("node_disk_discards_completed_total",
                 "The total number of discards completed successfully."),
    disk_counter("node_disk_discards_merged_total", "The total number of discards merged."),
    disk_counter("node_disk_discarded_sectors_total",
                 "The total number of sectors discarded successfully."),
    disk_counter("node_disk_discard_time_seconds_total",
                 "This is the total number of seconds spent by all discards.", kSecondsPerMs),
    disk_counter("node_disk_flush_requests_total",
                 "The total number of flush requests completed successfully"),
    disk_counter("node_disk_flush_requests_time_seconds_total",
                 "This is the total number of seconds spent by all flush requests.", kSecondsPerMs),
};

class DiskstatsPart final : public Part {
 public:
  DiskstatsPart(const Source& source, NameFilter exclude)
      : file_(source.files, source.proc("diskstats")), exclude_(std::move(exclude)) {}

  std::string_view name() const override { return "diskstats"; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(std::string_view rest, file_.read());
    Faults faults;
    for (std::string_view line; next_line(rest, line);) {
      const auto disk = parse_disk_line(line);
      if (!disk) {
        faults.bad(file_.path(), "a line", line);
      } else if (!exclude_.matches(disk->device)) {
        emit_disk(*disk, emitter, faults);
      }
    }
    return faults.take();
  }

 private:
  void emit_disk(const DiskLine& disk, Emitter& emitter, Faults& faults) const {
    std::string_view fields = disk.fields;
    for (size_t i = 0; i < std::size(kFields); ++i) {
      const std::string_view field = next_field(fields);
      if (field.empty() && i >= kFieldsOfOldestKernel) return;
      const auto value = parse_number(field);
      if (!value) {
        faults.bad(file_.path(), "a counter of a device", field);
        return;
      }
      emitter.emit(kFields[i].metric, {disk.device}, *value * kFields[i].scale);
    }
  }

  KernelFile file_;
  NameFilter exclude_;
};

}  // namespace

std::unique_ptr<Part> diskstats_part(const Source& source, NameFilter exclude) {
  return std::make_unique<DiskstatsPart>(source, std::move(exclude));
}

}  // namespace binnacle::collect::host
