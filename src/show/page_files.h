// The page's files inside the binary. web/CMakeLists.txt generates the definition from web/dist;
// the bytes lie in read-only memory for the life of the process. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace binnacle::show {

struct PageFile {
  std::string_view name;  // "index.html", "app-816bf52e0e.css"
  std::string_view hash;  // of the plain bytes; what an ETag needs
  std::string_view plain;
  std::string_view gzip;  // the same, as one gzip member
};

std::span<const PageFile> page_files();  // sorted by name

}  // namespace binnacle::show
