#include "app/alerts_part.h"

#include <utility>

#include <fmt/format.h>

#include "app/alerts_settings.h"
#include "app/listeners.h"
#include "base/trailing_slash.h"
#include "watch/alerts/api/alert_api.h"
#include "watch/alerts/receivers/notifier_factory.h"
#include "watch/alerts/template_data.h"
#include "watch/alerts/template_functions.h"

namespace binnacle::app {

using watch::alerts::AlertConfig;
using watch::alerts::AlertLimits;
using watch::alerts::AlertRouter;
using watch::alerts::AlertRouterOptions;
using watch::alerts::Integration;
using watch::alerts::NotifierFactory;

AlertLimits alert_limits(const Config& config) {
  const auto count = [&](const char* name) {
    return static_cast<size_t>(config.get_int(std::string("alerts.") + name));
  };
  AlertLimits limits;
  limits.max_alerts = count("max_alerts");
  limits.max_groups = count("max_groups");
  limits.max_silences = count("max_silences");
  limits.max_acknowledgements = count("max_acknowledgements");
  limits.max_sends_at_once = count("max_sends");
  limits.max_sends_waiting = count("max_sends_waiting");
  limits.flap_changes = count("flap_changes");
  limits.max_alert_bytes = static_cast<size_t>(config.get_bytes("alerts.max_alert_bytes"));
  limits.max_silence_bytes = static_cast<size_t>(config.get_bytes("alerts.max_silence_bytes"));
  limits.retention_ms = config.get_duration_ms("alerts.retention");
  limits.history_max_age_ms = config.get_duration_ms("alerts.history_retention");
  limits.history_max_count = config.get_int("alerts.history_max_count");
  limits.silence_reminder_ms = config.get_duration_ms("alerts.silence_reminder");
  limits.flap_window_ms = config.get_duration_ms("alerts.flap_window");
  return limits;
}

// What one reading of the configuration comes to.
struct AlertsPart::Loaded {
  AlertRouterOptions options;
  std::shared_ptr<const AlertConfig> config;
  NotifierFactory make;
};

Result<AlertsPart::Loaded> AlertsPart::load(const Config& config) const {
  Loaded loaded;
  std::string url = config.get_string("alerts.external_url");
  if (url.empty()) url = own_url_;
  loaded.options = {.limits = alert_limits(config),
                    .external_url = without_trailing_slash(std::move(url))};
  const std::string path = config.get_string("alerts.config_file");
  TRY_ASSIGN(loaded.config, load_alert_config(path, tools_.files));
  for (const std::string& warning : loaded.config->warnings) log_.warn(warning);
  TRY_ASSIGN(auto templates, watch::alerts::notification_templates(loaded.config->template_files,
                                                                   tools_.files, tools_.clock));
  const watch::alerts::NotifierTools tools{tools_.files,
                                           tools_.clock,
                                           tools_.registry,
                                           tools_.pool,
                                           {std::move(templates), watch::alerts::template_data},
                                           tools_.host_name};
  loaded.make = [tools](const std::string& receiver, const Integration& integration) {
    return watch::alerts::make_notifier(receiver, integration, tools);
  };
  return loaded;
}

Result<std::unique_ptr<AlertsPart>> AlertsPart::create(const Config& config, AlertsPartTools tools,
                                                       net::Router& router) {
  std::unique_ptr<AlertsPart> part(new AlertsPart(std::move(tools)));
  const AlertsPartTools& own = part->tools_;
  // The address is bound once, so that a reload does not change this.
  const bool tls = !config.at("server.listen", 0).get_string("tls.certificate_file").empty();
  part->own_url_ = (tls ? "https://" : "http://") + address_for_links(own.listen, own.host_name);
  TRY_ASSIGN(Loaded loaded, part->load(config));
  TRY_ASSIGN(part->router_, AlertRouter::open(std::move(loaded.options),
                                              {.store = own.state,
                                               .events = &own.events,
                                               .io = own.io,
                                               .clock = own.clock,
                                               .random = own.random,
                                               .registry = own.registry},
                                              std::move(loaded.config), loaded.make));
  TRY(watch::alerts::register_alert_api(router, {.service = *part->router_,
                                                 .clock = own.clock,
                                                 .audit = own.audit,
                                                 .intake = *part->router_,
                                                 .pool = own.pool,
                                                 .version = own.version,
                                                 .revision = own.revision,
                                                 .node_name = own.host_name,
                                                 .address = own.listen,
                                                 .started_ms = own.started_ms}));
  return part;
}

AlertsPart::~AlertsPart() { stop(); }

Result<ConfigReloader::Commit> AlertsPart::prepare(const Config& next) {
  TRY_ASSIGN(Loaded loaded, load(next));
  return ConfigReloader::Commit([this, loaded = std::move(loaded)] {
    router_->reload(loaded.options, loaded.config, loaded.make);
  });
}

void AlertsPart::start() { router_->start(); }

void AlertsPart::stop() {
  if (router_ != nullptr) router_->stop();
}

}  // namespace binnacle::app
