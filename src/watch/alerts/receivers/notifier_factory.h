// Makes the Notifier of an integration. docs/receivers.md says what each kind sends, what it takes
// for success and what is tried again.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "watch/alerts/notification.h"
#include "watch/alerts/receiver_config.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {

// All outlive the notifiers. The pool runs templates and reads secrets, so that no I/O thread does;
// it is stopped before the I/O threads are gone.
struct NotifierTools {
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  ThreadPool& pool;
  NotificationTemplates templates;
  std::string host_name;  // in Message-Ids
};

// A notifier may be destroyed while it sends: the attempt goes on by itself to its end.
std::unique_ptr<Notifier> make_notifier(const std::string& receiver, const Integration& integration,
                                        const NotifierTools& tools);

}  // namespace binnacle::watch::alerts
