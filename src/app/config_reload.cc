#include "app/config_reload.h"

#include <fmt/format.h>

#include <utility>

namespace binnacle::app {

ConfigReloader::ConfigReloader(std::string path, ConfigSchema schema, Config started_with,
                               ConfigSources sources, Registry& registry, const Clock& clock)
    : path_(std::move(path)),
      schema_(std::move(schema)),
      started_with_(std::move(started_with)),
      sources_(std::move(sources)),
      clock_(clock),
      successful_(registry.gauge("binnacle_config_last_reload_successful",
                                 "Whether the last attempt to read the configuration succeeded.")),
      success_seconds_(
          registry.gauge("binnacle_config_last_reload_success_timestamp_seconds",
                         "When the configuration that holds now was read, in Unix seconds.")) {
  set_current(started_with_);
}

void ConfigReloader::add(Participant participant) {
  MutexLock lock(reload_mu_);
  participants_.push_back(std::move(participant));
}

void ConfigReloader::on_done(Hook hook) {
  MutexLock lock(reload_mu_);
  on_done_ = std::move(hook);
}

void ConfigReloader::pause(std::string why) {
  MutexLock lock(reload_mu_);
  paused_ = std::move(why);
}

void ConfigReloader::resume() {
  MutexLock lock(reload_mu_);
  paused_.clear();
}

Result<ReloadReport> ConfigReloader::reload() {
  MutexLock lock(reload_mu_);
  if (!paused_.empty()) return fail(Code::kUnavailable, "no reload now: " + paused_);
  auto outcome = reload_locked();
  if (!outcome) successful_.set(0);
  if (on_done_) on_done_(outcome);
  return outcome;
}

Result<ReloadReport> ConfigReloader::reload_locked() {
  auto next = Config::load(schema_, path_, sources_);
  if (!next) return fail(next.error().to_error().with_context("reload config"));
  TRY_ASSIGN(const std::vector<Commit> commits, prepare_all(*next));

  ReloadReport report;
  report.changed = Config::diff(*current(), *next);
  for (ConfigChange& change : Config::diff(started_with_, *next)) {
    if (change.needs_restart) report.needs_restart.push_back(std::move(change.path));
  }
  for (const Commit& commit : commits) commit();
  set_current(std::move(*next));
  return report;
}

// Asks all of them even after a failure, so that the answer names everything that stands in the
// way.
Result<std::vector<ConfigReloader::Commit>> ConfigReloader::prepare_all(const Config& next) {
  std::vector<Commit> commits;
  Error all;
  for (const Participant& participant : participants_) {
    auto commit = participant.prepare(next);
    if (commit) {
      commits.push_back(std::move(*commit));
      continue;
    }
    if (all.message.empty()) {
      all.code = commit.error().code;
    } else {
      all.message += '\n';
    }
    all.message += fmt::format("{}: {}", participant.name, commit.error().message);
  }
  if (!all.message.empty()) return fail(std::move(all).with_context("reload config"));
  return commits;
}

std::shared_ptr<const Config> ConfigReloader::current() const {
  MutexLock lock(current_mu_);
  return current_;
}

void ConfigReloader::set_current(Config next) {
  auto fresh = std::make_shared<const Config>(std::move(next));
  MutexLock lock(current_mu_);
  current_ = std::move(fresh);
  successful_.set(1);
  success_seconds_.set(static_cast<double>(clock_.wall_ms()) / 1000);
}

}  // namespace binnacle::app
