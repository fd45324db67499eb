#include "engine/pipeline/remote_worker.h"

#include "base/mutex.h"  // before gRPC

#include <grpc/support/time.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/pipeline_messages.h"
#include "engine/pipeline/remote_stream.h"
#include "engine/pipeline/worker_channel.h"
#include "link/back_off.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNever = INT64_MAX;

// A status that says why no stream can be had; anything else is a connection that broke.
bool is_refusal(Code code) {
  return code == Code::kFailedPrecondition || code == Code::kUnimplemented ||
         code == Code::kInvalidArgument || code == Code::kResourceExhausted ||
         code == Code::kDataLoss;
}

}  // namespace

class RemoteWorker::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(RemoteWorkerOptions options, std::shared_ptr<grpc::Channel> channel, const Clock& clock,
       Random& random)
      : options_(std::move(options)),
        clock_(clock),
        client_(random.next()),
        stub_(std::make_unique<grpc::GenericStub>(std::move(channel))),
        wait_(random, options_.first_wait_ms, options_.longest_wait_ms) {}

  void start() {
    std::shared_ptr<RemoteStream> stream;
    {
      const MutexLock lock(mu_);
      stream = connect();
    }
    stream->start();
    keeper_ = std::thread([this] { keep(); });
  }
  void call(std::string_view method, std::string request, Time timeout, Done<std::string> done);
  void run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done);
  void release(uint64_t epoch, std::vector<SequenceId> sequences);
  void close();
  void set_lost(std::function<void(Error)> lost) {
    const MutexLock lock(mu_);
    lost_ = std::move(lost);
  }
  void set_hop_type(NumberType type) { hop_type_ = type; }
  bool connected() const {
    const MutexLock lock(mu_);
    return state_ == State::kUp;
  }
  bool is_closed() const {
    const MutexLock lock(mu_);
    return state_ == State::kClosed;
  }
  const RemoteWorkerOptions& options() const { return options_; }

 private:
  enum class State : uint8_t { kConnecting, kUp, kLost, kClosed };
  struct Hop {
    int64_t deadline_ns = 0;
    Done<HopResult> done;
  };
  struct Release {
    uint64_t epoch = 0;
    std::vector<SequenceId> sequences;
  };
  // One unary call; gRPC's until it has ended.
  struct Unary {
    std::shared_ptr<void> held;  // goes last
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
    Done<std::string> done;
  };

  std::shared_ptr<void> open_call() REQUIRES(mu_);
  std::shared_ptr<RemoteStream> connect() REQUIRES(mu_);  // to be started outside of it
  void up() EXCLUDES(mu_);
  Status answered(const grpc::ByteBuffer& message) EXCLUDES(mu_);
  void ended(const Error& error) EXCLUDES(mu_);
  void ended_call(Unary& call, const grpc::Status& status) EXCLUDES(mu_);
  void reached() EXCLUDES(mu_);
  void keep() EXCLUDES(mu_);
  void send_release(RemoteStream& stream, const Release& release) const;
  Error lost_error(const Error& error) const;
  Error closed_error() const;
  Error away() const REQUIRES(mu_);
  std::vector<Done<HopResult>> overdue(int64_t now_ns) REQUIRES(mu_);

  // Fixed after construction.
  const RemoteWorkerOptions options_;
  const Clock& clock_;
  const uint64_t client_;
  std::thread keeper_;

  // Until it is closed. Not to go on gRPC's threads: the last channel's end joins them.
  std::unique_ptr<grpc::GenericStub> stub_;

  std::atomic<NumberType> hop_type_{NumberType::kFloat32};

  mutable Mutex mu_;
  CondVar wake_;   // the keeper
  CondVar ended_;  // a call is gone
  State state_ GUARDED_BY(mu_) = State::kConnecting;
  std::shared_ptr<RemoteStream> stream_ GUARDED_BY(mu_);
  link::BackOff wait_ GUARDED_BY(mu_);
  int64_t connect_at_ns_ GUARDED_BY(mu_) = kNever;
  Error why_lost_ GUARDED_BY(mu_);
  std::function<void(Error)> lost_ GUARDED_BY(mu_);
  uint64_t number_ GUARDED_BY(mu_) = 0;
  std::map<uint64_t, Hop> hops_ GUARDED_BY(mu_);
  int64_t earliest_ns_ GUARDED_BY(mu_) = kNever;  // that the keeper waits for
  std::vector<std::function<void()>> later_ GUARDED_BY(mu_);
  std::vector<Release> releases_ GUARDED_BY(mu_);  // not sent yet
  size_t waiting_releases_ GUARDED_BY(mu_) = 0;
  std::set<Unary*> calls_ GUARDED_BY(mu_);
  size_t open_calls_ GUARDED_BY(mu_) = 0;  // that hold the channel
};

