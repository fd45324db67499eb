// Size and free space of each mounted file system that is not excluded: /proc/1/mounts says which
// there are (the host's view, also from within a container), statfs() how full they are.
#include <algorithm>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/mount_line.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr size_t kMaxMountsBytes = size_t{8} << 20;
constexpr std::string_view kLabels[] = {"device", "mountpoint", "fstype"};

constexpr Metric kSize = gauge("node_filesystem_size_bytes", "Filesystem size in bytes.", kLabels);
constexpr Metric kFree =
    gauge("node_filesystem_free_bytes", "Filesystem free space in bytes.", kLabels);
constexpr Metric kAvailable =
    gauge("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.",
          kLabels);
constexpr Metric kFiles = gauge("node_filesystem_files", "Filesystem total file nodes.", kLabels);
constexpr Metric kFilesFree =
    gauge("node_filesystem_files_free", "Filesystem total free file nodes.", kLabels);
constexpr Metric kReadOnly =
    gauge("node_filesystem_readonly", "Filesystem read-only status.", kLabels);
constexpr Metric kDeviceError =
    gauge("node_filesystem_device_error",
          "Whether an error occurred while getting statistics for the given device.", kLabels);

class FilesystemPart final : public Part {
 public:
  FilesystemPart(const Source& source, NameFilter mount_exclude, NameFilter type_exclude,
                 std::unique_ptr<MountProbe> probe)
      : source_(source),
        mount_exclude_(std::move(mount_exclude)),
        type_exclude_(std::move(type_exclude)),
        probe_(std::move(probe)) {}

  std::string_view name() const override { return "filesystem"; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    TRY_ASSIGN(const std::vector<MountLine> mounts, wanted_mounts(faults));
    std::vector<std::string> paths;
    for (const MountLine& mount : mounts) paths.push_back(source_.rootfs_path + mount.mount_point);
    const auto answers = probe_->ask(paths);
    for (size_t i = 0; i < mounts.size(); ++i) emit_mount(mounts[i], answers[i], emitter);
    return faults.take();
  }

 private:
  // Without doubles: the same file system may be mounted over itself.
  Result<std::vector<MountLine>> wanted_mounts(Faults& faults) {
    auto text = source_.files.read_file(source_.proc("1/mounts"), kMaxMountsBytes);
    // Process 1 is hidden from us under hidepid; then our own view is the best there is.
    if (!text) text = source_.files.read_file(source_.proc("mounts"), kMaxMountsBytes);
    if (!text) return fail(std::move(text).error());

    std::vector<MountLine> mounts;
    std::string_view rest = *text;
    for (std::string_view line; next_line(rest, line);) {
      auto mount = parse_mount_line(line);
      if (!mount) {
        faults.bad(source_.proc("1/mounts"), "a line", line);
        continue;
      }
      strip_rootfs(mount->mount_point);
      if (mount_exclude_.matches(mount->mount_point) || type_exclude_.matches(mount->type))
        continue;
      mounts.push_back(std::move(*mount));
    }
    std::ranges::sort(mounts);
    const auto same = std::ranges::unique(mounts);
    mounts.erase(same.begin(), same.end());
    return mounts;
  }

  // A view that shows the host's root below rootfs_path names mounts with that prefix; on the host
  // itself they stand without it. Both give the host's own name.
  void strip_rootfs(std::string& mount_point) const {
    const std::string& root = source_.rootfs_path;
    if (root.empty() || !mount_point.starts_with(root)) return;
    if (mount_point.size() == root.size()) {
      mount_point = "/";
    } else if (mount_point[root.size()] == '/') {
      mount_point.erase(0, root.size());
    }
  }

  static void emit_mount(const MountLine& mount, const std::optional<Result<MountUsage>>& answer,
                         Emitter& emitter) {
    const std::string_view labels[] = {mount.device, mount.mount_point, mount.type};
    const bool known = answer && answer->has_value();
    emitter.emit(kDeviceError, labels, known ? 0 : 1);
    if (!known) return;
    const MountUsage& usage = **answer;
    emitter.emit(kSize, labels, usage.size_bytes);
    emitter.emit(kFree, labels, usage.free_bytes);
    emitter.emit(kAvailable, labels, usage.available_bytes);
    emitter.emit(kFiles, labels, usage.files);
    emitter.emit(kFilesFree, labels, usage.files_free);
    emitter.emit(kReadOnly, labels, mount.read_only ? 1 : 0);
  }

  const Source source_;
  NameFilter mount_exclude_;
  NameFilter type_exclude_;
  const std::unique_ptr<MountProbe> probe_;
};

}  // namespace

std::unique_ptr<Part> filesystem_part(const Source& source, NameFilter mount_exclude,
                                      NameFilter type_exclude, std::unique_ptr<MountProbe> probe) {
  return std::make_unique<FilesystemPart>(source, std::move(mount_exclude), std::move(type_exclude),
                                          std::move(probe));
}

}  // namespace binnacle::collect::host
