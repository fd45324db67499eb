#include "collect/host/linux/systemd_bus.h"

#include <dlfcn.h>

#include <cstdlib>

#include <fmt/format.h>

namespace binnacle::collect::host {
namespace {

constexpr const char* kLibrary = "libsystemd.so.0";
constexpr const char* kService = "org.freedesktop.systemd1";
constexpr uint64_t kCallTimeoutUs = 2'000'000;

// sd-bus(3): opaque but for the error, whose layout is part of the binary interface.
struct Bus;
struct Message;
struct BusError {
  const char* name = nullptr;
  const char* message = nullptr;
  int needs_free = 0;
};

struct Api {
  int (*sd_bus_open_system)(Bus**);
  int (*sd_bus_set_method_call_timeout)(Bus*, uint64_t);
  Bus* (*sd_bus_flush_close_unref)(Bus*);
  int (*sd_bus_call_method)(Bus*, const char*, const char*, const char*, const char*, BusError*,
                            Message**, const char*, ...);
  int (*sd_bus_get_property_trivial)(Bus*, const char*, const char*, const char*, const char*,
                                     BusError*, char, void*);
  int (*sd_bus_get_property_string)(Bus*, const char*, const char*, const char*, const char*,
                                    BusError*, char**);
  int (*sd_bus_message_enter_container)(Message*, char, const char*);
  int (*sd_bus_message_read)(Message*, const char*, ...);
  Message* (*sd_bus_message_unref)(Message*);
  void (*sd_bus_error_free)(BusError*);
};

template <typename Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

// Loaded once and never unloaded.
Result<Api> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    return fail(Code::kNotFound, fmt::format("load sd-bus: {}", reason == nullptr ? "" : reason));
  }
  Api api{};
  bool all = true;
#define BINNACLE_FIND(name) all = find(library, #name, api.name) && all
  BINNACLE_FIND(sd_bus_open_system);
  BINNACLE_FIND(sd_bus_set_method_call_timeout);
  BINNACLE_FIND(sd_bus_flush_close_unref);
  BINNACLE_FIND(sd_bus_call_method);
  BINNACLE_FIND(sd_bus_get_property_trivial);
  BINNACLE_FIND(sd_bus_get_property_string);
  BINNACLE_FIND(sd_bus_message_enter_container);
  BINNACLE_FIND(sd_bus_message_read);
  BINNACLE_FIND(sd_bus_message_unref);
  BINNACLE_FIND(sd_bus_error_free);
#undef BINNACLE_FIND
  if (!all) return fail(Code::kFailedPrecondition, "load sd-bus: libsystemd is older than 240");
  return api;
}

class SdBus final : public SystemdBus {
 public:
  ~SdBus() override { close(); }

  Result<std::vector<SystemdUnit>> units(size_t max_units) override {
    TRY(connect());
    BusError error;
    Message* reply = nullptr;
    const int code =
        api_.sd_bus_call_method(bus_, kService, kSystemdManager, "org.freedesktop.systemd1.Manager",
                                "ListUnits", &error, &reply, "");
    TRY(checked(code, "ask systemd for its units", error));
    std::vector<SystemdUnit> units;
    if (api_.sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") > 0) {
      while (units.size() < max_units && take_unit(reply, units)) {
      }
    }
    api_.sd_bus_message_unref(reply);
    return units;
  }

  Result<std::string> text(const std::string& object, std::string_view interface,
                           const char* property) override {
    TRY(connect());
    BusError error;
    char* value = nullptr;
    const int code = api_.sd_bus_get_property_string(
        bus_, kService, object.c_str(), full_name(interface).c_str(), property, &error, &value);
    TRY(checked(code, property, error));
    std::string copy(value);
    std::free(value);
    return copy;
  }

  Result<double> number(const std::string& object, std::string_view interface, const char* property,
                        char type) override {
    TRY(connect());
    BusError error;
    uint64_t large = 0;
    uint32_t small = 0;
    void* const into = type == 't' ? static_cast<void*>(&large) : &small;
    const int code = api_.sd_bus_get_property_trivial(
        bus_, kService, object.c_str(), full_name(interface).c_str(), property, &error, type, into);
    TRY(checked(code, property, error));
    return type == 't' ? static_cast<double>(large) : small;
  }

 private:
  static std::string full_name(std::string_view interface) {
    return fmt::format("org.freedesktop.systemd1.{}", interface);
  }

  bool take_unit(Message* reply, std::vector<SystemdUnit>& units) {
    const char *name, *about, *load, *active, *sub, *follows, *path, *job_kind, *job_path;
    uint32_t job = 0;
    const int code = api_.sd_bus_message_read(reply, "(ssssssouso)", &name, &about, &load, &active,
                                              &sub, &follows, &path, &job, &job_kind, &job_path);
    if (code > 0) units.push_back({name, load, active, path});
    return code > 0;
  }

  Status connect() {
    if (bus_ != nullptr) return {};
    if (api_.sd_bus_open_system == nullptr) {
      TRY_ASSIGN(api_, load());
    }
    const int code = api_.sd_bus_open_system(&bus_);
    if (code < 0) {
      bus_ = nullptr;
      return fail(errno_error("connect to the system bus", -code));
    }
    api_.sd_bus_set_method_call_timeout(bus_, kCallTimeoutUs);
    return {};
  }

  // A bus that fails is left, so that the next question begins anew; an object that is gone is not
  // the bus's fault.
  Status checked(int code, std::string_view what, BusError& error) {
    if (code >= 0) return {};
    const bool object_gone = error.name != nullptr;
    auto failure = fail(object_gone ? Code::kNotFound : errno_error(what, -code).code,
                        fmt::format("{}: {}", what,
                                    error.message == nullptr ? errno_error("D-Bus", -code).message
                                                             : error.message));
    api_.sd_bus_error_free(&error);
    if (!object_gone) close();
    return failure;
  }

  void close() {
    if (bus_ != nullptr) api_.sd_bus_flush_close_unref(bus_);
    bus_ = nullptr;
  }

  Api api_{};
  Bus* bus_ = nullptr;
};

}  // namespace

std::unique_ptr<SystemdBus> system_bus() { return std::make_unique<SdBus>(); }

}  // namespace binnacle::collect::host
