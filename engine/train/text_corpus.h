// A folder of texts as one stream of byte tokens to train on and one to validate with. Files are
// taken in the order of their paths, so that every run and every rank sees the same stream; links
// are left out, because they lead to a text twice. Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::engine {

struct CorpusOptions {
  double validation_share = 0.05;  // of each file, its end
  bool skip_binary = false;        // leave out what is no UTF-8 text, instead of refusing
  size_t max_bytes = size_t{1} << 30;
  size_t max_files = 100'000;
  size_t max_depth = 32;  // folders in folders
};

struct TextCorpus {
  std::vector<uint16_t> training;
  std::vector<uint16_t> validation;
  size_t files = 0;
  size_t skipped = 0;        // of them, binary
  uint64_t fingerprint = 0;  // of both streams

  // `least`: tokens of one sequence and its last target. Errors name the folder or file and the way
  // out.
  static Result<TextCorpus> read(FileSystem& files, const std::string& folder, size_t least,
                                 const CorpusOptions& options);
};

}  // namespace binnacle::engine
