// Go's text/template as far as alert annotations, notification templates and LogQL use it:
// pipelines, variables, if/else, range, with, define, template, block, trim markers, comments,
// break and continue, the comparison and logic functions, len, index, slice, print, printf,
// println, html, js, urlquery, and functions that the owner adds. docs/templates.md lists what
// there is. A parsed set is immutable and may be run from any thread; a run is bounded in steps,
// depth and output (TemplateLimits). A missing key of a map is nil, which prints as "<no value>"; a
// map of texts that gives "" instead (Go's missingkey=zero) is a TemplateObject, as
// template_text_map() makes it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace binnacle {

class TemplateValue;

// A value with fields or methods that are worked out when asked for: `.Labels.SortedPairs`,
// `.Alerts.Firing`, `.Labels.Remove (stringSlice "a")`. Immutable.
class TemplateObject {
 public:
  virtual ~TemplateObject() = default;
  // kNotFound: there is no such field or method.
  virtual Result<TemplateValue> get(std::string_view field,
                                    std::span<const TemplateValue> args) const = 0;
  virtual std::string text() const = 0;                                 // as {{ . }} prints it
  virtual bool truth() const { return true; }                           // for if, with, and, or
  virtual Result<TemplateValue> index(const TemplateValue& key) const;  // default: kInvalidArgument
  // What range runs over: key and value of each. Default: kInvalidArgument.
  virtual Result<std::vector<std::pair<TemplateValue, TemplateValue>>> items() const;
};

struct TemplateTime {
  int64_t unix_ns = 0;  // kUnset: Go's zero time, the start of year 1
  std::string zone;     // IANA, as tz sets it; empty: UTC
  static constexpr int64_t kUnset = INT64_MIN;
  friend bool operator==(const TemplateTime&, const TemplateTime&) = default;
};

class TemplateValue {
 public:
  using List = std::vector<TemplateValue>;
  using Map = std::map<std::string, TemplateValue, std::less<>>;
  // Shared because values are copied from scope to scope; what they point to never changes.
  using Data = std::variant<std::monostate, bool, int64_t, double, std::string, TemplateTime,
                            std::shared_ptr<const List>, std::shared_ptr<const Map>,
                            std::shared_ptr<const TemplateObject>>;

  TemplateValue() = default;  // nil
  TemplateValue(bool value) : data_(value) {}
  TemplateValue(int64_t value) : data_(value) {}
  TemplateValue(double value) : data_(value) {}
  TemplateValue(std::string value) : data_(std::move(value)) {}
  TemplateValue(std::string_view value) : data_(std::string(value)) {}
  TemplateValue(const char* value) : data_(std::string(value)) {}
  TemplateValue(TemplateTime value) : data_(value) {}
  TemplateValue(List value);
  TemplateValue(Map value);
  TemplateValue(std::shared_ptr<const TemplateObject> value) : data_(std::move(value)) {}

  const Data& data() const { return data_; }
  bool truth() const;        // Go's: not empty, not zero
  std::string text() const;  // as {{ . }} prints it

 private:
  Data data_;
};

// A map[string]string of Go: a missing key is "", range runs in order of keys.
TemplateValue template_text_map(std::map<std::string, std::string, std::less<>> texts);
// A struct of Go: an unknown field is an error; prints "{a b}" in the order given.
TemplateValue template_record(std::vector<std::pair<std::string, TemplateValue>> fields);
// Text that is written as it stands where values are escaped for HTML.
TemplateValue template_safe_text(std::string text);

// Errors become the run's error, with the place.
using TemplateFunction = std::function<Result<TemplateValue>(std::span<const TemplateValue>)>;
using TemplateFunctions = std::map<std::string, TemplateFunction, std::less<>>;

struct TemplateLimits {
  size_t max_output_bytes = size_t{1} << 20;
  size_t max_steps = 1'000'000;
  size_t max_depth = 100;  // of templates that call each other
};

// What a pipeline's value is escaped for.
enum class TemplateEscape : uint8_t { kNone, kHtml };

// Named templates that may call each other, with the functions that they know.
class TemplateSet {
 public:
  explicit TemplateSet(TemplateFunctions functions = {});
  ~TemplateSet();
  TemplateSet(TemplateSet&&) noexcept;
  TemplateSet& operator=(TemplateSet&&) noexcept;

  // Takes the definitions of a file. A later definition of a name replaces the earlier one.
  // kInvalidArgument: "NAME:LINE:COLUMN: what was expected".
  Status add(std::string_view source_name, std::string_view text);

  // Put before each text that is expanded or checked, for variables that it may use. Places in
  // errors do not count it.
  void set_preamble(std::string text);

  // Parses `text` beside the set's definitions and runs it on `data`. `more` are functions of this
  // run alone; they hide the set's.
  Result<std::string> expand(std::string_view source_name, std::string_view text,
                             const TemplateValue& data,
                             TemplateEscape escape = TemplateEscape::kNone,
                             const TemplateFunctions& more = {},
                             const TemplateLimits& limits = {}) const;
  // Whether `text` parses, with names of functions that only a run knows.
  Status check(std::string_view source_name, std::string_view text,
               std::span<const std::string_view> more = {}) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace binnacle
