#include "engine/train/grpc_collective.h"

#include "engine/pipeline/grpc_support.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/pipeline/worker_channel.h"
#include "engine/train/exchange_message.h"
#include "engine/train/rank_table.h"
#include "net/listen_address.h"

namespace binnacle::engine {

// One end: what differs between rank 0 and the others.
class GrpcCollective::Side {
 public:
  virtual ~Side() = default;
  // Of a broadcast `values` become rank 0's, else the mean.
  virtual Result<RankReports> exchange(ExchangeKind kind, uint64_t number, std::span<float> values,
                                       const std::vector<double>& report) = 0;
};

namespace {

constexpr const char* kMethod = "/binnacle.engine.v1.Training/Exchange";
constexpr int64_t kMaxMessageBytes = int64_t{2'000} << 20;  // gRPC's own bound is 2 GiB
constexpr int64_t kMessageOverhead = int64_t{16} << 20;

// One contribution on its way through rank 0. Deletes itself when gRPC says so.
class ExchangeCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit ExchangeCall(RankTable& table) : table_(table) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INVALID_ARGUMENT, "no request"});
    auto contribution = decode_contribution(BufferBytes(request_).view());
    request_.Clear();
    if (!contribution) return Finish(grpc_status(contribution.error()));
    {
      const MutexLock lock(mu_);
      if (cancelled_) return Finish(grpc::Status::CANCELLED);
      rank_ = contribution->rank;
    }
    table_.put(std::move(*contribution),
               [this](const Result<std::shared_ptr<const std::string>>& bytes) { answer(bytes); });
  }
  // Nobody answers a call that was withdrawn; it is over only when it is answered or that.
  void OnCancel() override {
    std::optional<uint32_t> rank;
    {
      const MutexLock lock(mu_);
      cancelled_ = true;
      if (!answered_) rank = rank_;
      if (rank) answered_ = true;
    }
    if (!rank) return;
    table_.withdraw(*rank);
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void answer(const Result<std::shared_ptr<const std::string>>& bytes) EXCLUDES(mu_) {
    {
      const MutexLock lock(mu_);
      if (answered_) return;
      answered_ = true;
    }
    if (!bytes) return Finish(grpc_status(bytes.error()));
    response_ = buffer_of(**bytes);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  RankTable& table_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Mutex mu_;
  std::optional<uint32_t> rank_ GUARDED_BY(mu_);
  bool answered_ GUARDED_BY(mu_) = false;
  bool cancelled_ GUARDED_BY(mu_) = false;
};

class UnknownCall final : public grpc::ServerGenericBidiReactor {
 public:
  UnknownCall() { Finish({grpc::StatusCode::UNIMPLEMENTED, "a trainer knows Exchange alone"}); }
  void OnDone() override { delete this; }
};

class ExchangeService final : public grpc::CallbackGenericService {
 public:
  explicit ExchangeService(RankTable& table) : table_(table) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    if (context->method() == kMethod) return new ExchangeCall(table_);
    return new UnknownCall();
  }

 private:
  RankTable& table_;
};

int message_bytes(const GrpcCollectiveOptions& options) {
  return static_cast<int>(options.max_values * static_cast<int64_t>(sizeof(float)) +
                          kMessageOverhead);
}

class Coordinator final : public GrpcCollective::Side {
 public:
  Coordinator(GrpcCollectiveOptions options, const Clock& clock)
      : options_(std::move(options)),
        table_(options_.ranks, options_.fingerprint, clock),
        service_(table_) {}
  ~Coordinator() override {
    if (server_ != nullptr) server_->Shutdown(gpr_now(GPR_CLOCK_MONOTONIC));
  }

  Result<std::string> listen(FileSystem& files) {
    TRY_ASSIGN(const auto address, net::ListenAddress::parse(options_.address));
    TRY_ASSIGN(const auto credentials, server_credentials(options_.tls, files));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(options_.address, credentials, &port);
    builder.SetMaxReceiveMessageSize(message_bytes(options_));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1'000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return fail(Code::kFailedPrecondition,
                  "--coordinator " + options_.address + ": cannot be bound; is another run there?");
    }
    return net::format_host_port(address.host, static_cast<uint16_t>(port));
  }

  Result<RankReports> exchange(ExchangeKind kind, uint64_t number, std::span<float> values,
                               const std::vector<double>& report) override {
    TRY_ASSIGN(const auto others, table_.gather(kind, number, timeout_ms()));
    all_came_once_ = true;
    RankReports reports{report};
    if (kind == ExchangeKind::kAverage) {
      for (const Contribution& one : others) {
        if (one.values.size() != values.size()) {
          return fail(Code::kFailedPrecondition,
                      fmt::format("rank {} trains another model", one.rank));
        }
        for (size_t i = 0; i < values.size(); ++i) values[i] += one.values[i];
        reports.push_back(one.report);
      }
      const float share = 1.0F / static_cast<float>(options_.ranks);
      for (float& value : values) value *= share;
    }
    table_.answer(std::make_shared<const std::string>(encode_answer(reports, values)));
    return reports;
  }

 private:
  int64_t timeout_ms() const {
    if (!all_came_once_) return options_.join_timeout_ms;
    const int64_t median = options_.median_step_ms ? options_.median_step_ms() : 0;
    return options_.least_timeout_ms + 2 * median;
  }

  const GrpcCollectiveOptions options_;
  RankTable table_;
  ExchangeService service_;
  std::unique_ptr<grpc::Server> server_;
  bool all_came_once_ = false;
};

