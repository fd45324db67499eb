#include "collect/ship/remote_writers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/crc32c.h"

namespace binnacle::collect::ship {

RemoteWriters::RemoteWriters(std::string folder, TeeAppendable& tee, ShipperDeps deps)
    : folder_(std::move(folder)), tee_(tee), deps_(std::move(deps)) {}

RemoteWriters::~RemoteWriters() { stop(); }

Result<RemoteWriters::Destination> RemoteWriters::prepare(const RemoteWriteConfig& config) const {
  Destination made;
  made.name = config.shipper.name;
  const auto known = std::ranges::find(destinations_, made.name, &Destination::name);
  if (known != destinations_.end()) {
    made.queue = known->queue;
  } else {
    QueueOptions options;
    options.name = made.name;
    options.max_bytes = config.queue_max_bytes;
    TRY_ASSIGN(made.queue, SampleQueue::open(folder_ + "/" + queue_folder_name(made.name),
                                             std::move(options), deps_.files, deps_.registry));
  }
  TRY_ASSIGN(made.shipper, Shipper::create(config.shipper, made.queue, deps_));
  return made;
}

Status RemoteWriters::apply(const std::vector<RemoteWriteConfig>& configs) {
  const MutexLock held(mu_);
  std::vector<Destination> next;
  for (const RemoteWriteConfig& config : configs) {
    const std::string& name = config.shipper.name;
    if (std::ranges::find(next, name, &Destination::name) != next.end()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("remote write {}: two destinations have that name, by which their "
                              "queues are found",
                              name));
    }
    TRY_ASSIGN(Destination made, prepare(config));
    next.push_back(std::move(made));
  }
  // A queue has one reader at a time.
  for (Destination& old : destinations_) old.shipper->stop();
  std::vector<std::shared_ptr<SampleQueue>> queues;
  for (Destination& one : next) queues.push_back(one.queue);
  tee_.set_queues(std::move(queues));
  for (const Destination& old : destinations_) {
    const bool stays = std::ranges::find(next, old.name, &Destination::name) != next.end();
    if (!stays && old.queue->pending_samples() > 0) {
      log_.warn("a destination is gone, its queue keeps what was not shipped",
                {{"destination", old.name}, {"samples", old.queue->pending_samples()}});
    }
  }
  destinations_ = std::move(next);
  for (Destination& one : destinations_) one.shipper->start();
  return {};
}

void RemoteWriters::stop() {
  const MutexLock held(mu_);
  for (Destination& one : destinations_) one.shipper->stop();
}

std::vector<ShipperStatus> RemoteWriters::status() const {
  const MutexLock held(mu_);
  std::vector<ShipperStatus> all;
  for (const Destination& one : destinations_) all.push_back(one.shipper->status());
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
