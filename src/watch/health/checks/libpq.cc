#include "watch/health/checks/libpq.h"

#include <dlfcn.h>

#include <fmt/format.h>

namespace binnacle::watch::health {
namespace {

constexpr const char* kLibrary = "libpq.so.5";

template <typename Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

Result<Libpq> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    return fail(Code::kFailedPrecondition,
                fmt::format("PostgreSQL: {} (install libpq5)", reason == nullptr ? "" : reason));
  }
  Libpq api{};
  bool all = true;
#define BINNACLE_FIND(name) all = find(library, #name, api.name) && all
  BINNACLE_FIND(PQclear);
  BINNACLE_FIND(PQconnectPoll);
  BINNACLE_FIND(PQconnectStartParams);
  BINNACLE_FIND(PQconsumeInput);
  BINNACLE_FIND(PQerrorMessage);
  BINNACLE_FIND(PQfinish);
  BINNACLE_FIND(PQflush);
  BINNACLE_FIND(PQgetResult);
  BINNACLE_FIND(PQgetisnull);
  BINNACLE_FIND(PQgetvalue);
  BINNACLE_FIND(PQisBusy);
  BINNACLE_FIND(PQnfields);
  BINNACLE_FIND(PQresultErrorMessage);
  BINNACLE_FIND(PQresultStatus);
  BINNACLE_FIND(PQsendQueryParams);
  BINNACLE_FIND(PQserverVersion);
  BINNACLE_FIND(PQsetSingleRowMode);
  BINNACLE_FIND(PQsetnonblocking);
  BINNACLE_FIND(PQsocket);
  BINNACLE_FIND(PQstatus);
#undef BINNACLE_FIND
  if (!all) return fail(Code::kFailedPrecondition, "PostgreSQL: libpq is older than 9.2");
  return api;
}

}  // namespace

Result<const Libpq*> load_libpq() {
  static const Result<Libpq> library = load();
  if (!library) return fail(library.error());
  return &*library;
}

}  // namespace binnacle::watch::health
