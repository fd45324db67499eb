// A small part of JSONPath, as checks need it: `$` is the whole, `.name` or `["any name"]` a member
// of an object, `[0]` an element of a list, `[-1]` counted from its end. No wildcards, no filters.
// Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace binnacle::watch::health {

// What stands at a place: null, a truth value, a number, text; or a list or an object, of which
// only the size counts.
struct JsonFound {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kText, kList, kObject };
  Kind kind = Kind::kNull;
  double number = 0;  // of kBool 0 or 1, of kList and kObject how many
  std::string text;   // as it is written in JSON, of kText without its quotes
};

class JsonPath {
 public:
  // kInvalidArgument names the byte where it goes wrong. At most 64 steps.
  static Result<JsonPath> parse(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  friend class JsonBody;
  using Step = std::variant<std::string, int64_t>;
  std::string text_;
  std::vector<Step> steps_;
};

// A document that is asked several times. Untrusted bytes: nesting is bounded at 256.
class JsonBody {
 public:
  // kDataLoss: not JSON.
  static Result<JsonBody> parse(std::string_view bytes);
  ~JsonBody();
  JsonBody(JsonBody&&) noexcept;
  JsonBody& operator=(JsonBody&&) noexcept;

  // nullopt: nothing stands there.
  std::optional<JsonFound> find(const JsonPath& path) const;
  // The text of member `name` of every object in the list at `path`.
  std::vector<std::string> texts(const JsonPath& path, std::string_view name) const;

 private:
  struct Impl;
  explicit JsonBody(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::watch::health
