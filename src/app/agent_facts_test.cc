#include "app/agent_facts.h"

#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "base/version.h"

namespace binnacle::app {
namespace {

using collect::engines::LocalEngine;

class AgentFactsTest : public testing::Test {
 protected:
  void put(const std::string& path, std::string_view text) {
    ASSERT_TRUE(disk_.create_directories(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(disk_.write_file_atomically(path, text, 0644));
  }
  static LocalEngine vllm(const std::string& port, std::vector<std::string> models) {
    LocalEngine engine;
    engine.engine = collect::engines::Engine::kVllm;
    engine.url = "http://127.0.0.1:" + port;
    engine.version = "0.10.1";
    engine.models = std::move(models);
    return engine;
  }

  FaultFileSystem disk_;
  AgentFacts facts_{disk_, "/proc", "/sys"};
};

TEST_F(AgentFactsTest, WhatIsNotKnownIsLeftOut) {
  EXPECT_EQ(facts_.gather(), (link::Facts{{{"agent", std::string(version())}}}));
}

TEST_F(AgentFactsTest, KernelAndDriverComeFromTheKernelsFiles) {
  put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  put("/sys/module/amdgpu/version", "6.3.6\n");
  EXPECT_EQ(facts_.gather().facts[1], (link::Fact{"kernel", "6.1.0-18-amd64"}));
  EXPECT_EQ(facts_.gather().facts[2], (link::Fact{"gpu_driver", "6.3.6"}));
  put("/proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build\n"
      "GCC version:  gcc version 12.2.0\n");
  EXPECT_EQ(facts_.gather().facts[2], (link::Fact{"gpu_driver", "560.35.03"}));
}

TEST_F(AgentFactsTest, EnginesAreTheirNameVersionAndModels) {
  facts_.set_engines({vllm("8000", {"b", "a"})});
  const auto one = facts_.gather().facts;
  ASSERT_EQ(one.size(), 3U);
  EXPECT_EQ(one[1], (link::Fact{"engine", "vllm 0.10.1"}));
  EXPECT_EQ(one[2], (link::Fact{"model", "a,b"}));
  facts_.set_engines({vllm("8001", {"c"}), vllm("8000", {})});
  const auto two = facts_.gather().facts;
  ASSERT_EQ(two.size(), 4U);
  EXPECT_EQ(two[1].name, "engine/8000");
  EXPECT_EQ(two[3], (link::Fact{"model/8001", "c"}));
  facts_.set_engines(std::vector<LocalEngine>(100, vllm("1", {"m"})));
  EXPECT_EQ(facts_.gather().facts.size(), link::kMaxFacts);
}

}  // namespace
}  // namespace binnacle::app
