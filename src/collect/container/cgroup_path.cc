#include "collect/container/cgroup_path.h"

#include <algorithm>
#include <array>
#include <utility>

namespace binnacle::collect::container {
namespace {

constexpr size_t kIdDigits = 64;
constexpr size_t kUidBytes = 36;
constexpr size_t kStaticPodUidDigits = 32;  // pods from files have a hash without dashes

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_id(std::string_view text) { return text.size() == kIdDigits && is_hex(text); }

std::string_view last_part(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// systemd writes what its unit names cannot hold as \x2d.
std::string unescape_unit(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\x2d")) {
      out += '-';
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "kubepods-burstable-pod8ae1b2c3_....slice" or "pod8ae1b2c3-...".
std::string pod_uid_of(std::string_view part) {
  std::string_view uid;
  if (part.ends_with(".slice")) {
    part.remove_suffix(6);
    const size_t at = part.rfind("-pod");
    if (!part.starts_with("kubepods") || at == std::string_view::npos) return {};
    uid = part.substr(at + 4);
  } else if (part.starts_with("pod")) {
    uid = part.substr(3);
  }
  std::string text(uid);
  std::ranges::replace(text, '_', '-');
  const bool looks_so = text.size() == kUidBytes || text.size() == kStaticPodUidDigits;
  std::string digits = text;
  std::erase(digits, '-');
  return looks_so && is_hex(digits) ? text : std::string();
}

std::string runtime_name(std::string_view prefix) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNames = {{
      {"cri-containerd", "containerd"},
      {"crio", "crio"},
      {"libpod", "podman"},
      {"docker", "docker"},
  }};
  for (const auto& [name, runtime] : kNames) {
    if (prefix == name) return std::string(runtime);
  }
  return {};
}

// Of the last part: "docker-<id>.scope", "libpod-<id>", "<slice>:cri-containerd:<id>", "<id>".
bool read_id(std::string_view part, CgroupPath& out) {
  if (part.ends_with(".scope")) part.remove_suffix(6);
  if (part.size() < kIdDigits) return false;
  const std::string_view id = part.substr(part.size() - kIdDigits);
  if (!is_id(id)) return false;
  std::string_view prefix = part.substr(0, part.size() - kIdDigits);
  if (prefix.find("conmon") != std::string_view::npos) return false;  // the runtime's own watcher
  if (!prefix.empty()) {
    if (prefix.back() != '-' && prefix.back() != ':') return false;
    prefix.remove_suffix(1);
    prefix = prefix.substr(prefix.rfind(':') == std::string_view::npos ? 0 : prefix.rfind(':') + 1);
    out.runtime = runtime_name(prefix);
  }
  out.id = id;
  return true;
}

// Runtimes whose containers have names alone.
bool read_name(std::string_view parent, std::string_view part, CgroupPath& out) {
  const auto take = [&](std::string_view runtime, std::string_view name) {
    out.runtime = runtime;
    out.id = unescape_unit(name);
    return !out.id.empty();
  };
  if (part.starts_with("lxc.payload.")) return take("lxc", part.substr(12));
  if (parent == "lxc" || parent == "lxc.payload") return take("lxc", part);
  if (parent != "machine.slice") return false;
  constexpr std::string_view kNspawn = "systemd-nspawn@";
  if (part.starts_with(kNspawn) && part.ends_with(".service")) {
    return take("nspawn", part.substr(kNspawn.size(), part.size() - kNspawn.size() - 8));
  }
  constexpr std::string_view kMachine = "machine-";
  if (!part.starts_with(kMachine) || !part.ends_with(".scope")) return false;
  const std::string_view name = part.substr(kMachine.size(), part.size() - kMachine.size() - 6);
  if (name.starts_with("qemu\\x2d")) return false;  // a virtual machine, not a container
  return take("nspawn", name);
}

}  // namespace

std::optional<CgroupPath> parse_cgroup_path(std::string_view path) {
  const std::string_view part = last_part(path);
  const std::string_view above = path.substr(0, path.size() - part.size());
  const std::string_view parent =
      above.size() < 2 ? std::string_view() : last_part(above.substr(0, above.size() - 1));
  CgroupPath out;
  out.pod_uid = pod_uid_of(part);
  if (!out.pod_uid.empty()) {
    out.kind = CgroupPath::Kind::kPod;
    return out;
  }
  if (!read_id(part, out) && !read_name(parent, part, out)) return std::nullopt;
  out.pod_uid = pod_uid_of(parent);
  if (out.runtime.empty() && !out.pod_uid.empty()) out.runtime = "containerd";
  if (out.runtime.empty() && parent == "docker") out.runtime = "docker";
  return out;
}

bool may_hold_containers(std::string_view folder_name) {
  for (const std::string_view ending : {".mount", ".socket", ".swap", ".scope"}) {
    if (folder_name.ends_with(ending)) return false;
  }
  if (!folder_name.ends_with(".service")) return true;
  // Podman without root, and runtimes that keep their containers to themselves.
  for (const std::string_view name : {"user@", "docker", "containerd", "k3s", "podman", "lxc"}) {
    if (folder_name.starts_with(name)) return true;
  }
  return false;
}

}  // namespace binnacle::collect::container
