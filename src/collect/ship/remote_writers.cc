#include "collect/ship/remote_writers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace binnacle::collect::ship {

RemoteWriters::RemoteWriters(std::string folder, TeeAppendable& tee, ShipperDeps deps)
    : folder_(std::move(folder)), tee_(tee), deps_(std::move(deps)) {}

RemoteWriters::~RemoteWriters() { stop(); }

RemoteWriters::Destinations RemoteWriters::current() const {
  const MutexLock held(mu_);
  return destinations_;
}

Result<RemoteWriters::Destination> RemoteWriters::prepare(const RemoteWriteConfig& config) const {
  Destination made{.options = config.shipper, .queue = nullptr, .shipper = nullptr};
  const std::string& name = made.options.name;
  for (const Destination& known : current()) {
    if (known.options.name != name) continue;
    if (known.options == config.shipper && !stopped_) return known;
    made.queue = known.queue;
  }
  if (made.queue == nullptr) {
    QueueOptions options;
    options.name = name;
    options.max_bytes = config.queue_max_bytes;
    TRY_ASSIGN(made.queue, SampleQueue::open(folder_ + "/" + queue_folder_name(name),
                                             std::move(options), deps_.files, deps_.registry));
  }
  TRY_ASSIGN(made.shipper, Shipper::create(config.shipper, made.queue, deps_));
  return made;
}

Result<RemoteWriters::Destinations> RemoteWriters::prepare(
    const std::vector<RemoteWriteConfig>& configs) const {
  Destinations next;
  for (const RemoteWriteConfig& config : configs) {
    const std::string& name = config.shipper.name;
    const auto has_name = [&name](const Destination& one) { return one.options.name == name; };
    if (std::ranges::any_of(next, has_name)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("remote write {}: two destinations have that name, by which their "
                              "queues are found",
                              name));
    }
    TRY_ASSIGN(Destination made, prepare(config));
    next.push_back(std::move(made));
  }
  return next;
}

Status RemoteWriters::apply(const std::vector<RemoteWriteConfig>& configs) {
  const MutexLock one_at_a_time(applying_);
  TRY_ASSIGN(const Destinations next, prepare(configs));
  const Destinations before = current();
  std::vector<std::shared_ptr<SampleQueue>> queues;
  for (const Destination& one : next) queues.push_back(one.queue);
  tee_.set_queues(std::move(queues));
  {
    const MutexLock held(mu_);
    destinations_ = next;
  }
  const auto is_in = [](const Destinations& list, const auto& what, auto member) {
    return std::ranges::find(list, what, member) != list.end();
  };
  Destinations old;
  for (const Destination& one : before) {
    if (is_in(next, one.shipper, &Destination::shipper)) continue;
    old.push_back(one);
    if (is_in(next, one.queue, &Destination::queue) || one.queue->pending_samples() == 0) continue;
    log_.warn("a destination is gone, its queue keeps what was not shipped",
              {{"destination", one.options.name}, {"samples", one.queue->pending_samples()}});
  }
  // A queue has one reader at a time.
  stop_all(old);
  stopped_ = false;
  for (const Destination& one : next) {
    if (!is_in(before, one.shipper, &Destination::shipper)) one.shipper->start();
  }
  return {};
}

void RemoteWriters::stop_all(const Destinations& old) {
  for (const Destination& one : old) one.shipper->begin_stop();
  for (const Destination& one : old) one.shipper->stop();
}

void RemoteWriters::stop() {
  const MutexLock one_at_a_time(applying_);
  stop_all(current());
  stopped_ = true;
}

std::vector<ShipperStatus> RemoteWriters::status() const {
  std::vector<ShipperStatus> all;
  for (const Destination& one : current()) all.push_back(one.shipper->status());
  return all;
}

std::string queue_folder_name(const std::string& destination) {
  std::string name;
  for (const char c : destination) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !name.empty());
    name += plain ? c : '_';
  }
  constexpr size_t kMostBytes = 100;
  if (name == destination && !name.empty() && name.size() <= kMostBytes) return name;
  return fmt::format("{}-{:08x}", name.substr(0, kMostBytes), crc32c(destination));
}

}  // namespace binnacle::collect::ship
