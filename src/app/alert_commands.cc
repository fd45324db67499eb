#include "app/alert_commands.h"

#include <ostream>

#include "app/alert_run.h"

namespace binnacle::app {

int run_alert_command(const AlertCommand& command, FileSystem& files, const Clock& clock,
                      std::istream& in, std::ostream& out, std::ostream& err) {
  const Status done = AlertRun(command, files, clock, in, out).run();
  if (done) return 0;
  err << "binnacle alert: " << done.error().message << '\n';
  const Code code = done.error().code;
  return code == Code::kUnavailable || code == Code::kDeadlineExceeded ? 2 : 1;
}

}  // namespace binnacle::app
