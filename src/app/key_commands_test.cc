#include "app/key_commands.h"

#include "app/state_schema.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/server.h"
#include "store/access/access_routes.h"
#include "store/access/key_store.h"
#include "store/access/testing/access_fixture.h"
#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <sstream>

namespace binnacle::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class KeyCommandsTest : public testing::Test {
 protected:
  int run(KeyCommand command) {
    command.data_folder = folder_.path();
    std::ostringstream out, err;
    const int code = run_key_command(command, real_file_system(), out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  std::string create(const std::string& name, const std::string& role) {
    EXPECT_EQ(run({.action = KeyAction::kCreate, .json = true, .name = name, .role = role}), 0)
        << err_;
    return json::parse(out_)["id"];
  }
  json list(bool all = false) {
    EXPECT_EQ(run({.action = KeyAction::kList, .json = true, .all = all}), 0) << err_;
    return json::parse(out_)["keys"];
  }
  // What a running server holds.
  std::unique_ptr<store::state::StateStore> open_state() {
    auto opened = store::state::StateStore::open(
        {.path = state_path(folder_.path()), .migrations = all_migrations()}, real_file_system(),
        clock_, registry_);
    CHECK(opened);
    return std::move(*opened);
  }

  store::state::TempFolder folder_;
  SystemClock clock_;
  Registry registry_;
  std::string out_, err_;
};

TEST_F(KeyCommandsTest, CreateListRotateRevoke) {
  EXPECT_TRUE(list().empty());
  ASSERT_EQ(run({.action = KeyAction::kCreate, .name = "root", .role = "admin"}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("bnk_"));
  EXPECT_EQ(out_.size(), 4u + 8 + 1 + 64 + 1) << "the key alone on its line";
  const std::string id = create("prom", "ingest");
  EXPECT_EQ(list().size(), 2u);
  ASSERT_EQ(run({.action = KeyAction::kRotate, .id = id}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("bnk_" + id));
  ASSERT_EQ(run({.action = KeyAction::kRevoke, .id = id}), 0) << err_;
  EXPECT_EQ(list().size(), 1u);
  EXPECT_EQ(list(true).size(), 2u);
  ASSERT_EQ(run({.action = KeyAction::kList, .all = true}), 0);
  EXPECT_THAT(out_, HasSubstr("revoked"));
  EXPECT_THAT(out_, Not(HasSubstr("bnk_")));
}

TEST_F(KeyCommandsTest, RefusalsGoToStderrWithExitCodeOne) {
  EXPECT_EQ(run({.action = KeyAction::kRevoke, .id = "ffffffff"}), 1);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("ffffffff"));
  create("a", "viewer");
  EXPECT_EQ(run({.action = KeyAction::kCreate, .name = "a", .role = "viewer"}), 1);
  EXPECT_THAT(err_, HasSubstr("name is taken"));
  EXPECT_EQ(run({.action = KeyAction::kLoginLink, .lifetime_ms = 1'000, .link_base = "http://h"}),
            1);
  EXPECT_THAT(err_, HasSubstr("no admin key"));
}

TEST_F(KeyCommandsTest, WhileAServerRunsItSaysWhatToDoAndStillMakesLoginLinks) {
  create("root", "admin");
  const auto server = open_state();
  EXPECT_EQ(run({.action = KeyAction::kList}), 1);
  EXPECT_THAT(err_, HasSubstr("--server"));
  ASSERT_EQ(
      run({.action = KeyAction::kLoginLink, .lifetime_ms = 60'000, .link_base = "http://h:1/"}), 0)
      << err_;
  EXPECT_THAT(out_, StartsWith("http://h:1/login/bnl_"));
  ASSERT_TRUE(server->read([](store::state::Database& database) -> Status {
    EXPECT_EQ(*database.query_integer("SELECT count(*) FROM access_tokens"), 1);
    return {};
  }));
}

TEST_F(KeyCommandsTest, JoinTokens) {
  ASSERT_EQ(run({.action = KeyAction::kJoinToken, .lifetime_ms = 60'000}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("bnj_"));
}

// The routes and the door of a real server, without its other rooms.
struct KeyServer {
  KeyServer() {
    CHECK(store::access::register_access_routes(
        router, {*access.keys, *access.tokens, *access.sessions, *access.audit, access.make_guard(),
                 access.clock}));
    server.emplace(io, router, access.guard.get(), pool, access.state.registry,
                   access.state.system_clock, net::ServerLimits{});
    CHECK(server->listen({.address = "127.0.0.1:0", .groups = {}}));
    server->start();
    io.start();
  }
  ~KeyServer() {
    server->stop(std::chrono::milliseconds(1'000));
    pool.stop();
    io.stop();
  }
  std::string url() const { return "http://" + server->addresses().front() + "/"; }

  store::access::AccessFixture access;
  net::IoThreads io{1};
  ThreadPool pool{"test", 1, 16};
  net::Router router;
  std::optional<net::Server> server;
};

TEST_F(KeyCommandsTest, OverAServersApi) {
  KeyServer server;
  const std::string url = server.url();
  ASSERT_EQ(run({.action = KeyAction::kCreate, .server = url, .name = "root", .role = "admin"}), 0)
      << err_;
  const std::string root = out_.substr(0, out_.size() - 1);
  ASSERT_TRUE(server.access.keys->authenticate(root));

  EXPECT_EQ(run({.action = KeyAction::kList, .server = url}), 1) << "the door is shut now";
  EXPECT_THAT(err_, HasSubstr("needs a key"));
  ASSERT_EQ(run({.action = KeyAction::kCreate,
                 .server = url,
                 .key = root,
                 .json = true,
                 .name = "prom",
                 .role = "ingest",
                 .lifetime_ms = 60'000}),
            0)
      << err_;
  const json prom = json::parse(out_);
  EXPECT_EQ(prom["role"], "ingest");
  EXPECT_EQ(prom["expires"], format_rfc3339(server.access.clock.wall_ms() + 60'000));
  ASSERT_EQ(run({.action = KeyAction::kRotate,
                 .server = url,
                 .key = root,
                 .id = prom["id"],
                 .overlap_ms = 5'000}),
            0)
      << err_;
  EXPECT_TRUE(server.access.keys->authenticate(std::string(prom["key"])));
  ASSERT_EQ(run({.action = KeyAction::kRevoke, .server = url, .key = root, .id = prom["id"]}), 0)
      << err_;
  EXPECT_FALSE(server.access.keys->authenticate(std::string(prom["key"])));
  EXPECT_EQ(run({.action = KeyAction::kRevoke, .server = url, .key = root, .id = "../x"}), 1);
  EXPECT_THAT(err_, HasSubstr("there is none"));
  ASSERT_EQ(
      run({.action = KeyAction::kJoinToken, .server = url, .key = root, .lifetime_ms = 60'000}), 0)
      << err_;
  EXPECT_TRUE(server.access.tokens->redeem_join(out_.substr(0, out_.size() - 1), "node", ""));
}

TEST_F(KeyCommandsTest, AServerThatIsNotThereIsNamed) {
  EXPECT_EQ(run({.action = KeyAction::kList, .server = "http://127.0.0.1:1"}), 1);
  EXPECT_THAT(err_, HasSubstr("127.0.0.1:1"));
}

TEST_F(KeyCommandsTest, TheCommandLineIsCheckedBeforeAnythingIsDone) {
  const auto parse = [&](const std::string& line) {
    CLI::App root;
    int exit_code = 0;
    add_key_commands(root, exit_code);
    try {
      root.parse(line);
    } catch (const CLI::ParseError& error) {
      return error.get_exit_code();
    }
    return exit_code;
  };
  const std::string data = " --data " + folder_.path();
  EXPECT_NE(parse("key create --name a --role boss" + data), 0);
  EXPECT_NE(parse("key create --name a --role viewer --expires soon" + data), 0);
  EXPECT_NE(parse("key create --name a --role viewer --expires 10ms" + data), 0);
  EXPECT_NE(parse("key create --role viewer" + data), 0);
  EXPECT_NE(parse("key list --format xml" + data), 0);
  EXPECT_NE(parse("key" + data), 0);
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(parse("key create --name a --role viewer --expires 90d --format json" + data), 0);
  EXPECT_EQ(list().size(), 1u);
}

}  // namespace
}  // namespace binnacle::app
