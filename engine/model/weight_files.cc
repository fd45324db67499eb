#include "engine/model/weight_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/json_parse.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

constexpr std::string_view kEnding = ".safetensors";

// A name from a file leads to no other folder.
bool is_plain_name(std::string_view name) {
  return name.size() > kEnding.size() && name.size() < 256 && name.ends_with(kEnding) &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

// Without an index only one file can be meant.
Result<std::string> only_file(const std::string& folder, FileSystem& files) {
  TRY_ASSIGN(const auto entries, files.list(folder));
  std::vector<std::string> found;
  bool pickled = false;
  for (const DirEntry& entry : entries) {
    if (entry.is_directory) continue;
    if (entry.name.ends_with(kEnding)) found.push_back(entry.name);
    if (entry.name.ends_with(".bin") || entry.name.ends_with(".pth")) pickled = true;
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(Code::kNotFound,
                fmt::format("{}: has no .safetensors file{}", folder,
                            pickled ? "; PyTorch's own files are not read, convert them" : ""));
  }
  return fail(
      Code::kInvalidArgument,
      fmt::format("{}: has {} .safetensors files, but neither {} nor {} tells which to read",
                  folder, found.size(), kWeightsFile, kIndexFile));
}

}  // namespace

Result<std::map<std::string, std::string, std::less<>>> parse_weight_index(
    std::string_view text, const std::string& file) {
  const auto broken = [&](std::string what) {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}", file, what));
  };
  const json parsed = parse_json(text);
  if (!parsed.is_object()) return broken("is not a JSON object");
  const auto map = parsed.find("weight_map");
  if (map == parsed.end() || !map->is_object()) return broken("has no weight_map");
  std::map<std::string, std::string, std::less<>> out;
  std::set<std::string> names;
  for (const auto& [tensor, value] : map->items()) {
    if (!value.is_string() || !is_plain_name(value.get<std::string>())) {
      return broken(fmt::format("names no .safetensors file of its folder for tensor \"{}\"",
                                tensor.substr(0, 200)));
    }
    names.insert(value.get<std::string>());
    out.emplace(tensor, value.get<std::string>());
  }
  if (names.empty()) return broken("its weight_map is empty");
  if (names.size() > kMaxWeightFiles) {
    return broken(fmt::format("names {} files, more than {}", names.size(), kMaxWeightFiles));
  }
  return out;
}

Result<WeightFiles> WeightFiles::open(const std::string& folder, FileSystem& files) {
  WeightFiles out;
  const std::string index = fmt::format("{}/{}", folder, kIndexFile);
  const std::string single = fmt::format("{}/{}", folder, kWeightsFile);
  if (files.exists(single) || !files.exists(index)) {
    std::string path = single;
    if (!files.exists(single)) {
      TRY_ASSIGN(const std::string name, only_file(folder, files));
      path = fmt::format("{}/{}", folder, name);
    }
    TRY(out.add(path, files));
    out.metadata_ = out.files_.front()->header.metadata;
    out.shown_ = path;
    return out;
  }
  TRY_ASSIGN(const std::string text, files.read_file(index, kMaxSafetensorsHeaderBytes));
  TRY_ASSIGN(const auto map, parse_weight_index(text, index));
  std::set<std::string> names;
  for (const auto& [tensor, name] : map) names.insert(name);
  for (const std::string& name : names) TRY(out.add(fmt::format("{}/{}", folder, name), files));
  for (const auto& [tensor, name] : map) {
    const Found* const found = out.find(tensor);
    if (found != nullptr && found->file.ends_with("/" + name)) continue;
    return fail(Code::kDataLoss, fmt::format("{}/{}: lacks tensor \"{}\", which {} says it has",
                                             folder, name, tensor.substr(0, 200), kIndexFile));
  }
  out.shown_ = index;
  return out;
}

Status WeightFiles::add(const std::string& path, FileSystem& files) {
  auto file = std::make_unique<File>();
  file->path = path;
  TRY_ASSIGN(file->map, files.map(path));
  const std::string_view bytes = file->map->bytes();
  TRY_ASSIGN(file->header, parse_safetensors(bytes, path));
  for (const auto& [name, entry] : file->header.tensors) {
    const auto [at, fresh] = tensors_.try_emplace(
        name, Found{file->path, entry, bytes.substr(entry.begin, entry.end - entry.begin)});
    if (fresh) continue;
    return fail(Code::kDataLoss, fmt::format("{}: has tensor \"{}\", which {} has too", path, name,
                                             at->second.file));
  }
  files_.push_back(std::move(file));
  return {};
}

const WeightFiles::Found* WeightFiles::find(std::string_view tensor) const {
  const auto at = tensors_.find(tensor);
  return at == tensors_.end() ? nullptr : &at->second;
}

}  // namespace binnacle::engine