// For a call to give up when it is gone, and its hold on the channel with it.
std::shared_ptr<void> RemoteWorker::Core::open_call() {
  ++open_calls_;
  return {nullptr, [self = shared_from_this()](void*) {
            const MutexLock lock(self->mu_);
            --self->open_calls_;
            self->ended_.notify_all();
          }};
}

std::shared_ptr<RemoteStream> RemoteWorker::Core::connect() {
  connect_at_ns_ = kNever;
  stream_ = RemoteStream::prepare(
      client_,
      RemoteStream::Hooks{
          .up = [self = shared_from_this()] { self->up(); },
          .message =
              [self = shared_from_this()](const grpc::ByteBuffer& m) { return self->answered(m); },
          .ended = [self = shared_from_this()](const Error& error) { self->ended(error); },
          .held = open_call()},
      *stub_);
  return stream_;
}

void RemoteWorker::Core::up() {
  std::shared_ptr<RemoteStream> stream;
  std::vector<Release> releases;
  {
    const MutexLock lock(mu_);
    if (state_ == State::kClosed) return;
    state_ = State::kUp;
    wait_.reset();
    stream = stream_;
    releases = std::exchange(releases_, {});
    waiting_releases_ = 0;
  }
  for (const Release& release : releases) send_release(*stream, release);
}

Error RemoteWorker::Core::lost_error(const Error& error) const {
  const Code code = is_refusal(error.code) ? error.code : Code::kUnavailable;
  return {code, "worker " + options_.address + ": " + error.message};
}

void RemoteWorker::Core::ended(const Error& error) {
  const Error why = lost_error(error);
  std::map<uint64_t, Hop> hops;
  std::function<void(Error)> lost;
  {
    const MutexLock lock(mu_);
    stream_.reset();
    hops = std::exchange(hops_, {});
    if (state_ != State::kClosed) {
      if (state_ == State::kUp) lost = lost_;
      state_ = State::kLost;
      why_lost_ = why;
      connect_at_ns_ = clock_.monotonic_ns() + wait_.next_ms() * kNsPerMs;
    }
    wake_.notify_one();
  }
  for (auto& [number, hop] : hops) hop.done(Unexpected(why));
  if (lost) lost(why);
}

Error RemoteWorker::Core::closed_error() const {
  return {Code::kCancelled, "worker " + options_.address + ": closed"};
}

Error RemoteWorker::Core::away() const {
  Error error = why_lost_;
  error.message += " (trying to connect again)";
  return error;
}

void RemoteWorker::Core::run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) {
  ForwardRequest request{
      .epoch = epoch,
      .timeout_ms = static_cast<uint32_t>(std::clamp<int64_t>(timeout.count(), 0, UINT32_MAX)),
      .step = std::move(step)};
  const int64_t deadline_ns = clock_.monotonic_ns() + timeout.count() * kNsPerMs;
  std::shared_ptr<RemoteStream> stream;
  if (is_closed()) return done(Unexpected(closed_error()));
  {
    const MutexLock lock(mu_);
    std::optional<Error> refused;
    if (state_ == State::kLost) refused = away();
    if (hops_.size() >= options_.max_hops)
      refused = Error{Code::kResourceExhausted, "worker " + options_.address + ": " +
                                                    std::to_string(options_.max_hops) +
                                                    " hops are under way"};
    if (refused) {
      later_.emplace_back([done = std::move(done), error = *refused] { done(Unexpected(error)); });
      wake_.notify_one();
      return;
    }
    request.number = ++number_;
    hops_.emplace(request.number, Hop{deadline_ns, std::move(done)});
    stream = stream_;
    if (deadline_ns < earliest_ns_) {
      earliest_ns_ = deadline_ns;
      wake_.notify_one();
    }
  }
  std::string bytes = write_forward_request(request, hop_type_);
  if (std::cmp_less_equal(bytes.size(), options_.max_message_bytes)) {
    if (stream != nullptr) stream->send(buffer_of(std::move(bytes)));
    return;
  }
  const MutexLock lock(mu_);
  const auto hop = hops_.find(request.number);
  if (hop == hops_.end()) return;
  later_.emplace_back(
      [done = std::move(hop->second.done), size = bytes.size(), most = options_.max_message_bytes] {
        done(fail(Code::kResourceExhausted, "step: a message of " + std::to_string(size) +
                                                " bytes, at most " + std::to_string(most) +
                                                "; send fewer rows at a time"));
      });
  hops_.erase(hop);
  wake_.notify_one();
}

