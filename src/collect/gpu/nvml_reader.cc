#include "collect/gpu/nvml_reader.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "collect/gpu/gpu_metrics.h"
#include "collect/gpu/nvml_values.h"

namespace binnacle::collect::gpu {
namespace {

constexpr size_t kMaxGpus = 64;
constexpr size_t kMaxXidsPerReading = 64;
constexpr size_t kMaxXidKinds = 128;
constexpr unsigned kMaxProcessesAsked = 512;
constexpr unsigned kMaxInstances = 16;

bool is_gone(nvml::Return code) { return code == nvml::kGpuIsLost || code == nvml::kResetRequired; }

}  // namespace

NvmlReader::NvmlReader(const nvml::Api& api, const GpuOptions& options)
    : api_(api), options_(options) {}

std::string NvmlReader::error_text(nvml::Return code) const {
  const char* const text = api_.nvmlErrorString == nullptr ? nullptr : api_.nvmlErrorString(code);
  return fmt::format("{} ({})", text == nullptr ? "NVML error" : text, code);
}

std::string NvmlReader::uuid_of(nvml::Device device) const {
  char uuid[96] = {};
  return api_.nvmlDeviceGetUUID(device, uuid, sizeof(uuid)) == nvml::kSuccess ? uuid : "";
}

Status NvmlReader::begin() {
  if (begun_) return {};
  const nvml::Return code = api_.nvmlInit_v2();
  if (code != nvml::kSuccess) {
    return fail(Code::kUnavailable, "begin with NVML: " + error_text(code));
  }
  begun_ = true;
  char version[96] = {};
  if (api_.nvmlSystemGetDriverVersion != nullptr &&
      api_.nvmlSystemGetDriverVersion(version, sizeof(version)) == nvml::kSuccess) {
    driver_version_ = version;
  }
  events_ = nullptr;
  if (api_.nvmlEventSetCreate != nullptr && api_.nvmlEventSetWait_v2 != nullptr &&
      api_.nvmlDeviceRegisterEvents != nullptr) {
    api_.nvmlEventSetCreate(&events_);
  }
  for (auto& [uuid, known] : known_) known.watched = false;
  return {};
}

Result<GpuSnapshot> NvmlReader::read() {
  TRY(begin());
  GpuSnapshot snapshot;
  unsigned count = 0;
  if (const nvml::Return code = api_.nvmlDeviceGetCount_v2(&count); code != nvml::kSuccess) {
    begun_ = false;
    if (api_.nvmlShutdown != nullptr) api_.nvmlShutdown();
    return fail(Code::kUnavailable, "count GPUs: " + error_text(code));
  }
  snapshot.driver_version = driver_version_;
  for (unsigned i = 0; i < count && i < kMaxGpus; ++i) read_gpu(i, snapshot);
  for (auto& [uuid, known] : known_) {
    const bool told = std::ranges::any_of(
        snapshot.gpus, [&](const GpuReading& gpu) { return gpu.uuid == known.facts.uuid; });
    if (told) continue;
    note_lost(known, "the driver no longer lists it", snapshot);
    snapshot.gpus.push_back(known.facts);
    snapshot.gpus.back().lost = true;
  }
  take_xids(snapshot);
  for (GpuReading& gpu : snapshot.gpus) {
    const Known& known = known_[gpu.uuid];
    gpu.last_xid = known.last_xid;
    gpu.xids = known.xids;
  }
  std::ranges::sort(snapshot.gpus, {}, &GpuReading::index);
  return snapshot;
}

void NvmlReader::read_gpu(unsigned index, GpuSnapshot& snapshot) {
  nvml::Device device = nullptr;
  const nvml::Return code = api_.nvmlDeviceGetHandleByIndex_v2(index, &device);
  Known* const known = known_at(index, code == nvml::kSuccess ? device : nullptr);
  if (known == nullptr) return;  // lost before we ever saw it
  GpuReading gpu = known->facts;
  nvml::Return health = code;
  unsigned degrees = 0;
  if (code == nvml::kSuccess && api_.nvmlDeviceGetTemperature != nullptr) {
    // The cheapest question that a lost GPU refuses.
    health = api_.nvmlDeviceGetTemperature(device, nvml::kTemperatureOfGpu, &degrees);
  }
  if (code != nvml::kSuccess || is_gone(health)) {
    note_lost(*known, error_text(health), snapshot);
    gpu.lost = true;
  } else {
    if (known->lost) {
      snapshot.events.push_back(
          {.kind = "gpu.back", .uuid = gpu.uuid, .gpu = index, .detail = "it answers again"});
      known->watched = false;
    }
    known->lost = false;
    watch_xids(*known, device);
    read_values(device, gpu);
    read_processes(device, gpu);
    read_instances(device, gpu);
  }
  snapshot.gpus.push_back(std::move(gpu));
}

// A lost GPU may refuse even its name: then it is the one that stood at that index.
NvmlReader::Known* NvmlReader::known_at(unsigned index, nvml::Device device) {
  const std::string uuid = device == nullptr ? "" : uuid_of(device);
  if (!uuid.empty()) return &get_to_know(index, uuid, device);
  for (auto& [id, known] : known_) {
    if (known.facts.index == index) return &known;
  }
  return nullptr;
}

NvmlReader::Known& NvmlReader::get_to_know(unsigned index, const std::string& uuid,
                                           nvml::Device device) {
  Known& known = known_[uuid];
  known.facts.index = index;
  known.handle = device;
  if (!known.facts.uuid.empty()) return known;
  known.facts.uuid = uuid;
  char name[96] = {};
  if (api_.nvmlDeviceGetName != nullptr &&
      api_.nvmlDeviceGetName(device, name, sizeof(name)) == nvml::kSuccess) {
    known.facts.model = name;
  }
  known.facts.minor = index;
  if (api_.nvmlDeviceGetMinorNumber != nullptr) {
    api_.nvmlDeviceGetMinorNumber(device, &known.facts.minor);
  }
  nvml::PciInfo pci{};
  if (api_.nvmlDeviceGetPciInfo_v3 != nullptr &&
      api_.nvmlDeviceGetPciInfo_v3(device, &pci) == nvml::kSuccess) {
    pci.bus_id[sizeof(pci.bus_id) - 1] = '\0';
    known.facts.pci_bus_id = pci.bus_id;
  }
  return known;
}

void NvmlReader::note_lost(Known& known, const std::string& why, GpuSnapshot& snapshot) {
  if (known.lost) return;
  known.lost = true;
  snapshot.events.push_back(
      {.kind = "gpu.lost", .uuid = known.facts.uuid, .gpu = known.facts.index, .detail = why});
}

void NvmlReader::watch_xids(Known& known, nvml::Device device) {
  if (known.watched || events_ == nullptr) return;
  known.watched = true;  // a GPU that has no events refuses, and is not asked again
  api_.nvmlDeviceRegisterEvents(device, nvml::kEventXid, events_);
}

void NvmlReader::take_xids(GpuSnapshot& snapshot) {
  if (events_ == nullptr) return;
  for (size_t i = 0; i < kMaxXidsPerReading; ++i) {
    nvml::EventData event{};
    if (api_.nvmlEventSetWait_v2(events_, &event, 0) != nvml::kSuccess) return;
    if ((event.event_type & nvml::kEventXid) == 0) continue;
    const auto xid = static_cast<int64_t>(event.event_data);
    GpuEvent told{.kind = "gpu.xid", .xid = xid, .detail = fmt::format("XID {}", xid)};
    if (Known* const known = known_by(event.device)) {
      known->last_xid = xid;
      if (known->xids.size() < kMaxXidKinds || known->xids.contains(xid)) ++known->xids[xid];
      told.uuid = known->facts.uuid;
      told.gpu = known->facts.index;
    }
    snapshot.events.push_back(std::move(told));
  }
}

// By its handle first: the XID that tells of a GPU's loss is of one that no longer says its name.
NvmlReader::Known* NvmlReader::known_by(nvml::Device device) {
  for (auto& [uuid, known] : known_) {
    if (known.handle == device) return &known;
  }
  const auto found = known_.find(uuid_of(device));
  return found == known_.end() ? nullptr : &found->second;
}

void NvmlReader::read_values(nvml::Device device, GpuReading& out) {
  read_device_values(api_, device, out);
}

void NvmlReader::read_processes(nvml::Device device, GpuReading& out) {
  if (api_.nvmlDeviceGetComputeRunningProcesses_v3 == nullptr) return;
  std::vector<nvml::ProcessInfo> processes(kMaxProcessesAsked);
  unsigned count = kMaxProcessesAsked;
  if (api_.nvmlDeviceGetComputeRunningProcesses_v3(device, &count, processes.data()) !=
      nvml::kSuccess) {
    return;
  }
  processes.resize(std::min(count, kMaxProcessesAsked));
  std::erase_if(processes, [](const auto& one) { return one.used_memory == ~0ULL; });
  std::ranges::sort(processes, std::greater<>(), &nvml::ProcessInfo::used_memory);
  processes.resize(std::min(processes.size(), options_.max_processes));
  for (const nvml::ProcessInfo& one : processes) {
    char path[256] = {};
    if (api_.nvmlSystemGetProcessName != nullptr) {
      api_.nvmlSystemGetProcessName(one.pid, path, sizeof(path));
    }
    std::string_view name = std::string_view(path).substr(0, std::string_view(path).find(' '));
    name = name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1);
    out.processes.push_back({one.pid, std::string(name), static_cast<double>(one.used_memory)});
  }
}

