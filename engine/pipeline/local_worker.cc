#include "engine/pipeline/local_worker.h"

#include <utility>

namespace binnacle::engine {
namespace {

constexpr ClientId kThisProcess = 0;  // the only one
constexpr int64_t kNsPerMs = 1'000'000;

WorkerFacts local(WorkerFacts facts) {
  facts.address = "local";
  return facts;
}

}  // namespace

LocalWorker::LocalWorker(WorkerFacts facts, LayerLoader& loader, const Clock& clock,
                         StageInstruments& instruments, StageOptions options)
    : facts_(local(std::move(facts))), clock_(clock), stage_(options, loader, clock, instruments) {}

void LocalWorker::describe(Time /*timeout*/, Done<WorkerFacts> done) {
  stage_.call([done = std::move(done), facts = facts_](const Status& status) {
    if (!status) return done(Unexpected(status.error()));
    done(facts);
  });
}

void LocalWorker::load(const LoadOrder& order, Time /*timeout*/, Done<void> done) {
  stage_.load(kThisProcess, order, std::move(done));
}

void LocalWorker::unload(Time /*timeout*/, Done<void> done) {
  stage_.unload(kThisProcess, std::move(done));
}

// The computation cannot be broken off, so that a step in time may still be answered late.
void LocalWorker::run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) {
  stage_.run({.client = kThisProcess,
              .epoch = epoch,
              .deadline_ns = clock_.monotonic_ns() + timeout.count() * kNsPerMs},
             std::move(step), std::move(done));
}

void LocalWorker::release(uint64_t epoch, std::vector<SequenceId> sequences) {
  stage_.release(kThisProcess, epoch, std::move(sequences));
}

void LocalWorker::on_lost(std::function<void(Error)> /*lost*/) {}

void LocalWorker::close() { stage_.stop(); }

}  // namespace binnacle::engine
