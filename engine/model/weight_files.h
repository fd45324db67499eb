// The safetensors files of a model folder, mapped, and their tensors by the names in the files. One
// file, or several that model.safetensors.index.json tells. Immutable after open; any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/model/safetensors.h"

namespace binnacle::engine {

inline constexpr std::string_view kWeightsFile = "model.safetensors";
inline constexpr std::string_view kIndexFile = "model.safetensors.index.json";
inline constexpr size_t kMaxWeightFiles = 1024;

// The files that the index names, each once. `file` stands before each error.
Result<std::map<std::string, std::string, std::less<>>> parse_weight_index(std::string_view text,
                                                                           const std::string& file);

class WeightFiles {
 public:
  struct Found {
    const std::string& file;  // its path
    const SafetensorsEntry& entry;
    std::string_view bytes;
  };

  static Result<WeightFiles> open(const std::string& folder, FileSystem& files);

  // Null where no file has it.
  const Found* find(std::string_view tensor) const;
  const std::map<std::string, Found, std::less<>>& tensors() const { return tensors_; }
  // Of the only file; empty of several.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
  // What stands in for the files in an error about all of them.
  const std::string& shown() const { return shown_; }

 private:
  struct File {
    std::string path;
    std::unique_ptr<MappedFile> map;
    SafetensorsHeader header;
  };

  Status add(const std::string& path, FileSystem& files);

  // Fixed after open.
  std::vector<std::unique_ptr<File>> files_;
  std::map<std::string, Found, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::string shown_;
};

}  // namespace binnacle::engine
