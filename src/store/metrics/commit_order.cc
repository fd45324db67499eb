#include "store/metrics/commit_order.h"

#include "base/check.h"

namespace binnacle::store::metrics {

CommitNumber CommitOrder::begin() {
  MutexLock lock(mu_);
  while (held_) changed_.wait(mu_);
  if (++last_begun_ == 0) ++last_begun_;  // 0 is taken
  open_.emplace_back(last_begun_, false);
  return last_begun_;
}

void CommitOrder::end(CommitNumber number) {
  MutexLock lock(mu_);
  for (auto& [open, over] : open_) {
    if (open == number) over = true;
  }
  if (open_.front().second) {
    while (!open_.empty() && open_.front().second) open_.pop_front();
    changed_.notify_all();
  }
  while (!open_.empty() && !newer(open_.front().first, number)) changed_.wait(mu_);
}

CommitNumber CommitOrder::snapshot() const {
  MutexLock lock(mu_);
  return open_.empty() ? last_begun_ : open_.front().first - 1;
}

void CommitOrder::note_cut(CommitNumber upto) {
  MutexLock lock(mu_);
  cut_ = upto;
}

bool CommitOrder::cut_behind(CommitNumber snapshot) const {
  MutexLock lock(mu_);
  return newer(cut_, snapshot);
}

CommitOrder::Hold::Hold(CommitOrder& order) : order_(order) {
  MutexLock lock(order_.mu_);
  while (order_.held_) order_.changed_.wait(order_.mu_);
  order_.held_ = true;
  while (!order_.open_.empty()) order_.changed_.wait(order_.mu_);
}

CommitOrder::Hold::~Hold() {
  MutexLock lock(order_.mu_);
  order_.held_ = false;
  order_.changed_.notify_all();
}

}  // namespace binnacle::store::metrics
