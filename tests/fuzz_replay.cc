// Stands in for libFuzzer in the normal test run: gives every file of a corpus folder, and the
// empty input, to the fuzz target once. An input that breaks the target ends the process, and its
// name is the last line.
#include "base/file_system.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using binnacle::DirEntry;
using binnacle::FileSystem;
using binnacle::Result;
using binnacle::Status;

void run_input(const std::string& name, const std::string& bytes) {
  std::printf("%s\n", name.c_str());
  std::fflush(stdout);
  // A copy of exactly this size, so that ASan sees a read beyond its end.
  const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  (void)LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

Result<size_t> run_folder(FileSystem& files, const std::string& folder) {
  TRY_ASSIGN(const std::vector<DirEntry> entries, files.list(folder));
  size_t inputs = 0;
  for (const DirEntry& entry : entries) {
    if (entry.is_directory) continue;
    const std::string path = folder + "/" + entry.name;
    TRY_ASSIGN(const std::string bytes, files.read_file(path));
    run_input(path, bytes);
    ++inputs;
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  run_input("(empty input)", "");
  const auto inputs = run_folder(binnacle::real_file_system(), argv[1]);
  if (!inputs) {
    std::fprintf(stderr, "replay corpus: %s\n", inputs.error().message.c_str());
    return 1;
  }
  std::printf("%zu inputs and the empty one ran\n", *inputs);
  return 0;
}
