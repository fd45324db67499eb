// Every key of binnacle.yaml that this binary knows, and the rules across them. Other keys are
// refused. A key stands here once, with its default, bounds and meaning; docs/configuration.md is
// written from it.
#pragma once

#include "base/config_schema.h"

#include <string>
#include <vector>

namespace binnacle::app {

// Made once, at first use; any thread.
const ConfigSchema& config_schema();

// The text before the tables of docs/configuration.md.
std::string config_docs_intro();

// The tables that config_schema() is made of, in this order.
std::vector<ConfigKey> server_keys();
std::vector<ConfigKey> log_keys();
std::vector<ConfigKey> link_keys();
std::vector<ConfigKey> health_keys();
std::vector<ConfigKey> rule_keys();
std::vector<ConfigKey> objective_keys();  // slo
std::vector<ConfigKey> watch_keys();      // cluster, heartbeat
std::vector<ConfigKey> alert_keys();
std::vector<ConfigKey> agent_keys();
std::vector<ConfigKey> scrape_keys();  // of prometheus.yml and what it starts
std::vector<ConfigKey> engine_keys();  // how engines are found, and judged
std::vector<ConfigKey> data_keys();    // collect, storage, events, query, access

// Keys with a default and bounds, both inclusive and as a user would write them.
ConfigKey duration_key(std::string path, int64_t default_ms, std::string min, std::string max,
                       std::string meaning);
ConfigKey count_key(std::string path, int64_t default_value, std::string unit, std::string min,
                    std::string max, std::string meaning);

// For ConfigKey::check: "" or what to do instead. An empty text is "not set" and fine.
std::string check_regex(std::string_view pattern);  // RE2
std::string check_listen_address(
    std::string_view address);  // host:port, [v6]:port, :port, unix:/path
std::string check_door_address(std::string_view address);  // host:port or empty for off; no path
// A name or address, with a port where only that one counts; no scheme or path.
std::string check_host_name(std::string_view name);

// One listener at least; TLS files come in pairs, client certificates need their CA, no address is
// bound twice.
void check_listeners(const Config& config, ConfigProblems& problems);
void check_lockout(const Config& config,
                   ConfigProblems& problems);  // the first is not over the longest
// Each objective has a name of its own, a model, a target and what its kind needs.
void check_objectives(const Config& config, ConfigProblems& problems);
// What is promoted is either all but some attributes or a list.
void check_promotion(const Config& config, ConfigProblems& problems);

}  // namespace binnacle::app
