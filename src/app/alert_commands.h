// `binnacle alert ...`: alerts, silences, acknowledgements, history and receivers of a server, and
// alertmanager.yml checked here. run_alert_command() does the work and returns the exit code: 0
// done, 1 refused or failed, 2 nobody answered.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

enum class AlertAction : uint8_t {
  kList,
  kShow,
  kSilenceAdd,
  kSilenceList,
  kSilenceExpire,
  kSilenceImport,
  kSilenceExport,
  kAck,
  kUnack,
  kHistory,
  kReceivers,
  kTestReceiver,
};

struct AlertCommand {
  AlertAction action = AlertAction::kList;
  std::string server = "http://127.0.0.1:8080";
  std::string key;
  bool json = false;
  std::vector<std::string> what;  // matchers, alerts, ids of silences or the receiver
  std::string receiver;           // a regex of list, a name of history
  bool firing_only = false;       // of list: without what is silenced, inhibited or muted
  bool all = false;               // of silences: expired ones too
  std::string by;                 // who
  std::string text;               // comment of a silence, note of an acknowledgement
  std::string start, end;         // Unix seconds or RFC 3339
  std::string length;             // a duration
  std::string kind;               // of history
  int64_t limit = 100;            // of history
  std::string file;               // of import and export; empty or "-": standard input or output
};

int run_alert_command(const AlertCommand& command, FileSystem& files, const Clock& clock,
                      std::istream& in, std::ostream& out, std::ostream& err);

void add_alert_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
