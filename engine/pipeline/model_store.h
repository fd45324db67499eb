// The models folder of a worker: which models it has, and where. A model is a folder with a
// config.json; one that is not complete yet has a name that begins with a dot. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::engine {

inline constexpr size_t kMaxModelFiles = 1'000;

// One path component that is no way out of a folder and not hidden. kInvalidArgument names it.
Status check_file_name(const std::string& name);

class ModelStore {
 public:
  ModelStore(std::string folder, FileSystem& files) : folder_(std::move(folder)), files_(files) {}

  const std::string& folder() const { return folder_; }
  std::vector<std::string> models() const;  // sorted
  // Of a name, or an absolute path as it is. kInvalidArgument: neither.
  Result<std::string> folder_of(const std::string& model) const;
  bool has(const std::string& model) const;
  // The names of its files, sorted. kNotFound; kResourceExhausted beyond kMaxModelFiles.
  Result<std::vector<std::string>> files_of(const std::string& model) const;

 private:
  const std::string folder_;
  FileSystem& files_;
};

}  // namespace binnacle::engine
