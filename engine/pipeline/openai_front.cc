#include "engine/pipeline/openai_front.h"

#include <atomic>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "engine/pipeline/answer_inbox.h"
#include "engine/pipeline/answering.h"
#include "net/run_on_pool.h"
#include "net/stream_handler.h"

namespace binnacle::engine {

namespace asio = boost::asio;

namespace {

// A client that has gone is seen within this.
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::hours kLongestExchange{24};

net::Route stream_route(const char* pattern, const FrontOptions& options) {
  net::Route route;
  route.method = net::Method::kPost;
  route.pattern = pattern;
  route.group = net::RouteGroup::kGateway;
  route.role = Role::kViewer;
  route.limits.max_body_bytes = options.max_body_bytes;
  route.limits.max_concurrent = options.max_concurrent;
  route.limits.timeout = kLongestExchange;  // the request's own deadline is the engine's matter
  return route;
}

}  // namespace

struct OpenAiFront::Impl : std::enable_shared_from_this<OpenAiFront::Impl> {
  Impl(FrontOptions o, std::shared_ptr<const ServedModel> m, Orchestrator& orch, ThreadPool& p,
       Registry& registry, const Clock& c, Random& r)
      : options(o),
        orchestrator(orch),
        pool(p),
        clock(c),
        random(r),
        requests(registry.counter("moe_inference_requests_total", "Requests for inference.")),
        errors(registry.counter("moe_inference_errors_total", "Requests that failed.")),
        seconds(registry.histogram("moe_inference_duration_seconds",
                                   "From a request's arrival to its answer's end.",
                                   latency_bounds())),
        concurrent(registry.gauge("moe_concurrent_requests", "Requests that are being answered.")),
        cancelled(registry.counter("binnacle_front_clients_gone_total",
                                   "Requests whose client went away before the end.")),
        model_(std::move(m)) {}

  std::shared_ptr<const ServedModel> model() EXCLUDES(mu) {
    const MutexLock lock(mu);
    return model_;
  }
  asio::awaitable<void> answer(const net::Request& request, net::BodyReader& body,
                               net::ResponseWriter& writer, bool chat);
  asio::awaitable<tl::expected<Answering, ApiError>> read(net::BodyReader& body, bool chat,
                                                          std::shared_ptr<const ServedModel> with);
  asio::awaitable<bool> run(Answering& answering, const ServedModel& with,
                            net::ResponseWriter& writer);
  AnswerFormat format_of(const Answering& answering, const ServedModel& with);
  net::Response models();

