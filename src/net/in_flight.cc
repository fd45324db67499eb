#include "net/in_flight.h"

#include <map>
#include <utility>

#include "base/mutex.h"

namespace binnacle::net {

struct InFlight::State {
  Mutex mu;
  CondVar none;
  uint64_t next_id GUARDED_BY(mu) = 1;
  std::map<uint64_t, std::function<void()>> work GUARDED_BY(mu);
};

InFlight::InFlight() : state_(std::make_unique<State>()) {}

InFlight::~InFlight() {
  std::map<uint64_t, std::function<void()>> left;
  {
    const MutexLock lock(state_->mu);
    left = state_->work;
  }
  for (const auto& [id, cancel] : left) cancel();  // without the lock: it may end the work at once
  const MutexLock lock(state_->mu);
  while (!state_->work.empty()) state_->none.wait(state_->mu);
}

uint64_t InFlight::add(std::function<void()> cancel) {
  const MutexLock lock(state_->mu);
  const uint64_t id = state_->next_id++;
  state_->work.emplace(id, std::move(cancel));
  return id;
}

void InFlight::remove(uint64_t id) {
  std::function<void()> last;
  {
    const MutexLock lock(state_->mu);
    last = std::move(state_->work.at(id));
  }
  last = nullptr;  // what it keeps alive goes before the owner does
  const MutexLock lock(state_->mu);
  state_->work.erase(id);
  if (state_->work.empty()) state_->none.notify_all();
}

}  // namespace binnacle::net
