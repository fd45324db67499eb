#include "watch/alerts/receivers/post_services.h"

#include "watch/alerts/receivers/notification_text.h"

namespace binnacle::watch::alerts {

std::string ServiceTools::cut(const std::string& text, size_t max_runes) const {
  std::string out = truncate_runes(text, max_runes);
  if (out != text) truncated.add();
  return out;
}

}  // namespace binnacle::watch::alerts
