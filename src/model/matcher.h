// A label matcher of PromQL: =, !=, =~, !~. Regexes are RE2, anchored at both ends; an absent label
// matches as the empty string. Immutable and shared freely between threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace re2 {
class RE2;
}

namespace binnacle::model {

enum class MatchOp : uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };

class Matcher {
 public:
  // kInvalidArgument names the regex and what is wrong with it.
  static Result<Matcher> create(MatchOp op, std::string name, std::string value);

  bool matches(std::string_view value) const;
  bool matches_empty() const { return matches(""); }
  MatchOp op() const { return op_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  std::string to_string() const;  // name=~"value"

 private:
  Matcher(MatchOp op, std::string name, std::string value);

  MatchOp op_;
  std::string name_;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;  // shared: matchers are copied into every query part
};

using Matchers = std::vector<Matcher>;

bool matches_all(const Matchers& matchers, LabelsView labels);

}  // namespace binnacle::model