void NvmlReader::read_instances(nvml::Device device, GpuReading& out) {
  unsigned current = 0;
  unsigned pending = 0;
  if (api_.nvmlDeviceGetMigMode == nullptr || api_.nvmlDeviceGetMigDeviceHandleByIndex == nullptr ||
      api_.nvmlDeviceGetMigMode(device, &current, &pending) != nvml::kSuccess || current == 0) {
    return;
  }
  unsigned most = kMaxInstances;
  if (api_.nvmlDeviceGetMaxMigDeviceCount != nullptr) {
    api_.nvmlDeviceGetMaxMigDeviceCount(device, &most);
  }
  for (unsigned i = 0; i < std::min(most, kMaxInstances); ++i) {
    nvml::Device instance = nullptr;
    if (api_.nvmlDeviceGetMigDeviceHandleByIndex(device, i, &instance) != nvml::kSuccess) continue;
    MigReading reading{.uuid = uuid_of(instance)};
    unsigned id = i;
    if (api_.nvmlDeviceGetGpuInstanceId != nullptr) api_.nvmlDeviceGetGpuInstanceId(instance, &id);
    reading.instance_id = std::to_string(id);
    read_memory(api_, instance, reading.values);
    out.instances.push_back(std::move(reading));
  }
}

}  // namespace binnacle::collect::gpu