Status RemoteWorker::Core::answered(const grpc::ByteBuffer& message) {
  TRY_ASSIGN(ForwardAnswer answer, read_forward_answer(BufferBytes(message).view()));
  Done<HopResult> done;
  {
    const MutexLock lock(mu_);
    const auto hop = hops_.find(answer.number);
    if (hop == hops_.end()) return {};  // its time was over
    done = std::move(hop->second.done);
    hops_.erase(hop);
  }
  if (answer.error) {
    done(Unexpected(
        Error{answer.error->code, "worker " + options_.address + ": " + answer.error->message}));
  } else {
    done(HopResult{std::move(answer.result), answer.queue_seconds, answer.compute_seconds});
  }
  return {};
}

void RemoteWorker::Core::send_release(RemoteStream& stream, const Release& release) const {
  stream.send(buffer_of(write_forward_request(
      {.epoch = release.epoch, .release = release.sequences}, NumberType::kFloat32)));
}

void RemoteWorker::Core::release(uint64_t epoch, std::vector<SequenceId> sequences) {
  Release release{epoch, std::move(sequences)};
  std::shared_ptr<RemoteStream> stream;
  {
    const MutexLock lock(mu_);
    if (state_ == State::kClosed) return;
    if (state_ == State::kLost) {
      // The worker may come back with all it held. What was of an older epoch is gone there.
      std::erase_if(releases_, [epoch](const Release& other) { return other.epoch < epoch; });
      waiting_releases_ += release.sequences.size();
      if (waiting_releases_ <= options_.max_releases) releases_.push_back(std::move(release));
      return;
    }
    stream = stream_;
  }
  if (stream != nullptr) send_release(*stream, release);
}

void RemoteWorker::Core::call(std::string_view method, std::string request, Time timeout,
                              Done<std::string> done) {
  auto call = std::make_unique<Unary>();
  add_call_metadata(call->context, client_);
  call->context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_millis(timeout.count(), GPR_TIMESPAN)));
  call->request = buffer_of(std::move(request));
  call->done = std::move(done);
  Unary& unary = *call;
  bool closed = false;
  {
    const MutexLock lock(mu_);
    closed = state_ == State::kClosed;
    if (!closed) {
      call->held = open_call();
      calls_.insert(call.release());
    }
  }
  if (closed) return unary.done(Unexpected(closed_error()));
  stub_->UnaryCall(&unary.context, std::string(method), {}, &unary.request, &unary.response,
                   [self = shared_from_this(), &unary](const grpc::Status& status) {
                     self->ended_call(unary, status);
                   });
}

void RemoteWorker::Core::ended_call(Unary& call, const grpc::Status& status) {
  if (status.ok()) {
    reached();
    call.done(std::string(BufferBytes(call.response).view()));
  } else {
    Error error = error_of(status);
    error.message = "worker " + options_.address + ": " + error.message;
    call.done(Unexpected(std::move(error)));
  }
  {
    const MutexLock lock(mu_);
    calls_.erase(&call);
  }
  delete &call;
}

// A call came through, so that a stream does too: who heard its answer may run steps at once.
void RemoteWorker::Core::reached() {
  std::shared_ptr<RemoteStream> stream;
  {
    const MutexLock lock(mu_);
    if (state_ != State::kLost) return;
    state_ = State::kConnecting;
    if (stream_ != nullptr) return;  // under way
    stream = connect();
  }
  stream->start();
}

std::vector<Worker::Done<HopResult>> RemoteWorker::Core::overdue(int64_t now_ns) {
  std::vector<Done<HopResult>> late;
  earliest_ns_ = kNever;
  for (auto hop = hops_.begin(); hop != hops_.end();) {
    if (hop->second.deadline_ns <= now_ns) {
      late.push_back(std::move(hop->second.done));
      hop = hops_.erase(hop);
    } else {
      earliest_ns_ = std::min(earliest_ns_, hop->second.deadline_ns);
      ++hop;
    }
  }
  return late;
}

