#include "base/data_folder.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

namespace binnacle {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Status try_folder(FileSystem& files, const std::string& path) {
  TRY(files.create_directories(path));
  const std::string probe = path + "/.probe";
  TRY(files.write_file_atomically(probe, "x"));
  return files.remove(probe);
}

}  // namespace

std::string default_data_folder() {
  if (geteuid() == 0) return "/var/lib/binnacle";
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty())
    return state + "/binnacle";
  if (const std::string home = environment("HOME"); !home.empty())
    return home + "/.local/state/binnacle";
  return "binnacle-data";
}

Status prepare_data_folder(FileSystem& files, const std::string& path) {
  auto tried = try_folder(files, path);
  if (tried) return {};
  Error error = std::move(tried).error();
  error.message =
      fmt::format("data folder {}: {}; make it writable or choose another with --data DIR", path,
                  error.message);
  return fail(std::move(error));
}

}  // namespace binnacle
