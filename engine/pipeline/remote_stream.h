// One Forward stream as the orchestrator sees it: messages out in order, one write at a time;
// messages in to a function. Holds itself until gRPC has done with it. Any thread.
#pragma once

#include "base/mutex.h"  // before gRPC, which defines macros of the same names and meaning

#include <deque>
#include <functional>
#include <memory>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include "base/error.h"

namespace binnacle::engine {

class RemoteStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // On gRPC's threads, one at a time: `up` once, if ever; `ended` once, last.
  struct Hooks {
    std::function<void()> up;
    std::function<Status(const grpc::ByteBuffer&)> message;  // an error ends the stream
    std::function<void(const Error&)> ended;
    std::shared_ptr<void> held;  // until gRPC has let go of the call
  };

  RemoteStream(uint64_t client, Hooks hooks);
  // What is sent before the start goes out with it.
  static std::shared_ptr<RemoteStream> prepare(uint64_t client, Hooks hooks,
                                               grpc::GenericStub& stub);
  void start() { StartCall(); }  // once

  void send(grpc::ByteBuffer message) EXCLUDES(mu_);  // nothing when it has ended
  void cancel() { context_.TryCancel(); }

 private:
  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void write_next() REQUIRES(mu_);

  const Hooks hooks_;  // goes after the call, which context_ holds
  grpc::ClientContext context_;
  grpc::ByteBuffer received_;  // gRPC's while it reads
  grpc::ByteBuffer sent_;      // gRPC's while it writes

  // Reactions only
  Status refused_;  // a message that was not understood

  Mutex mu_;
  std::deque<grpc::ByteBuffer> waiting_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  bool ended_ GUARDED_BY(mu_) = false;
  std::shared_ptr<RemoteStream> self_;  // from prepare to OnDone
};

}  // namespace binnacle::engine
