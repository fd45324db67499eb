// How long a server's certificate still lasts, judged. Pure.
#pragma once

#include <cstdint>

#include "net/peer_certificate.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {

double days_left(const net::PeerCertificate& certificate, int64_t wall_ms);

// A certificate that is over is critical, whatever the thresholds.
void judge_days(const Thresholds& thresholds, const net::PeerCertificate& certificate,
                int64_t wall_ms, Verdict& verdict);

}  // namespace binnacle::watch::health
