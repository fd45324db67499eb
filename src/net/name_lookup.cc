#include "net/name_lookup.h"

#include "base/mutex.h"
#include "net/wakeup.h"

#include <netdb.h>
#include <sys/socket.h>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int64_t kNsPerMs = 1'000'000;
constexpr size_t kMostRemembered = 4096;  // slow zones; refusals

// What shares its name servers: all below the first dot, or the whole of a name without one.
std::string zone_of(const std::string& host) {
  const size_t dot = host.find('.');
  return dot == std::string::npos || dot + 1 >= host.size() ? host : host.substr(dot + 1);
}

Result<Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (code != 0) {
    const char* words = code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code);
    return fail(Code::kUnavailable, "resolve " + host + ": " + words);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(raw, ::freeaddrinfo);
  Addresses addresses;
  for (const addrinfo* one = raw; one != nullptr; one = one->ai_next) {
    asio::ip::tcp::endpoint endpoint;  // knows scope ids of link-local addresses
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    addresses.push_back(endpoint.address());
  }
  if (addresses.empty()) return fail(Code::kUnavailable, "resolve " + host + ": no addresses");
  return addresses;
}

// One coroutine that wants to know. Its wakeup is for its executor alone.
struct Asker {
  explicit Asker(asio::any_io_executor on) : executor(std::move(on)), wakeup(executor) {}
  const asio::any_io_executor executor;
  Wakeup wakeup;
};

}  // namespace

class NameLookup::State : public std::enable_shared_from_this<State> {
 public:
  State(NameLookupOptions options, Resolve resolve, const Clock& clock)
      : options_(options), resolve_(std::move(resolve)), clock_(clock) {}

  struct Lookup {
    explicit Lookup(std::string name) : host(std::move(name)), zone(zone_of(host)) {}
    const std::string host;
    const std::string zone;
    // Guarded by the state's mutex.
    std::optional<int64_t> started_ns;
    bool slow = false;
    std::vector<std::shared_ptr<Asker>> askers;
    std::optional<Result<Addresses>> answer;
  };
  using Shared = std::shared_ptr<Lookup>;

  const NameLookupOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }

  Result<Shared> join(const std::string& host, std::shared_ptr<Asker> asker) EXCLUDES(mu_);
  void leave(const Shared& lookup, const std::shared_ptr<Asker>& asker) EXCLUDES(mu_);
  std::optional<Result<Addresses>> answer_of(const Lookup& lookup) EXCLUDES(mu_);
  void look_again() EXCLUDES(mu_);
  void note_late() EXCLUDES(mu_);
  void abandon() EXCLUDES(mu_);
  NameLookupFigures figures() const EXCLUDES(mu_);

 private:
  struct Refusal {
    Error error;
    int64_t until_ns = 0;
  };

  void fill_up() REQUIRES(mu_);
  bool start(const Shared& lookup) REQUIRES(mu_);
  void run(const Shared& lookup) EXCLUDES(mu_);
  void finish(const Shared& lookup, Result<Addresses> answer) REQUIRES(mu_);
  void remember(const Lookup& lookup, const Error& error) REQUIRES(mu_);
  void mark_slow(const std::string& zone) REQUIRES(mu_);

  // Fixed after construction.
  const NameLookupOptions options_;
  const Resolve resolve_;
  const Clock& clock_;  // not used any more once abandoned

  mutable Mutex mu_;
  bool abandoned_ GUARDED_BY(mu_) = false;
  std::map<std::string, Shared> open_ GUARDED_BY(mu_);  // running and waiting
  std::deque<Shared> waiting_ GUARDED_BY(mu_);
  std::set<std::string> slow_zones_ GUARDED_BY(mu_);
  std::map<std::string, Refusal> refusals_ GUARDED_BY(mu_);
  NameLookupFigures figures_ GUARDED_BY(mu_);
};

