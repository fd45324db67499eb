// The Pushgateway's API for what ends before it can be scraped, or stands where no scrape reaches:
// PUT, POST and DELETE /metrics/job/JOB/LABEL/VALUE..., GET /api/v1/metrics. A push is on disk
// before it is answered, its samples are stored at once and again at each interval with that time,
// as a scrape of a gateway would. What goes away gets stale markers. A group pushed with `?ttl=30s`
// expires when no push follows in that time: its series go stale and `binnacle_push_expired` of the
// group turns 1. Any thread; one lock, held while a group's file is written. Answers: docs/api.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "collect/receive/push_group.h"
#include "model/appender.h"
#include "net/router.h"

namespace binnacle::collect::receive {

struct PushInstruments;

struct PushGatewayOptions {
  size_t max_body_bytes = size_t{8} << 20;
  size_t max_groups = 10'000;
  size_t max_series = 200'000;           // of all groups
  size_t max_bytes = size_t{256} << 20;  // of all groups' files
  LabelLimits labels;
};

class PushGateway {
 public:
  // All outlive the object. `folder` is its own.
  PushGateway(PushGatewayOptions options, std::string folder, FileSystem& files,
              model::Appendable& store, const Clock& clock, Registry& registry);
  ~PushGateway();

  // Reads what is on disk, before the first request. A file that cannot be read is logged and left.
  Status load() EXCLUDES(mu_);
  // The object outlives the router.
  Status register_routes(net::Router& router);

  // Stores every group's samples at the clock's time. Called at each interval.
  Status append_all() EXCLUDES(mu_);

  // The size that the routes take stays as it was at the start; all else holds from the next push.
  void set_options(PushGatewayOptions options) EXCLUDES(mu_);

 private:
  struct Held {
    PushGroup group;
    size_t bytes = 0;       // of its file
    int64_t stored_ms = 0;  // when its samples were stored last
    bool stale = false;     // expired, and the stale markers are stored
  };
  struct TypeUse {
    model::MetricType type = model::MetricType::kUnknown;
    size_t groups = 0;  // that have it
  };
  using Groups = std::map<std::string, Held>;  // by the key's packed bytes

  net::Response handle(const net::Request& request);
  Status change(const net::Request& request) EXCLUDES(mu_);
  Result<PushedFamilies> read_body(const net::Request& request, const model::Labels& key) const
      EXCLUDES(mu_);
  Status push(const net::Request& request, const model::Labels& key) EXCLUDES(mu_);
  Status remove(const model::Labels& key) EXCLUDES(mu_);
  void note_failure(const model::Labels& key) EXCLUDES(mu_);
  Status check_types(const PushGroup& group) const REQUIRES(mu_);
  Status make_room(const PushGroup& group, size_t bytes) REQUIRES(mu_);
  Status keep(PushGroup group) REQUIRES(mu_);
  Status forget(Groups::iterator at) REQUIRES(mu_);
  int64_t next_ms(const Held& held) const;
  void append_group(Held& held, int64_t at_ms, model::Appender& to) const;
  static void append_gone(const PushGroup& before, const PushGroup& after, int64_t at_ms,
                          model::Appender& to);
  static void append_stale(const PushGroup& group, int64_t at_ms, model::Appender& to);
  static void append_end(const PushGroup& group, int64_t at_ms, model::Appender& to);
  Status store(Held& held, const PushGroup& before) REQUIRES(mu_);
  Status commit(model::Appender& to);
  void count(const PushGroup& group, size_t bytes, bool comes) REQUIRES(mu_);
  void show_held() REQUIRES(mu_);
  net::Response list() EXCLUDES(mu_);

  // Fixed after construction.
  const std::string folder_;
  const size_t max_body_bytes_;
  FileSystem& files_;
  model::Appendable& store_;
  const Clock& clock_;
  Registry& registry_;
  const std::unique_ptr<PushInstruments> instruments_;
  const Log log_{"push"};

  mutable Mutex mu_;
  PushGatewayOptions options_ GUARDED_BY(mu_);
  Groups groups_ GUARDED_BY(mu_);
  std::map<std::string, TypeUse, std::less<>> types_ GUARDED_BY(mu_);  // by family
  size_t series_ GUARDED_BY(mu_) = 0;
  size_t bytes_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::collect::receive
