#include "base/config_problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace binnacle {
namespace {

constexpr size_t kMaxProblems = 100;
constexpr size_t kMaxValueBytes = 80;

// Messages quote the file and go to a terminal: no control character of theirs may reach it.
std::string without_controls(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

// Never cut inside a UTF-8 sequence.
std::string shortened(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return std::string(value);
  size_t end = kMaxValueBytes;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return std::string(value.substr(0, end)) + "...";
}

}  // namespace

bool ConfigProblems::full() const { return problems_.size() == kMaxProblems; }

void ConfigProblems::add(int line, std::string_view message) {
  if (full()) {
    ++left_out_;
    return;
  }
  problems_.push_back({line, without_controls(message)});
}

void ConfigProblems::add(int line, std::string_view what, std::string_view value,
                         std::string_view advice) {
  add(line, fmt::format("{} ({}): {}", what, shortened(value), advice));
}

std::vector<std::string> ConfigProblems::lines() const {
  std::vector<ConfigProblem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::vector<std::string> out;
  for (const ConfigProblem& problem : sorted) {
    out.push_back(problem.line > 0
                      ? fmt::format("{}:{}: {}", file_name_, problem.line, problem.message)
                      : fmt::format("{}: {}", file_name_, problem.message));
  }
  if (left_out_ > 0) out.push_back(fmt::format("{}: {} more problems", file_name_, left_out_));
  return out;
}

Error ConfigProblems::to_error() const {
  return Error{Code::kInvalidArgument, fmt::format("{}", fmt::join(lines(), "\n"))};
}

}  // namespace binnacle
