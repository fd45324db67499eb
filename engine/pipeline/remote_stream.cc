#include "engine/pipeline/remote_stream.h"

#include <string>
#include <utility>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/worker_channel.h"

namespace binnacle::engine {

RemoteStream::RemoteStream(uint64_t client, Hooks hooks) : hooks_(std::move(hooks)) {
  add_call_metadata(context_, client);
}

std::shared_ptr<RemoteStream> RemoteStream::prepare(uint64_t client, Hooks hooks,
                                                    grpc::GenericStub& stub) {
  auto stream = std::make_shared<RemoteStream>(client, std::move(hooks));
  stream->self_ = stream;
  stub.PrepareBidiStreamingCall(&stream->context_, std::string(kForwardMethod), {}, stream.get());
  stream->AddHold();  // writes come from outside, until a read fails
  stream->StartRead(&stream->received_);
  return stream;
}

void RemoteStream::send(grpc::ByteBuffer message) {
  const MutexLock lock(mu_);
  if (ended_) return;
  waiting_.push_back(std::move(message));
  if (!writing_) write_next();
}

void RemoteStream::write_next() {
  writing_ = !waiting_.empty();
  if (!writing_) return;
  sent_ = std::move(waiting_.front());
  waiting_.pop_front();
  StartWrite(&sent_);
}

void RemoteStream::OnReadInitialMetadataDone(bool ok) {
  if (ok) hooks_.up();
}

void RemoteStream::OnReadDone(bool ok) {
  if (ok) {
    refused_ = hooks_.message(received_);
    if (refused_) return StartRead(&received_);
    context_.TryCancel();
  }
  {
    const MutexLock lock(mu_);
    ended_ = true;
    waiting_.clear();
  }
  RemoveHold();
}

void RemoteStream::OnWriteDone(bool /*ok*/) {
  // A write that failed is followed by a read that fails.
  const MutexLock lock(mu_);
  if (ended_) {
    writing_ = false;
  } else {
    write_next();
  }
}

void RemoteStream::OnDone(const grpc::Status& status) {
  const auto self = std::exchange(self_, nullptr);
  if (!refused_) return hooks_.ended(refused_.error());
  hooks_.ended(status.ok() ? Error{Code::kUnavailable, "the worker ended the stream"}
                           : error_of(status));
}

}  // namespace binnacle::engine