class Member final : public GrpcCollective::Side {
 public:
  Member(GrpcCollectiveOptions options, std::shared_ptr<grpc::Channel> channel)
      : options_(std::move(options)), stub_(std::move(channel)) {}

  Result<RankReports> exchange(ExchangeKind kind, uint64_t number, std::span<float> values,
                               const std::vector<double>& report) override {
    Contribution mine{.kind = kind,
                      .rank = static_cast<uint32_t>(options_.rank),
                      .number = number,
                      .fingerprint = options_.fingerprint,
                      .report = report,
                      .values = {}};
    const std::span<const float> brought =
        kind == ExchangeKind::kAverage ? values : std::span<const float>();
    grpc::ByteBuffer response;
    if (const grpc::Status status = call(encode_contribution(mine, brought), response);
        !status.ok()) {
      return fail(error_of(status).with_context(fmt::format(
          "rank {} at step {}, from rank 0 ({})", options_.rank, number, options_.address)));
    }
    const BufferBytes bytes(response);
    TRY_ASSIGN(auto answer, decode_answer(bytes.view()));
    if (answer.values.size() != values.size_bytes() || answer.reports.empty()) {
      return fail(Code::kFailedPrecondition, "rank 0 trains another model");
    }
    if (!values.empty()) std::memcpy(values.data(), answer.values.data(), answer.values.size());
    joined_ = true;
    return std::move(answer.reports);
  }

 private:
  grpc::Status call(std::string request, grpc::ByteBuffer& response) EXCLUDES(mu_) {
    grpc::ClientContext context;
    context.set_wait_for_ready(!joined_);
    context.set_deadline(gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC),
        gpr_time_from_millis(joined_ ? options_.answer_timeout_ms : options_.join_timeout_ms,
                             GPR_TIMESPAN)));
    const grpc::ByteBuffer sent = buffer_of(std::move(request));
    grpc::Status status;
    bool done = false;
    stub_.UnaryCall(&context, kMethod, {}, &sent, &response, [&](grpc::Status s) {
      const MutexLock lock(mu_);
      status = std::move(s);
      done = true;
      ended_.notify_all();
    });
    const MutexLock lock(mu_);
    while (!done) ended_.wait(mu_);
    return status;
  }

  const GrpcCollectiveOptions options_;
  grpc::GenericStub stub_;
  bool joined_ = false;
  Mutex mu_;
  CondVar ended_;
};

Status check_options(const GrpcCollectiveOptions& options) {
  if (message_bytes(options) <= 0 ||
      options.max_values * static_cast<int64_t>(sizeof(float)) + kMessageOverhead >
          kMaxMessageBytes) {
    return fail(Code::kOutOfRange,
                fmt::format("{} parameters are more than ranks can exchange in one message ({} "
                            "bytes)",
                            options.max_values, kMaxMessageBytes));
  }
  if (!options.tls.on() && !options.insecure && !net::is_loopback_address(options.address)) {
    return fail(Code::kFailedPrecondition,
                fmt::format("--coordinator {}: others can reach this address; give "
                            "--tls-certificate, --tls-key and --tls-ca, or --insecure",
                            options.address));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<GrpcCollective>> GrpcCollective::open(GrpcCollectiveOptions options,
                                                             FileSystem& files,
                                                             const Clock& clock) {
  CHECK(options.ranks > 1);
  TRY(check_options(options));
  std::unique_ptr<Side> side;
  std::string address = options.address;
  if (options.rank == 0) {
    auto coordinator = std::make_unique<Coordinator>(std::move(options), clock);
    TRY_ASSIGN(address, coordinator->listen(files));
    side = std::move(coordinator);
  } else {
    TRY_ASSIGN(auto channel, worker_channel(address, options.tls, message_bytes(options), files));
    side = std::make_unique<Member>(std::move(options), std::move(channel));
  }
  return std::unique_ptr<GrpcCollective>(new GrpcCollective(std::move(side), std::move(address)));
}

GrpcCollective::GrpcCollective(std::unique_ptr<Side> side, std::string address)
    : side_(std::move(side)), address_(std::move(address)) {}

GrpcCollective::~GrpcCollective() = default;

Result<RankReports> GrpcCollective::average(int64_t step, std::span<float> gradients,
                                            const std::vector<double>& report) {
  return side_->exchange(ExchangeKind::kAverage, static_cast<uint64_t>(step), gradients, report);
}

Result<std::vector<double>> GrpcCollective::broadcast(std::span<float> values,
                                                      const std::vector<double>& told) {
  TRY_ASSIGN(auto reports, side_->exchange(ExchangeKind::kBroadcast, broadcasts_++, values, told));
  return std::move(reports.front());
}

}  // namespace binnacle::engine