Result<NameLookup::State::Shared> NameLookup::State::join(const std::string& host,
                                                          std::shared_ptr<Asker> asker) {
  const MutexLock lock(mu_);
  if (const auto refused = refusals_.find(host); refused != refusals_.end()) {
    if (clock_.monotonic_ns() < refused->second.until_ns) return fail(refused->second.error);
    refusals_.erase(refused);
  }
  if (const auto known = open_.find(host); known != open_.end()) {
    known->second->askers.push_back(std::move(asker));
    return known->second;
  }
  if (waiting_.size() >= options_.max_waiting) {
    ++figures_.refused;
    return fail(Code::kResourceExhausted, "resolve " + host + ": " +
                                              std::to_string(waiting_.size()) +
                                              " other names wait already; name servers are slow");
  }
  const auto lookup = std::make_shared<Lookup>(host);
  lookup->askers.push_back(std::move(asker));
  open_.emplace(host, lookup);
  waiting_.push_back(lookup);
  fill_up();
  return lookup;
}

// A look-up whose turn has not come is not worth one when nobody wants it any more.
void NameLookup::State::leave(const Shared& lookup, const std::shared_ptr<Asker>& asker) {
  const MutexLock lock(mu_);
  std::erase(lookup->askers, asker);
  if (!lookup->askers.empty() || lookup->started_ns || lookup->answer) return;
  std::erase(waiting_, lookup);
  open_.erase(lookup->host);
}

std::optional<Result<Addresses>> NameLookup::State::answer_of(const Lookup& lookup) {
  const MutexLock lock(mu_);
  return lookup.answer;
}

// Those that run may have become slow meanwhile, which lets others start.
void NameLookup::State::look_again() {
  const MutexLock lock(mu_);
  if (!abandoned_) fill_up();
}

void NameLookup::State::note_late() {
  const MutexLock lock(mu_);
  ++figures_.late;
}

void NameLookup::State::abandon() {
  const MutexLock lock(mu_);
  abandoned_ = true;
}

NameLookupFigures NameLookup::State::figures() const {
  const MutexLock lock(mu_);
  NameLookupFigures now = figures_;
  now.waiting = waiting_.size();
  now.running = open_.size() - waiting_.size();
  return now;
}

void NameLookup::State::fill_up() {
  const int64_t slow_ns = clock_.monotonic_ns() - options_.slow_after.count() * kNsPerMs;
  size_t quick = 0;
  size_t slow = 0;
  for (const auto& [host, lookup] : open_) {
    if (!lookup->started_ns) continue;
    if (!lookup->slow && *lookup->started_ns <= slow_ns) {
      lookup->slow = true;
      mark_slow(lookup->zone);
    }
    ++(lookup->slow ? slow : quick);
  }
  std::deque<Shared> waiting = std::exchange(waiting_, {});
  for (const Shared& lookup : waiting) {
    lookup->slow = slow_zones_.contains(lookup->zone);
    const bool has_room = lookup->slow ? slow < options_.max_slow : quick < options_.max_quick;
    if (!has_room || quick + slow >= options_.max_running) {
      waiting_.push_back(lookup);
    } else if (start(lookup)) {
      ++(lookup->slow ? slow : quick);
    }
  }
}

bool NameLookup::State::start(const Shared& lookup) {
  lookup->started_ns = clock_.monotonic_ns();
  ++figures_.lookups;
  try {
    std::thread([self = shared_from_this(), lookup] { self->run(lookup); }).detach();
    return true;
  } catch (const std::system_error& no_thread) {
    finish(lookup, fail(Code::kResourceExhausted,
                        "resolve " + lookup->host + ": no thread for it: " + no_thread.what()));
    return false;
  }
}

void NameLookup::State::run(const Shared& lookup) {
  Result<Addresses> answer = resolve_(lookup->host);
  const MutexLock lock(mu_);
  if (abandoned_) return;
  const int64_t took_ns = clock_.monotonic_ns() - *lookup->started_ns;
  if (took_ns >= options_.slow_after.count() * kNsPerMs) {
    mark_slow(lookup->zone);
  } else {
    slow_zones_.erase(lookup->zone);
  }
  finish(lookup, std::move(answer));
  fill_up();
}

void NameLookup::State::finish(const Shared& lookup, Result<Addresses> answer) {
  if (!answer) remember(*lookup, answer.error());
  lookup->answer = std::move(answer);
  open_.erase(lookup->host);
  // Under the lock, where an asker leaves before its executor goes.
  for (const auto& asker : lookup->askers)
    asio::post(asker->executor, [asker] { asker->wakeup.notify(); });
}