  const FrontOptions options;
  Orchestrator& orchestrator;
  ThreadPool& pool;
  const Clock& clock;
  Random& random;
  Counter& requests;
  Counter& errors;
  Histogram& seconds;
  Gauge& concurrent;
  Counter& cancelled;
  std::atomic<int64_t> in_flight{0};
  std::atomic<bool> draining{false};
  Mutex mu;
  std::shared_ptr<const ServedModel> model_ GUARDED_BY(mu);
};

namespace {

// The generations of one request: cancelled when the request's coroutine ends, however it ends.
class Running {
 public:
  Running(Orchestrator& orchestrator, std::shared_ptr<AnswerInbox> inbox)
      : orchestrator_(orchestrator), inbox_(std::move(inbox)) {}
  ~Running() {
    for (const SequenceId id : ids_) {
      if (id != 0) orchestrator_.cancel(id);
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start(Generation generation) {
    const size_t choice = ids_.size();
    generation.id = orchestrator_.new_id();
    ids_.push_back(generation.id);
    orchestrator_.submit(std::move(generation), [inbox = inbox_, choice](GenerationEvent event) {
      inbox->push(choice, std::move(event));
    });
  }
  void ended(size_t choice) { ids_[choice] = 0; }
  void stop(size_t choice) {
    if (const SequenceId id = std::exchange(ids_[choice], 0); id != 0) orchestrator_.cancel(id);
  }

 private:
  Orchestrator& orchestrator_;
  const std::shared_ptr<AnswerInbox> inbox_;
  std::vector<SequenceId> ids_;
};

// Writes pieces as events, or keeps them for one whole answer.
class AnswerWriter {
 public:
  AnswerWriter(AnswerFormat format, const Answering& answering, net::ResponseWriter& writer)
      : format_(std::move(format)),
        answering_(answering),
        writer_(writer),
        events_(writer),
        whole_(answering.choices()) {}

  asio::awaitable<Status> begin() {
    if (!answering_.request().stream || writer_.started()) co_return Status();
    Status sent = co_await events_.start();
    for (size_t i = 0; sent && format_.chat && i < answering_.choices(); ++i) {
      sent = co_await events_.send(first_piece_json(format_, static_cast<int32_t>(i)));
    }
    co_return sent;
  }

  asio::awaitable<Status> add(AnswerPiece piece) {
    if (answering_.request().stream) {
      const bool empty = piece.text.empty() && piece.finish_reason.empty() && !format_.token_ids &&
                         !format_.logprobs;
      if (empty || (piece.text.empty() && piece.finish_reason.empty() && piece.tokens.empty()))
        co_return Status();
      co_return co_await events_.send(piece_json(format_, piece));
    }
    AnswerPiece& all = whole_[static_cast<size_t>(piece.index)];
    all.index = piece.index;
    all.text += piece.text;
    all.tokens.insert(all.tokens.end(), piece.tokens.begin(), piece.tokens.end());
    if (!piece.finish_reason.empty()) all.finish_reason = piece.finish_reason;
    co_return Status();
  }

  asio::awaitable<Status> fail_with(const ApiError& error) {
    if (!writer_.started()) co_return co_await writer_.send(api_error_response(error));
    co_return co_await events_.send(api_error_json(error));
  }

  asio::awaitable<Status> finish() {
    if (!answering_.request().stream) {
      co_return co_await writer_.send(
          net::Response::json(200, whole_json(format_, whole_, answering_.usage())));
    }
    Status sent;
    if (answering_.request().include_usage) {
      sent = co_await events_.send(usage_piece_json(format_, answering_.usage()));
    }
    if (sent) sent = co_await events_.send("[DONE]");
    co_return sent;
  }

 private:
  const AnswerFormat format_;
  const Answering& answering_;
  net::ResponseWriter& writer_;
  net::EventStream events_;
  std::vector<AnswerPiece> whole_;
};

}  // namespace

AnswerFormat OpenAiFront::Impl::format_of(const Answering& answering, const ServedModel& with) {
  AnswerFormat format;
  format.chat = answering.request().chat;
  format.id = (format.chat ? "chatcmpl-" : "cmpl-") + fmt::format("{:016x}", random.next());
  format.created_s = clock.wall_ms() / 1000;
  format.model = with.name;
  format.logprobs = answering.request().wants_logprobs;
  format.token_ids = answering.request().return_token_ids;
  format.usage_in_pieces = answering.request().include_usage;
  format.tokenizer = with.tokenizer.get();
  return format;
}

asio::awaitable<tl::expected<Answering, ApiError>> OpenAiFront::Impl::read(
    net::BodyReader& body, bool chat, std::shared_ptr<const ServedModel> with) {
  std::string text;
  while (true) {
    const auto piece = co_await body.read();
    if (!piece) co_return tl::unexpected(api_error_of(piece.error()));
    if (piece->empty()) break;
    text += *piece;
  }
  tl::expected<Answering, ApiError> answering = tl::unexpected(ApiError{});
  const uint64_t seed = random.next();
  const Status ran = co_await net::run_on_pool(pool, [&] {
    auto request = read_answer_request(text, chat, with->config.vocabulary);
    if (!request) {
      answering = tl::unexpected(std::move(request).error());
    } else if (!request->model.empty() && request->model != with->name) {
      ApiError error;
      error.status = 404;
      error.param = "model";
      error.code = "model_not_found";
      error.message =
          fmt::format("there is no model \"{}\" here, only \"{}\"", request->model, with->name);
      answering = tl::unexpected(std::move(error));
    } else {
      answering = Answering::prepare(*std::move(request), with, seed);
    }
  });
  if (!ran) co_return tl::unexpected(api_error_of(ran.error()));
  co_return answering;
}

// True when the answer was given whole.
asio::awaitable<bool> OpenAiFront::Impl::run(Answering& answering, const ServedModel& with,
                                             net::ResponseWriter& writer) {
  const auto inbox = std::make_shared<AnswerInbox>(co_await asio::this_coro::executor);
  Running running(orchestrator, inbox);
  const int64_t deadline =
      clock.monotonic_ns() + std::chrono::nanoseconds(options.request_timeout).count();
  for (size_t i = 0; i < answering.choices(); ++i) {
    Generation generation = answering.generation(i);
    generation.deadline_ns = deadline;
    running.start(std::move(generation));
  }
  AnswerWriter out(format_of(answering, with), answering, writer);
  while (!answering.all_over()) {
    auto entry = inbox->take();
    if (!entry) {
      if (writer.cancelled()) {
        cancelled.add();
        co_return false;
      }
      co_await inbox->wait(kLook);
      continue;
    }
    const auto& [choice, event] = *entry;
    if (event.is_end) running.ended(choice);
    if (event.is_end &&
        (event.reason == EndReason::kFailed || event.reason == EndReason::kCancelled)) {
      if (answering.over(choice)) continue;
      co_await out.fail_with(api_error_of(event.error));
      co_return false;
    }
    Status sent = co_await out.begin();
    if (sent) sent = co_await out.add(answering.take(choice, event));
    if (answering.over(choice)) running.stop(choice);
    if (!sent) {
      cancelled.add();
      co_return false;
    }
  }
  co_return (co_await out.finish()).has_value();
}

asio::awaitable<void> OpenAiFront::Impl::answer(const net::Request& /*request*/,
                                                net::BodyReader& body, net::ResponseWriter& writer,
                                                bool chat) {
  const auto self = shared_from_this();
  const int64_t began = clock.monotonic_ns();
  requests.add();
  concurrent.set(static_cast<double>(in_flight.fetch_add(1) + 1));
  bool good = false;
  if (draining) {
    ApiError error = api_error_of({Code::kUnavailable, "the engine is being stopped"});
    co_await writer.send(api_error_response(error));
  } else {
    const auto with = model();
    auto answering = co_await read(body, chat, with);
    if (answering) {
      good = co_await run(*answering, *with, writer);
    } else if (!writer.cancelled()) {
      co_await writer.send(api_error_response(answering.error()));
    }
  }
  if (!good) errors.add();
  seconds.observe(static_cast<double>(clock.monotonic_ns() - began) / 1e9);
  concurrent.set(static_cast<double>(in_flight.fetch_sub(1) - 1));
}

net::Response OpenAiFront::Impl::models() {
  const auto with = model();
  const nlohmann::json body = {{"object", "list"},
                               {"data",
                                {{{"id", with->name},
                                  {"object", "model"},
                                  {"created", with->created_s},
                                  {"owned_by", "binnacle"},
                                  {"max_model_len", with->context}}}}};
  return net::Response::json(200, body.dump());
}

OpenAiFront::OpenAiFront(FrontOptions options, std::shared_ptr<const ServedModel> model,
                         Orchestrator& orchestrator, ThreadPool& pool, Registry& registry,
                         const Clock& clock, Random& random)
    : impl_(std::make_shared<Impl>(options, std::move(model), orchestrator, pool, registry, clock,
                                   random)) {}
OpenAiFront::~OpenAiFront() = default;

void OpenAiFront::set_model(std::shared_ptr<const ServedModel> model) {
  const MutexLock lock(impl_->mu);
  impl_->model_ = std::move(model);
}

void OpenAiFront::drain() { impl_->draining = true; }
int64_t OpenAiFront::in_flight() const { return impl_->in_flight; }

Status OpenAiFront::register_routes(net::Router& router) {
  net::Route models;
  models.pattern = "/v1/models";
  models.group = net::RouteGroup::kGateway;
  models.role = Role::kViewer;
  models.run_on = net::RunOn::kIoThread;
  models.handler = [impl = impl_](const net::Request&) { return impl->models(); };
  TRY(router.add(std::move(models)));
  for (const bool chat : {false, true}) {
    net::Route route =
        stream_route(chat ? "/v1/chat/completions" : "/v1/completions", impl_->options);
    route.handler =
        net::StreamHandler([impl = impl_, chat](const net::Request& request, net::BodyReader& body,
                                                net::ResponseWriter& writer) {
          return impl->answer(request, body, writer, chat);
        });
    TRY(router.add(std::move(route)));
  }
  return {};
}

}  // namespace binnacle::engine
