// What happened, as a durable row: written before it is delivered, so that a crash loses none. Each
// subscriber keeps a cursor and gets every event at least once, in order of id.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::model {

struct Event {
  int64_t id = 0;        // ascending, given by the bus
  int64_t time_ms = 0;   // wall
  std::string kind;      // dotted, past or state: "node.down", "config.reloaded", "login.failed"
  std::string subject;   // what it is about: a node name, a key id, a rule
  int64_t cause_id = 0;  // the event that led to this one; 0: none
  std::string data;      // a JSON object
};

class EventBus {
 public:
  virtual ~EventBus() = default;

  // Durable when it returns; answers the id. Any thread but I/O threads (it waits for the disk).
  virtual Result<int64_t> publish(Event event) = 0;

  // Calls `deliver` for every event after the subscriber's stored cursor whose kind starts with
  // `kind_prefix`, from a thread of the bus. The cursor moves when `deliver` returns success; on an
  // error the same event comes again. The returned handle is for unsubscribe().
  using Deliver = std::function<Status(const Event&)>;
  virtual Result<uint64_t> subscribe(std::string subscriber, std::string kind_prefix,
                                     Deliver deliver) = 0;
  virtual void unsubscribe(uint64_t handle) = 0;

  // Newest first; `before_id` 0: from the newest.
  virtual Result<std::vector<Event>> recent(std::string_view kind_prefix, int64_t before_id,
                                            size_t limit) = 0;
};

}  // namespace binnacle::model