void NameLookup::State::remember(const Lookup& lookup, const Error& error) {
  ++figures_.failed;
  if (refusals_.size() >= kMostRemembered) refusals_.clear();
  refusals_[lookup.host] = {error, clock_.monotonic_ns() + options_.refusal_ttl.count() * kNsPerMs};
}

void NameLookup::State::mark_slow(const std::string& zone) {
  if (slow_zones_.size() >= kMostRemembered) slow_zones_.clear();
  slow_zones_.insert(zone);
}

NameLookup::NameLookup(NameLookupOptions options, Resolve resolve, const Clock& clock)
    : state_(std::make_shared<State>(options, std::move(resolve), clock)) {}

NameLookup::~NameLookup() { state_->abandon(); }

asio::awaitable<Result<Addresses>> NameLookup::find(std::string host, Deadline& deadline) {
  const auto state = state_;
  const auto asker = std::make_shared<Asker>(co_await asio::this_coro::executor);
  auto joined = state->join(host, asker);
  if (!joined) co_return fail(std::move(joined).error());
  struct Leaver {
    ~Leaver() { state.leave(lookup, asker); }
    State& state;
    const State::Shared lookup;
    const std::shared_ptr<Asker> asker;
  };
  const Leaver leaver{*state, *joined, asker};

  deadline.on_expiry([asker] { asker->wakeup.notify(); });
  const int64_t end_ns =
      state->clock().monotonic_ns() + state->options().timeout.count() * kNsPerMs;
  std::optional<Result<Addresses>> answer;
  bool cancelled = false;
  while (!(answer = state->answer_of(*leaver.lookup)) && !deadline.expired() && !cancelled) {
    const int64_t left_ns = end_ns - state->clock().monotonic_ns();
    if (left_ns <= 0) break;
    const milliseconds left(left_ns / kNsPerMs + 1);
    const bool woken = co_await asker->wakeup.wait_for(std::min(left, state->options().slow_after));
    if (!woken) state->look_again();
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    cancelled = cancellation.cancelled() != asio::cancellation_type::none;
  }
  deadline.on_expiry(nullptr);
  if (answer) co_return std::move(*answer);
  if (cancelled) co_return fail(Code::kCancelled, "resolve " + host + ": called off");
  state->note_late();
  co_return fail(Code::kDeadlineExceeded, "resolve " + host + ": no answer in time");
}

NameLookupFigures NameLookup::figures() const { return state_->figures(); }

NameLookup& NameLookup::system() {
  // Never destroyed: its threads may outlast main().
  static auto& lookup = *new NameLookup({}, ask_system, *new SystemClock);
  return lookup;
}

void register_name_lookup_instruments(Registry& registry) {
  constexpr std::string_view kFailures = "binnacle_name_lookup_failures_total";
  constexpr std::string_view kFailuresHelp = "Questions for a host's addresses without an answer.";
  Counter& lookups =
      registry.counter("binnacle_name_lookups_total", "Host names that the system was asked for.");
  Counter& failed = registry.counter(kFailures, kFailuresHelp, {{"reason", "failed"}});
  Counter& late = registry.counter(kFailures, kFailuresHelp, {{"reason", "late"}});
  Counter& refused = registry.counter(kFailures, kFailuresHelp, {{"reason", "too_many"}});
  Gauge& running =
      registry.gauge("binnacle_name_lookups_running", "Look-ups of host names under way.");
  Gauge& waiting = registry.gauge("binnacle_name_lookups_waiting",
                                  "Look-ups of host names that wait for their turn.");
  registry.before_collect([&] {
    const NameLookupFigures now = NameLookup::system().figures();
    const auto raise = [](Counter& counter, uint64_t to) {
      counter.add(static_cast<double>(to) - counter.value());
    };
    raise(lookups, now.lookups);
    raise(failed, now.failed);
    raise(late, now.late);
    raise(refused, now.refused);
    running.set(static_cast<double>(now.running));
    waiting.set(static_cast<double>(now.waiting));
  });
}

}  // namespace binnacle::net
