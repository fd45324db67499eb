#include "engine/model/routing_log.h"

#include <fmt/format.h>

#include <iterator>

namespace binnacle::engine {

Result<std::unique_ptr<RoutingLog>> RoutingLog::open(FileSystem& files, std::string path,
                                                     int64_t max_bytes) {
  auto log = std::unique_ptr<RoutingLog>(new RoutingLog(files, std::move(path), max_bytes));
  auto file = files.open_writable(log->path_, FileSystem::Create::kAppend);
  if (!file) return fail(std::move(file.error()).with_context("expert routing log"));
  log->file_ = std::move(*file);
  return log;
}

void RoutingLog::add(SequenceId sequence, int32_t position, int32_t layer,
                     std::span<const int32_t> experts, std::span<const float> weights) {
  fmt::format_to(std::back_inserter(pending_),
                 R"({{"sequence":{},"position":{},"layer":{},"experts":[{}],"weights":[{:.4g}]}})"
                 "\n",
                 sequence, position, layer, fmt::join(experts, ","), fmt::join(weights, ","));
  ++pending_lines_;
}

Status RoutingLog::write() {
  if (file_ != nullptr && static_cast<int64_t>(file_->size() + pending_.size()) > max_bytes_) {
    TRY(file_->close());
    file_.reset();
    TRY(files_.rename(path_, path_ + ".1"));
  }
  if (file_ == nullptr) {
    TRY_ASSIGN(file_, files_.open_writable(path_, FileSystem::Create::kAppend));
  }
  return file_->append(pending_);
}

void RoutingLog::flush() {
  if (pending_.empty()) return;
  if (!write()) lines_lost_ += pending_lines_;
  pending_.clear();
  pending_lines_ = 0;
}

}  // namespace binnacle::engine
