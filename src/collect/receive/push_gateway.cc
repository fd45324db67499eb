#include "collect/receive/push_gateway.h"

#include <fmt/format.h>

#include <utility>

#include "base/config_units.h"
#include "collect/receive/push_instruments.h"
#include "collect/receive/push_json.h"
#include "collect/receive/push_text.h"

namespace binnacle::collect::receive {
namespace {

using net::Method;
using net::Request;
using net::Response;

constexpr std::string_view kPrefix = "/metrics/job";
constexpr std::string_view kSuffix = ".group";

Result<int64_t> ttl_of(const Request& request, int64_t if_absent) {
  const net::Params params = net::Params::parse(request.query);
  if (!params.has("ttl")) return if_absent;
  auto ttl_ms = parse_duration_ms(params.get("ttl"));
  if (!ttl_ms) return fail(std::move(ttl_ms).error().with_context("push: ttl"));
  return *ttl_ms;
}

}  // namespace

PushGateway::PushGateway(PushGatewayOptions options, std::string folder, FileSystem& files,
                         model::Appendable& store, const Clock& clock, Registry& registry)
    : folder_(std::move(folder)),
      max_body_bytes_(options.max_body_bytes),
      files_(files),
      store_(store),
      clock_(clock),
      registry_(registry),
      instruments_(std::make_unique<PushInstruments>(registry)),
      options_(options) {}

PushGateway::~PushGateway() = default;

Status PushGateway::load() {
  TRY(files_.create_directories(folder_));
  TRY_ASSIGN(const auto entries, files_.list(folder_));
  MutexLock lock(mu_);
  for (const DirEntry& entry : entries) {
    if (!entry.name.ends_with(kSuffix)) continue;
    const std::string path = folder_ + "/" + entry.name;
    auto group = [&]() -> Result<PushGroup> {
      TRY_ASSIGN(const std::string bytes, files_.read_file(path, size_t{1} << 30));
      return read_push_file(bytes);
    }();
    if (!group) {
      log_.error("pushed group not read", {{"file", path}, {"error", group.error().message}});
      continue;
    }
    Held held;
    held.bytes = write_push_file(*group).size();
    count(*group, held.bytes, true);
    const std::string key = group->key.packed();
    held.group = *std::move(group);
    groups_[key] = std::move(held);
  }
  show_held();
  return {};
}

Status PushGateway::register_routes(net::Router& router) {
  // The text behind the prefix is split as it was sent, as a value may hold an encoded slash.
  for (const std::string_view pattern :
       {"/metrics/job/{rest...}", "/metrics/job@base64/{rest...}"}) {
    for (const Method method : {Method::kPut, Method::kPost, Method::kDelete}) {
      net::Route route;
      route.method = method;
      route.pattern = pattern;
      route.group = net::RouteGroup::kIngest;
      route.role = Role::kIngest;
      route.limits.max_body_bytes = max_body_bytes_;
      route.handler = [this](const Request& request) { return handle(request); };
      TRY(router.add(std::move(route)));
    }
  }
  net::Route route;
  route.pattern = "/api/v1/metrics";
  route.group = net::RouteGroup::kApi;
  route.role = Role::kViewer;
  route.handler = [this](const Request&) { return list(); };
  return router.add(std::move(route));
}

Response PushGateway::handle(const Request& request) {
  const Status done = change(request);
  Response response;
  if (!done) {
    response = Response::error(done.error());
  } else {
    response = Response::text(request.method == Method::kDelete ? 202 : 200, "");
  }
  registry_
      .counter("binnacle_push_requests_total", "Calls of the push API, by the answer's status.",
               {{"code", std::to_string(response.status)},
                {"method", std::string(net::method_name(request.method))}})
      .add();
  return response;
}

Status PushGateway::change(const Request& request) {
  if (!request.path.starts_with(kPrefix))
    return fail(Code::kInvalidArgument, "push: write /metrics/job/ without percent signs");
  TRY_ASSIGN(const model::Labels key, push_key_of(request.path.substr(kPrefix.size())));
  if (request.method == Method::kDelete) return remove(key);
  Status done = push(request, key);
  if (!done && done.error().code == Code::kInvalidArgument) note_failure(key);
  return done;
}

Result<PushedFamilies> PushGateway::read_body(const Request& request,
                                              const model::Labels& key) const {
  PushGatewayOptions now;
  {
    MutexLock lock(mu_);
    now = options_;
  }
  const std::string_view type = request.header("Content-Type");
  if (is_push_protobuf(type)) {
    TRY_ASSIGN(const std::string text, push_text_of_protobuf(request.body, now.max_bytes));
    return read_push(text, exposition::Format::kText, key, now.labels);
  }
  TRY_ASSIGN(const exposition::Format format, exposition::format_of(type));
  return read_push(request.body, format, key, now.labels);
}

Status PushGateway::push(const Request& request, const model::Labels& key) {
  TRY_ASSIGN(PushedFamilies families, read_body(request, key));
  MutexLock lock(mu_);
  const auto found = groups_.find(key.packed());
  const PushGroup before = found == groups_.end() ? PushGroup{.key = key} : found->second.group;
  PushGroup next;
  next.key = key;
  next.pushed_ms = clock_.wall_ms();
  TRY_ASSIGN(next.ttl_ms, ttl_of(request, request.method == Method::kPost ? before.ttl_ms : 0));
  next.families = std::move(families);
  if (request.method == Method::kPost) {
    for (const auto& [name, family] : before.families) next.families.try_emplace(name, family);
  }
  TRY(check_types(next));
  TRY(keep(std::move(next)));
  Held& held = groups_.at(key.packed());
  held.stale = false;
  // The push is taken whatever the store says: its samples come again with the next interval.
  if (const Status stored = store(held, before); !stored)
    log_.warn("pushed samples not stored yet", {{"error", stored.error().message}});
  return {};
}

// The same metric of another group has the same type, or it could not be shown beside it.
Status PushGateway::check_types(const PushGroup& group) const {
  const auto found = groups_.find(group.key.packed());
  for (const auto& [name, family] : group.families) {
    const auto use = types_.find(name);
    if (use == types_.end() || use->second.type == family.metadata.type) continue;
    const bool own = found != groups_.end() && found->second.group.families.contains(name);
    if (use->second.groups == 1 && own) continue;
    return fail(
        Code::kInvalidArgument,
        fmt::format("push: {} is a {} in another group and a {} here: push it with the same "
                    "TYPE, or delete the other group",
                    name, push_type_name(use->second.type), push_type_name(family.metadata.type)));
  }
  return {};
}

// Keeps the sums and the types in step with the groups.
void PushGateway::count(const PushGroup& group, size_t bytes, bool comes) {
  const size_t series = group.series();
  series_ = comes ? series_ + series : series_ - series;
  bytes_ = comes ? bytes_ + bytes : bytes_ - bytes;
  for (const auto& [name, family] : group.families) {
    TypeUse& use = types_[name];
    use.type = family.metadata.type;
    use.groups = comes ? use.groups + 1 : use.groups - 1;
    if (use.groups == 0) types_.erase(name);
  }
}

Status PushGateway::make_room(const PushGroup& group, size_t bytes) {
  const auto found = groups_.find(group.key.packed());
  const bool known = found != groups_.end();
  const size_t old_series = known ? found->second.group.series() : 0;
  const size_t old_bytes = known ? found->second.bytes : 0;
  // Groups that have expired make room for new ones, the oldest first.
  const int64_t now_ms = clock_.wall_ms();
  while (!known && groups_.size() >= options_.max_groups) {
    auto oldest = groups_.end();
    for (auto it = groups_.begin(); it != groups_.end(); ++it) {
      if (!it->second.group.expired(now_ms)) continue;
      if (oldest == groups_.end() || it->second.group.pushed_ms < oldest->second.group.pushed_ms)
        oldest = it;
    }
    if (oldest == groups_.end()) {
      return fail(Code::kResourceExhausted,
                  fmt::format("push: {} groups are held (collect.push.max_groups): delete some",
                              groups_.size()));
    }
    TRY(forget(oldest));
  }
  if (series_ - old_series + group.series() > options_.max_series) {
    return fail(Code::kResourceExhausted,
                fmt::format("push: {} series are held, the limit is {} (collect.push.max_series)",
                            series_, options_.max_series));
  }
  if (bytes_ - old_bytes + bytes > options_.max_bytes) {
    return fail(Code::kResourceExhausted,
                fmt::format("push: {} bytes are held, the limit is {} (collect.push.max_bytes)",
                            bytes_, options_.max_bytes));
  }
  return {};
}

Status PushGateway::keep(PushGroup group) {
  const std::string text = write_push_file(group);
  TRY(make_room(group, text.size()));
  TRY(files_.write_file_atomically(folder_ + "/" + push_file_name(group.key), text, 0600));
  Held& held = groups_[group.key.packed()];
  count(held.group, held.bytes, false);
  count(group, text.size(), true);
  held.group = std::move(group);
  held.bytes = text.size();
  show_held();
  return {};
}

Status PushGateway::forget(Groups::iterator at) {
  TRY(files_.remove(folder_ + "/" + push_file_name(at->second.group.key)));
  TRY(files_.sync_dir(folder_));
  count(at->second.group, at->second.bytes, false);
  groups_.erase(at);
  show_held();
  return {};
}

Status PushGateway::remove(const model::Labels& key) {
  MutexLock lock(mu_);
  const auto found = groups_.find(key.packed());
  if (found == groups_.end()) return {};
  const PushGroup group = found->second.group;
  const int64_t at_ms = next_ms(found->second);
  TRY(forget(found));
  const auto to = store_.appender();
  append_end(group, at_ms, *to);
  if (const Status stored = commit(*to); !stored)
    log_.warn("stale markers of a deleted group not stored", {{"error", stored.error().message}});
  return {};
}

// A refused push leaves the group as it was but for its time.
void PushGateway::note_failure(const model::Labels& key) {
  MutexLock lock(mu_);
  const auto found = groups_.find(key.packed());
  PushGroup group = found == groups_.end() ? PushGroup{.key = key} : found->second.group;
  group.failed_ms = clock_.wall_ms();
  if (const Status kept = keep(std::move(group)); !kept) {
    log_.warn("refused push not noted", {{"error", kept.error().message}});
    return;
  }
  Held& held = groups_.at(key.packed());
  (void)store(held, held.group);
}

void PushGateway::show_held() {
  instruments_->groups.set(static_cast<double>(groups_.size()));
  instruments_->series.set(static_cast<double>(series_));
  instruments_->bytes.set(static_cast<double>(bytes_));
}

void PushGateway::set_options(PushGatewayOptions options) {
  MutexLock lock(mu_);
  options_ = options;
}

Response PushGateway::list() {
  std::string out = R"({"status":"success","data":[)";
  MutexLock lock(mu_);
  for (const auto& [packed, held] : groups_) {
    if (out.back() == '}') out.push_back(',');
    append_push_json(out, held.group);
  }
  return Response::json(200, out + "]}");
}

}  // namespace binnacle::collect::receive
