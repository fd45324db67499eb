// Reading events as rows; shared by the bus and its subscriptions. Pure but for the connection.
#pragma once

#include "base/error.h"
#include "model/event.h"
#include "store/state/database.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace binnacle::store::state {

struct EventPage {
  std::vector<model::Event> events;  // ascending
  int64_t seen_up_to = 0;            // no event up to here is still to come
};

// The next events after `after_id` whose kind starts with `kind_prefix`, at most `limit`.
Result<EventPage> read_events_after(Database& database, std::string_view kind_prefix,
                                    int64_t after_id, size_t limit);

// Newest first; `before_id` 0: from the newest.
Result<std::vector<model::Event>> read_recent_events(Database& database,
                                                     std::string_view kind_prefix,
                                                     int64_t before_id, size_t limit);

}  // namespace binnacle::store::state
