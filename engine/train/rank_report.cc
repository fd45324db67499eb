#include "engine/train/rank_report.h"

#include <fmt/format.h>

namespace binnacle::engine {

std::vector<double> pack_report(const RankReport& report) {
  const LossParts& loss = report.loss;
  std::vector<double> out{
      loss.cross_entropy,  loss.load_balance,      loss.z, loss.total, report.work_seconds,
      report.wait_seconds, report.stop ? 1.0 : 0.0};
  for (const RouterStats& router : loss.routers) {
    out.push_back(static_cast<double>(router.dropped));
    out.push_back(router.entropy);
    for (const int64_t rows : router.expert_rows) out.push_back(static_cast<double>(rows));
  }
  return out;
}

Result<RankReport> unpack_report(const std::vector<double>& packed, const ModelConfig& config) {
  constexpr size_t kHead = 7;
  const auto layers = config.experts > 0 ? static_cast<size_t>(config.layers) : 0;
  const auto experts = static_cast<size_t>(config.experts);
  if (packed.size() != kHead + layers * (2 + experts)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("a rank's report has {} figures: it trains another model", packed.size()));
  }
  RankReport out;
  out.loss.cross_entropy = packed[0];
  out.loss.load_balance = packed[1];
  out.loss.z = packed[2];
  out.loss.total = packed[3];
  out.work_seconds = packed[4];
  out.wait_seconds = packed[5];
  out.stop = packed[6] != 0;
  size_t at = kHead;
  for (size_t layer = 0; layer < layers; ++layer) {
    RouterStats router;
    router.dropped = static_cast<int64_t>(packed[at++]);
    router.entropy = packed[at++];
    for (size_t e = 0; e < experts; ++e) {
      router.expert_rows.push_back(static_cast<int64_t>(packed[at++]));
    }
    out.loss.routers.push_back(std::move(router));
  }
  return out;
}

LossParts merge_losses(const std::vector<RankReport>& reports) {
  LossParts out = reports.front().loss;
  for (size_t rank = 1; rank < reports.size(); ++rank) {
    const LossParts& loss = reports[rank].loss;
    out.cross_entropy += loss.cross_entropy;
    out.load_balance += loss.load_balance;
    out.z += loss.z;
    out.total += loss.total;
    for (size_t layer = 0; layer < out.routers.size(); ++layer) {
      RouterStats& mine = out.routers[layer];
      const RouterStats& other = loss.routers[layer];
      mine.dropped += other.dropped;
      mine.entropy += other.entropy;
      for (size_t e = 0; e < mine.expert_rows.size(); ++e) {
        mine.expert_rows[e] += other.expert_rows[e];
      }
    }
  }
  const auto ranks = static_cast<double>(reports.size());
  for (double* mean : {&out.cross_entropy, &out.load_balance, &out.z, &out.total}) *mean /= ranks;
  for (RouterStats& router : out.routers) router.entropy /= ranks;
  return out;
}

}  // namespace binnacle::engine
