#include "app/host_name.h"

#include <unistd.h>

namespace binnacle::app {

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace binnacle::app
