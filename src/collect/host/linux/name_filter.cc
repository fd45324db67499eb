#include "collect/host/linux/name_filter.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace binnacle::collect::host {
namespace {

// Names come and go with containers (veth1a2b3c), so what is kept must end somewhere.
constexpr size_t kMaxAnswers = 4096;

}  // namespace

Result<NameFilter> NameFilter::create(const std::string& pattern) {
  if (pattern.empty()) return NameFilter(nullptr);
  auto compiled = std::make_unique<re2::RE2>(pattern, re2::RE2::Quiet);
  if (!compiled->ok()) {
    return fail(Code::kInvalidArgument, fmt::format("host collector: pattern is not RE2: {} ({})",
                                                    compiled->error(), pattern));
  }
  return NameFilter(std::move(compiled));
}

NameFilter::NameFilter(std::unique_ptr<re2::RE2> pattern) : pattern_(std::move(pattern)) {}
NameFilter::NameFilter(NameFilter&&) noexcept = default;
NameFilter::~NameFilter() = default;

bool NameFilter::matches(std::string_view name) {
  if (pattern_ == nullptr) return false;
  if (const auto found = answers_.find(name); found != answers_.end()) return found->second;
  if (answers_.size() >= kMaxAnswers) answers_.clear();
  const bool answer = re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *pattern_);
  answers_.emplace(name, answer);
  return answer;
}

}  // namespace binnacle::collect::host
