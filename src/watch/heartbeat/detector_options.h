// The settings of failure detection. Times are of the server's monotonic clock.
//
// They hang together: a silence is suspected after `longest_silence_ms` at the latest, then asked
// about for `echo_span_ms`, which is longer than any pause that must be survived (2 s), so that a
// node which pauses at any moment either answers an echo or is paused for longer than that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "watch/heartbeat/phi.h"

namespace binnacle::watch::heartbeat {

// Growing time before a node that was down counts as up again: none after the first time, then
// `first_ms`, doubled each time up to `longest_ms`, halved after each `quiet_ms` without another.
struct ReadmissionOptions {
  int64_t first_ms = 1'000;
  int64_t longest_ms = 300'000;
  int64_t quiet_ms = 600'000;
};

// More than `changes` of state within `window_ms` is one event instead of many.
struct FlapOptions {
  uint32_t changes = 6;
  int64_t window_ms = 600'000;
};

struct DetectorOptions {
  int64_t beat_interval_ms = 250;
  PhiOptions phi;
  int64_t longest_silence_ms = 600;  // suspicious whatever phi says; at least 2.4 beat intervals
  uint32_t fall = 1;                 // looks in a row that find a silence suspicious
  uint32_t rise = 2;                 // beats in a row before a node that was down counts as up

  size_t confirmers = 3;             // peers that are asked, where there are as many
  size_t spare_confirmers = 1;       // asked beside them, should one of them not do its work
  size_t max_asked = 8;              // in one round, replacements included
  size_t max_echoes_of_a_peer = 16;  // that one peer sends at a time, so many nodes' worth

  // Of a closed connection.
  int64_t probe_timeout_ms = 500;
  int64_t probe_hurry_ms = 100;  // two refusals need not wait longer for the other answers
  int64_t probe_again_ms = 300;  // a node that was reached is probed again after it
  int64_t not_back_ms = 900;     // for a node that cannot be probed to connect again

  // A node without a port for probes that has answered an echo before is asked so when its
  // connection was closed; a process that lives answers within this.
  int64_t closed_echo_interval_ms = 25;
  int64_t closed_echo_span_ms = 175;
  int64_t closed_echo_grace_ms = 100;  // for the reports of others

  // Of silence.
  int64_t echo_interval_ms = 100;
  int64_t echo_span_ms = 2'100;     // unanswered for so long
  double echo_share = 0.8;          // of the echoes due that a confirmer must have sent to count
  int64_t silent_down_ms = 2'750;   // since the last beat, at the earliest
  int64_t report_grace_ms = 1'000;  // that late reports and replaced confirmers are waited for
  int64_t echo_again_ms = 250;      // at least between two rounds

  int64_t no_beat_limit_ms = 30'000;  // suspected and answering for so long
  int64_t alone_limit_ms = 10'000;    // nobody can confirm, though there are other nodes

  // The server's own faults.
  int64_t own_lag_ms = 250;
  int64_t clock_jump_ms = 1'000;
  int64_t settle_ms = 300;     // for beats that wait in buffers
  uint32_t max_restarts = 10;  // of one suspicion, so that a slow server still finds the dead

  ReadmissionOptions readmission;
  FlapOptions flapping;
};

}  // namespace binnacle::watch::heartbeat
