#include <fmt/format.h>

#include "watch/heartbeat/detector_types.h"

namespace binnacle::watch::heartbeat {
namespace {

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

std::string names(const std::vector<NodeRef>& refs, const NameOf& name_of) {
  std::string text;
  for (const NodeRef ref : refs) {
    if (!text.empty()) text += ", ";
    text += ref == kServer ? "this server" : name_of(ref);
  }
  return text.empty() ? "nobody" : text;
}

}  // namespace

std::string_view cause_name(Cause cause) {
  switch (cause) {
    case Cause::kConnected:
      return "connected";
    case Cause::kBeatsAgain:
      return "beats_again";
    case Cause::kReadmitted:
      return "readmitted";
    case Cause::kGoodbye:
      return "goodbye";
    case Cause::kDrained:
      return "drained";
    case Cause::kSilent:
      return "silent";
    case Cause::kClosed:
      return "connection_closed";
    case Cause::kRefused:
      return "connections_refused";
    case Cause::kNotBack:
      return "not_back";
    case Cause::kUnanswered:
      return "echoes_unanswered";
    case Cause::kClosedUnanswered:
      return "closed_and_echoes_unanswered";
    case Cause::kNoBeats:
      return "no_beats";
    case Cause::kUnconfirmed:
      return "unconfirmed";
  }
  return "";
}

std::string evidence_text(const Evidence& e, const NameOf& name_of) {
  switch (e.cause) {
    case Cause::kConnected:
      return "connected";
    case Cause::kBeatsAgain:
      return fmt::format("is heard again after {:.2f} s", seconds(e.silent_ms));
    case Cause::kReadmitted:
      return fmt::format("is back and has beaten for {:.0f} s", seconds(e.readmission_ms));
    case Cause::kGoodbye:
      return "said goodbye";
    case Cause::kDrained:
      return "is being drained";
    case Cause::kSilent:
      return fmt::format("no beat for {:.2f} s (phi {:.1f})", seconds(e.silent_ms), e.phi);
    case Cause::kClosed:
      return "its connection was closed";
    case Cause::kRefused:
      return fmt::format("its connection was closed and its port refuses {} of {} probes, by {}",
                         e.refused, e.asked, names(e.confirmed_by, name_of));
    case Cause::kNotBack:
      return fmt::format(
          "its connection was closed and it has not come back for {:.2f} s; it has "
          "no address that could be probed",
          seconds(e.suspect_ms));
    case Cause::kUnanswered:
      return fmt::format("no beat for {:.2f} s and none of {} echoes answered, asked by {}",
                         seconds(e.silent_ms), e.echoes_sent, names(e.confirmed_by, name_of));
    case Cause::kClosedUnanswered:
      return fmt::format("its connection was closed and none of {} echoes answered, asked by {}",
                         e.echoes_sent, names(e.confirmed_by, name_of));
    case Cause::kNoBeats:
      return fmt::format(
          "no beat for {:.1f} s, though the machine answers: the agent hangs or "
          "cannot reach this server",
          seconds(e.silent_ms));
    case Cause::kUnconfirmed:
      return fmt::format(
          "no beat for {:.1f} s and no other node could be asked: all are silent, or "
          "this server is cut off",
          seconds(e.silent_ms));
  }
  return "";
}

}  // namespace binnacle::watch::heartbeat
