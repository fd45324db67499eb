#include "app/alerts_settings.h"

namespace binnacle::app {
namespace {

constexpr size_t kMaxConfigBytes = size_t{16} << 20;
constexpr std::string_view kWithoutFile =
    "route:\n"
    "  receiver: nobody\n"
    "  group_by: [alertname]\n"
    "receivers:\n"
    "- name: nobody\n";

// "." for a bare name.
std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::shared_ptr<const watch::alerts::AlertConfig>> load_alert_config(const std::string& path,
                                                                            FileSystem& files) {
  if (path.empty()) return watch::alerts::read_alert_config(kWithoutFile, ".", files);
  TRY_ASSIGN(const std::string text, files.read_file(path, kMaxConfigBytes));
  return watch::alerts::read_alert_config(text, folder_of(path), files, path);
}

}  // namespace binnacle::app
