// Reload of binnacle.yaml while running, all or nothing: the file is read and parsed aside, every
// room prepares what it would change, and only when all can, all commit. Restart keys are taken up
// and reported as waiting. Any thread; one reload at a time. Blocks on files and rooms, so call it
// on the pool.
#pragma once

#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/mutex.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace binnacle::app {

struct ReloadReport {
  std::vector<ConfigChange> changed;       // since the reload before
  std::vector<std::string> needs_restart;  // paths whose values differ from those of the start
};

class ConfigReloader {
 public:
  using Commit = std::function<void()>;  // cannot fail

  struct Participant {
    std::string name;  // for messages: "log"
    // Checks and builds aside what `next` asks for, without effect. Its commit makes it hold; it is
    // destroyed uncalled when another participant fails.
    std::function<Result<Commit>(const Config& next)> prepare;
  };
  using Hook = std::function<void(const Result<ReloadReport>& outcome)>;

  // `started_with` came from the file at `path` ("": no file, defaults hold). References outlive
  // this. Registers binnacle_config_last_reload_successful and
  // binnacle_config_last_reload_success_timestamp_seconds.
  ConfigReloader(std::string path, ConfigSchema schema, Config started_with, ConfigSources sources,
                 Registry& registry, const Clock& clock);

  // Participants prepare and commit in the order in which they were added. Before the first reload.
  void add(Participant participant) EXCLUDES(reload_mu_);
  // Called after every reload, on its thread, before reload() returns; must not call reload().
  void on_done(Hook hook) EXCLUDES(reload_mu_);

  // From now on reload() is kUnavailable for that reason; waits for one that is under way.
  void pause(std::string why) EXCLUDES(reload_mu_);
  void resume() EXCLUDES(reload_mu_);

  // kInvalidArgument with one line for each problem of the file, or what the participants said;
  // then nothing has changed.
  Result<ReloadReport> reload() EXCLUDES(reload_mu_, current_mu_);

  std::shared_ptr<const Config> current() const EXCLUDES(current_mu_);

 private:
  Result<ReloadReport> reload_locked() REQUIRES(reload_mu_) EXCLUDES(current_mu_);
  Result<std::vector<Commit>> prepare_all(const Config& next) REQUIRES(reload_mu_);
  void set_current(Config next) EXCLUDES(current_mu_);

  // Fixed after construction.
  const std::string path_;
  const ConfigSchema schema_;
  const Config started_with_;
  const ConfigSources sources_;
  const Clock& clock_;
  Gauge& successful_;
  Gauge& success_seconds_;

  Mutex reload_mu_;  // held over a whole reload
  std::vector<Participant> participants_ GUARDED_BY(reload_mu_);
  Hook on_done_ GUARDED_BY(reload_mu_);
  std::string paused_ GUARDED_BY(reload_mu_);  // why; empty: it is not

  mutable Mutex current_mu_;
  std::shared_ptr<const Config> current_
      GUARDED_BY(current_mu_);  // readers keep theirs over a swap
};

}  // namespace binnacle::app
