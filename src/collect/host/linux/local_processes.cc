#include "collect/host/linux/local_processes.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";  // TCP_LISTEN of include/net/tcp_states.h
constexpr size_t kMaxDescriptors = 4096;       // looked at, of one process

using PortsByInode = std::map<std::string, uint16_t, std::less<>>;

// "  0: 0100007F:1F90 00000000:0000 0A ..." with the inode as the tenth field; the address' port is
// hexadecimal, behind the last colon.
void read_socket_table(std::string_view text, PortsByInode& listening) {
  std::string_view line;
  next_line(text, line);  // the heading
  while (next_line(text, line)) {
    std::string_view fields[10];
    for (std::string_view& field : fields) field = next_field(line);
    const std::string_view local = fields[1];
    const size_t colon = local.rfind(':');
    if (fields[3] != kListening || colon == std::string_view::npos || fields[9].empty()) continue;
    uint16_t port = 0;
    const char* const end = local.data() + local.size();
    const auto [after, error] = std::from_chars(local.data() + colon + 1, end, port, 16);
    if (error == std::errc() && after == end) listening.emplace(fields[9], port);
  }
}

// "socket:[4711]" is inode 4711; nothing for other links.
std::optional<std::string> socket_inode(const std::string& link) {
  constexpr std::string_view kBefore = "socket:[";
  if (!link.starts_with(kBefore) || !link.ends_with(']')) return std::nullopt;
  return link.substr(kBefore.size(), link.size() - kBefore.size() - 1);
}

// Takes what the process holds out of `listening`: of several holders the first is named. The links
// are read and never followed: one may lead to a dead mount, and there are thousands.
std::vector<uint16_t> take_ports(const std::string& process, PortsByInode& listening) {
  std::vector<uint16_t> ports;
  std::error_code error;  // another user's, or gone
  fs::directory_iterator at(process + "/fd", error);
  for (size_t i = 0; !error && at != fs::directory_iterator() && i < kMaxDescriptors; ++i) {
    std::error_code closed;
    const fs::path link = fs::read_symlink(at->path(), closed);
    at.increment(error);
    if (closed) continue;
    const auto inode = socket_inode(link.string());
    const auto held = inode ? listening.find(*inode) : listening.end();
    if (held == listening.end()) continue;
    ports.push_back(held->second);
    listening.erase(held);
  }
  return ports;
}

void sort_ports(std::vector<uint16_t>& ports) {
  std::ranges::sort(ports);
  const auto twice = std::ranges::unique(ports);
  ports.erase(twice.begin(), twice.end());
}

}  // namespace

LocalProcesses::LocalProcesses(FileSystem& files, std::string proc_path)
    : files_(files), proc_path_(std::move(proc_path)) {}

Result<std::vector<model::LocalProcess>> LocalProcesses::listening() {
  PortsByInode listening;
  TRY_ASSIGN(const std::string table, files_.read_file(proc_path_ + "/net/tcp"));
  read_socket_table(table, listening);
  // Absent where there is no IPv6.
  if (const auto table6 = files_.read_file(proc_path_ + "/net/tcp6")) {
    read_socket_table(*table6, listening);
  }

  std::vector<model::LocalProcess> found;
  TRY_ASSIGN(const std::vector<DirEntry> entries, files_.list(proc_path_));
  for (const DirEntry& entry : entries) {
    if (!is_pid(entry.name) || listening.empty()) continue;
    const std::string process = proc_path_ + "/" + entry.name;
    model::LocalProcess one{.pid = parse_integer(entry.name).value_or(0),
                            .ports = take_ports(process, listening)};
    if (one.ports.empty()) continue;
    sort_ports(one.ports);
    one.name = read_small_file(files_, process + "/comm").value_or("");
    one.command_line = command_line(files_.read_file(process + "/cmdline").value_or(""));
    found.push_back(std::move(one));
  }
  if (!listening.empty()) {
    model::LocalProcess others;
    for (const auto& [inode, port] : listening) others.ports.push_back(port);
    sort_ports(others.ports);
    found.push_back(std::move(others));
  }
  std::ranges::sort(found, {}, &model::LocalProcess::pid);
  return found;
}

}  // namespace binnacle::collect::host
