// Gives each commit its number and tells readers how far they may look: a snapshot is a number up
// to which every commit is whole. Any thread.
#pragma once

#include <deque>

#include "base/mutex.h"
#include "store/metrics/head_series.h"

namespace binnacle::store::metrics {

class CommitOrder {
 public:
  CommitNumber begin() EXCLUDES(mu_);  // waits while commits are held
  // The commit is over, whatever came of it. Returns when all before it are over too, so that who
  // is told of it can read it.
  void end(CommitNumber number) EXCLUDES(mu_);
  CommitNumber snapshot() const EXCLUDES(mu_);

  // From now on blocks may hold what commits up to that number brought. Who reads the head as an
  // older snapshot and then looks at the blocks would see a part of those commits.
  void note_cut(CommitNumber upto) EXCLUDES(mu_);
  bool cut_behind(CommitNumber snapshot) const EXCLUDES(mu_);

  // While it lives no commit is in flight and none begins. One at a time.
  class Hold {
   public:
    explicit Hold(CommitOrder& order);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    CommitOrder& order_;
  };

 private:
  mutable Mutex mu_;
  CondVar changed_;
  CommitNumber last_begun_ GUARDED_BY(mu_) = 0;
  std::deque<std::pair<CommitNumber, bool>> open_ GUARDED_BY(mu_);  // with: is it over?
  bool held_ GUARDED_BY(mu_) = false;
  CommitNumber cut_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::store::metrics
