// The safetensors file: 8 bytes with the length of a JSON header, the header, the tensors' bytes.
// docs/formats/model-folder.md has the picture and the limits. Reading checks the whole header
// against the file's length, so that a view is never out of it; writing streams. Pure functions but
// for the writer, which one thread owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

inline constexpr uint64_t kMaxSafetensorsHeaderBytes = uint64_t{32} << 20;

struct SafetensorsEntry {
  NumberType type = NumberType::kFloat32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  // in the file
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

// `bytes`: the whole file. `file` stands before each error. kDataLoss: the file is torn or damaged;
// kUnimplemented: a type of numbers that this engine does not know.
Result<SafetensorsHeader> parse_safetensors(std::string_view bytes, const std::string& file);

int64_t number_size(NumberType type);
std::string shape_text(std::span<const int64_t> shape);  // "[2, 3]"

// Writes a file whose tensors are told first and come then in that order, in pieces of any size.
class SafetensorsWriter {
 public:
  struct Tensor {
    std::string name;
    NumberType type = NumberType::kFloat32;
    std::vector<int64_t> shape;
  };

  static Result<SafetensorsWriter> create(FileSystem& files, const std::string& path,
                                          std::span<const Tensor> tensors,
                                          const std::map<std::string, std::string>& metadata);
  // The next numbers, rounded to the type of the tensor that they are of; of one tensor at a time.
  Status append(std::span<const float> values, NumberType type);
  // Everything told must have come.
  Status commit();

 private:
  SafetensorsWriter(AtomicFile file, uint64_t bytes) : file_(std::move(file)), missing_(bytes) {}

  AtomicFile file_;
  uint64_t missing_;    // bytes that are still to come
  std::string buffer_;  // one piece
};

}  // namespace binnacle::engine
