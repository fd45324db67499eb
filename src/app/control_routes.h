// Routes about the running process: /-/reload and /api/binnacle/v1/config.
#pragma once

#include "app/config_reload.h"
#include "base/error.h"
#include "net/router.h"

namespace binnacle::app {

// `reloader` outlives the router.
Status register_control_routes(net::Router& router, ConfigReloader& reloader);

// {"changed":[{"path","old","new"}],"needs_restart":["path"]}
std::string reload_report_json(const ReloadReport& report);

}  // namespace binnacle::app
