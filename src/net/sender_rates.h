// How much each of many senders may still send: a bucket of tokens for each key, of a bounded
// number of keys. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace binnacle::net {

class SenderRates {
 public:
  SenderRates(double per_second, double burst, size_t max_senders)
      : per_second_(per_second), burst_(burst), max_senders_(max_senders) {}

  // Takes one token of `sender`; false: it has none, or it is new and there are too many senders
  // that have not yet been quiet long enough to be forgotten.
  bool take(const std::string& sender, int64_t now_ns);

 private:
  struct Bucket {
    double tokens;
    int64_t at_ns;
  };
  double filled(const Bucket& bucket, int64_t now_ns) const;

  const double per_second_;
  const double burst_;
  const size_t max_senders_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace binnacle::net
