// One hop of 16 KiB of activations with mTLS on loopback, ours beside a bare gRPC echo of the same
// size: turns of each, interleaved, in one process. Prints p50 and p99 of both in microseconds and
// the ratios. The worker's layers are emulated and take no time, so that what is left is the way.
//
//   engine_hop_bench [rounds of 2,000 hops each]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"  // before gRPC

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/client_callback.h>

#include "base/file_system.h"
#include "base/random.h"
#include "engine/model/layer_stack.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/remote_worker.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker_server.h"
#include "net/test_certificates.h"

namespace binnacle::engine {
namespace {

constexpr int kHiddenWidth = 4'096;  // 16 KiB of fp32
constexpr int kHopsOfRound = 2'000;
constexpr std::chrono::seconds kTimeout{20};

// Sends back what comes: the same callback interface as ours, nothing else.
class Echo final : public grpc::CallbackGenericService {
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    Call() { StartRead(&message_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      StartWrite(&message_);
    }
    void OnWriteDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      StartRead(&message_);
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer message_;
  };
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Call;
  }
};

class EchoClient final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit EchoClient(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
    stub_.PrepareBidiStreamingCall(&context_, "/echo", {}, this);
    AddHold();
    StartCall();
  }
  ~EchoClient() override {
    context_.TryCancel();
    RemoveHold();
    done_.acquire();
  }
  void hop(const grpc::ByteBuffer& message) {
    sent_ = message;
    StartRead(&received_);
    StartWrite(&sent_);
    answered_.acquire();
    written_.acquire();
  }

 private:
  void OnReadDone(bool ok) override {
    if (ok) answered_.release();
  }
  void OnWriteDone(bool ok) override {
    if (ok) written_.release();
  }
  void OnDone(const grpc::Status&) override { done_.release(); }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer sent_;
  grpc::ByteBuffer received_;
  std::binary_semaphore answered_{0};
  std::binary_semaphore written_{0};
  std::binary_semaphore done_{0};
};

class NoWeights final : public LayerLoader {
  Status prepare(const LoadOrder&, const std::atomic<bool>&) override { return {}; }
  Result<std::unique_ptr<Forward>> load(const LoadOrder& order) override {
    ModelConfig config;
    config.layers = 3;
    config.hidden = kHiddenWidth;
    config.vocabulary = 100;
    config.max_positions = 1 << 20;
    return emulated_forward({.config = config, .layers = order.layers, .seconds_per_row_layer = 0});
  }
};

PipelineTls make_certificates(const std::string& folder) {
  // Another name than the authority's: OpenSSL takes what names itself as its issuer for
  // self-signed.
  const net::TestAuthority authority("bench authority");
  const auto pair = authority.issue("bench", "IP:127.0.0.1");
  FileSystem& files = real_file_system();
  CHECK(files.create_directories(folder));
  const auto write = [&](const std::string& name, const std::string& text) {
    CHECK(files.write_file_atomically(folder + "/" + name, text, 0600));
    return folder + "/" + name;
  };
  return {.certificate_file = write("cert.pem", pair.certificate),
          .key_file = write("key.pem", pair.key),
          .ca_file = write("ca.pem", authority.certificate())};
}

double percentile(std::vector<double>& micros, double share) {
  std::ranges::sort(micros);
  return micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
}

class Bench {
 public:
  explicit Bench(const PipelineTls& tls) : stage_({}, loader_, clock_, instruments_) {
    FileSystem& files = real_file_system();
    auto server = WorkerServer::open({.tls = tls}, {}, stage_, files, clock_, registry_);
    CHECK(server.has_value());
    server_ = *std::move(server);
    auto remote =
        RemoteWorker::open({.address = server_->address(), .tls = tls}, files, clock_, random_);
    CHECK(remote.has_value());
    remote_ = *std::move(remote);
    std::binary_semaphore loaded{0};
    remote_->load({.layers = {1, 2}, .kv_positions = 1 << 20, .epoch = 1}, kTimeout,
                  [&loaded](const Status& done) {
                    if (!done) std::fprintf(stderr, "load: %s\n", done.error().message.c_str());
                    CHECK(done.has_value());
                    loaded.release();
                  });
    loaded.acquire();
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", *server_credentials(tls, files), &port);
    builder.RegisterCallbackGenericService(&echo_);
    echo_server_ = builder.BuildAndStart();
    echo_client_ = std::make_unique<EchoClient>(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), *channel_credentials(tls, files)));
  }
  ~Bench() {
    echo_client_.reset();
    echo_server_->Shutdown();
  }

  void our_hop(std::vector<double>& micros) {
    Step step{.slices = {{.sequence = 1, .first_position = position_++ % 1'000, .rows = 1}},
              .hidden = hidden_};
    std::binary_semaphore answered{0};
    const int64_t begin_ns = clock_.monotonic_ns();
    remote_->run(1, std::move(step), kTimeout, [&answered](const Result<HopResult>& hop) {
      CHECK(hop.has_value() && hop->step.hidden.size() == kHiddenWidth);
      answered.release();
    });
    answered.acquire();
    micros.push_back(static_cast<double>(clock_.monotonic_ns() - begin_ns) / 1e3);
  }
  void echo_hop(std::vector<double>& micros) {
    const int64_t begin_ns = clock_.monotonic_ns();
    echo_client_->hop(message_);
    micros.push_back(static_cast<double>(clock_.monotonic_ns() - begin_ns) / 1e3);
  }

 private:
  SystemClock clock_;
  SystemRandom random_;
  Registry registry_;
  NoWeights loader_;
  StageInstruments instruments_{registry_};
  Stage stage_;
  std::unique_ptr<WorkerServer> server_;
  std::unique_ptr<RemoteWorker> remote_;
  Echo echo_;
  std::unique_ptr<grpc::Server> echo_server_;
  std::unique_ptr<EchoClient> echo_client_;
  const std::vector<float> hidden_ = std::vector<float>(kHiddenWidth, 1.0F);
  const grpc::ByteBuffer message_ = buffer_of(std::string(kHiddenWidth * sizeof(float), 'x'));
  int32_t position_ = 0;
};

void run(int rounds, const std::string& folder) {
  Bench bench(make_certificates(folder));
  std::vector<double> ours;
  std::vector<double> echo;
  std::vector<double> warm;
  for (int i = 0; i < kHopsOfRound; ++i) {
    bench.our_hop(warm);
    bench.echo_hop(warm);
  }
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < kHopsOfRound; ++i) bench.our_hop(ours);
    for (int i = 0; i < kHopsOfRound; ++i) bench.echo_hop(echo);
  }
  std::printf("hop of 16 KiB with mTLS, %d of each, us\n", rounds * kHopsOfRound);
  for (const double share : {0.5, 0.99}) {
    const double a = percentile(ours, share);
    const double b = percentile(echo, share);
    std::printf("  p%-2.0f  ours %7.1f  bare gRPC echo %7.1f  ratio %.2f\n", 100 * share, a, b,
                a / b);
  }
}

}  // namespace
}  // namespace binnacle::engine

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  const char* scratch = std::getenv("TMPDIR");
  const std::string folder = std::string(scratch != nullptr ? scratch : "/tmp") + "/engine-hop-" +
                             binnacle::secure_random_hex(8);
  binnacle::engine::run(rounds, folder);
  return binnacle::real_file_system().remove_all(folder) ? 0 : 1;
}
