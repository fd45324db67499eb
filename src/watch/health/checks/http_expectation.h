// What an HTTP answer must be like: its status, its text, what its JSON says. Read from a check's
// settings; judged without I/O.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml_reader.h"
#include "watch/health/checks/json_path.h"
#include "watch/health/checks/verdict.h"

namespace re2 {
class RE2;
}

namespace binnacle::watch::health {

struct StatusRange {
  int from = 200;
  int to = 299;
};

struct JsonCondition {
  JsonPath path;
  std::optional<std::string> equals;
  bool equals_text = false;  // quoted in the file: only text is equal
  std::optional<double> min;
  std::optional<double> max;
  Health otherwise = Health::kCritical;
};

class HttpExpectation {
 public:
  explicit HttpExpectation(YamlMap& map);
  ~HttpExpectation();

  bool wants_status(int status) const;
  void judge_status(int status, std::string_view reason, Verdict& verdict) const;
  // `cut`: there was more than the bound lets in.
  void judge_body(std::string_view body, bool cut, Verdict& verdict) const;

 private:
  void read_status(YamlMap& map);
  void read_text(YamlMap& map);
  void read_json(YamlMap& map);
  void judge_json(std::string_view body, bool cut, Verdict& verdict) const;

  // Fixed after construction
  std::vector<StatusRange> status_{{}};
  std::vector<std::string> contains_;
  std::vector<std::string> lacks_;
  std::vector<std::unique_ptr<re2::RE2>> matches_;
  std::vector<JsonCondition> json_;
};

}  // namespace binnacle::watch::health
