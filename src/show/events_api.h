// GET /api/binnacle/v1/events: what happened, newest first.
#pragma once

#include "base/error.h"
#include "model/event.h"
#include "net/router.h"

namespace binnacle::show {

inline constexpr size_t kMaxEventsPerAnswer = 1000;

// `events` outlives the router.
Status register_events_api(net::Router& router, model::EventBus& events);

}  // namespace binnacle::show
