// The calls of Prometheus' API that ask for parts which this server does not have yet: rules
// and alerts. Their parameters are checked and their answers are the empty ones, so that pages
// and scripts written for Prometheus go on.
#pragma once

#include "base/error.h"
#include "net/router.h"

namespace binnacle::show {

Status register_absent_parts_api(net::Router& router);

}  // namespace binnacle::show
