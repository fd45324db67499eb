// Which names (devices, mount points, fields) a pattern takes. Answers are kept, since the same few
// names are asked every second. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace binnacle::collect::host {

class NameFilter {
 public:
  // `pattern` is found anywhere in the name unless it is anchored; empty matches nothing.
  // kInvalidArgument says what is wrong with it.
  static Result<NameFilter> create(const std::string& pattern);
  NameFilter(NameFilter&&) noexcept;
  ~NameFilter();

  bool matches(std::string_view name);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  explicit NameFilter(std::unique_ptr<re2::RE2> pattern);

  std::unique_ptr<re2::RE2> pattern_;  // fixed after construction; null: matches nothing
  std::unordered_map<std::string, bool, Hash, std::equal_to<>> answers_;
};

}  // namespace binnacle::collect::host
