#include "watch/health/checks/certificate_days.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace binnacle::watch::health {

double days_left(const net::PeerCertificate& certificate, int64_t wall_ms) {
  return static_cast<double>(certificate.not_after_ms - wall_ms) / 86'400'000;
}

void judge_days(const Thresholds& thresholds, const net::PeerCertificate& certificate,
                int64_t wall_ms, Verdict& verdict) {
  const double days = days_left(certificate, wall_ms);
  const std::string date = format_rfc3339(certificate.not_after_ms).substr(0, 10);
  if (days < 0) {
    verdict.add(Health::kCritical, fmt::format("the certificate of {} expired on {}",
                                               one_line(certificate.subject, 100), date));
  } else {
    verdict.judge(thresholds, days,
                  fmt::format("the certificate ends in {:.1f} days, on {}", days, date));
  }
}

}  // namespace binnacle::watch::health
