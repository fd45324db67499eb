// One suspicion: who was asked about the node and what they said. A round of probes is over when
// its answers make a verdict; a round of echoes is a span of time in which nothing was answered.
// Pure; the detector asks and decides.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "watch/heartbeat/detector_options.h"
#include "watch/heartbeat/detector_types.h"

namespace binnacle::watch::heartbeat {

// Connections to the node's probe address, asked for at one time.
class ProbeRound {
 public:
  explicit ProbeRound(int64_t now_ms) : began_ms_(now_ms) {}

  void ask(uint64_t id, NodeRef via) { asked_.push_back({id, via, {}}); }
  bool reply(uint64_t id, ProbeOutcome outcome);  // false: not of this round

  enum class Verdict : uint8_t { kOpen, kReached, kRefused, kNoAnswer };
  // One that got through tells that the process lives, whatever others say.
  Verdict verdict(int64_t now_ms, const DetectorOptions& options) const;
  int64_t began_ms() const { return began_ms_; }
  uint32_t asked() const { return static_cast<uint32_t>(asked_.size()); }
  std::vector<NodeRef> refused_by() const;

 private:
  struct Asked {
    uint64_t id;
    NodeRef via;
    std::optional<ProbeOutcome> outcome;
  };
  size_t count(std::optional<ProbeOutcome> outcome) const;

  int64_t began_ms_;
  std::vector<Asked> asked_;
};

// Echoes that several send to the node, from about one time on.
class EchoRound {
 public:
  struct Asked {
    uint64_t id = 0;
    NodeRef via = kServer;
    int64_t duration_ms = 0;
    uint64_t sent = 0;
    uint64_t answered = 0;
    bool done = false;       // has told everything
    bool dismissed = false;  // does not do its work; another one was asked instead
  };
  struct Tally {
    uint32_t peers = 0;  // whose echoes count
    bool server = false;
    uint64_t sent = 0;
    std::vector<NodeRef> valid;
  };

  // `closed`: of a node whose connection was closed, which must answer soon.
  EchoRound(int64_t now_ms, bool closed, const DetectorOptions& options)
      : began_ms_(now_ms),
        closed_(closed),
        span_ms_(closed ? options.closed_echo_span_ms : options.echo_span_ms),
        interval_ms_(closed ? options.closed_echo_interval_ms : options.echo_interval_ms),
        grace_ms_(closed ? options.closed_echo_grace_ms : options.report_grace_ms) {}

  void ask(uint64_t id, NodeRef via, int64_t duration_ms) {
    asked_.push_back({id, via, duration_ms});
  }
  // The one asked, or null: not of this round.
  const Asked* report(const event::EchoReport& report);
  void dismiss(uint64_t id);
  void first_asked() { first_peers_ = peers(); }  // all that were wanted are asked

  // Echoes count when their sender sent what was due and has told all.
  Tally tally(const DetectorOptions& options) const;
  bool enough(const Tally& tally, const DetectorOptions& options) const;
  // Of what was due, too little was sent.
  bool lazy(const Asked& one, const DetectorOptions& options) const;
  bool closed() const { return closed_; }
  int64_t began_ms() const { return began_ms_; }
  int64_t span_ms() const { return span_ms_; }
  int64_t interval_ms() const { return interval_ms_; }
  int64_t grace_ms() const { return grace_ms_; }
  const std::vector<Asked>& asked() const { return asked_; }
  uint32_t peers() const;  // asked and not dismissed
  bool has(NodeRef via) const;

 private:
  int64_t began_ms_;
  bool closed_;
  int64_t span_ms_;
  int64_t interval_ms_;
  int64_t grace_ms_;
  uint32_t first_peers_ = 0;
  std::vector<Asked> asked_;
};

struct Suspicion {
  int64_t since_ms = 0;
  bool closed = false;         // the connection ended; else it is silent
  int64_t last_answer_ms = 0;  // to a probe or an echo; 0: none
  uint64_t echoes_answered = 0;
  uint32_t restarts = 0;         // because the server doubted itself
  int64_t nothing_since_ms = 0;  // rounds of probes without any answer, from; 0: none
  std::optional<ProbeRound> probes;
  int64_t next_probe_ms = 0;
  std::optional<EchoRound> echoes;
  int64_t next_echo_ms = 0;
  bool wants_probes = false;
  bool wants_echoes = false;
  bool soon = false;  // echoes must be answered soon, as of a closed connection
};

}  // namespace binnacle::watch::heartbeat