// Deadlines, answers that must not be given within a call, and when to connect again.
void RemoteWorker::Core::keep() {
  while (true) {
    std::vector<Done<HopResult>> late;
    std::vector<std::function<void()>> later;
    std::shared_ptr<RemoteStream> stream;
    {
      const MutexLock lock(mu_);
      const int64_t now_ns = clock_.monotonic_ns();
      late = overdue(now_ns);
      later = std::exchange(later_, {});
      if (state_ == State::kClosed && late.empty() && later.empty()) return;
      if (connect_at_ns_ <= now_ns && state_ == State::kLost) stream = connect();
      if (late.empty() && later.empty() && stream == nullptr) {
        const int64_t next_ns = std::min(earliest_ns_, connect_at_ns_);
        if (next_ns == kNever) {
          wake_.wait(mu_);
        } else {
          wake_.wait_for_ms(mu_, (next_ns - now_ns) / kNsPerMs + 1);
        }
        continue;
      }
    }
    for (const auto& done : later) done();
    for (const auto& done : late)
      done(fail(Code::kDeadlineExceeded,
                "worker " + options_.address + ": no answer in time; it may still be at it"));
    if (stream != nullptr) stream->start();
  }
}

void RemoteWorker::Core::close() {
  std::shared_ptr<RemoteStream> stream;
  std::map<uint64_t, Hop> hops;
  {
    const MutexLock lock(mu_);
    if (state_ == State::kClosed) return;
    state_ = State::kClosed;
    stream = stream_;
    hops = std::exchange(hops_, {});
    for (Unary* call : calls_) call->context.TryCancel();
    wake_.notify_one();
  }
  for (auto& [number, hop] : hops) hop.done(Unexpected(closed_error()));
  if (stream != nullptr) stream->cancel();
  stream.reset();
  {
    const MutexLock lock(mu_);
    while (open_calls_ > 0) ended_.wait(mu_);
  }
  keeper_.join();
  stub_.reset();
}

Result<std::unique_ptr<RemoteWorker>> RemoteWorker::open(RemoteWorkerOptions options,
                                                         FileSystem& files, const Clock& clock,
                                                         Random& random) {
  TRY_ASSIGN(auto channel,
             worker_channel(options.address, options.tls, options.max_message_bytes, files));
  auto core = std::make_shared<Core>(std::move(options), std::move(channel), clock, random);
  core->start();
  return std::unique_ptr<RemoteWorker>(new RemoteWorker(std::move(core)));
}

RemoteWorker::RemoteWorker(std::shared_ptr<Core> core) : core_(std::move(core)) {}

RemoteWorker::~RemoteWorker() { close(); }

void RemoteWorker::close() { core_->close(); }

void RemoteWorker::describe(Time timeout, Done<WorkerFacts> done) {
  core_->call(kDescribeMethod, "", timeout,
              [done = std::move(done), core = core_](Result<std::string> bytes) {
                if (!bytes) return done(Unexpected(std::move(bytes).error()));
                auto facts = read_facts(*bytes);
                if (facts) facts->address = core->options().address;  // as it is reached from here
                done(std::move(facts));
              });
}

void RemoteWorker::load(const LoadOrder& order, Time timeout, Done<void> done) {
  core_->set_hop_type(order.hop_type);
  core_->call(kLoadMethod, write_load(order), timeout,
              [done = std::move(done)](Result<std::string> bytes) {
                if (!bytes) return done(Unexpected(std::move(bytes).error()));
                done({});
              });
}

void RemoteWorker::unload(Time timeout, Done<void> done) {
  core_->call(kUnloadMethod, "", timeout, [done = std::move(done)](Result<std::string> bytes) {
    if (!bytes) return done(Unexpected(std::move(bytes).error()));
    done({});
  });
}

void RemoteWorker::stats(Time timeout, Done<std::string> done) {
  core_->call(kStatsMethod, "", timeout, [done = std::move(done)](Result<std::string> bytes) {
    if (!bytes) return done(Unexpected(std::move(bytes).error()));
    done(read_text(*bytes));
  });
}

void RemoteWorker::run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) {
  core_->run(epoch, std::move(step), timeout, std::move(done));
}

void RemoteWorker::release(uint64_t epoch, std::vector<SequenceId> sequences) {
  core_->release(epoch, std::move(sequences));
}

void RemoteWorker::on_lost(std::function<void(Error)> lost) { core_->set_lost(std::move(lost)); }

bool RemoteWorker::connected() const { return core_->connected(); }

const std::string& RemoteWorker::address() const { return core_->options().address; }

}  // namespace binnacle::engine
