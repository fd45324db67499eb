// What is wrong with a config file: every problem found in one reading, so that an operator mends
// them all at once. Owned by the caller; one thread.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

struct ConfigProblem {
  int line = 0;         // from 1; 0 speaks of the whole file
  std::string message;  // "what (value): what to do"
};

class ConfigProblems {
 public:
  explicit ConfigProblems(std::string file_name) : file_name_(std::move(file_name)) {}

  // The first 100 are kept, the rest only counted. Control characters are escaped.
  void add(int line, std::string_view message);
  // `what (value): advice`, where `value` is cut to a readable length.
  void add(int line, std::string_view what, std::string_view value, std::string_view advice);

  bool full() const;  // further ones are only counted: spare the work of wording them
  bool empty() const { return problems_.empty(); }

  // "binnacle.yaml:12: unknown key (server.listn): did you mean server.listen?", by line.
  std::vector<std::string> lines() const;
  // All of them, one a line, as kInvalidArgument.
  Error to_error() const;

 private:
  std::string file_name_;
  std::vector<ConfigProblem> problems_;
  size_t left_out_ = 0;
};

}  // namespace binnacle
