// AMD's GPUs by what their driver writes to /sys/class/drm/card*/device, under the names of AMD's
// device-metrics-exporter. Sources: Linux, Documentation/gpu/amdgpu; hwmon/sysfs-interface.rst.
#include <algorithm>

#include "collect/gpu/gpu_parts.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::gpu {
namespace {

using host::gauge;
using host::Metric;

constexpr int64_t kPeriodMs = 5000;
constexpr size_t kMaxCards = 64;
constexpr std::string_view kAmdVendor = "0x1002";
constexpr double kMiB = 1024.0 * 1024;

constexpr std::string_view kLabels[] = {"gpu_id", "card_model", "pcie_bus_id"};

struct File {
  std::string_view name;
  Metric metric;
  double scale;
};
constexpr File kFiles[] = {
    {"gpu_busy_percent",
     gauge("gpu_gfx_activity", "Share of time in which the graphics engine was busy (%).", kLabels),
     1},
    {"mem_busy_percent",
     gauge("gpu_umc_activity", "Share of time in which the memory controller was busy (%).",
           kLabels),
     1},
    {"mem_info_vram_total", gauge("gpu_total_vram", "All memory of the GPU (MiB).", kLabels),
     1 / kMiB},
    {"mem_info_vram_used", gauge("gpu_used_vram", "Used memory of the GPU (MiB).", kLabels),
     1 / kMiB},
    {"mem_info_gtt_total", gauge("gpu_total_gtt", "Memory of the host for the GPU (MiB).", kLabels),
     1 / kMiB},
    {"mem_info_gtt_used",
     gauge("gpu_used_gtt", "Memory of the host in use by the GPU (MiB).", kLabels), 1 / kMiB},
};
constexpr File kSensors[] = {
    {"power1_average", gauge("gpu_average_package_power", "Average power draw (W).", kLabels),
     1e-6},
    {"power1_input", gauge("gpu_package_power", "Power draw (W).", kLabels), 1e-6},
    {"temp1_input", gauge("gpu_edge_temperature", "Temperature at the edge (C).", kLabels), 1e-3},
    {"temp2_input", gauge("gpu_junction_temperature", "Temperature at the junction (C).", kLabels),
     1e-3},
    {"temp3_input", gauge("gpu_memory_temperature", "Temperature of the memory (C).", kLabels),
     1e-3},
    {"freq1_input", gauge("gpu_clock", "Graphics clock (MHz).", kLabels), 1e-6},
};

bool is_card(std::string_view name) {
  return name.starts_with("card") && name.size() > 4 &&
         name.find_first_not_of("0123456789", 4) == std::string_view::npos;
}

std::vector<std::string> amd_cards(FileSystem& files, const std::string& sys_path) {
  std::vector<std::string> cards;
  const auto entries = files.list(sys_path + "/class/drm");
  if (!entries) return cards;
  for (const DirEntry& entry : *entries) {
    if (!is_card(entry.name) || cards.size() >= kMaxCards) continue;
    const std::string folder = sys_path + "/class/drm/" + entry.name + "/device";
    if (host::read_small_file(files, folder + "/vendor").value_or("") == kAmdVendor &&
        files.exists(folder + "/mem_info_vram_total")) {
      cards.push_back(entry.name);
    }
  }
  return cards;
}

class AmdgpuPart final : public host::Part {
 public:
  AmdgpuPart(FileSystem& files, std::string sys_path)
      : files_(files), sys_path_(std::move(sys_path)) {}

  std::string_view name() const override { return "amdgpu"; }
  int64_t period_ms() const override { return kPeriodMs; }

  Status collect(host::Emitter& emitter) override {
    host::Faults faults;
    for (const std::string& card : amd_cards(files_, sys_path_)) {
      emit_card(card, emitter, faults);
    }
    return faults.take();
  }

 private:
  void emit_card(const std::string& card, host::Emitter& emitter, host::Faults& faults) {
    const std::string folder = sys_path_ + "/class/drm/" + card + "/device";
    const std::string model = host::read_small_file(files_, folder + "/product_name").value_or("");
    const std::string link = files_.read_link(folder).value_or("");
    const std::string bus =
        link.substr(link.rfind('/') == std::string::npos ? 0 : link.rfind('/') + 1);
    const std::string_view id = std::string_view(card).substr(4);
    const auto emit_files = [&](std::span<const File> wanted, const std::string& at) {
      for (const File& file : wanted) {
        const std::string path = at + "/" + std::string(file.name);
        const auto text = host::read_small_file(files_, path);
        if (!text) continue;  // not this generation, or it sleeps
        if (const auto value = host::parse_number(*text)) {
          emitter.emit(file.metric, {id, model, bus}, *value * file.scale);
        } else {
          faults.bad(path, "the value", *text);
        }
      }
    };
    emit_files(kFiles, folder);
    const auto sensors = files_.list(folder + "/hwmon");
    if (sensors && !sensors->empty()) {
      emit_files(kSensors, folder + "/hwmon/" + sensors->front().name);
    }
  }

  // Fixed after construction.
  FileSystem& files_;
  const std::string sys_path_;
};

}  // namespace

bool has_amdgpu(FileSystem& files, const std::string& sys_path) {
  return !amd_cards(files, sys_path).empty();
}

std::unique_ptr<host::Part> amdgpu_part(FileSystem& files, std::string sys_path) {
  return std::make_unique<AmdgpuPart>(files, std::move(sys_path));
}

}  // namespace binnacle::collect::gpu
