#include "engine/pipeline/model_store.h"

namespace binnacle::engine {
namespace {

constexpr size_t kMaxNameBytes = 200;
constexpr std::string_view kConfigFile = "config.json";

bool is_absolute(const std::string& path) { return path.starts_with('/'); }

}  // namespace

Status check_file_name(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && !name.starts_with('.') &&
      name.find('/') == std::string::npos && name.find('\0') == std::string::npos) {
    return {};
  }
  return fail(Code::kInvalidArgument,
              "\"" + name +
                  "\" is no name of a model or of one of its files: one word without / "
                  "that does not begin with a dot");
}

std::vector<std::string> ModelStore::models() const {
  std::vector<std::string> models;
  const auto entries = files_.list(folder_);
  if (folder_.empty() || !entries) return models;
  for (const DirEntry& entry : *entries) {
    if (entry.is_directory && check_file_name(entry.name) && has(entry.name))
      models.push_back(entry.name);
  }
  return models;
}

Result<std::string> ModelStore::folder_of(const std::string& model) const {
  if (is_absolute(model)) return model;
  TRY(check_file_name(model));
  if (folder_.empty())
    return fail(Code::kFailedPrecondition, "model " + model + ": no models folder (--models)");
  return folder_ + "/" + model;
}

bool ModelStore::has(const std::string& model) const {
  const auto folder = folder_of(model);
  return folder && files_.exists(*folder + "/" + std::string(kConfigFile));
}

Result<std::vector<std::string>> ModelStore::files_of(const std::string& model) const {
  TRY(check_file_name(model));
  if (!has(model)) return fail(Code::kNotFound, "model " + model + " is not here");
  TRY_ASSIGN(const auto entries, files_.list(folder_ + "/" + model));
  std::vector<std::string> names;
  for (const DirEntry& entry : entries) {
    if (!entry.is_directory && check_file_name(entry.name)) names.push_back(entry.name);
  }
  if (names.size() > kMaxModelFiles)
    return fail(Code::kResourceExhausted, "model " + model + " has " +
                                              std::to_string(names.size()) + " files; at most " +
                                              std::to_string(kMaxModelFiles) + " are given away");
  return names;
}

}  // namespace binnacle::engine
